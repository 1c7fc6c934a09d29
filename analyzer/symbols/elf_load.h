/*
 * elf_load.h - the parts of an ELF file that names and lines need, copied into memory.
 *
 * Afterwards the Elf handle knows no file any more: its descriptor may be closed. Sections that
 * libdw would read and that nobody here uses (locations of variables, macros) count as empty.
 *
 * Threads: one. Failure: a section that cannot be read is missing.
 */
#ifndef MPROF_ELF_LOAD_H
#define MPROF_ELF_LOAD_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

/* Opens a descriptor's file by reading, whatever the command in libdw's own calls. */
Elf *elf_open_reading(int fd);

/* Reads what is needed; `dwarf`: also what libdw does. Returns the bytes read. An object whose
 * DWARF would take more than half of the machine's memory is left without it. */
uint64_t elf_load(Elf *elf, bool dwarf);

/* Half of the machine's memory: more than that all that is read shall not take. */
uint64_t elf_memory_room(void);

#endif
