/*
 * dwarf_names.h - what a function's DIE says about it: its name and where it is declared.
 *
 * A function that is inlined in a thousand places has a thousand DIEs that all refer to one
 * abstract DIE; each abstract DIE is described once and remembered. Ownership: the table belongs to
 * the caller, texts are in the pool. Threads: one.
 */
#ifndef MPROF_DWARF_NAMES_H
#define MPROF_DWARF_NAMES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "string_pool.h"

struct described_function {
    const void *key;      /* the DIE's place in memory, its identity; NULL: an empty slot */
    const char *function; /* NULL unknown */
    const char *declared_file;
    uint32_t declared_line;
    bool mangled_name; /* it came from a linkage name */
    bool shortened;
};

/* slots: open addressing, a power of two, at most half full. */
struct dwarf_names {
    struct string_pool *pool;
    struct described_function *slots;
    size_t slot_count, used;
};

void dwarf_names_open(struct dwarf_names *names, struct string_pool *pool);
void dwarf_names_close(struct dwarf_names *names);

struct described_function dwarf_names_describe(struct dwarf_names *names, Dwarf_Die *function);

/* The file whose number an attribute such as DW_AT_call_file gives; "" unknown. */
const char *dwarf_names_file(struct dwarf_names *names, Dwarf_Attribute *attribute);

/* A path of this unit, kept in the pool: absolute if the compiler's folder is known, and without
 * "//", "/./" and "x/../", so that a file has one spelling. */
const char *dwarf_names_path(struct dwarf_names *names, Dwarf_Die *unit, const char *path);

#endif
