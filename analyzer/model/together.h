/*
 * together.h - the memory of several processes as one line.
 *
 * Each process is a course: its buckets, and where its own time begins in the common one. The sum
 * at a moment is that of the levels of all processes alive then; a process that has ended has none.
 * Within a bucket the sum goes by the changes that the bucket has kept, so it is exact where no
 * bucket has lost one, and else at each bucket's end. Inherited blocks of a forked child are in no
 * course of its own, so nothing counts twice.
 * Nothing here reads files. Single-threaded.
 */
#ifndef MPROF_TOGETHER_H
#define MPROF_TOGETHER_H

#include "timeline.h"

struct course {
    const struct bucket *buckets; /* in order of time, which is the process's own */
    size_t count;
    struct line_of mapped; /* of a line of memory: that of its mapped part; empty: there is none */
    const struct sample *samples; /* of the resident set, in order of time */
    size_t sample_count;
    uint64_t shift_ns; /* where its own time 0 lies in the common time */
    uint64_t end_ns;   /* in its own time: from then on it has no memory */
    int runs_on;       /* it has not ended */
    /* end_ns of its resident set, where that goes on as a later image's of the process, until which
     * the last sample holds; 0: end_ns. */
    uint64_t samples_end_ns;
};

/* The changes that a line's buckets have kept, in order of time. Begin with {buckets, count}, and
 * of memory with the line of its mapped part. */
struct steps {
    const struct bucket *buckets;
    size_t count;
    struct line_of mapped;
    size_t next;           /* bucket */
    int change;            /* of it: how many were given */
    size_t mapped_at;      /* the mapped line's bucket at that time */
    uint64_t mapped_bytes; /* how much of the level given last is mapped: of a bucket's highest what
                              the bucket says, else what the mapped line comes to at that time */
};

/* 0 at the end; else the level is *level from *ns on. */
int steps_next(struct steps *s, uint64_t *ns, uint64_t *level);

/* The sum of all courses, into an empty timeline. from_ns, in the common time: the sum begins there
 * with one level, whatever each of the courses begins with; 0: with its first change. */
void together_line(const struct course *courses, size_t count, uint64_t from_ns,
                   struct timeline *sum);

/* Sums up the resident sets, each from its first sample on, held until the next one and from the
 * last one to the process's end, into empty samples. These are joined by lines: 1 ns before an end
 * stands the level that is held until then. */
void together_samples(const struct course *courses, size_t count, struct samples *sum);

#endif
