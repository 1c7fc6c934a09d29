/*
 * removal.h - removes recordings, and nothing else: for the commands rm and clean, and for run,
 * which takes the place of an older recording.
 *
 * A plan first gathers files and touches none. Every file in it was recognised as a recording by
 * its contents; a root brings its children, and each its capture, spool and .part. A tree of which
 * anything is still being written stays whole, with a sentence. Single-threaded.
 */
#ifndef MPROF_REMOVAL_H
#define MPROF_REMOVAL_H

#include "folder.h"

struct removal {
    char **files;
    size_t count;
    size_t recordings; /* that the files are of */
    size_t kept;       /* recordings asked for that are still being written */
};

/* Adds an entry of the folder, with its children where it is a root, and with those whose names say
 * that they are such and whose recorders could not begin. */
void removal_add(struct removal *plan, const struct folder *folder,
                 const struct folder_entry *entry);

/* Adds the spool NAME.spool of a recorder that could not begin. Returns 1, or 0 where that is none.
 */
int removal_add_stub(struct removal *plan, const char *name);

/* Adds what belongs to an entry that is itself to be replaced: its children by the name's numbers,
 * NAME.1, NAME.2 .., without those that are still being written. Says nothing. */
void removal_add_numbered(struct removal *plan, const struct folder *folder,
                          const struct folder_entry *entry);

/* Removes the files, as far as that is possible, and releases the plan. Says nothing. */
void removal_carry_out(struct removal *plan);
void removal_release(struct removal *plan); /* without removing anything */

/* Prints the plan (dry_run) or carries it out, says how many recordings went, and releases the
 * plan. Returns the exit status. */
int removal_finish(struct removal *plan, int dry_run);

#endif
