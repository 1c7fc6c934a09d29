/*
 * functions.h - the exact figures of every function and stack of one process.
 *
 * The straightforward way: an event walks the functions of its stack, each once, and adds its size
 * to their live bytes; whoever goes above its own peak has a new one. What a function held at the
 * program's peak is found without looking at all functions then: each new peak of the program is
 * an epoch, and the first change of a function within an epoch notes what it was before.
 *
 *   holding.at_peak is right while holding.epoch == figures.epoch; else it is holding.live
 *
 * Cost: one cache line for each distinct function on the stack. Nothing outside this module knows
 * how it is done, so that the cheaper way of DESIGN.md section 6 can take its place.
 * Sizes beyond reason (damaged files) wrap around. One owner, one thread.
 */
#ifndef MPROF_FUNCTIONS_H
#define MPROF_FUNCTIONS_H

#include "pages.h"
#include "summary.h"
#include "tree.h"

/* When and by whom: `who` tells the streams of the process apart. */
struct instant {
    uint64_t ns;
    uint32_t who;
};

struct holding {
    uint64_t live, peak, peak_ns; /* peak: the highest `live` ever was; ties: the first */
    uint64_t at_peak, epoch;
    uint32_t who; /* of the allocation that set the peak */
};

struct stack_figures {
    uint64_t live_bytes, live_blocks;
    uint64_t allocations, allocated_bytes, temporary;
};

struct figures {
    struct pages inclusive; /* struct holding, by function */
    struct pages self;      /* the same */
    struct pages spans;     /* struct span, by function; spans.h fills them */
    struct pages stacks;    /* struct stack_figures, by stack */
    uint64_t epoch;         /* peaks of the program so far */
};

void figures_allocate(struct figures *f, struct tree *tree, uint32_t stack, uint64_t size,
                      struct instant at);
void figures_release(struct figures *f, struct tree *tree, uint32_t stack, uint64_t size);
void figures_temporary(struct figures *f, uint32_t stack);

/* The figures of a stack; zeros where it never had any. */
const struct stack_figures *figures_stack(const struct figures *f, uint32_t stack);
/* The next stack from `stack` on that has allocated; UINT32_MAX where there is none. */
uint32_t figures_next_stack(const struct figures *f, uint32_t stack);

/* The program's live bytes have just reached a new peak. */
static inline void figures_new_peak(struct figures *f)
{
    f->epoch++;
}

/* The usage of every function with an allocation, by function index, in memory of the image.
 * kept_live 0: blocks still live do not count as live at the end (the program exec'd). */
void figures_fill(const struct figures *f, struct tree *tree, struct process *process,
                  int kept_live);

void figures_clear(struct figures *f); /* releases its memory; zeroed is empty */

#endif
