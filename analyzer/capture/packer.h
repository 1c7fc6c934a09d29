/*
 * packer.h - compresses blocks and writes them, in the order in which they were put, in a thread of
 * its own: whoever makes them goes on meanwhile.
 *
 * The thread begins with the first large block; a recording of small ones has none, as have those
 * who may not start one. At most eight blocks, and 64 MiB besides the last one, wait. The first
 * error is kept; nothing is written after it. One owner calls; it does not own the descriptor.
 */
#ifndef MPROF_PACKER_H
#define MPROF_PACKER_H

#include "bytes.h"
#include "capture_format.h"

struct packer;

struct packer *packer_new(int fd);
void packer_free(struct packer *p); /* waits for what was put; NULL is allowed */

/* Puts a block. Takes the payload's memory, and leaves it empty. */
void packer_put(struct packer *p, enum capture_block_type type, uint32_t process,
                struct bytes *payload);

/* The errno of the first error so far, 0 none; of all that was put only after packer_settle. */
int packer_error(struct packer *p);

/* Waits until all that was put is written. */
void packer_settle(struct packer *p);

/* These settle first: where the blocks lie, in the order in which they were put, valid until the
 * next one; how long the file is; and bytes as they are (header, tail). */
const uint64_t *packer_offsets(struct packer *p);
uint64_t packer_position(struct packer *p);
void packer_put_plain(struct packer *p, const void *data, size_t size);

#endif
