/*
 * spool_content.h - a number for what an object consists of, the same from its memory as from its
 * file: what tells two builds apart that have no build id, or the same one.
 *
 * Hashed are parts that are in every loaded object and that neither ld.so nor strip changes: the
 * ELF header up to e_shoff, the program headers, .eh_frame_hdr (where each function lies) and the
 * dynamic symbols' names. Of a long part its two ends. Normative text: doc/format.md, "Content".
 *
 * No allocation, no errno, any thread.
 */
#ifndef MPROF_SPOOL_CONTENT_H
#define MPROF_SPOOL_CONTENT_H

#include <stddef.h>
#include <stdint.h>

enum { SPOOL_CONTENT_PIECE = 4096 }; /* what is asked for at once is no longer */

/* The bytes at an address of the object, as in its file; NULL where they are not there. They stay
 * until the next call. */
typedef const void *spool_content_at(void *context, uint64_t address, size_t bytes);

/* first: address of the ELF header. bias: what ld.so has added to the addresses in the dynamic
 * section. 0 where it is no object that this knows. */
uint64_t spool_content(spool_content_at *at, void *context, uint64_t first, uint64_t bias);

#endif
