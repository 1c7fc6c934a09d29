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

/* What came before the step joined, at[] has as 0: it had added nothing yet. */
static inline void fold_epoch(const struct figures *f, const struct figure_step *step,
                              uint64_t before, uint64_t at[PEAK_KINDS], uint64_t *epoch)
{
    for (int kind = 0; kind < PEAK_KINDS; kind++)
        if (f->newest[kind] > *epoch)
            at[kind] = before + step->at[kind];
    *epoch = step->epoch;
}

static inline void fold_into_function(const struct figures *f, const struct figure_step *step,
                                      struct holding *held)
{
    uint64_t live = held->live, highest = live + step->highest;

    if (__builtin_expect(step->epoch != held->epoch, 0))
        fold_epoch(f, step, live, held->at, &held->epoch);
    if (__builtin_expect(highest > held->peak.bytes, 0))
        held->peak = (struct peak){highest, step->highest_at};
    held->live = live + step->sum;
}

static inline void fold_into_outer(const struct figures *f, const struct figure_step *step,
                                   struct figure_step *outer)
{
    uint64_t sum = outer->sum, highest = sum + step->highest;

    if (__builtin_expect(step->epoch != outer->epoch, 0))
        fold_epoch(f, step, sum, outer->at, &outer->epoch);
    if ((int64_t)highest > (int64_t)outer->highest) {
        outer->highest = highest;
        outer->highest_at = step->highest_at;
    }
    outer->sum = sum + step->sum;
}

/* Folds the steps further in than `depth`: they leave. */
static void fold(struct figures *f, const struct tree *tree, uint32_t depth)
{
    struct figure_step *step = &f->steps[f->depth], *end = &f->steps[depth];
    const struct call *calls = tree->calls;

    for (; step > end; step--) {
        fold_into_function(f, step, place(&f->inclusive, calls[step->call].function));
        fold_into_outer(f, step, step - 1);
        step->sum = step->highest = step->at[OWN_PEAK] = step->at[MEMORY_PEAK] = 0;
    }
    f->depth = depth < f->depth ? depth : f->depth;
}

void figures_open(struct figures *f)
{
    f->steps = xgrow(f->steps, &f->step_capacity, 1, sizeof *f->steps);
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

/* It had added nothing when the peaks so far came. */
static inline void join(struct figures *f, uint32_t depth, uint32_t call)
{
    f->steps[depth].call = call;
    f->steps[depth].epoch = f->epoch;
}

/* Changes the path: folds the steps that leave; those that join begin with nothing. Most often the
 * path has been settled, and all that join lie further in than its end: one walk does. */
void figures_change_path(struct figures *f, const struct tree *tree, uint32_t call)
{
    uint32_t depth = tree->calls[call].depth, i = depth, kept;

    if (depth >= f->step_capacity)
        f->steps = xgrow(f->steps, &f->step_capacity, (size_t)depth + 1, sizeof *f->steps);
    for (; i > f->depth; i--, call = tree->calls[call].parent)
        join(f, i, call);
    kept = find_meeting(f, tree, call);
    fold(f, tree, kept);
    for (; i > kept; i--, call = tree->calls[call].parent)
        join(f, i, call);
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

static void fill_holdings(const struct figures *f, enum series series, int is_self,
                          struct pages *usages)
{
    const struct pages *holdings = is_self ? &f->self : &f->inclusive;

    for (uint32_t i = pages_next(holdings, 0); i < pages_end(holdings);
         i = pages_next(holdings, i + 1)) {
        const struct holding *held = pages_find(holdings, i, sizeof *held);
        struct series_usage *of = place_series(usages, i, series);
        struct usage *usage = is_self ? &of->self : &of->inclusive;
        usage->own_peak_bytes = held->peak.bytes;
        usage->own_peak_ns = held->peak.at.ns;
        usage->at_peak_bytes = holding_at(held, OWN_PEAK, f);
    }
}

void figures_fill_spans(const struct pages *spans, enum series series, struct pages *usages)
{
    for (uint32_t i = pages_next(spans, 0); i < pages_end(spans); i = pages_next(spans, i + 1)) {
        const struct span *span = pages_find(spans, i, sizeof *span);
        if (span->valid)
            place_series(usages, i, series)->span = *span;
    }
}

static void fill_activations(const struct figures *f, struct pages *usages)
{
    for (uint32_t i = pages_next(&f->inclusive, 0); i < pages_end(&f->inclusive);
         i = pages_next(&f->inclusive, i + 1)) {
        const struct holding *held = pages_find(&f->inclusive, i, sizeof *held);
        if (held->ended)
            place_usage(usages, i)->activations = held->ended;
    }
}

void figures_fill(struct figures *f, struct tree *tree, enum series series, int kept_live,
                  struct pages *usages)
{
    figures_settle(f, tree, 0);
    sum_stacks(f, tree, series, kept_live, usages);
    fill_holdings(f, series, 1, usages);
    fill_holdings(f, series, 0, usages);
    figures_fill_spans(&f->spans, series, usages);
    if (series == SERIES_HEAP)
        fill_activations(f, usages);
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
