/*
 * spool_content.h - a hash of what an object consists of, the same whether it is read from memory
 * or from its file. It tells apart two builds that have no build id, or the same one.
 *
 * It covers parts that every loaded object has and that neither ld.so nor strip changes: the ELF
 * header up to e_shoff, the program headers, .eh_frame_hdr (where each function lies) and the names
 * of the dynamic symbols. Of a long part only the two ends count. Normative text: doc/format.md,
 * "Content".
 *
 * No allocation, no errno, any thread.
 */
#ifndef MPROF_SPOOL_CONTENT_H
#define MPROF_SPOOL_CONTENT_H

#include <stddef.h>
#include <stdint.h>

enum { SPOOL_CONTENT_PIECE = 4096 }; /* the most bytes that are asked for at once */

/* Returns the bytes at an address of the object, as in its file, or NULL where they are not there.
 * They stay valid until the next call. */
typedef const void *spool_content_at(void *context, uint64_t address, size_t bytes);

/* first: the address of the ELF header. bias: what ld.so has added to the addresses in the dynamic
 * section. Returns 0 for an object that this does not know. */
uint64_t spool_content(spool_content_at *at, void *context, uint64_t first, uint64_t bias);

#endif
