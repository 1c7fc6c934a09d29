/*
 * heap.h - the accounts of one process: totals, the course of its heap, and the figures of its
 * functions; the same of mapped memory and of both together (mapped.h), once there is some. Which
 * free takes which block, and what is mapped where, is the caller's business (match.c).
 *
 *   live_bytes = allocated - released;  totals.peak_bytes = the highest live_bytes at a settle
 *
 * A step is one or two changes and then heap_settle: the halves of a realloc are one step, so that
 * it makes neither a false peak nor a false dip. One owner, one thread. A zeroed struct is empty.
 */
#ifndef MPROF_HEAP_H
#define MPROF_HEAP_H

#include "functions.h"
#include "mapped.h"
#include "ranges.h"
#include "threads.h"
#include "timeline.h"

struct heap {
    uint64_t live_bytes, live_blocks;
    uint64_t mapped_bytes, reserved_bytes, file_bytes;
    struct totals totals; /* rss and live_at_end figures are filled at the end */
    struct timeline timeline;
    struct figures figures;
    struct mapped *mapped; /* NULL: nothing was mapped so far */
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
        threads_allocate(&heap->threads, thread, size, at, &heap->figures);
}

/* A block is gone, in whatever way; the caller counts totals.frees. thread: its owner's account. */
static inline void heap_release(struct heap *heap, const struct tree *tree, struct charge charge,
                                uint64_t size, uint32_t thread)
{
    heap->live_blocks--;
    heap->live_bytes -= size;
    figures_release(&heap->figures, tree, charge, size);
    if (__builtin_expect(heap->threads.several, 0))
        threads_release(&heap->threads, thread, size, &heap->figures);
}

/* The block released last was a temporary one. */
static inline void heap_temporary(struct heap *heap, uint32_t thread)
{
    heap->totals.temporary++;
    if (__builtin_expect(heap->threads.several, 0))
        heap->threads.list[thread].temporary++;
}

/* Every event comes here, so a call would cost some 2 % of collecting a program with mappings. */
#define HEAP_INLINE static inline __attribute__((always_inline))

/* After a change, where there is mapped memory: is it a peak of both together? */
HEAP_INLINE void heap_settle_both(struct heap *heap, uint64_t ns)
{
    uint64_t level = heap->live_bytes + heap->mapped_bytes;

    if (level > heap->totals.memory_peak_bytes) {
        heap->totals.memory_peak_bytes = level;
        heap->totals.memory_peak_ns = ns;
        heap->totals.mapped_then_bytes = heap->mapped_bytes;
        figures_new_peak(&heap->figures, MEMORY_PEAK);
    }
    timeline_add_parts(&heap->mapped->both_line, ns, level, heap->mapped_bytes);
}

HEAP_INLINE void heap_settle(struct heap *heap, uint64_t ns)
{
    if (heap->live_bytes > heap->totals.peak_bytes) {
        heap->totals.peak_bytes = heap->live_bytes;
        heap->totals.peak_ns = ns;
        figures_new_peak(&heap->figures, OWN_PEAK);
        if (heap->mapped == NULL) /* the memory is the heap */
            figures_new_peak(&heap->figures, MEMORY_PEAK);
    }
    timeline_add(&heap->timeline, ns, heap->live_bytes);
    if (__builtin_expect(heap->mapped != NULL, 0))
        heap_settle_both(heap, ns);
}

/* A piece of address space has become mapped memory; stack: whose figures get it. */
void heap_map(struct heap *heap, struct tree *tree, uint32_t stack, uint64_t bytes,
              struct instant at, uint32_t thread);
/* So much of it is none any more. thread: the account of who mapped it. */
void heap_unmap(struct heap *heap, struct tree *tree, uint32_t stack, uint64_t bytes,
                uint32_t thread);
void heap_settle_mapped(struct heap *heap, uint64_t ns);
/* One call has made so much of each kind; made: its stack, account and time. */
void heap_add_ranges(struct heap *heap, struct tree *tree, const struct range *made,
                     const uint64_t bytes[RANGE_KINDS], uint32_t who);
/* A range goes; what was inherited is in no figure. */
void heap_drop_range(struct heap *heap, struct tree *tree, const struct range *range);
/* At the end: a piece, as the unmaps have left it, is live. */
void heap_live_piece(struct heap *heap, uint32_t stack, uint32_t thread);

/* Copies totals, lines, functions and threads into the process; the arrays come from the image's
 * memory. kept_live 0: what still lives, or is mapped, does not count as such at the end (the
 * program exec'd). */
void heap_fill(struct heap *heap, struct tree *tree, struct process *process, int kept_live);

void heap_clear(struct heap *heap); /* releases its memory */

#endif
