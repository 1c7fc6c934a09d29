/*
 * elf_files.h - the ELF files of one object: itself, its separate debug file, and what several
 * debug files share (dwz's "alternate" file).
 *
 * The file at a recorded path counts only if it is the one that was loaded (identity.h), so a
 * program rebuilt or upgraded since is not shown with wrong names. A separate debug file is looked
 * for by build id, then by the .gnu_debuglink section, where gdb and elfutils look, and only on
 * this machine's disks: libelf knows no network. What debuginfod-find has fetched before is found.
 *
 * Files are read, never mapped: what names and lines need is copied, then the descriptor is closed.
 * The program may truncate, replace or unmount its files afterwards. A file that is cut, or changes
 * while it is read, counts as none.
 *
 * Ownership: the caller closes what it opened, with elf_files_close, after everything that reads
 * from the Elf handles. Threads: one. Failure: what is missing or damaged is NULL.
 */
#ifndef MPROF_ELF_FILES_H
#define MPROF_ELF_FILES_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "symbols.h"

struct elf_file {
    int fd; /* -1 outside of elf_files_open */
    Elf *elf;
    struct stat status; /* when it was opened */
    uint64_t bytes;     /* how many were read of it */
};

struct elf_files {
    struct elf_file main;      /* the object; its debug file alone where the object is gone */
    struct elf_file debug;     /* its separate debug file; elf NULL where there is none */
    struct elf_file alternate; /* of the one that has the DWARF; elf NULL if none */
};

/* Reads the object's file or, if that is gone, the debug file with its build id. Where neither can
 * be had, files->main.elf is NULL and the result says why. */
enum symbol_gap elf_files_open(struct elf_files *files, const struct symbol_identity *object);
void elf_files_close(struct elf_files *files);

/* The memory that they take. */
uint64_t elf_files_bytes(const struct elf_files *files);

/* The section of this name, or NULL. */
Elf_Scn *elf_section_by_name(Elf *elf, const char *name);

#endif
