/*
 * dwarf_units.h - which compilation unit and which function's DIE holds an address.
 *
 * The ranges of all units are read once, from the units themselves (not from .debug_aranges, which
 * clang does not write). A unit's functions are collected when an address in it is first asked for,
 * so opening a large program costs one DIE per unit, and each unit in use is walked once.
 *
 *   index 0 .. units_count - 1 names a unit; unit ranges' owners are such indices
 *   unit->functions[owner of unit->function_ranges] is the function's DIE
 *
 * Ownership: belongs to the caller; the Dwarf handle must outlive it. Threads: one. Failure:
 * damaged DWARF gives fewer units or functions, never an error.
 */
#ifndef MPROF_DWARF_UNITS_H
#define MPROF_DWARF_UNITS_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

#include "range_table.h"

enum { DWARF_DEPTH_LIMIT = 256 }; /* nested DIEs; real ones stay below 50 */

struct dwarf_unit {
    Dwarf_Die die;  /* has the line table */
    Dwarf_Die tree; /* has the functions: the .dwo file's unit under split DWARF, else die */
    bool indexed;
    Dwarf_Die *functions;
    size_t function_count, function_capacity;
    struct range_table function_ranges;
};

struct dwarf_units {
    struct dwarf_unit *items;
    size_t count, capacity;
    bool missing_split; /* some unit's functions are in a .dwo file that was not found */
    struct range_table ranges;
    Dwarf *dwarf;
};

void dwarf_units_open(struct dwarf_units *units, Dwarf *dwarf);
void dwarf_units_close(struct dwarf_units *units);

/* The unit whose code covers the address, or NULL. */
struct dwarf_unit *dwarf_units_find(struct dwarf_units *units, uint64_t address);

/* The function's DIE (a DW_TAG_subprogram with code), or NULL. */
Dwarf_Die *dwarf_unit_function(struct dwarf_unit *unit, uint64_t address);

#endif
