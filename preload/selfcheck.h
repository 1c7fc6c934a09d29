/*
 * selfcheck.h - MPROF_SELFCHECK=N: every Nth recorded stack is compared with libunwind's.
 *
 * Two unwinders that share no code and no cache have to agree, frame by frame, in pc and stack
 * pointer, as far as there is call frame information; where libunwind guesses the comparison ends.
 * How many stacks were compared and how many differed is counted in the process's entry of the
 * spool; a difference is told by a label (SPOOL_LABEL_DIFFERENCE) behind its event, the first
 * thousand of a process.
 *
 * Cost: nothing but a branch where it is off; some 2 us a frame where it is on. Nothing of the
 * host's is touched: unwind.h says how.
 */
#ifndef MPROF_SELFCHECK_H
#define MPROF_SELFCHECK_H

#include "thread.h"

extern uint32_t selfcheck_every; /* 0: off */

void selfcheck_start(uint64_t every);

void selfcheck_slow(struct thread *t, struct registers caller);

/* t->memo holds the stack of `caller`, a hook's that is running, and t has just recorded it. */
static inline void selfcheck(struct thread *t, struct registers caller)
{
    if (__builtin_expect(selfcheck_every != 0, 0))
        selfcheck_slow(t, caller);
}

#endif
