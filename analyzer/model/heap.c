/* heap.c - the accounts of one process. */
#include "heap.h"

#include <string.h>

void heap_map(struct heap *heap, uint64_t bytes)
{
    heap->mapped_bytes += bytes;
}

void heap_unmap(struct heap *heap, uint64_t bytes)
{
    heap->mapped_bytes -= bytes;
}

void heap_settle_mapped(struct heap *heap, uint64_t ns)
{
    if (heap->mapped_bytes > heap->totals.mapped_peak_bytes) {
        heap->totals.mapped_peak_bytes = heap->mapped_bytes;
        heap->totals.mapped_peak_ns = ns;
    }
    timeline_add(&heap->mapped, ns, heap->mapped_bytes);
}

static struct bucket *copy_buckets(struct arena *memory, const struct timeline *t)
{
    struct bucket *copy = arena_take(memory, (t->count + 1) * sizeof *copy);
    if (t->count)
        memcpy(copy, t->buckets, t->count * sizeof *copy);
    return copy;
}

void heap_fill(struct heap *heap, struct tree *tree, struct process *process, int kept_live)
{
    struct arena *memory = tree->image->memory;

    process->totals = heap->totals;
    process->totals.mapped_at_end_bytes = heap->mapped_bytes;
    if (kept_live) {
        process->totals.live_at_end_bytes = heap->live_bytes;
        process->totals.live_at_end_blocks = heap->live_blocks;
    }
    process->heap = copy_buckets(memory, &heap->timeline);
    process->heap_count = heap->timeline.count;
    process->mapped = copy_buckets(memory, &heap->mapped);
    process->mapped_count = heap->mapped.count;
    threads_fill(heap, memory, process, kept_live);
    figures_fill(&heap->figures, tree, process, kept_live);
}

void heap_clear(struct heap *heap)
{
    timeline_clear(&heap->timeline);
    timeline_clear(&heap->mapped);
    figures_clear(&heap->figures);
    threads_clear(&heap->threads);
    memset(heap, 0, sizeof *heap);
}
