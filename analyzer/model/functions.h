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
 *   at       what `sum` was at the program's newest peaks, if they came meanwhile (epoch says)
 *
 * A step that leaves is folded into its function, and into the next step outwards, for which it was
 * one stretch of time without other events. So all figures are what they would be if each event had
 * gone to each function, at the cost of the functions that change between two events.
 *
 * What a function held at the program's peak is found without visiting all functions at every peak:
 * each new peak of the program begins an epoch, and the first change of a function within an epoch
 * notes what it held before. The figures of the heap note two kinds of peaks: those of the heap,
 * and those of memory, the heap and mapped memory together.
 *
 *   live bytes of a function = holding.live + sum of the steps from its own one inwards
 *   holding.at[kind] is right while figures.newest[kind] <= holding.epoch; else it is holding.live
 *
 * A process has such figures of its heap and of its mapped memory; those of both together are made
 * of the two (mapped.h).
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

/* The most that was held, and the allocation that made it so; ties: the first. */
struct peak {
    uint64_t bytes;
    struct instant at;
};

enum peak_kind { OWN_PEAK, MEMORY_PEAK, PEAK_KINDS }; /* own: of the figures' own series */

struct holding {
    uint64_t live;
    struct peak peak; /* where there is mapped memory, since that changed last: mapped.h */
    uint64_t at[PEAK_KINDS], epoch;
    uint64_t ended; /* activations of the function, in the heap's inclusive ones: spans.h counts */
} __attribute__((aligned(64)));

/* Beyond the path's depth, sum, highest and at are 0. */
struct figure_step {
    uint32_t call;         /* the call path down to here; its function is the step's */
    uint64_t sum, highest; /* sum may be below 0: read it as int64_t */
    struct instant highest_at;
    uint64_t at[PEAK_KINDS], epoch;
};

struct stack_figures {
    uint64_t live_bytes, live_blocks;
    uint64_t allocations, allocated_bytes, temporary;
};

struct figures {
    struct pages inclusive;      /* struct holding, by function */
    struct pages self;           /* the same */
    struct pages spans;          /* struct span, by function; spans.h fills them */
    struct pages stacks;         /* struct stack_figures, by stack */
    uint64_t epoch;              /* peaks of the program so far, of either kind */
    uint64_t newest[PEAK_KINDS]; /* the epoch that the kind's newest peak began */
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

/* What was held at the program's newest peak of that kind. */
static inline uint64_t holding_at(const struct holding *held, enum peak_kind kind,
                                  const struct figures *f)
{
    return f->newest[kind] > held->epoch ? held->live : held->at[kind];
}

/* Before the holding changes: notes what it was at the newest peaks. */
static inline void holding_note_epoch(struct holding *held, const struct figures *f)
{
    if (held->epoch != f->epoch) {
        held->at[OWN_PEAK] = holding_at(held, OWN_PEAK, f);
        held->at[MEMORY_PEAK] = holding_at(held, MEMORY_PEAK, f);
        held->epoch = f->epoch;
    }
}

/* So much more, or less, is held, of what `f` counts. */
static inline void holding_add(struct holding *held, uint64_t bytes, struct instant at,
                               const struct figures *f)
{
    holding_note_epoch(held, f);
    held->live += bytes;
    if (held->live > held->peak.bytes)
        held->peak = (struct peak){held->live, at};
}

static inline void holding_take(struct holding *held, uint64_t bytes, const struct figures *f)
{
    holding_note_epoch(held, f);
    held->live -= bytes;
}

static inline void figures_allocate(struct figures *f, const struct tree *tree,
                                    struct charge charge, uint64_t size, struct instant at)
{
    struct figure_step *step = figures_step(f, tree, charge.calls);
    struct holding *self = pages_place(&f->self, charge.self, sizeof *self);

    holding_add(self, size, at, f);
    step->sum += size;
    if ((int64_t)step->sum > (int64_t)step->highest) {
        step->highest = step->sum;
        step->highest_at = at;
    }
}

static inline void figures_release(struct figures *f, const struct tree *tree, struct charge charge,
                                   uint64_t size)
{
    struct holding *self = pages_place(&f->self, charge.self, sizeof *self);

    holding_take(self, size, f);
    figures_step(f, tree, charge.calls)->sum -= size;
}

/* The figures of a stack; zeros where it never had any. */
const struct stack_figures *figures_stack(const struct figures *f, uint32_t stack);
/* The next stack from `stack` on that has allocated; UINT32_MAX where there is none. */
uint32_t figures_next_stack(const struct figures *f, uint32_t stack);

/* The program has reached a new peak of that kind. There must be steps. */
static inline void figures_new_peak(struct figures *f, enum peak_kind kind)
{
    struct figure_step *leaf = &f->steps[f->depth];
    leaf->epoch = f->newest[kind] = ++f->epoch;
    leaf->at[kind] = leaf->sum;
}

/* There may be no steps so far: from now on there is steps[0]. */
void figures_open(struct figures *f);

/* Settles what is due to those functions of the last event's call path that are not at the same
 * place in call path `call`. */
void figures_settle(struct figures *f, const struct tree *tree, uint32_t call);

/* What the figures of functions (struct function_usage, by function) get from one `f`. kept_live 0:
 * what still lives does not count as live at the end (the program exec'd). The heap's own peaks are
 * right only once mapped_fill_functions has been there, too. */
void figures_fill(struct figures *f, struct tree *tree, enum series series, int kept_live,
                  struct pages *usages);

/* The same of spans that are kept elsewhere. */
void figures_fill_spans(const struct pages *spans, enum series series, struct pages *usages);

void figures_clear(struct figures *f); /* releases its memory; zeroed is empty */

#endif
