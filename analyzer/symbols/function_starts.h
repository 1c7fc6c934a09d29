/*
 * function_starts.h - where functions begin in a stripped object: the search table of
 * .eh_frame_hdr, which every object that can be unwound has. It gives no names, but it shows that
 * two call sites lie in one function.
 *
 * Source of the layout: Linux Standard Base Core 5.0, "Exception Frames". Ownership: none, the
 * section's bytes are libelf's. Failure: 0.
 */
#ifndef MPROF_FUNCTION_STARTS_H
#define MPROF_FUNCTION_STARTS_H

#include <libelf.h>
#include <stdint.h>

/* Where the last function at or before `address` begins; 0 where the object has no table. */
uint64_t function_start(Elf *elf, uint64_t address);

#endif
