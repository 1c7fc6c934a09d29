/*
 * symtab.h - the symbol tables of one object: a function's name where DWARF says nothing.
 *
 * Sources: .symtab of the object or of its debug file; else .dynsym together with the table inside
 * .gnu_debugdata ("minidebuginfo": an ELF file, xz-compressed, with the functions that .dynsym
 * leaves out).
 *
 * A symbol's size is believed: between the exported functions of a stripped library lie static ones
 * without a name, and no name is better than a wrong one. Symbols without a size (assembly) reach
 * to the next symbol or the section's end, but only in a full table, which has that next symbol.
 *
 * Ownership: free the table with symbol_table_free. Threads: one. Failure: a damaged table counts
 * as empty.
 */
#ifndef MPROF_SYMTAB_H
#define MPROF_SYMTAB_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

struct symbol_table;

/* debug may be NULL. Both must outlive the table, which keeps no copy of their names. */
struct symbol_table *symbol_table_new(Elf *main, Elf *debug);
void symbol_table_free(struct symbol_table *table);

struct found_symbol {
    const char *name;  /* not demangled, without a compiler's clone suffix; until the next call */
    uint64_t address;  /* where it begins */
    bool is_ambiguous; /* a static function whose name another one in the table has, too */
    bool is_whole;     /* it had no suffix: what begins here is no piece or copy of a function */
};

bool symbol_table_find(struct symbol_table *table, uint64_t address, struct found_symbol *found);

#endif
