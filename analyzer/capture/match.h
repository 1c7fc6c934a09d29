/*
 * match.h - spool events to what happened: frees find their allocations, reallocs and unmaps their
 * beginnings; subjects keep the accounts, and each outcome is told as an event.
 *
 * Whatever the order of time says, at one address allocation and free alternate: that is the
 * authority. An allocation at an address still live waits for the free that must have been; a free
 * of nothing is owed one by the next allocation there (early.h). What stays without the other is an
 * implied free, or an unmatched one. Events gather in subject->told; when there are many they are
 * to be told to the writer, in between two spool events. One thread.
 */
#ifndef MPROF_MATCH_H
#define MPROF_MATCH_H

#include "classes.h"
#include "locations.h"
#include "order.h"
#include "subject.h"
#include "tree.h"

struct matcher {
    struct tree *tree;
    struct locations *locations;
    struct classes *classes;
    struct order *order;                            /* that gives the events */
    void *context;                                  /* of `tell` */
    void (*tell)(void *context, struct subject *s); /* NULL: nobody wants to know */
};

/* An event of the lane at `ns`: kinds ALLOC to RANGE_FAILED; others only change the stack. 0: it
 * waits (order_wait), and will be given again. */
int match_event(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns);

/* The process is over: nothing that waits for something will get it. `lane`: any of its own. */
void match_end(struct matcher *m, struct lane *lane);

#endif
