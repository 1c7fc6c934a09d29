/*
 * cramped.h - recording for a handler whose stack is hardly large enough for itself.
 *
 * A signal's frame takes 1 to 3.5 KiB (11 with AMX) of the alternate stack, which may have 4; what
 * is left was measured by the program for its own calls. So where an event comes from an alternate
 * stack of less than CRAMPED_BYTES it is recorded on one of ours. Signals are held back meanwhile:
 * the kernel would take the program's alternate stack for free.
 *
 * Which stack is the alternate one is noted by the hook of sigaltstack, and asked for when a thread
 * begins.
 */
#ifndef MPROF_CRAMPED_H
#define MPROF_CRAMPED_H

#include "thread.h"

#include <stdint.h>

#define CRAMPED_BYTES (32u << 10)

/* Is the alternate stack of t's thread such a one, and this on it? */
static inline int cramped_on(const struct thread *t, uintptr_t sp)
{
    return __builtin_expect(sp - t->alternate < t->alternate_bytes, 0);
}

/* The same of the calling thread; also 1 where that is to be found out: it has no state yet. */
static inline int cramped_perhaps(uintptr_t sp)
{
    const struct thread *t = tls.thread;
    return __builtin_expect(!t, 0) || cramped_on(t, sp);
}

/* Calls work(job), on a stack of ours if this one is cramped. */
void cramped_call(void (*work)(void *), void *job);

/* What the kernel says of the alternate stack now. */
void cramped_note(struct thread *t);

/* In a forked child: others had some of our stacks. */
void cramped_after_fork(void);

#endif
