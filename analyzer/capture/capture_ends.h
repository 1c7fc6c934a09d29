/*
 * capture_ends.h - a capture's first and last bytes: whose it is, without reading what lies
 * between.
 *
 * Errors are those of recording.h.
 */
#ifndef MPROF_CAPTURE_ENDS_H
#define MPROF_CAPTURE_ENDS_H

#include "capture_format.h"
#include "recording.h"

/* Reads and checks the header. *file_bytes: the size of the whole file. */
int capture_read_header(int fd, struct capture_header *h, uint64_t *file_bytes);

/* Returns 1, 0 where the file has no valid end, -1 with errno. */
int capture_read_tail(int fd, uint64_t file_bytes, struct capture_tail *tail);

/* Fills *identity from the header and the HEAD block after it, and adds the forked children that
 * the file's end names (none if that is missing) to *forks, unless it is NULL. */
int capture_identify(int fd, struct recording_identity *identity, struct forks *forks);

/* A child without a pid is that of a fork that failed, and is passed over. */
void forks_add(struct forks *forks, struct forked child);

#endif
