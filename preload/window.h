/*
 * window.h - stretches of the spool that stay mapped, cut into slots for chunks.
 *
 * A window is 2 MiB of the file at a multiple of 2 MiB, mapped at such a multiple, too, so that the
 * kernel can back it with one huge page; mapping it costs a third to a tenth of as many small
 * mappings. A slot's pages are populated when it is first taken. All threads of a process take
 * their chunks from it, a slot each; so a thread holds 64 KiB, not 2 MiB. Threads that show many
 * stacks, which each chunk has to show anew, take large slots from windows of their own.
 *
 * A new window's slots all carry the header of a chunk that has been moved away (spool.h): they are
 * free. A collector frees slots again by moving their chunks away. When none is free, the next
 * window is mapped and the oldest one retires: its slots are unmapped as they are closed.
 *
 *   held bit of a slot   somebody looks at it or writes it: it is mapped while the bit is set
 *   RETIRED              set once; whoever sets it unmaps the slots that nobody holds, and whoever
 *                        lets go of one later unmaps that one. So each is unmapped exactly once
 *
 * Any thread; lock-free but for one try-lock around the mapping of a new window.
 */
#ifndef MPROF_WINDOW_H
#define MPROF_WINDOW_H

#include "spool.h"

#include <stdint.h>

#ifndef WINDOW_BYTES /* tests/schedules has small ones */
#define WINDOW_BYTES     (2u << 20)
#define SLOT_BYTES       (64u << 10)
#define SLOT_BYTES_LARGE (256u << 10)
#endif

enum slot_kind { SLOT_SMALL, SLOT_LARGE, SLOT_KINDS };

static inline uint32_t slot_bytes(enum slot_kind kind)
{
    return kind == SLOT_LARGE ? SLOT_BYTES_LARGE : SLOT_BYTES;
}

struct window;

/* Where a slot lies in this process. */
struct slot {
    struct window *window; /* NULL: none */
    uint32_t number;
};

/* Takes a free slot and returns its chunk header, in state SPOOL_CHUNK_TAKEN; NULL where there is
 * none and no window can be had. */
struct spool_chunk *slot_take(enum slot_kind kind, struct slot *slot);

/* Has its window retired? Then the slot will not be used again. */
int slot_is_retired(const struct slot *slot);

/* Lets go of the slot, whose chunk is closed; it may be unmapped. */
void slot_leave(struct slot *slot);

/* Populates the slots that may be taken, before memory calls are given up (sandbox.h). */
void window_fill(void);

/* In a forked child: forgets the windows, which are the parent's. */
void window_after_fork(void);

#endif
