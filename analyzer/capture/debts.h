/*
 * debts.h - frees whose block was taken by another one that only seems to have come before.
 *
 * A processor may read its counter for a free before the free's thread got hold of the block,
 * mostly by some hundred nanoseconds: recorded is then
 *
 *   B  free X     in truth the last of these
 *   A  free X     finds nothing: B's has taken its block
 *   A  alloc X    in truth what B frees
 *
 * So where a free finds nothing, and another lane has freed the same address just before, it is
 * owed: the next allocation of the address within the window is freed at once. If there is none, it
 * was unmatched after all.
 *
 * One owner, one thread. A zeroed struct is empty.
 */
#ifndef MPROF_DEBTS_H
#define MPROF_DEBTS_H

#include <stddef.h>
#include <stdint.h>

#define DEBTS_WINDOW_NS 1000000u /* 50 us were seen, on a machine whose processors are lent out */
#define DEBTS_RECENT    256u

struct recent_free {
    uint64_t address, ns;
    uint32_t who; /* the lane's mark */
};

struct debt {
    uint64_t address, until_ns;
};

struct debts {
    struct recent_free *recent; /* by address, the last one; NULL until there is one */
    struct debt *list;
    size_t count, capacity;
};

void debts_start(struct debts *d);

/* A free that has found its block, of a process with several lanes. */
static inline void debts_note(struct debts *d, uint64_t address, uint64_t ns, uint32_t who)
{
    if (__builtin_expect(!d->recent, 0))
        debts_start(d);
    d->recent[address / 16 % DEBTS_RECENT] = (struct recent_free){address, ns, who};
}

/* A free that has found nothing: 1 where it is owed from here on, 0 where it is unmatched. */
int debts_owe(struct debts *d, uint64_t address, uint64_t ns, uint32_t who);

/* The address has become live: 1 where it is to be freed at once. */
int debts_settle(struct debts *d, uint64_t address);

/* How many will not be settled any more, now that it is `ns`; they are forgotten. */
size_t debts_expired(struct debts *d, uint64_t ns);

void debts_clear(struct debts *d); /* releases its memory */

#endif
