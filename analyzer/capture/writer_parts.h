/* writer_parts.h - the inside of a writer, shared by writer.c and writer_summary.c. */
#ifndef MPROF_WRITER_PARTS_H
#define MPROF_WRITER_PARTS_H

#include "packer.h"
#include "payloads.h"
#include "tables.h"
#include "writer.h"

struct writer {
    struct packer *packer;
    const struct image *image;
    struct writer_source source;
    uint64_t segment_events;
    size_t entries_max, text_bytes; /* of a block */

    struct string_table strings;
    size_t strings_written, functions_written, frames_written, objects_written;
    size_t locations_written, stacks_written;
    struct event_class *classes; /* those that no block holds yet */
    size_t class_count, class_capacity, classes_written;

    struct pending **processes; /* by serial; NULL: nothing has come of it */
    size_t process_capacity;
    struct bytes process_list; /* payload of the last PROCESSES block */
    size_t process_list_entry; /* of the index: that block */

    struct index_entry *index;
    size_t index_count, index_capacity;
    struct bytes payload; /* of the block being made */
    struct bytes texts;   /* payload of the STRINGS block that goes before it */
};

/* Puts a block and notes it in the index. The payload is empty afterwards. */
struct index_entry *writer_put_block(struct writer *w, enum capture_block_type type,
                                     uint32_t process, struct bytes *payload);

/* Writes the texts that were numbered since, which go before the block that names them. */
void writer_put_strings(struct writer *w);

/* How many of `left` entries go into the next block. */
size_t writer_part_of(const struct writer *w, size_t left, size_t most);

/* All that the image says besides its tables and events. */
void writer_put_summaries(struct writer *w);

#endif
