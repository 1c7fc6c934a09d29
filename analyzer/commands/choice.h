/*
 * choice.h - from what a user wrote (a file, an index, nothing) to an opened recording; what is
 * wrong is said here, in one sentence.
 *
 * A file of that name goes before an index. Without an operand it is the newest root recording of
 * the current folder. Names returned are for free().
 */
#ifndef MPROF_CHOICE_H
#define MPROF_CHOICE_H

#include "recording.h"

/* The name of the recording that `operand` means, NULL for the newest. Returns NULL after a
 * sentence. */
char *choice_name(const char *operand);

/* Is there a file of this name, or its spool, whatever is in it? */
int choice_exists(const char *name);

/* Opens it. Returns NULL after a sentence. */
struct recording *choice_open(const char *name);

/* Says what is wrong with a recording that can be shown nevertheless: cut, still running, empty. */
void choice_tell(const struct recording *recording, const char *name);

#endif
