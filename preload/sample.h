/*
 * sample.h - what is done now and then, at an event when the interval has passed: the resident set
 * is sampled (where no `mprof-c run` does it from outside, or does it no more), the thread's name
 * looked at, and streams of threads that have ended are tended. Any thread; one at a time.
 */
#ifndef MPROF_SAMPLE_H
#define MPROF_SAMPLE_H

#include "own.h"

#include <stdint.h>

extern OWN uint64_t sample_next; /* ticks of the next time; UINT64_MAX: never */

/* interval_ns 0: no samples. has_sampler: whoever started the program samples it, so none before
 * that must have come, and none while it is there. */
void sample_start(uint64_t interval_ns, int has_sampler);
void sample_take(void);       /* now, if it is due by the clock */
void sample_after_fork(void); /* in the child */

static inline void sample_if_due(uint64_t ticks)
{
    if (__builtin_expect(ticks >= __atomic_load_n(&sample_next, __ATOMIC_RELAXED), 0))
        sample_take();
}

#endif
