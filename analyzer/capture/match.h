/*
 * match.h - turns spool events into what happened: frees find their allocations, ends of reallocs
 * and unmaps their beginnings; subjects keep the accounts, and each outcome becomes an event.
 *
 * Whatever the times say, allocation and free alternate at an address: that is the authority. An
 * allocation at a live address waits for the free that must have happened; a free of nothing is
 * owed the next allocation there (early.h). What stays without its partner is an implied free or an
 * unmatched one. Events gather in subject->told; when there are many, `tell` passes them to the
 * writer, between two spool events. One thread.
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
    struct order *order;                            /* where the events come from */
    void *context;                                  /* of `tell` */
    void (*tell)(void *context, struct subject *s); /* NULL: events are not gathered */
};

/* Takes an event of the lane at time `ns`: kinds ALLOC to RANGE_FAILED; others only change the
 * stack. Returns 0 where it waits (order_wait); it will be given again. */
int match_event(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns);

/* A THREAD event of the lane at `ns`: its events are this thread's from now on. */
void match_thread(struct matcher *m, struct lane *lane, const struct thread_facts *facts,
                  uint64_t ns);

void match_make_room(struct subject *s);

/* Gathers what happened. name: of a freed block; of all else {0}. */
static inline void match_emit(struct matcher *m, const struct lane *lane, enum event_kind kind,
                              uint32_t class, uint64_t ns, uint64_t bytes, struct block_name name)
{
    struct subject *s = lane->subject;

    if (!m->tell)
        return;
    if (__builtin_expect(s->told_count >= s->told_capacity, 0))
        match_make_room(s);
    struct event *e = &s->told[s->told_count++];
    e->kind = kind;
    e->thread = lane->path.thread;
    e->class = class;
    e->ns = ns;
    e->bytes = bytes;
    e->name = name;
}

/* The process is over: whatever still waits for its partner waits in vain. `lane`: any lane of the
 * process. */
void match_end(struct matcher *m, struct lane *lane);

#endif
