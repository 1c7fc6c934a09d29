/*
 * failures.h - allocations that failed, by stack: how many, how much they asked for, and when.
 *
 * Sums of bytes stop at the highest number there is, as a single request may be that large. One
 * owner, one thread. A zeroed struct is empty.
 */
#ifndef MPROF_FAILURES_H
#define MPROF_FAILURES_H

#include "intmap.h"
#include "summary.h"

struct failures {
    struct intmap numbers; /* stack -> index in the list + 1 */
    struct failure *list;
    size_t count, capacity;
};

/* Adds what is known of one stack to what the list has of it. */
void failures_add(struct failures *f, const struct failure *more);

/* Gives the process the list, the biggest requests first, in memory of the arena. */
void failures_fill(const struct failures *f, struct arena *memory, struct process *process);

void failures_clear(struct failures *f); /* releases its memory */

#endif
