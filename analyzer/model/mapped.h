/*
 * mapped.h - the accounts of a process's mapped memory, and of its heap and mapped memory together.
 *
 * Until the first mapping there are none: the memory is the heap. From then on, an event of the
 * heap would count twice, for the heap and for both together. But as long as the mapped memory of a
 * function stays the same, its memory is highest when its heap is. So the heap's holdings count
 * their peaks since the function's mapped memory changed last; each such change, which is rare,
 * settles what came before in a `struct both`. (Sizes that wrap around, in damaged files, may lose
 * a peak so.)
 *
 *   peak of a function's heap   = the higher of both.heap and holding.peak
 *   peak of a function's memory = the higher of both.memory and both.mapped + holding.peak
 *   at the program's peak of memory it held holding_at(MEMORY_PEAK) + both_mapped_then
 *
 * One owner, one thread.
 */
#ifndef MPROF_MAPPED_H
#define MPROF_MAPPED_H

#include "functions.h"
#include "timeline.h"

/* Beside a holding of the heap: of a function, or of a thread. Zeroed: it never had mapped memory.
 */
struct both {
    uint64_t mapped;             /* how much of it lives */
    struct peak heap, memory;    /* up to the last change of `mapped` */
    uint64_t mapped_then, epoch; /* `mapped` at memory's newest peak, as of that epoch */
};

struct mapped {
    struct figures figures;       /* of mapped memory alone, at its own peaks */
    struct pages inclusive, self; /* struct both, by function */
    struct pages spans;           /* of memory: struct span, by function */
    struct timeline line, both_line;
    uint64_t allocations, allocated_bytes; /* what became mapped memory: pieces and bytes */
};

/* What `held` has beside it grows by `bytes` (which may be below 0). f: the heap's figures, which
 * count `held`; no step of theirs owes it anything. */
void both_change(struct both *b, struct holding *held, uint64_t bytes, struct instant at,
                 const struct figures *f);

static inline int both_is_used(const struct both *b)
{
    return b->mapped || b->memory.bytes;
}

/* Ties: the first. */
struct peak both_heap_peak(const struct both *b, const struct holding *held);
struct peak both_memory_peak(const struct both *b, const struct holding *held);
/* How much mapped memory it held at the program's newest peak of memory. */
uint64_t both_mapped_then(const struct both *b, const struct figures *f);
/* At the end: fills memory's usage, and the heap's own peak. Returns how much of memory's
 * at_peak_bytes is mapped. */
uint64_t both_fill(struct usage *memory, struct usage *heap, const struct usage *mapped,
                   const struct figures *f, const struct both *b, const struct holding *held);

struct heap;

/* The accounts begin: `heap` has had no mapping so far. Its figures have steps from now on. */
struct mapped *mapped_new(struct heap *heap);
void mapped_free(struct mapped *m); /* NULL is allowed */

/* The mapped memory of a stack has grown by `bytes` (which may be below 0). Its figures are settled
 * then: such changes are rare, and so no change of a stack needs to look at them. */
void mapped_change(struct heap *heap, const struct tree *tree, struct charge charge, uint64_t bytes,
                   struct instant at);

/* Once the functions have their figures of the heap: gives them those of mapped memory and of both,
 * and the process its lines. */
void mapped_fill_functions(struct heap *heap, struct tree *tree, int kept_live,
                           struct pages *usages);
void mapped_fill_lines(const struct mapped *m, struct arena *memory, struct process *process);

#endif
