/*
 * sample.h - samples of the resident set, taken at events when the interval has passed (plain
 * preload; `mprof-c run` samples from outside and sets the interval to 0). Any thread; one sample
 * at a time.
 */
#ifndef MPROF_SAMPLE_H
#define MPROF_SAMPLE_H

#include <stdint.h>

extern uint64_t sample_next; /* ticks of the next sample; UINT64_MAX: none */

void sample_start(uint64_t interval_ns);
void sample_take(void); /* now, if a sample is due by the clock */

static inline void sample_if_due(uint64_t ticks)
{
    if (__builtin_expect(ticks >= __atomic_load_n(&sample_next, __ATOMIC_RELAXED), 0))
        sample_take();
}

#endif
