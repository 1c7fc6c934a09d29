/* reader_parts.h - the inside of a reader, shared by reader.c and reader_cut.c. */
#ifndef MPROF_READER_PARTS_H
#define MPROF_READER_PARTS_H

#include "block.h"
#include "payloads.h"
#include "reader.h"
#include "tables.h"

struct reader {
    int fd;
    struct block_input input;
    struct capture_header header;
    struct image *image;
    struct tables tables;
    struct index_entry *index; /* blocks in the order of the file */
    size_t index_count, index_capacity;
    int whole;                    /* the file has its end */
    size_t listed;                /* a cut file: processes in its list so far */
    int classes_read;             /* 1: tables.classes is filled, -1: it cannot be */
    struct bytes stored, payload; /* of the block being read */

    /* Where reader_next stands. */
    uint32_t process;
    size_t next; /* first entry of the index not looked at yet */
    int in_segment;
    struct segment_reader segment;
    struct blocks blocks; /* where captures name blocks: those that live after the last event */
    int follows;          /* `blocks` holds those of the previous segment's end */
    struct bytes segment_payload;
    struct heap_level level;
};

/* Do its segments say which block each free takes? */
static inline int reader_names_blocks(const struct reader *r)
{
    return (r->header.features & CAPTURE_BLOCKS) != 0;
}

/* Do its events and totals take all mappings for mapped memory, whatever they are? */
static inline int reader_kinds_untold(const struct reader *r)
{
    return r->header.version < CAPTURE_MAPPED || r->header.features & CAPTURE_KINDS_UNTOLD;
}

/* Unless stated otherwise, return 1, 0 where the file is not as it should be, -1 with errno. */

/* The payload of the block at `offset`, which must be of this type and process. */
int reader_block(struct reader *r, uint64_t offset, uint32_t type, uint32_t process,
                 struct bytes *payload);
/* A codec that reads r->payload. */
struct codec reader_codec(struct reader *r);

int reader_is_table(uint32_t type); /* of the image: all but classes */

/* r->payload is a HEAD, a SUMMARY, a LOST, a BOUNDS, MODULES, a FAMILY, a SELFCHECK, THREADS or
 * FAILED (which may come before the summary or after it). A summary needs the complete tables of
 * the image. */
int reader_add_head(struct reader *r);
int reader_get_summary(struct reader *r, uint32_t serial);
int reader_get_mapped(struct reader *r, uint32_t serial); /* after both of them */
int reader_get_lost(struct reader *r, uint32_t serial);
int reader_get_bounds(struct reader *r, uint32_t serial);
int reader_get_modules(struct reader *r);
int reader_get_family(struct reader *r);
int reader_get_selfcheck(struct reader *r, uint32_t serial);
int reader_get_threads(struct reader *r, uint32_t serial);
int reader_get_failed(struct reader *r, uint32_t serial);

/* Gives the image `count` empty processes. */
void reader_begin_processes(struct reader *r, size_t count);

/* Fills an empty image with what can be read. Returns an error of recording.h. */
int reader_read_cut(struct reader *r);

#endif
