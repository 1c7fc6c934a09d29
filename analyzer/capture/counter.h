/*
 * counter.h - this machine's processor counter: the clock that spools of SPOOL_CLOCK_COUNTER count
 * in, if they were recorded here. The only place in the collector that depends on the processor.
 * Any thread.
 */
#ifndef MPROF_COUNTER_H
#define MPROF_COUNTER_H

#include <stdint.h>

#if defined(__x86_64__)
#define COUNTER_MACHINE 62 /* ELF e_machine */
static inline uint64_t counter_now(void)
{
    return __builtin_ia32_rdtsc();
}
#elif defined(__aarch64__)
#define COUNTER_MACHINE 183
static inline uint64_t counter_now(void)
{
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}
#else
#define COUNTER_MACHINE 0
static inline uint64_t counter_now(void)
{
    return 0;
}
#endif

#endif
