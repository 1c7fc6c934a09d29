/*
 * dwarf_lookup.h - function, file, line and inlined calls at an address, from one object's DWARF.
 *
 * The chain of an address: the innermost inlined function has the line of the address itself, the
 * function around it the line of that call (DW_AT_call_file, DW_AT_call_line), and so on out to the
 * physical function. Names are linkage names, demangled, with their parameters; where there is
 * none, the DIE's own name with the namespaces and classes it is declared in.
 *
 * Ownership: the lookup belongs to the caller, texts are in the pool; the Elf must outlive the
 * lookup. Threads: one. Failure: damaged DWARF counts as none.
 */
#ifndef MPROF_DWARF_LOOKUP_H
#define MPROF_DWARF_LOOKUP_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "string_pool.h"
#include "symbols.h"

struct dwarf_lookup;

/* What libdw knows of an address. frames[count - 1] is the physical function. */
struct dwarf_chain {
    struct symbol_frame *frames; /* room for `capacity`; reused by the next lookup */
    size_t count, capacity;
    bool mangled_name; /* the physical function's name came from a linkage name */
};

/* NULL where the file has no DWARF. alternate: the file that its DWARF refers to, NULL if none. */
struct dwarf_lookup *dwarf_lookup_new(Elf *elf, Elf *alternate, struct string_pool *pool);
/* Is there any unit? Is there one whose functions are in a .dwo file that cannot be had? */
bool dwarf_lookup_has_units(const struct dwarf_lookup *lookup);
bool dwarf_lookup_misses_split(const struct dwarf_lookup *lookup);
void dwarf_lookup_free(struct dwarf_lookup *lookup);

/* Fills chain->frames from its start. If only the line is known, there is one frame whose function
 * is NULL. count is 0 where no unit covers the address. The caller frees chain->frames. */
void dwarf_lookup_find(struct dwarf_lookup *lookup, uint64_t address, struct dwarf_chain *chain);

#endif
