/* functions.c - exact figures of functions and stacks. */
#include "functions.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static struct holding *place(struct pages *holdings, uint32_t function)
{
    return pages_place(holdings, function, sizeof(struct holding));
}

/* ---- the path ---- */

static inline void fold_into_function(const struct figure_step *step, struct holding *held)
{
    uint64_t live = held->live, highest = live + step->highest;

    if (__builtin_expect(step->epoch != held->epoch, 0)) {
        held->epoch = step->epoch;
        held->at_peak = live + step->at_peak;
    }
    if (__builtin_expect(highest > held->peak, 0)) {
        held->peak = highest;
        held->peak_ns = step->at;
        held->who = step->who;
    }
    held->live = live + step->sum;
}

static inline void fold_into_outer(struct figure_step *outer, const struct figure_step *step)
{
    uint64_t sum = outer->sum, highest = sum + step->highest;

    if (__builtin_expect(step->epoch != outer->epoch, 0)) {
        outer->epoch = step->epoch;
        outer->at_peak = sum + step->at_peak;
    }
    if ((int64_t)highest > (int64_t)outer->highest) {
        outer->highest = highest;
        outer->at = step->at;
        outer->who = step->who;
    }
    outer->sum = sum + step->sum;
}

/* Folds the steps further in than `depth`: they leave. */
static void fold(struct figures *f, const struct tree *tree, uint32_t depth)
{
    struct figure_step *step = &f->steps[f->depth], *end = &f->steps[depth];
    const struct call *calls = tree->calls;

    for (; step > end; step--) {
        fold_into_function(step, place(&f->inclusive, calls[step->call].function));
        fold_into_outer(step - 1, step);
        step->sum = step->highest = step->at_peak = 0;
    }
    f->depth = depth < f->depth ? depth : f->depth;
}

/* How many steps the path has in common with call path `call`. */
static inline uint32_t find_meeting(const struct figures *f, const struct tree *tree, uint32_t call)
{
    uint32_t depth = tree->calls[call].depth;

    for (; depth > f->depth || f->steps[depth].call != call; depth--)
        call = tree->calls[call].parent;
    return depth;
}

void figures_settle(struct figures *f, const struct tree *tree, uint32_t call)
{
    if (f->depth)
        fold(f, tree, find_meeting(f, tree, call));
}

/* Changes the path: folds the steps that leave; those that join begin with nothing. */
void figures_change_path(struct figures *f, const struct tree *tree, uint32_t call)
{
    uint32_t depth = tree->calls[call].depth;

    if (depth >= f->step_capacity)
        f->steps = xgrow(f->steps, &f->step_capacity, (size_t)depth + 1, sizeof *f->steps);
    uint32_t kept = find_meeting(f, tree, call);
    fold(f, tree, kept);
    for (uint32_t i = depth; i > kept; i--, call = tree->calls[call].parent) {
        f->steps[i].call = call;
        f->steps[i].epoch = f->epoch; /* it had added nothing yet when that peak came */
    }
    f->depth = depth;
}

/* ---- stacks ---- */

void figures_count(struct figures *f, uint32_t stack, const struct stack_figures *more)
{
    struct stack_figures *figures = pages_place(&f->stacks, stack, sizeof *figures);

    figures->live_bytes += more->live_bytes;
    figures->live_blocks += more->live_blocks;
    figures->allocations += more->allocations;
    figures->allocated_bytes += more->allocated_bytes;
    figures->temporary += more->temporary;
}

const struct stack_figures *figures_stack(const struct figures *f, uint32_t stack)
{
    static const struct stack_figures none;
    const struct stack_figures *figures = pages_find(&f->stacks, stack, sizeof *figures);
    return figures ? figures : &none;
}

uint32_t figures_next_stack(const struct figures *f, uint32_t stack)
{
    for (uint32_t i = pages_next(&f->stacks, stack); i < pages_end(&f->stacks);
         i = pages_next(&f->stacks, i + 1))
        if (figures_stack(f, i)->allocations)
            return i;
    return UINT32_MAX;
}

/* ---- the end ---- */

static void add_stack(struct usage *usage, const struct stack_figures *stack, int kept_live)
{
    usage->allocations += stack->allocations;
    usage->allocated_bytes += stack->allocated_bytes;
    usage->temporary += stack->temporary;
    if (kept_live) {
        usage->live_at_end_bytes += stack->live_bytes;
        usage->live_at_end_blocks += stack->live_blocks;
    }
}

static uint64_t held_at_peak(const struct holding *held, uint64_t epoch)
{
    return held->epoch == epoch ? held->at_peak : held->live;
}

static void add_holding(struct usage *usage, const struct holding *held, uint64_t epoch)
{
    usage->own_peak_bytes = held->peak;
    usage->own_peak_ns = held->peak_ns;
    usage->at_peak_bytes = held_at_peak(held, epoch);
}

static struct function_usage *place_usage(struct pages *all, uint32_t function)
{
    struct function_usage *usage = pages_place(all, function, sizeof *usage);
    usage->function = function;
    return usage;
}

static struct series_usage *place_series(struct pages *all, uint32_t function, enum series series)
{
    return function_series(place_usage(all, function), series);
}

/* Sums the additive figures of all functions up from those of the stacks. */
static void sum_stacks(const struct figures *f, struct tree *tree, enum series series,
                       int kept_live, struct pages *all)
{
    for (uint32_t stack = figures_next_stack(f, 0); stack != UINT32_MAX;
         stack = figures_next_stack(f, stack + 1)) {
        const struct stack_figures *figures = figures_stack(f, stack);
        struct charge charge = tree_charge(tree, stack);
        add_stack(&place_series(all, charge.self, series)->self, figures, kept_live);
        for (uint32_t i = charge.calls; i; i = tree->calls[i].parent)
            add_stack(&place_series(all, tree->calls[i].function, series)->inclusive, figures,
                      kept_live);
    }
}

/* Calls `take` for each function that has held something. */
static void each_holding(const struct pages *holdings, struct pages *usages,
                         void (*take)(struct function_usage *usage, const struct holding *held,
                                      enum series series, uint64_t epoch),
                         enum series series, uint64_t epoch)
{
    for (uint32_t i = pages_next(holdings, 0); i < pages_end(holdings);
         i = pages_next(holdings, i + 1)) {
        const struct holding *held = pages_find(holdings, i, sizeof *held);
        if (held->peak)
            take(place_usage(usages, i), held, series, epoch);
    }
}

static void take_self(struct function_usage *usage, const struct holding *held, enum series series,
                      uint64_t epoch)
{
    add_holding(&function_series(usage, series)->self, held, epoch);
}

static void take_inclusive(struct function_usage *usage, const struct holding *held,
                           enum series series, uint64_t epoch)
{
    add_holding(&function_series(usage, series)->inclusive, held, epoch);
}

static void fill_spans(const struct figures *f, enum series series, struct pages *usages)
{
    for (uint32_t i = pages_next(&f->spans, 0); i < pages_end(&f->spans);
         i = pages_next(&f->spans, i + 1)) {
        const struct span *span = pages_find(&f->spans, i, sizeof *span);
        if (span->valid)
            place_series(usages, i, series)->span = *span;
    }
}

static void fill_activations(const struct figures *f, struct pages *usages)
{
    for (uint32_t i = pages_next(&f->inclusive, 0); i < pages_end(&f->inclusive);
         i = pages_next(&f->inclusive, i + 1)) {
        const struct holding *held = pages_find(&f->inclusive, i, sizeof *held);
        if (held->begun)
            place_usage(usages, i)->activations = held->begun;
    }
}

void figures_fill(struct figures *f, struct tree *tree, enum series series, int kept_live,
                  struct pages *usages)
{
    figures_settle(f, tree, 0);
    sum_stacks(f, tree, series, kept_live, usages);
    each_holding(&f->self, usages, take_self, series, f->epoch);
    each_holding(&f->inclusive, usages, take_inclusive, series, f->epoch);
    fill_spans(f, series, usages);
    if (series == SERIES_HEAP)
        fill_activations(f, usages);
}

static void take_self_then(struct function_usage *usage, const struct holding *held,
                           enum series series, uint64_t epoch)
{
    (void)series;
    usage->mapped_then.self_bytes = held_at_peak(held, epoch);
}

static void take_inclusive_then(struct function_usage *usage, const struct holding *held,
                                enum series series, uint64_t epoch)
{
    (void)series;
    usage->mapped_then.inclusive_bytes = held_at_peak(held, epoch);
}

void figures_fill_then(struct figures *f, const struct tree *tree, struct pages *usages)
{
    figures_settle(f, tree, 0);
    each_holding(&f->self, usages, take_self_then, SERIES_MAPPED, f->epoch);
    each_holding(&f->inclusive, usages, take_inclusive_then, SERIES_MAPPED, f->epoch);
}

void figures_copy(struct figures *to, const struct figures *from)
{
    pages_copy(&to->inclusive, &from->inclusive, sizeof(struct holding));
    pages_copy(&to->self, &from->self, sizeof(struct holding));
    pages_copy(&to->spans, &from->spans, sizeof(struct span));
    to->epoch = from->epoch;
    to->depth = from->depth;
    to->steps = xgrow(NULL, &to->step_capacity, (size_t)from->depth + 1, sizeof *to->steps);
    if (from->steps)
        memcpy(to->steps, from->steps, ((size_t)from->depth + 1) * sizeof *to->steps);
}

void figures_clear(struct figures *f)
{
    pages_clear(&f->inclusive);
    pages_clear(&f->self);
    pages_clear(&f->spans);
    pages_clear(&f->stacks);
    free(f->steps);
    memset(f, 0, sizeof *f);
}
