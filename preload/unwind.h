/*
 * unwind.h - libunwind, for the frames that no rule expresses, and for the self-check. The
 * constructor opens it by itself (unwind_space.h); it is never a DT_NEEDED, because it exports
 * _Unwind_* and backtrace, and a host would bind to them. Without it, and before the constructor,
 * such stacks are marked truncated, and nothing is compared.
 *
 * libunwind takes locks, allocates, and wants up to 10 KiB of stack. So it works for one thread at
 * a time, with all signals blocked, on a stack of our own, its allocations from our arena, errno
 * kept. Nobody forks meanwhile (unwind_fork_*), and whoever cannot have it within a moment goes
 * without.
 */
#ifndef MPROF_UNWIND_H
#define MPROF_UNWIND_H

#include "arch_x86_64.h"

void unwind_open(void);

/* Steps from *r, a frame of the calling thread's stack, to its caller: 1, or 0 where that fails. */
int unwind_step(struct registers *r);

/* The frame being shown, for questions about it. */
struct unwind_view;
int unwind_has_information(const struct unwind_view *view); /* on how to go on from it */

/*
 * Shows the calling thread's stack as libunwind sees it, frame by frame from the frame `from`
 * outwards, until `show` returns 0. `show` must neither allocate nor jump out.
 */
typedef int unwind_show(void *context, uintptr_t pc, uintptr_t sp, const struct unwind_view *view);
enum unwound {
    UNWOUND_NOT,    /* libunwind cannot be had now, or did not come by `from` */
    UNWOUND_ENOUGH, /* `show` returned 0 */
    UNWOUND_END     /* there is no further frame, or libunwind found none */
};
enum unwound unwind_stack(struct registers from, unwind_show *show, void *context);

/* Around a fork by fork() nobody has libunwind. A child that came another way finds out by itself
 * (unwind_after_fork), and does without it if it was at work in the parent. */
void unwind_fork_begin(void);
void unwind_fork_end(void); /* in parent and child */
void unwind_after_fork(void);

#endif
