/*
 * clock.h - a spool's ticks as nanoseconds since its start.
 *
 * Where ticks are the processor's counter, their rate follows from pairs of moments on both clocks
 * (the start, each chunk's opening, each sample). A single rate would not survive a suspend or a
 * migration, so the line continues from the last pair: it follows a small difference slowly (a pair
 * can be late by a preemption between its two readings), a large one at once.
 *
 * One owner, one thread.
 */
#ifndef MPROF_CLOCK_H
#define MPROF_CLOCK_H

#include "spool.h"

struct clock {
    int is_counter;
    int is_here;              /* the counter is this machine's: it can be read and measured */
    struct spool_moment here; /* if it is, when the clock was made */
    struct spool_moment start;
    struct spool_moment anchor; /* its ns count from the start */
    double rate;                /* ns a tick */
    uint64_t rate_span;         /* ns between the pairs it comes from; 0: not from pairs */
    struct spool_moment farthest;
    uint64_t last; /* what clock_ns last returned */
};

void clock_init(struct clock *clock, const struct spool_header *header);

/* Improves the rate with a pair known ahead of the order of events. */
void clock_learn(struct clock *clock, struct spool_moment pair);
/* Once all pairs known so far have been learned: sets the rate if it is still unknown. */
void clock_settle(struct clock *clock);

/* Takes a pair in the order of events: the line continues from it. */
void clock_pair(struct clock *clock, struct spool_moment pair);

static inline uint64_t clock_from_double(double ns)
{
    if (!(ns > 0))
        return 0;
    return ns < 9e18 ? (uint64_t)(int64_t)ns : (uint64_t)9e18;
}

/* An event's time in ns, for events in any order. */
static inline uint64_t clock_at(const struct clock *clock, uint64_t ticks)
{
    double ahead = (double)(int64_t)(ticks - clock->anchor.ticks) * clock->rate;
    return clock_from_double((double)(int64_t)clock->anchor.ns + ahead);
}

/* The same for events in order: never falls. */
static inline uint64_t clock_ns(struct clock *clock, uint64_t ticks)
{
    uint64_t ns = clock_at(clock, ticks);

    if (ns > clock->last)
        clock->last = ns;
    return clock->last;
}

/* This moment in the spool's ticks, far in the future where it cannot be known; and a millisecond
 * in ticks, 0 where the rate is unknown. */
uint64_t clock_now(const struct clock *clock);
uint64_t clock_millisecond(const struct clock *clock);

#endif
