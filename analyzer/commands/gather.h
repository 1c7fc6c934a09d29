/*
 * gather.h - all recordings of one tree of processes, collected while they are written.
 *
 * The tree's spools are found in one folder by the number that all of them carry. Each has a
 * collector of its own, which writes NAME.part; when the last process has left the spool it becomes
 * NAME and the spool is removed. What cannot be written (a full disk), and what is still written to
 * at the end, stays a spool, and a later command collects it. One symbolizer serves them all.
 *
 * Single-threaded; the sampler is told of each process. Prints nothing: errors stand in `gathered`.
 */
#ifndef MPROF_GATHER_H
#define MPROF_GATHER_H

#include "recorded.h"

struct gather;

/* Opens the folder; NULL and errno where that fails. `tree` is what the spools' headers say. */
struct gather *gather_open(const char *folder, uint64_t tree);

/* Who the root is, and the name its first image's recording shall have: an older file there is
 * replaced when the new one is complete. The sampler may be NULL. Once, before the first step. */
void gather_begin(struct gather *g, struct proc_identity root, const char *wanted,
                  struct sampler *sampler);

/* Finds new spools and takes in what was recorded since. Returns the events taken in. `look`: also
 * check which processes have ended, and complete their recordings. */
int64_t gather_step(struct gather *g, int look);

/* The recorded processes that still run, at most `max`. */
size_t gather_running(struct gather *g, struct proc_identity *found, size_t max);

/* The root has ended: completes all that can be completed. */
void gather_end(struct gather *g, struct ending root_ending);

/* In order of their appearance; they belong to the gather. */
size_t gather_count(const struct gather *g);
const struct gathered *gather_get(const struct gather *g, size_t i);

/* How many images of the family have no recording as their recorder could not begin, and why: the
 * reason of one of them, "" without any. */
size_t gather_refused(const struct gather *g, const char **reason);

void gather_free(struct gather *g); /* NULL is allowed */

#endif
