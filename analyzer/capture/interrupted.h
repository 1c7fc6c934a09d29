/*
 * interrupted.h - calls that a fork has interrupted: a signal handler forks between their BEGIN and
 * their END, and the child, which comes back into the call, writes that END without a BEGIN.
 *
 * What the call is about is what lay there at the FORK, not what the child's handler has put there.
 */
#ifndef MPROF_INTERRUPTED_H
#define MPROF_INTERRUPTED_H

#include "ranges.h"
#include "spool.h"

#include <stddef.h>

struct lane;
struct subject;

struct interrupted_call {
    int is_realloc;
    uint64_t begin, end; /* of what a RANGE_BEGIN wants to drop; begin: a realloc's address */
    uint32_t block;      /* a realloc's (live.h), which is in no table; 0 none */
    struct range_list parts;
};

/* A subject's calls, the innermost one last. */
struct interrupted {
    struct interrupted_call *list;
    size_t count, capacity;
};

/* Is it a lane of the thread that has forked this child? */
int interrupted_is_forker(const struct subject *child, const struct lane *parents);

/* In a child that begins: notes what the thread that forked it has begun in the parent. */
void interrupted_inherit(struct subject *child, const struct subject *parent);

/* Before an END: if the lane has nothing that it could end, the innermost call that it may end goes
 * on in the lane. */
void interrupted_resume(struct lane *lane, const struct spool_event *end);

/* Takes the block of a realloc that was interrupted at this address and has not gone on; 0 none. */
uint32_t interrupted_take_block(struct interrupted *calls, uint64_t address);

void interrupted_clear(struct interrupted *calls); /* releases the memory */

#endif
