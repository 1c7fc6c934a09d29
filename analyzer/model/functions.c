/* functions.c - exact figures of functions and stacks. */
#include "functions.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static void reserve_functions(struct figures *f, size_t needed)
{
    size_t inclusive = f->function_capacity, self = inclusive, spans = inclusive;

    f->inclusive = xgrow(f->inclusive, &inclusive, needed, sizeof *f->inclusive);
    f->self = xgrow(f->self, &self, needed, sizeof *f->self);
    f->spans = xgrow(f->spans, &spans, needed, sizeof *f->spans);
    f->function_capacity = inclusive;
}

static struct stack_figures *figures_of(struct figures *f, const struct tree *tree, uint32_t stack)
{
    const struct image *image = tree->image;

    if (__builtin_expect(f->function_capacity < image->function_count, 0))
        reserve_functions(f, image->function_count);
    if (__builtin_expect(f->stack_capacity <= stack, 0))
        f->stacks = xgrow(f->stacks, &f->stack_capacity, image->stack_count, sizeof *f->stacks);
    return &f->stacks[stack];
}

static inline void note_epoch(struct holding *level, uint64_t epoch)
{
    if (level->epoch != epoch) {
        level->epoch = epoch;
        level->at_peak = level->live;
    }
}

static inline void holding_add(struct holding *level, uint64_t size, uint64_t epoch, struct instant at)
{
    note_epoch(level, epoch);
    level->live += size;
    if (level->live > level->peak) {
        level->peak = level->live;
        level->peak_ns = at.ns;
        level->who = at.who;
    }
}

static inline void holding_take(struct holding *level, uint64_t size, uint64_t epoch)
{
    note_epoch(level, epoch);
    level->live -= size;
}

void figures_allocate(struct figures *f, struct tree *tree, uint32_t stack, uint64_t size,
                      struct instant at)
{
    const struct stack_functions *functions = tree_functions(tree, stack);
    struct stack_figures *figures = figures_of(f, tree, stack);
    uint64_t epoch = f->epoch;

    figures->allocations++;
    figures->allocated_bytes += size;
    figures->live_blocks++;
    figures->live_bytes += size;
    holding_add(&f->self[functions->self], size, epoch, at);
    for (uint32_t i = 0; i < functions->count; i++)
        holding_add(&f->inclusive[functions->list[i]], size, epoch, at);
}

void figures_release(struct figures *f, struct tree *tree, uint32_t stack, uint64_t size)
{
    const struct stack_functions *functions = tree_functions(tree, stack);
    struct stack_figures *figures = figures_of(f, tree, stack);
    uint64_t epoch = f->epoch;

    figures->live_blocks--;
    figures->live_bytes -= size;
    holding_take(&f->self[functions->self], size, epoch);
    for (uint32_t i = 0; i < functions->count; i++)
        holding_take(&f->inclusive[functions->list[i]], size, epoch);
}

void figures_temporary(struct figures *f, uint32_t stack)
{
    f->stacks[stack].temporary++;
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

static void add_holding(struct usage *usage, const struct holding *level, uint64_t epoch)
{
    usage->own_peak_bytes = level->peak;
    usage->own_peak_ns = level->peak_ns;
    usage->at_peak_bytes = level->epoch == epoch ? level->at_peak : level->live;
}

/* The additive figures of all functions, from those of the stacks. */
static struct function_usage *sum_stacks(const struct figures *f, struct tree *tree, int kept_live)
{
    struct function_usage *all = xcalloc(f->function_capacity + 1, sizeof *all);

    for (uint32_t stack = 0; stack < f->stack_capacity; stack++) {
        const struct stack_figures *figures = &f->stacks[stack];
        if (figures->allocations == 0)
            continue;
        const struct stack_functions *functions = tree_functions(tree, stack);
        add_stack(&all[functions->self].self, figures, kept_live);
        for (uint32_t i = 0; i < functions->count; i++)
            add_stack(&all[functions->list[i]].inclusive, figures, kept_live);
    }
    return all;
}

void figures_fill(const struct figures *f, struct tree *tree, struct process *process,
                  int kept_live)
{
    struct function_usage *all = sum_stacks(f, tree, kept_live);
    size_t count = 0;

    for (size_t i = 0; i < f->function_capacity; i++)
        count += all[i].inclusive.allocations > 0;
    process->functions =
        arena_take(tree->image->memory, (count + 1) * sizeof *process->functions);
    for (uint32_t i = 0; i < f->function_capacity; i++) {
        if (all[i].inclusive.allocations == 0)
            continue;
        all[i].function = i;
        all[i].span = f->spans[i];
        add_holding(&all[i].self, &f->self[i], f->epoch);
        add_holding(&all[i].inclusive, &f->inclusive[i], f->epoch);
        process->functions[process->function_count++] = all[i];
    }
    free(all);
}

void figures_clear(struct figures *f)
{
    free(f->inclusive);
    free(f->self);
    free(f->spans);
    free(f->stacks);
    memset(f, 0, sizeof *f);
}
