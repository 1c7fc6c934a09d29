/*
 * mapped.h - the accounts of a process's mapped memory, and of its heap and mapped memory together.
 *
 * Until the first mapping there are none: the memory is the heap, so the accounts of both begin as
 * copies of the heap's. From then on each event of the heap counts there, too (heap.h calls).
 *
 *   figures  mapped memory, at its own peaks        both  heap and mapped memory, at their peaks
 *   then     mapped memory, at the peaks of both
 *
 * One owner, one thread.
 */
#ifndef MPROF_MAPPED_H
#define MPROF_MAPPED_H

#include "functions.h"
#include "timeline.h"

struct mapped {
    struct figures figures, both, then;
    struct timeline line, both_line;
    uint64_t allocations, allocated_bytes; /* what became mapped memory: pieces and bytes */
};

struct heap;

/* The accounts begin: `heap` has had no mapping so far. */
struct mapped *mapped_new(const struct heap *heap);
void mapped_free(struct mapped *m); /* NULL is allowed */

/* After a change of the heap or of mapped memory: is it a peak of both? */
void mapped_settle_both(struct heap *heap, uint64_t ns);

/* Gives the functions their figures of mapped memory and of both, and the process its lines. m
 * NULL: there was no mapping. */
void mapped_fill_functions(struct mapped *m, struct tree *tree, int kept_live,
                           struct pages *usages);
void mapped_fill_lines(const struct mapped *m, struct arena *memory, struct process *process);

#endif
