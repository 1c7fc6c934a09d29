/*
 * collecting.h - runs a gather in a thread of its own, so that neither a signal nor the time limit
 * has to wait for a backlog or for symbols to be read.
 *
 * From collecting_start to collecting_free the gather belongs to the thread.
 */
#ifndef MPROF_COLLECTING_H
#define MPROF_COLLECTING_H

#include "gather.h"

struct collecting;

/* If no thread can be had, collecting_end collects everything. */
struct collecting *collecting_start(struct gather *g);

/* The recorded processes that ran when it last looked, at most `max`. NULL is allowed. */
size_t collecting_running(struct collecting *c, struct proc_identity *found, size_t max);

/* Call once, when the root has ended: collects the rest and completes what can be completed. */
void collecting_end(struct collecting *c, struct root_end end);

/* Waits for that at most `ms` milliseconds (-1: as long as it takes). Returns 1 when it is done. */
int collecting_wait(struct collecting *c, int ms);
void collecting_free(struct collecting *c); /* after collecting_wait has returned 1 */

#endif
