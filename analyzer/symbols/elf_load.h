/*
 * elf_load.h - the parts of an ELF file that names and lines need, copied into memory.
 *
 * Afterwards the Elf handle knows no file any more: its descriptor may be closed. Sections that
 * libdw would read and that nobody here uses (locations of variables, macros) count as empty.
 *
 * Threads: one.
 */
#ifndef MPROF_ELF_LOAD_H
#define MPROF_ELF_LOAD_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

/* Opens a descriptor's file by reading, whatever the command in libdw's own calls. */
Elf *elf_open_reading(int fd);

/* Reads what is needed; `dwarf`: also what libdw does. False where a part of it cannot be had:
 * the file was cut. *bytes: what was read. An object whose DWARF would take more than
 * elf_memory_room is left without it. */
bool elf_load(Elf *elf, bool dwarf, uint64_t *bytes);

/* Half of the machine's memory: more than that all that is read shall not take. */
uint64_t elf_memory_room(void);

#endif
