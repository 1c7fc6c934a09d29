/*
 * mappings.h - the program's mappings by their events: what is mapped memory (model/ranges.h),
 * since when, and whose. One thread.
 *
 * A range belongs to the call that made it memory: mmap, or the mprotect that made a reservation
 * writable. It stays that call's when parts of it go, and when it is protected otherwise; without
 * any access it is a reservation again. What mremap moves is the mremap's, as a block is the
 * realloc's. Memory that a process inherits stays its parent's, also where it is moved, and where
 * it loses all access and gets it back. Shared memory in several places counts once (attached.h).
 */
#ifndef MPROF_MAPPINGS_H
#define MPROF_MAPPINGS_H

#include "match.h"

/* Takes a RANGE event of the lane at time `ns`; the stack is taken in. */
void mappings_event(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns);

#endif
