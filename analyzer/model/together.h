/*
 * together.h - the memory of several processes as one line.
 *
 * Each process is a course: its buckets, and where its own time begins in the common one. The sum
 * at a moment is that of the levels of all processes alive then; a process that has ended has none.
 * Within a bucket the level is taken as plot draws it: first what it was before, at max_ns the
 * maximum, and at the bucket's end what it was last. So the sum is exact where each bucket holds
 * one change; elsewhere it is exact but for where in a bucket (less than half a thousandth of the
 * process's time) two processes' highs fall. Inherited blocks of a forked child are in no course of
 * its own, so nothing counts twice. Nothing here reads files. Single-threaded.
 */
#ifndef MPROF_TOGETHER_H
#define MPROF_TOGETHER_H

#include "timeline.h"

struct course {
    const struct bucket *buckets; /* in order of time, which is the process's own */
    size_t count;
    const struct sample *samples; /* of the resident set, in order of time */
    size_t sample_count;
    uint64_t shift_ns; /* where its own time 0 lies in the common time */
    uint64_t end_ns;   /* in its own time: from then on it has no memory */
    int runs_on;       /* it has not ended */
};

/* The levels of a bucketed line, one after the other: at *ns it becomes *level. */
struct steps {
    const struct bucket *buckets;
    size_t count;
    uint64_t width, end_ns; /* distance of buckets; end of the last one */
    size_t next;            /* bucket */
    int part;               /* of it: 0 maximum, 1 minimum, 2 last */
    uint64_t before;
};

void steps_begin(struct steps *s, const struct bucket *buckets, size_t count, uint64_t end_ns);
int steps_next(struct steps *s, uint64_t *ns, uint64_t *level);

/* Sums up all courses into an empty timeline. */
void together_heap(const struct course *courses, size_t count, struct timeline *sum);

/* Sums up the resident sets, each held until its next sample, into empty samples. */
void together_samples(const struct course *courses, size_t count, struct samples *sum);

#endif
