/*
 * tables.h - the image's tables as they grow: an increment holds what was appended since the
 * previous one.
 *
 * Order within a file: strings, functions, frames, objects, locations, stacks, classes; an entry
 * names only entries that came before it, which tables_read enforces. Payload of an increment:
 * index of the first entry, count, then the fields column by column. One owner, one thread.
 */
#ifndef MPROF_TABLES_H
#define MPROF_TABLES_H

#include "capture_format.h"
#include "codec.h"
#include "event.h"
#include "summary.h"

#define TABLE_INCREMENT_MAX (1u << 19) /* entries that a writer puts into one block */

/* Writing: puts texts from `first` on into `payload`, which is replaced: as many as fit into
 * `bytes`, at least one. Returns how many. */
size_t tables_put_strings(struct bytes *payload, const struct string_table *strings, size_t first,
                          size_t bytes);
/* Writing: puts entries [first, first + count) of an array into `payload`, which is replaced;
 * `index` is the first one's number in the table. New texts land in `strings`, whose increment must
 * be written before this block. */
void tables_put(struct bytes *payload, enum capture_block_type type, struct string_table *strings,
                const void *array, size_t first, uint64_t index, size_t count);

/* Reading. The arrays grow here and are given to an image at the end (tables_give). */
struct tables {
    struct string_table strings;
    struct arena *memory; /* of the strings' bytes */
    uint32_t version;     /* of the file */
    struct function *functions;
    struct frame *frames;
    struct object *objects;
    struct location *locations;
    struct stack *stacks;
    struct event_class *classes;
    size_t function_count, frame_count, object_count, location_count, stack_count, class_count;
    size_t function_capacity, frame_capacity, object_capacity;
    size_t location_capacity, stack_capacity, class_capacity;
};

/* Appends an increment. Returns 1, or 0 where it does not fit what is already there. */
int tables_read(struct tables *t, enum capture_block_type type, const struct bytes *payload);
/* Copies all but the classes into the image's arena. */
void tables_give(struct tables *t, struct image *image);
void tables_free(struct tables *t);

#endif
