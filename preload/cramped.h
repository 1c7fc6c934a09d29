/*
 * cramped.h - recording for a signal handler whose stack is hardly large enough for the handler.
 *
 * A signal's frame takes 1 to 3.5 KiB (11 with AMX) of the alternate stack, which may have only 4;
 * the program has measured the rest for its own calls. So an event that comes from an alternate
 * stack of less than CRAMPED_BYTES is recorded on one of our stacks. Signals are held back
 * meanwhile, because the kernel would take the program's alternate stack to be free; where a filter
 * forbids that, there is no alternate stack meanwhile.
 *
 * The hook of sigaltstack notes which stack is the alternate one; when a thread begins, the kernel
 * is asked. Any thread, about itself.
 */
#ifndef MPROF_CRAMPED_H
#define MPROF_CRAMPED_H

#include "thread.h"

#include <stdint.h>

#define CRAMPED_BYTES (32u << 10)

/* Does t's thread have such an alternate stack, and does sp lie on it? */
static inline int cramped_on(const struct thread *t, uintptr_t sp)
{
    return __builtin_expect(sp - t->alternate < t->alternate_bytes, 0);
}

/* The same for the calling thread; also 1 where that is still unknown, as it has no state yet. */
static inline int cramped_perhaps(uintptr_t sp)
{
    const struct thread *t = tls.thread;
    return __builtin_expect(!t, 0) || cramped_on(t, sp);
}

/* Calls work(job), on a stack of ours if this one is cramped. */
void cramped_call(void (*work)(void *), void *job);

/* Notes what the kernel says of the alternate stack now. */
void cramped_note(struct thread *t);

/* In a forked child: frees our stacks, some of which other threads were using. */
void cramped_after_fork(void);

#endif
