/*
 * elf_strings.h - sections in which every string ends.
 *
 * libdw takes it for granted that a string ends within its section. In a damaged file none may, and
 * whoever measures it reads on behind the section. So a section of strings is made to end with a
 * NUL, and one that holds strings among other things gets a NUL behind it.
 *
 * Threads: one.
 */
#ifndef MPROF_ELF_STRINGS_H
#define MPROF_ELF_STRINGS_H

#include <libelf.h>
#include <stdbool.h>

/* Ends the strings of a section of this name, if it holds any; unpacks it first. False where it
 * cannot be read. */
bool elf_end_strings(Elf *elf, Elf_Scn *section, const char *name);

/* The same for all sections. */
void elf_end_all_strings(Elf *elf);

/* The handle is about to be closed: releases what was made for it. */
void elf_strings_forget(Elf *elf);

#endif
