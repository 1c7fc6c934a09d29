/*
 * choice.h - opens the recording that a user means by a file, an index or nothing; says in one
 * sentence what is wrong.
 *
 * A file of that name takes precedence over an index. Without an operand, the newest root recording
 * of the current folder is meant. The caller frees the names returned. Single-threaded.
 */
#ifndef MPROF_CHOICE_H
#define MPROF_CHOICE_H

#include "folder.h"
#include "recording.h"

/* The recording's name that `operand` means (NULL: the newest). Returns NULL after a sentence. */
char *choice_name(const char *operand);

/* Is the operand none (the newest), or an index? Then the program that was started is meant, not a
 * certain file: the recording that choice_name returns is that of its first image. */
int choice_is_index(const char *operand);

/* Says why no recording of the folder has an index. */
void choice_say_no_index(const struct folder *folder);

/* Is there a file of this name, or its spool, whatever is in it? */
int choice_exists(const char *name);

/* Opens it; recording_close. Returns NULL after a sentence. */
struct recording *choice_open(const char *name);

/* Says what is wrong with a recording that can be shown nevertheless: cut, still running, empty. */
void choice_tell(const struct recording *recording, const char *name);

#endif
