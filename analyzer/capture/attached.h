/*
 * attached.h - shared segments that a process has attached more than once: one memory in several
 * places. The first place that may be written to counts as memory, the others as files; when it
 * goes, the next one takes its part in the accounts.
 */
#ifndef MPROF_ATTACHED_H
#define MPROF_ATTACHED_H

#include "heap.h"
#include "ranges.h"

/* Makes a place of a segment a second one, if its memory is in the set already. */
void attached_settle(const struct ranges *set, struct range *place);

/* A part that was memory has left the set. The bytes of it that have a second place are memory
 * there from now on, on the part's account; the rest is appended to `left`. */
void attached_pass_on(struct ranges *set, struct heap *heap, struct tree *tree,
                      const struct range *part, struct range_list *left);

#endif
