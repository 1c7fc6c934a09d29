/*
 * dwarf_gap.h - why an object with debug information shows none of it: elfutils does not read it,
 * or it lies in files that are gone.
 *
 * Asked once, after an object is read. Threads: one.
 */
#ifndef MPROF_DWARF_GAP_H
#define MPROF_DWARF_GAP_H

#include <libelf.h>

#include "dwarf_lookup.h"
#include "gap.h"

/* elf: the file with the debug information. lookup: what libdw made of it, or NULL. path: the
 * object's. */
enum symbol_gap dwarf_gap(Elf *elf, const struct dwarf_lookup *lookup, const char *path);

#endif
