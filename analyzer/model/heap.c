/* heap.c - the accounts of one process. */
#include "heap.h"

#include <string.h>

/* ---- mapped memory ---- */

static struct mapped *begin_mapped(struct heap *heap)
{
    if (heap->mapped)
        return heap->mapped;
    heap->mapped = mapped_new(heap);
    heap->totals.memory_peak_bytes = heap->totals.peak_bytes;
    heap->totals.memory_peak_ns = heap->totals.peak_ns;
    return heap->mapped;
}

void heap_map(struct heap *heap, struct tree *tree, uint32_t stack, uint64_t bytes,
              struct instant at, uint32_t thread)
{
    struct mapped *m = begin_mapped(heap);
    struct charge charge = tree_charge(tree, stack);

    heap->mapped_bytes += bytes;
    m->allocations++;
    m->allocated_bytes += bytes;
    figures_allocate(&m->figures, tree, charge, bytes, at);
    mapped_change(heap, tree, charge, bytes, at);
    figures_count(
        &m->figures, stack,
        &(struct stack_figures){.allocations = 1, .allocated_bytes = bytes, .live_bytes = bytes});
    if (heap->threads.several)
        threads_map(heap, thread, bytes, at);
}

void heap_unmap(struct heap *heap, struct tree *tree, uint32_t stack, uint64_t bytes,
                uint32_t thread)
{
    struct mapped *m = begin_mapped(heap);
    struct charge charge = tree_charge(tree, stack);

    heap->mapped_bytes -= bytes;
    figures_release(&m->figures, tree, charge, bytes);
    mapped_change(heap, tree, charge, 0 - bytes, (struct instant){0});
    figures_count(&m->figures, stack, &(struct stack_figures){.live_bytes = 0 - bytes});
    if (heap->threads.several)
        threads_unmap(heap, thread, bytes);
}

void heap_live_piece(struct heap *heap, uint32_t stack, uint32_t thread)
{
    figures_count(&begin_mapped(heap)->figures, stack, &(struct stack_figures){.live_blocks = 1});
    if (thread < heap->threads.count)
        heap->threads.list[thread].pieces++;
}

static void add_level(uint64_t *level, uint64_t *peak, uint64_t bytes)
{
    *level += bytes;
    if (*level > *peak)
        *peak = *level;
}

void heap_add_ranges(struct heap *heap, struct tree *tree, const struct range *made,
                     const uint64_t bytes[RANGE_KINDS], uint32_t who)
{
    if (bytes[RANGE_MEMORY])
        heap_map(heap, tree, made->stack, bytes[RANGE_MEMORY], (struct instant){made->ns, who},
                 made->account);
    add_level(&heap->reserved_bytes, &heap->totals.reserved_peak_bytes, bytes[RANGE_RESERVED]);
    add_level(&heap->file_bytes, &heap->totals.file_peak_bytes, bytes[RANGE_FILE]);
}

void heap_drop_range(struct heap *heap, struct tree *tree, const struct range *range)
{
    uint64_t bytes = range->end - range->begin;

    if (range->is_inherited)
        return;
    if (range->kind == RANGE_MEMORY)
        heap_unmap(heap, tree, range->stack, bytes, range->account);
    else if (range->kind == RANGE_RESERVED)
        heap->reserved_bytes -= bytes;
    else
        heap->file_bytes -= bytes;
}

void heap_settle_mapped(struct heap *heap, uint64_t ns)
{
    if (!heap->mapped)
        return;
    if (heap->mapped_bytes > heap->totals.mapped_peak_bytes) {
        heap->totals.mapped_peak_bytes = heap->mapped_bytes;
        heap->totals.mapped_peak_ns = ns;
        figures_new_peak(&heap->mapped->figures, OWN_PEAK);
    }
    timeline_add(&heap->mapped->line, ns, heap->mapped_bytes);
    heap_settle_both(heap, ns);
}

/* ---- the end ---- */

static void fill_totals(struct heap *heap, struct totals *totals, int kept_live)
{
    *totals = heap->totals;
    if (!heap->mapped) {
        totals->memory_peak_bytes = totals->peak_bytes;
        totals->memory_peak_ns = totals->peak_ns;
    }
    if (kept_live) {
        totals->live_at_end_bytes = heap->live_bytes;
        totals->live_at_end_blocks = heap->live_blocks;
        totals->mapped_at_end_bytes = heap->mapped_bytes;
        totals->reserved_at_end_bytes = heap->reserved_bytes;
        totals->file_at_end_bytes = heap->file_bytes;
    }
}

static int has_allocated(const struct function_usage *usage)
{
    return usage->heap.inclusive.allocations || usage->mapped.inclusive.allocations;
}

static void fill_functions(struct heap *heap, struct tree *tree, struct process *process,
                           int kept_live)
{
    struct pages all = {0};
    const struct function_usage *usage;
    size_t count = 0;

    figures_fill(&heap->figures, tree, SERIES_HEAP, kept_live, &all);
    mapped_fill_functions(heap, tree, kept_live, &all);
    for (uint32_t i = pages_next(&all, 0); i < pages_end(&all); i = pages_next(&all, i + 1))
        count += has_allocated(pages_find(&all, i, sizeof *usage));
    process->functions = arena_take(tree->image->memory, (count + 1) * sizeof *process->functions);
    for (uint32_t i = pages_next(&all, 0); i < pages_end(&all); i = pages_next(&all, i + 1)) {
        usage = pages_find(&all, i, sizeof *usage);
        if (has_allocated(usage))
            process->functions[process->function_count++] = *usage;
    }
    pages_clear(&all);
}

void heap_fill(struct heap *heap, struct tree *tree, struct process *process, int kept_live)
{
    struct arena *memory = tree->image->memory;

    fill_totals(heap, &process->totals, kept_live);
    process->heap = timeline_take(&heap->timeline, memory);
    process->heap_count = heap->timeline.count;
    mapped_fill_lines(heap->mapped, memory, process);
    threads_fill(heap, memory, process, kept_live);
    fill_functions(heap, tree, process, kept_live);
}

void heap_clear(struct heap *heap)
{
    timeline_clear(&heap->timeline);
    mapped_free(heap->mapped);
    figures_clear(&heap->figures);
    threads_clear(&heap->threads);
    memset(heap, 0, sizeof *heap);
}
