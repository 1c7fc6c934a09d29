/*
 * early.h - one process's accounts of events whose times contradict what must have happened.
 *
 * A processor may read its counter for an event before the preceding instructions are done, so a
 * time can be early by up to some microseconds; it is never late in a way that matters, as nobody
 * else has the block while its thread stands still. In any true order, allocation and release
 * alternate at an address. One early event puts two of a kind next to each other, so it never goes
 * unnoticed:
 *
 *   a release finds nothing     its own time was early, and its block is yet to come; or another
 *                               lane's was, and that one has taken this one's block. Either way
 *                               the next allocation there is the block that one of the two has
 *                               released: the release is owed it
 *   an allocation finds a block its time was early: it waits for the release (order_wait). If none
 *                               comes, and the block there is as young, that block's time was
 *                               early: it steps aside until the newcomer is released
 *
 * A release cannot be owed an allocation that its own lane makes later, unless another lane's
 * release has taken its block (`exchanged`). What is not settled within EARLY_NS had another cause:
 * it is an unmatched free or an implied free.
 *
 * One owner, one thread. A zeroed struct is empty.
 */
#ifndef MPROF_EARLY_H
#define MPROF_EARLY_H

#include <stddef.h>
#include <stdint.h>

#define EARLY_NS     1000000u /* 50 us were seen, on a machine that shares its processors */
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
    int exchanged;  /* another lane's release took its block */
    int is_realloc; /* it is the releasing half of a realloc */
    int is_open;    /* that realloc has not ended */
};

/* A block kept out of every table until the one in its place is gone. */
struct aside {
    uint64_t address, until_ns;
    uint32_t block; /* its number, see live.h */
};

struct early {
    struct early_recent *recent; /* a ring of the last releases that found their block; or NULL */
    size_t next;
    struct owed *owed;
    size_t owed_count, owed_capacity;
    struct aside *aside;
    size_t aside_count, aside_capacity;
};

void early_start(struct early *e);
void early_clear(struct early *e); /* releases its memory */

/* Is anything unsettled? */
static inline int early_is_busy(const struct early *e)
{
    return e->owed_count + e->aside_count > 0;
}

/* Notes a release that found its block, in a process with several streams. */
static inline void early_note(struct early *e, uint64_t address, uint64_t ns,
                              const struct lane *lane)
{
    if (__builtin_expect(!e->recent, 0))
        early_start(e);
    e->recent[e->next++ % EARLY_RECENT] = (struct early_recent){address, ns, lane};
}

/* Notes a release that found nothing. */
void early_owe(struct early *e, struct owed owed, uint64_t ns);

/* The lane's realloc has ended. Returns 1 where its release is still owed a block; with `failed`
 * that release is forgotten. */
int early_realloc_ends(struct early *e, const struct lane *lane, int failed);

/* `lane` has allocated at the address. Returns 1 where an owed release gets the block; *owed is
 * that release. */
int early_settle(struct early *e, uint64_t address, const struct lane *lane, struct owed *owed);

/* Puts a block aside at time `ns`; takes back the oldest one of an address (0: none). */
void early_put_aside(struct early *e, uint64_t address, uint32_t block, uint64_t ns);
uint32_t early_take_aside(struct early *e, uint64_t address);

/* Forgets what can no longer be settled at time `ns`, one per call, and returns 0 when nothing is
 * left. early_expired_aside returns the block. */
int early_expired_owed(struct early *e, uint64_t ns);
uint32_t early_expired_aside(struct early *e, uint64_t ns);

#endif
