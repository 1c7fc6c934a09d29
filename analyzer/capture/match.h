/*
 * match.h - spool events to what happened: frees find their allocations, reallocs and unmaps their
 * beginnings; subjects keep the accounts, and each outcome is told as an event.
 *
 * Whatever the order of time says, at one address allocation and free alternate: that is the
 * authority. An allocation at an address still live asks for the free that must have been, a free
 * of nothing asks for its allocation (`find`: takes in events that only seem to be later); if there
 * is none, the free is implied, or unmatched (or owed: debts.h). Events gather in subject->told;
 * when there are many they are to be told to the writer, in between two spool events. One thread.
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
    void *context;                                  /* of the two below */
    void (*tell)(void *context, struct subject *s); /* NULL: nobody wants to know */
    void (*find)(void *context, struct lane *lane, enum order_wanted wanted, uint64_t address);
};

/* An event of the lane at `ns`: kinds ALLOC to RANGE_FAILED; others only change the stack. */
void match_event(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns);

#endif
