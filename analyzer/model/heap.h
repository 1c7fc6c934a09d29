/*
 * heap.h - the accounts of one process: totals, the course of its heap and mapped bytes, and the
 * figures of its functions. Which free takes which block is the caller's business (match.c).
 *
 *   live_bytes = allocated - released;  totals.peak_bytes = the highest live_bytes at a settle
 *
 * A step is one or two changes and then heap_settle: the halves of a realloc are one step, so that
 * it makes neither a false peak nor a false dip. One owner, one thread. A zeroed struct is empty.
 */
#ifndef MPROF_HEAP_H
#define MPROF_HEAP_H

#include "functions.h"
#include "threads.h"
#include "timeline.h"

struct heap {
    uint64_t live_bytes, live_blocks;
    uint64_t mapped_bytes;
    struct totals totals; /* rss and live_at_end figures are filled at the end */
    struct timeline timeline, mapped;
    struct figures figures;
    struct thread_accounts threads;
};

/* thread: the account (threads.h). The figures of the stack (figures_count) are the caller's. */
static inline void heap_allocate(struct heap *heap, const struct tree *tree, struct charge charge,
                                 uint64_t size, struct instant at, uint32_t thread)
{
    heap->totals.allocations++;
    heap->totals.allocated_bytes += size;
    heap->live_blocks++;
    heap->live_bytes += size;
    figures_allocate(&heap->figures, tree, charge, size, at);
    if (__builtin_expect(heap->threads.several, 0))
        threads_allocate(&heap->threads, thread, size, at.ns, heap->figures.epoch);
}

/* A block is gone, in whatever way; the caller counts totals.frees. thread: its owner's account. */
static inline void heap_release(struct heap *heap, const struct tree *tree, struct charge charge,
                                uint64_t size, uint32_t thread)
{
    heap->live_blocks--;
    heap->live_bytes -= size;
    figures_release(&heap->figures, tree, charge, size);
    if (__builtin_expect(heap->threads.several, 0))
        threads_release(&heap->threads, thread, size, heap->figures.epoch);
}

/* The block released last was a temporary one. */
static inline void heap_temporary(struct heap *heap, uint32_t thread)
{
    heap->totals.temporary++;
    if (__builtin_expect(heap->threads.several, 0))
        heap->threads.list[thread].temporary++;
}

static inline void heap_settle(struct heap *heap, uint64_t ns)
{
    if (heap->live_bytes > heap->totals.peak_bytes) {
        heap->totals.peak_bytes = heap->live_bytes;
        heap->totals.peak_ns = ns;
        figures_new_peak(&heap->figures);
    }
    timeline_add(&heap->timeline, ns, heap->live_bytes);
}

void heap_map(struct heap *heap, uint64_t bytes);
void heap_unmap(struct heap *heap, uint64_t bytes);
void heap_settle_mapped(struct heap *heap, uint64_t ns);

/* Copies totals, timelines, functions and threads into the process; the arrays come from the
 * image's memory. kept_live as in figures_fill. */
void heap_fill(struct heap *heap, struct tree *tree, struct process *process, int kept_live);

void heap_clear(struct heap *heap); /* releases its memory */

#endif
