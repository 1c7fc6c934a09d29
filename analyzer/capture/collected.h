/*
 * collected.h - from a bare spool to a capture that can be read.
 *
 * The capture is written beside the spool as NAME.part, renamed to NAME when it is complete, and
 * then the spool is removed. It is made in memory instead, and the spool left alone, where the
 * program may still run (a snapshot), where another collector holds the spool's lock (flock), or
 * where NAME cannot be written.
 */
#ifndef MPROF_COLLECTED_H
#define MPROF_COLLECTED_H

#include "reader.h"

/* The spool is no longer at its path: somebody else has just collected it; look again. */
#define COLLECTED_ELSEWHERE 1

/* `capture`: where to put it, NULL: in memory. replace: a file that is there may be replaced.
 * Returns RECORDING_OK and a reader for the caller to close, COLLECTED_ELSEWHERE, or an error of
 * recording.h. */
int collect_spool(struct reader **r, const char *spool, const char *capture, int replace);

/* Removes a spool whose capture is complete, unless somebody may still use it. */
void remove_leftover(const char *spool);

#endif
