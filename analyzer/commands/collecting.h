/*
 * collecting.h - works a gather from a thread of its own, so that neither a signal nor the time
 * limit has to wait until a backlog is worked off or symbols are read.
 *
 * From collecting_start to collecting_free the gather belongs to the thread.
 */
#ifndef MPROF_COLLECTING_H
#define MPROF_COLLECTING_H

#include "gather.h"

struct collecting;

/* Where no thread can be had all is collected in collecting_end. */
struct collecting *collecting_start(struct gather *g);

/* The recorded processes that ran when it last looked, at most `max`. NULL is allowed. */
size_t collecting_running(struct collecting *c, struct proc_identity *found, size_t max);

/* The root has ended, so: collects the rest and completes what can be completed. Once. */
void collecting_end(struct collecting *c, struct ending root_ending);

/* Waits for that, at most `ms` milliseconds (-1: as long as it takes); 1 when it is done. */
int collecting_wait(struct collecting *c, int ms);
void collecting_free(struct collecting *c); /* after collecting_wait has returned 1 */

#endif
