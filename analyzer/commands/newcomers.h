/*
 * newcomers.h - the processes of a tree that have begun since the last look, whoever collects them.
 *
 * A look reads the names of new spools and, of each open one, its size and the number of its
 * processes: two system calls a spool, and three more a process. So it may be taken as often as the
 * processes are sampled. A spool is let go once its name is removed, which is when it has been
 * collected. One thread at a time; prints nothing.
 */
#ifndef MPROF_NEWCOMERS_H
#define MPROF_NEWCOMERS_H

#include "proc_stat.h"

struct newcomers;

typedef void newcomer_found(void *context, struct proc_identity process);

/* Begins to watch for spools of the tree in the folder, which stays the caller's: to be called
 * before the program begins. */
struct newcomers *newcomers_open(int folder_fd, uint64_t tree);

/* So many spools may be open at once, each as one file; none before this is called. */
void newcomers_allow(struct newcomers *n, size_t spools);

/* Finds each process once, also one that has ended meanwhile, by its pid in our own namespace. */
void newcomers_look(struct newcomers *n, newcomer_found *found, void *context);
void newcomers_close(struct newcomers *n); /* NULL is allowed */

#endif
