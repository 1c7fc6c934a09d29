/*
 * dwarf_gap.h - why an object that has debug information shows none of it: what elfutils does not
 * read, or what lies in files that are gone.
 *
 * Asked once an object is read. Threads: one.
 */
#ifndef MPROF_DWARF_GAP_H
#define MPROF_DWARF_GAP_H

#include <libelf.h>

#include "dwarf_lookup.h"
#include "gap.h"

/* elf: the file with the debug information. lookup: what libdw made of it, NULL nothing. path: the
 * object's. */
enum symbol_gap dwarf_gap(Elf *elf, const struct dwarf_lookup *lookup, const char *path);

#endif
