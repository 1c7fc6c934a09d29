/*
 * unwind.h - libunwind: for the frames no rule expresses, and for the self-check. It is opened with
 * dlopen(RTLD_LOCAL) by the constructor and never a DT_NEEDED: it exports _Unwind_* and backtrace,
 * and a host would bind to them. Without it, and before the constructor, such stacks are marked
 * truncated, and nothing is compared.
 *
 * libunwind keeps locks, allocates, and wants up to 10 KiB of stack. So it works for one thread at
 * a time, with all signals blocked, on a stack of our own, its allocations from our arena, errno
 * kept; nobody forks meanwhile (unwind_fork_*), and whoever cannot have it within a moment goes
 * without.
 */
#ifndef MPROF_UNWIND_H
#define MPROF_UNWIND_H

#include "arch_x86_64.h"

void unwind_open(void);

/* *r is a frame of the calling thread's stack: steps to its caller and returns 1, or returns 0. */
int unwind_step(struct registers *r);

/* The frame that is being shown, for questions about it. */
struct unwind_view;
int unwind_has_information(const struct unwind_view *view); /* of how to go on from it */

/*
 * Shows the calling thread's stack as libunwind sees it: frame by frame from the frame `from`
 * outwards, until `show` returns 0. `show` must not allocate, and may not jump out.
 */
typedef int unwind_show(void *context, uintptr_t pc, uintptr_t sp, const struct unwind_view *view);
enum unwound {
    UNWOUND_NOT,    /* there is no libunwind to be had now, or it did not come by `from` */
    UNWOUND_ENOUGH, /* `show` said so */
    UNWOUND_END     /* there is no further frame, or libunwind found none */
};
enum unwound unwind_stack(struct registers from, unwind_show *show, void *context);

/* Around a fork by fork(): libunwind is nobody's. A child that came by another way finds out by
 * itself (unwind_after_fork) and does without where libunwind was at work in the parent. */
void unwind_fork_begin(void);
void unwind_fork_end(void); /* in parent and child */
void unwind_after_fork(void);

#endif
