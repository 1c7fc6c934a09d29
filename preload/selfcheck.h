/*
 * selfcheck.h - MPROF_SELFCHECK=N: every Nth recorded stack is compared with libunwind's.
 *
 * Two unwinders that share no code and no cache must agree, frame by frame, in pc and stack
 * pointer, as far as there is call frame information; where libunwind would guess, the comparison
 * ends. The process's entry in the spool counts the stacks that were compared and those that
 * differed; a label (SPOOL_LABEL_DIFFERENCE) after its event shows a difference, for the first
 * thousand of a process.
 *
 * Cost: only a branch where it is off; some 2 us a frame where it is on. Nothing of the host's is
 * touched: unwind.h says how.
 */
#ifndef MPROF_SELFCHECK_H
#define MPROF_SELFCHECK_H

#include "own.h"
#include "thread.h"

extern OWN uint32_t selfcheck_every; /* 0: off */

void selfcheck_start(uint64_t every);

/* Counts a difference that another has found. */
void selfcheck_differs(void);

void selfcheck_slow(struct thread *t, struct registers caller);

/* t has just recorded the stack of `caller`, the caller of a running hook, and t->memo holds it. */
static inline void selfcheck(struct thread *t, struct registers caller)
{
    if (__builtin_expect(selfcheck_every != 0, 0))
        selfcheck_slow(t, caller);
}

#endif
