/*
 * walk_numbers.h - under which numbers the present chunk knows stacks, and parts of stacks.
 *
 * A table of the numbers that were given out, by {frame, number of the frame further out}: so a
 * stack, or its outer part, that the chunk has shown before is named and not pushed again, wherever
 * on the thread's stack it stands now. What was given out in earlier chunks is known by its number
 * and counts as nothing.
 *
 * Any thread; a memo, with its table, belongs to one thread at a time.
 */
#ifndef MPROF_WALK_NUMBERS_H
#define MPROF_WALK_NUMBERS_H

#include "walk.h"

/* Direct-mapped: who comes later overwrites. */
struct named {
    uint64_t frame; /* id, or for SPOOL_FRAME_RAW the pc with its top bit set */
    uint32_t outer, number;
};

/* Makes the first table. 0: there is no memory. */
int numbers_begin(struct memo *m);

/* Nothing is named any more. */
void numbers_clear(struct memo *m);

#endif
