/*
 * timeline.h - the course of a level over time in a bounded number of buckets.
 *
 * Buckets are as fine as their number allows: when TIMELINE_BUCKETS are full the width doubles and
 * neighbours merge. A bucket begins at its first change: the level before that belongs to the
 * bucket before. Stretches without a change have no bucket. A zeroed struct is an empty timeline.
 * One owner, one thread.
 */
#ifndef MPROF_TIMELINE_H
#define MPROF_TIMELINE_H

#include "summary.h"

struct timeline {
    struct bucket *buckets;
    size_t count, capacity;
    uint64_t width; /* ns; the last bucket takes events before `limit`, a multiple of width */
    uint64_t limit;
};

/* A new bucket. */
void timeline_open(struct timeline *t, uint64_t ns, uint64_t level, uint64_t mapped);

/* The level from `ns` on, and how much of it is mapped memory. Times must not fall. */
static inline void timeline_add_parts(struct timeline *t, uint64_t ns, uint64_t level,
                                      uint64_t mapped)
{
    if (__builtin_expect(ns >= t->limit || t->count == 0, 0)) {
        timeline_open(t, ns, level, mapped);
        return;
    }
    struct bucket *b = &t->buckets[t->count - 1];
    if (level > b->max_bytes) {
        b->max_bytes = level;
        b->max_ns = ns;
        b->max_mapped_bytes = mapped;
    }
    if (level < b->min_bytes) {
        b->min_bytes = level;
        b->min_ns = ns;
    }
    b->last_bytes = level;
    b->last_ns = ns;
}

/* The same of a line that has no parts. */
static inline void timeline_add(struct timeline *t, uint64_t ns, uint64_t level)
{
    timeline_add_parts(t, ns, level, 0);
}

/* Makes `to`, which is empty, a copy. */
void timeline_copy(struct timeline *to, const struct timeline *from);
/* A copy of its buckets, in memory of an image. */
struct bucket *timeline_take(const struct timeline *t, struct arena *memory);
void timeline_clear(struct timeline *t); /* releases its memory */

/* The second bucket's changes, which are later, become the first's. */
void bucket_join(struct bucket *into, const struct bucket *next);

/* The same for samples of the resident set, in any order of time: keeps the larger of neighbours
 * when there are more than SAMPLES_MAX. */
#define SAMPLES_MAX 20000

struct samples {
    struct sample *list;
    size_t count, capacity;
    uint64_t highest; /* bytes, of all that were added */
};

void samples_add(struct samples *s, struct sample sample);
void samples_sort(struct samples *s); /* by time */
void samples_clear(struct samples *s);

#endif
