/*
 * interrupted.h - calls that a fork has interrupted: a signal handler forks between their BEGIN and
 * their END, and the child, which comes back into the call, writes that END without a BEGIN.
 */
#ifndef MPROF_INTERRUPTED_H
#define MPROF_INTERRUPTED_H

#include "spool.h"

#include <stddef.h>

struct subject;

/* The BEGINs of a subject's calls, the innermost call's last. */
struct interrupted {
    struct spool_event *list;
    size_t count, capacity;
};

/* In a child that begins: notes what the thread that forked it has begun in the parent. */
void interrupted_inherit(struct subject *child, const struct subject *parent);

/* Takes the BEGIN of the innermost call that an END of this kind may end, into *begin: 1. 0 where
 * the kind ends nothing, or there is none. */
int interrupted_take(struct interrupted *calls, const struct spool_event *end,
                     struct spool_event *begin);

void interrupted_clear(struct interrupted *calls); /* releases the memory */

#endif
