/*
 * early.h - accounts of one process for events whose times contradict what must have been.
 *
 * A processor may read its counter for an event before the instructions in front of it are done, so
 * a time can be early, by up to some microseconds; never late in a way that matters, as nobody else
 * has the block while its thread stands still. At one address allocation and release alternate, in
 * any true order. One early event makes two of a kind neighbours, so it never goes unseen:
 *
 *   a release finds nothing     its own time was early, and its block is yet to come; or another
 *                               lane's was, and has taken this one's block. In both cases the next
 *                               allocation there is what one of the two has released: one is owed
 *   an allocation finds a block its time was early: it waits for the release (order_wait). If none
 *                               comes, and the block there is as young, that block's time was
 *                               early: it steps aside until the newcomer is released
 *
 * What a release of a lane owes cannot be an allocation that the lane made later itself, unless it
 * stands for another lane's (`exchanged`). What is not settled within EARLY_NS was another matter:
 * an unmatched free, an implied free.
 *
 * One owner, one thread. A zeroed struct is empty.
 */
#ifndef MPROF_EARLY_H
#define MPROF_EARLY_H

#include <stddef.h>
#include <stdint.h>

#define EARLY_NS     1000000u /* 50 us were seen, on a machine whose processors are lent out */
#define EARLY_RECENT 1024u

struct lane;

struct early_recent {
    uint64_t address, ns;
    const struct lane *lane;
};

/* A release that waits for its block. */
struct owed {
    uint64_t address, until_ns;
    struct lane *lane;
    int exchanged;  /* another lane's release has taken its block */
    int is_realloc; /* the releasing half of one */
    int is_open;    /* and that has not ended */
};

/* A block that is in no table until the one which stands in its place is gone. */
struct aside {
    uint64_t address, until_ns;
    uint32_t block; /* live.h */
};

struct early {
    struct early_recent *recent; /* the last releases that found their block: a ring; or NULL */
    size_t next;
    struct owed *owed;
    size_t owed_count, owed_capacity;
    struct aside *aside;
    size_t aside_count, aside_capacity;
};

void early_start(struct early *e);
void early_clear(struct early *e); /* releases its memory */

/* Is there anything to be looked after? */
static inline int early_is_busy(const struct early *e)
{
    return e->owed_count + e->aside_count > 0;
}

/* A release that has found its block, of a process with several streams. */
static inline void early_note(struct early *e, uint64_t address, uint64_t ns,
                              const struct lane *lane)
{
    if (__builtin_expect(!e->recent, 0))
        early_start(e);
    e->recent[e->next++ % EARLY_RECENT] = (struct early_recent){address, ns, lane};
}

/* A release that has found nothing. */
void early_owe(struct early *e, struct owed owed, uint64_t ns);

/* The lane's realloc has ended: 1 where it owes a release, which with `failed` is forgotten. */
int early_realloc_ends(struct early *e, const struct lane *lane, int failed);

/* `lane` has made the address live. 1: *owed is the release that its block belongs to. */
int early_settle(struct early *e, uint64_t address, const struct lane *lane, struct owed *owed);

/* A block steps aside; and the oldest one of an address comes back, 0 none. */
void early_put_aside(struct early *e, uint64_t address, uint32_t block, uint64_t ns);
uint32_t early_take_aside(struct early *e, uint64_t address);

/* What will not be settled any more, now that it is `ns`: one a call, until it returns 0. */
int early_expired_owed(struct early *e, uint64_t ns);
uint32_t early_expired_aside(struct early *e, uint64_t ns);

#endif
