/*
 * removal.h - removes recordings, and nothing else: for the commands rm and clean.
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
    size_t kept; /* recordings asked for that are still being written */
};

/* Adds an entry of the folder, with its children where it is a root. */
void removal_add(struct removal *plan, const struct folder *folder,
                 const struct folder_entry *entry);

/* Prints the plan (dry_run) or carries it out, and releases it. Returns the exit status. */
int removal_finish(struct removal *plan, int dry_run);

#endif
