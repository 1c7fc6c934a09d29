/*
 * functions.h - the exact figures of every function and stack of one process.
 *
 * An event counts for every function of its call path (tree.h). Adding it to each of them would
 * cost the path's length, so it is added to the innermost one only, and what a function is owed is
 * settled when it leaves the path: events come in flocks from one neighbourhood of the stack tree.
 * A step keeps, of all that happened at it and further in,
 *
 *   sum      what was added and taken
 *   highest  the highest `sum` ever was, and when: ties, the first
 *   at_peak  what `sum` was at the program's newest peak, if that came meanwhile (epoch says)
 *
 * A step that leaves is folded into its function, and into the next step outwards, for which it was
 * one stretch of time without other events. So all figures are what they would be if each event had
 * gone to each function, at the cost of the functions that change between two events.
 *
 * What a function held at the program's peak is found without visiting all functions at every peak:
 * each new peak of the program begins an epoch, and the first change of a function within an epoch
 * notes what it held before.
 *
 *   live bytes of a function = holding.live + sum of the steps from its own one inwards
 *   holding.at_peak is right while holding.epoch == figures.epoch; else it is holding.live
 *
 * A process has such figures of its heap, of its mapped memory and of both together (mapped.h).
 *
 * Sizes beyond reason (damaged files) wrap around. One owner, one thread.
 */
#ifndef MPROF_FUNCTIONS_H
#define MPROF_FUNCTIONS_H

#include "pages.h"
#include "summary.h"
#include "tree.h"

/* When and by whom: `who` distinguishes the streams of the process. */
struct instant {
    uint64_t ns;
    uint32_t who;
};

struct holding {
    uint64_t live, peak, peak_ns; /* peak: the highest `live` ever was; ties: the first */
    uint64_t at_peak, epoch;
    /* In inclusive ones only: */
    uint32_t who;   /* of the allocation that set the peak */
    uint64_t begun; /* the function's activations; spans.h counts them in the heap's figures */
} __attribute__((aligned(64)));

/* Beyond the path's depth, all but call and epoch is 0. */
struct figure_step {
    uint32_t call;             /* the call path down to here; its function is the step's */
    uint32_t who;              /* of the allocation that made `highest` */
    uint64_t sum, highest, at; /* sum may be below 0: read it as int64_t */
    uint64_t at_peak, epoch;
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
    /* The call path of the last event: steps[1 .. depth]. steps[0] is outside of all functions. */
    struct figure_step *steps;
    uint32_t depth;
    size_t step_capacity;
};

void figures_change_path(struct figures *f, const struct tree *tree, uint32_t call);

/* Adds to the figures of a stack, which are sums: at once or later. */
void figures_count(struct figures *f, uint32_t stack, const struct stack_figures *more);

/* Makes the path that of `call` and returns its innermost step. */
static inline struct figure_step *figures_step(struct figures *f, const struct tree *tree,
                                               uint32_t call)
{
    if (f->depth == 0 || f->steps[f->depth].call != call)
        figures_change_path(f, tree, call);
    return &f->steps[f->depth];
}

/* Before the holding changes: notes what it was at the newest peak. */
static inline void figures_note_epoch(struct holding *held, uint64_t epoch)
{
    if (held->epoch != epoch) {
        held->epoch = epoch;
        held->at_peak = held->live;
    }
}

/* So much more, or less, is held; ties of the peak: the first. */
static inline void holding_add(struct holding *held, uint64_t bytes, uint64_t ns, uint64_t epoch)
{
    figures_note_epoch(held, epoch);
    held->live += bytes;
    if (held->live > held->peak) {
        held->peak = held->live;
        held->peak_ns = ns;
    }
}

static inline void holding_take(struct holding *held, uint64_t bytes, uint64_t epoch)
{
    figures_note_epoch(held, epoch);
    held->live -= bytes;
}

static inline void figures_allocate(struct figures *f, const struct tree *tree,
                                    struct charge charge, uint64_t size, struct instant at)
{
    struct figure_step *step = figures_step(f, tree, charge.calls);
    struct holding *self = pages_place(&f->self, charge.self, sizeof *self);

    holding_add(self, size, at.ns, f->epoch);
    step->sum += size;
    if ((int64_t)step->sum > (int64_t)step->highest) {
        step->highest = step->sum;
        step->at = at.ns;
        step->who = at.who;
    }
}

static inline void figures_release(struct figures *f, const struct tree *tree, struct charge charge,
                                   uint64_t size)
{
    struct holding *self = pages_place(&f->self, charge.self, sizeof *self);

    holding_take(self, size, f->epoch);
    figures_step(f, tree, charge.calls)->sum -= size;
}

/* The figures of a stack; zeros where it never had any. */
const struct stack_figures *figures_stack(const struct figures *f, uint32_t stack);
/* The next stack from `stack` on that has allocated; UINT32_MAX where there is none. */
uint32_t figures_next_stack(const struct figures *f, uint32_t stack);

/* The last allocation brought the program's live bytes to a new peak. */
static inline void figures_new_peak(struct figures *f)
{
    struct figure_step *leaf = &f->steps[f->depth];
    leaf->epoch = ++f->epoch;
    leaf->at_peak = leaf->sum;
}

/* Settles what is due to those functions of the last event's call path that are not at the same
 * place in call path `call`. */
void figures_settle(struct figures *f, const struct tree *tree, uint32_t call);

/* Makes `to`, which is empty, a copy, but for the stacks. */
void figures_copy(struct figures *to, const struct figures *from);

/* What the figures of functions (struct function_usage, by function) get from one `f`. kept_live 0:
 * what still lives does not count as live at the end (the program exec'd). */
void figures_fill(struct figures *f, struct tree *tree, enum series series, int kept_live,
                  struct pages *usages);
/* Only what they held at the newest peak, into mapped_then. */
void figures_fill_then(struct figures *f, const struct tree *tree, struct pages *usages);

void figures_clear(struct figures *f); /* releases its memory; zeroed is empty */

#endif
