/*
 * attached.h - shared memory that a process has more than once: segments attached again, and what
 * mremap has given a second view of. Of each byte the first place that may be written to counts as
 * memory, the others as files; when it goes, the next one takes its part in the accounts.
 */
#ifndef MPROF_ATTACHED_H
#define MPROF_ATTACHED_H

#include "heap.h"
#include "ranges.h"

/* Appends the parts of a place that is about to be memory: what of it is memory in the set already,
 * or in what comes with it, is a second place. Anything else is appended as it is. */
void attached_settle(const struct ranges *set, const struct range_list *coming,
                     const struct range *place, struct range_list *parts);

/* A part that was memory has left the set. The bytes of it that have a second place are memory
 * there from now on, on the part's account; the rest is appended to `left`. */
void attached_pass_on(struct ranges *set, struct heap *heap, struct tree *tree,
                      const struct range *part, struct range_list *left);

#endif
