/*
 * gather.h - all recordings of one tree of processes, collected while they are written.
 *
 * The tree's spools are found in one folder by the number that all of them carry. Each has a
 * collector of its own, which writes NAME.part; when the last process has left the spool it becomes
 * NAME and the spool is removed. What cannot be written (a full disk), and what is still written to
 * at the end, stays a spool, and a later command collects it. One symbolizer serves them all.
 *
 * Single-threaded; has the sampler watch each process. Prints nothing: errors are in `gathered`.
 */
#ifndef MPROF_GATHER_H
#define MPROF_GATHER_H

#include "recorded.h"

struct gather;

/* Opens the folder; NULL and errno where that fails. `tree`: the number in the spools' headers. */
struct gather *gather_open(const char *folder, uint64_t tree);

/* Removes, before the program begins, what an earlier recorder that could not begin has left at the
 * name, or at it with a number. */
void gather_remove_stubs(struct gather *g, const char *wanted);

/* Call once, before the first step. root: the program's process; wanted: the name for the recording
 * of its first image, where an older file is replaced when the new one is complete. The sampler may
 * be NULL. */
void gather_begin(struct gather *g, struct proc_identity root, const char *wanted,
                  struct sampler *sampler);

/* Finds new spools and takes in what was recorded since. Returns how many events. `look`: also
 * checks which processes have ended, and completes their recordings. */
int64_t gather_step(struct gather *g, int look);

/* The recorded processes that still run, at most `max`. */
size_t gather_running(struct gather *g, struct proc_identity *found, size_t max);

/* The root has ended: completes all that can be completed. */
void gather_end(struct gather *g, struct root_end end);

/* The recordings in order of appearance; they belong to the gather. */
size_t gather_count(const struct gather *g);
const struct gathered *gather_get(const struct gather *g, size_t i);

/* How many images of the family have no recording because their recorder could not begin. *reason:
 * why one of them could not, "" if there are none. */
size_t gather_refused(const struct gather *g, const char **reason);

void gather_free(struct gather *g); /* NULL is allowed */

#endif
