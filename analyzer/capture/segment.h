/*
 * segment.h - a stretch of one process's events as bytes: the payload of an EVENTS block.
 *
 * In memory only. What goes in comes out again in the same order, with time rounded down to ticks
 * of CAPTURE_TICK_NS. Consecutive segments of a process are independent except for a few figures in
 * a segment's head, so any of them can be read without those before it. The block that a free takes
 * is named relative to the live blocks (blocks.h).
 *
 * The encoding was chosen by measuring: one token per event in a stream per thread, and the order
 * between the threads in a column of its own; see capture_format.h for the tokens and doc/format.md
 * for the columns.
 */
#ifndef MPROF_SEGMENT_H
#define MPROF_SEGMENT_H

#include "bytes.h"
#include "event.h"

/* Live bytes of a process, as they follow from its events alone. */
struct heap_level {
    uint64_t heap, mapped;
};
void heap_level_apply(struct heap_level *level, const struct event *e);

struct segment_head {
    uint64_t events;
    uint64_t first_tick, last_tick;
    uint32_t highest_class;  /* that the process had named before this segment, 0 none */
    struct heap_level level; /* before its first event */
    uint64_t allocations;    /* before its first event, where blocks are named */
};

struct segment_thread { /* one thread's token stream */
    uint32_t serial;
    uint32_t last_class;
    struct bytes tokens; /* when writing */
    struct cursor left;  /* when reading */
};

/* Zero it before the first segment of a process; segment_finish readies it for the next. */
struct segment_writer {
    struct segment_head head;
    uint32_t highest_class; /* up to now */
    struct heap_level level;
    uint64_t allocations;
    struct bytes run_threads, run_lengths;               /* order between threads */
    struct bytes tick_counts, tick_steps;                /* time */
    struct bytes block_runs, block_places, block_births; /* names of freed blocks */
    int names_blocks;                                    /* set it before the first event */
    uint64_t block_run;                                  /* frees of a BLOCK_YOUNGEST in a row */
    uint32_t last_birth;                                 /* in block_births */
    struct segment_thread *threads;                      /* thread_count of them are in use */
    size_t thread_count, thread_capacity;
    uint32_t *slots; /* hash of serials: 1 + index in threads, 0 empty */
    size_t slot_count;
    struct segment_thread *current;
    uint64_t run_begin;   /* events before those of `current` in a row */
    uint64_t tick_begin;  /* events before those in the tick head.last_tick */
    uint64_t tick_end_ns; /* where that tick ends */
};

void segment_add(struct segment_writer *s, const struct event *e);
size_t segment_bytes(const struct segment_writer *s);                 /* payload so far, roughly */
void segment_finish(struct segment_writer *s, struct bytes *payload); /* replaces payload */
void segment_free(struct segment_writer *s);

struct segment_reader {
    struct segment_head head;
    uint32_t highest_class;
    struct cursor run_threads, run_lengths, tick_counts, tick_steps;
    struct cursor block_runs, block_places, block_births;
    struct blocks *blocks; /* NULL: events have no block numbers */
    uint64_t block_run;
    uint32_t last_birth;
    struct segment_thread *threads;
    size_t thread_count;
    struct segment_thread *current;
    uint64_t run, tick_events; /* events left in the run, in the tick */
    uint64_t tick, left;
};

/* Reads a payload, which must outlive the reader. names_blocks: the capture has CAPTURE_BLOCKS;
 * blocks: those that live before its first event, which then follow the events; NULL: nobody wants
 * to know. Returns 1, or 0 where it is no segment; either way call segment_reader_free. */
int segment_open(struct segment_reader *r, const struct bytes *payload, int names_blocks,
                 struct blocks *blocks);
/* Next event: 1, 0 at the end, -1 where the bytes make no sense. */
int segment_next(struct segment_reader *r, const struct event_class *classes, size_t class_count,
                 uint64_t tick_ns, struct event *e);
void segment_reader_free(struct segment_reader *r);

#endif
