/*
 * drops.h - the calls of a stream that are about to drop mappings: RANGE_BEGINs without their ends.
 *
 * They nest, where a signal handler interrupts one; the next end is the last one's. One whose
 * handler jumped out of it never gets an end: it stays below, and does no harm, as it only notes
 * what lay there (until there are too many). What is dropped is taken out of the set by the end.
 */
#ifndef MPROF_DROPS_H
#define MPROF_DROPS_H

#include "ranges.h"

#define DROPS_MAX 16

struct drop {
    uint64_t begin, end; /* of what it wants to drop */
    size_t first;        /* its first part */
};

struct drops {
    struct range_list parts; /* what lay there when they began, one call behind the other */
    struct drop calls[DROPS_MAX];
    unsigned count;
};

/* Another one begins; what lies there is to be added to d->parts. */
void drops_begin(struct drops *d, const struct range *range);

/* The last one, and its parts in order of address; NULL where there is none. */
const struct drop *drops_last(const struct drops *d, struct range_list *parts);

/* It ends. */
void drops_end(struct drops *d);

void drops_forget(struct drops *d); /* all of them end */
void drops_clear(struct drops *d);  /* releases the memory */

#endif
