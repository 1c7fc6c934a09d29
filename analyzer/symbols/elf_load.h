/*
 * elf_load.h - the parts of an ELF file that names and lines need, copied into memory.
 *
 * Afterwards the Elf handle needs no file any more: its descriptor may be closed. Sections that
 * libdw would read and that nobody here uses (locations of variables, macros) count as empty.
 *
 * Threads: one. Failure: false or NULL.
 */
#ifndef MPROF_ELF_LOAD_H
#define MPROF_ELF_LOAD_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

/* Opens a descriptor's file for reading, not mapping; so do libdw's own calls, whatever they ask
 * for. */
Elf *elf_open_reading(int fd);

/* Reads what is needed; `dwarf`: also what libdw needs. False where a part of it cannot be had: the
 * file was cut. *bytes: how much was read. If an object's DWARF would take more than
 * elf_memory_room, it is left out. */
bool elf_load(Elf *elf, bool dwarf, uint64_t *bytes);

/* Half of the machine's memory: all that is read together shall not take more. */
uint64_t elf_memory_room(void);

#endif
