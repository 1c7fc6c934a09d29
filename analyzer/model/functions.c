/* functions.c - exact figures of functions and stacks. */
#include "functions.h"

#include <string.h>

static struct holding *place(struct pages *holdings, uint32_t function)
{
    return pages_place(holdings, function, sizeof(struct holding));
}

static struct stack_figures *place_stack(struct figures *f, uint32_t stack)
{
    return pages_place(&f->stacks, stack, sizeof(struct stack_figures));
}

static inline void note_epoch(struct holding *held, uint64_t epoch)
{
    if (held->epoch != epoch) {
        held->epoch = epoch;
        held->at_peak = held->live;
    }
}

static inline void holding_add(struct holding *held, uint64_t size, uint64_t epoch,
                               struct instant at)
{
    note_epoch(held, epoch);
    held->live += size;
    if (held->live > held->peak) {
        held->peak = held->live;
        held->peak_ns = at.ns;
        held->who = at.who;
    }
}

static inline void holding_take(struct holding *held, uint64_t size, uint64_t epoch)
{
    note_epoch(held, epoch);
    held->live -= size;
}

void figures_allocate(struct figures *f, struct tree *tree, uint32_t stack, uint64_t size,
                      struct instant at)
{
    const struct stack_functions *functions = tree_functions(tree, stack);
    struct stack_figures *figures = place_stack(f, stack);
    uint64_t epoch = f->epoch;

    figures->allocations++;
    figures->allocated_bytes += size;
    figures->live_blocks++;
    figures->live_bytes += size;
    holding_add(place(&f->self, functions->self), size, epoch, at);
    for (uint32_t i = 0; i < functions->count; i++)
        holding_add(place(&f->inclusive, functions->list[i]), size, epoch, at);
}

void figures_release(struct figures *f, struct tree *tree, uint32_t stack, uint64_t size)
{
    const struct stack_functions *functions = tree_functions(tree, stack);
    struct stack_figures *figures = place_stack(f, stack);
    uint64_t epoch = f->epoch;

    figures->live_blocks--;
    figures->live_bytes -= size;
    holding_take(place(&f->self, functions->self), size, epoch);
    for (uint32_t i = 0; i < functions->count; i++)
        holding_take(place(&f->inclusive, functions->list[i]), size, epoch);
}

void figures_temporary(struct figures *f, uint32_t stack)
{
    place_stack(f, stack)->temporary++;
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

static void add_holding(struct usage *usage, const struct holding *held, uint64_t epoch)
{
    usage->own_peak_bytes = held->peak;
    usage->own_peak_ns = held->peak_ns;
    usage->at_peak_bytes = held->epoch == epoch ? held->at_peak : held->live;
}

static struct function_usage *place_usage(struct pages *all, uint32_t function)
{
    return pages_place(all, function, sizeof(struct function_usage));
}

/* The additive figures of all functions, from those of the stacks. */
static void sum_stacks(const struct figures *f, struct tree *tree, int kept_live, struct pages *all)
{
    for (uint32_t stack = figures_next_stack(f, 0); stack != UINT32_MAX;
         stack = figures_next_stack(f, stack + 1)) {
        const struct stack_figures *figures = figures_stack(f, stack);
        const struct stack_functions *functions = tree_functions(tree, stack);
        add_stack(&place_usage(all, functions->self)->self, figures, kept_live);
        for (uint32_t i = 0; i < functions->count; i++)
            add_stack(&place_usage(all, functions->list[i])->inclusive, figures, kept_live);
    }
}

/* Completes the usage of one function by what is no sum. */
static void complete(const struct figures *f, struct function_usage *usage, uint32_t function)
{
    const struct holding *self = pages_find(&f->self, function, sizeof *self);
    const struct holding *inclusive = pages_find(&f->inclusive, function, sizeof *inclusive);
    const struct span *span = pages_find(&f->spans, function, sizeof *span);

    usage->function = function;
    if (self)
        add_holding(&usage->self, self, f->epoch);
    if (inclusive)
        add_holding(&usage->inclusive, inclusive, f->epoch);
    if (span)
        usage->span = *span;
}

void figures_fill(const struct figures *f, struct tree *tree, struct process *process,
                  int kept_live)
{
    struct pages all = {0};
    size_t count = 0;

    sum_stacks(f, tree, kept_live, &all);
    for (uint32_t i = pages_next(&all, 0); i < pages_end(&all); i = pages_next(&all, i + 1))
        count += place_usage(&all, i)->inclusive.allocations > 0;
    process->functions = arena_take(tree->image->memory, (count + 1) * sizeof *process->functions);
    for (uint32_t i = pages_next(&all, 0); i < pages_end(&all); i = pages_next(&all, i + 1)) {
        struct function_usage *usage = place_usage(&all, i);
        if (usage->inclusive.allocations == 0)
            continue;
        complete(f, usage, i);
        process->functions[process->function_count++] = *usage;
    }
    pages_clear(&all);
}

void figures_clear(struct figures *f)
{
    pages_clear(&f->inclusive);
    pages_clear(&f->self);
    pages_clear(&f->spans);
    pages_clear(&f->stacks);
    memset(f, 0, sizeof *f);
}
