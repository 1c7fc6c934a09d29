/*
 * elf_files.h - opens the ELF files of one object: itself and its separate debug file.
 *
 * The file at a recorded path counts only if its build id is the recorded one (where both are
 * there), so a program that was rebuilt or upgraded since is not shown with wrong names. A separate
 * debug file is looked for by build id, then by the .gnu_debuglink section, where gdb and elfutils
 * look, and only on this machine's disks: libelf knows no network.
 *
 * Ownership: the caller closes what it opened, with elf_files_close, after everything that reads
 * from the Elf handles. Threads: one. Failure: what is missing or damaged is NULL.
 */
#ifndef MPROF_ELF_FILES_H
#define MPROF_ELF_FILES_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file {
    int fd; /* -1: closed or never open */
    Elf *elf;
};

struct elf_files {
    struct elf_file main;  /* the object; its debug file alone where the object is gone */
    struct elf_file debug; /* its separate debug file; elf NULL where there is none */
};

/* Opens path, or without it what is known of the build id. files->main.elf is NULL when neither
 * can be had. */
void elf_files_open(struct elf_files *files, const char *path, const uint8_t *build_id,
                    size_t build_id_bytes);

/* After dwarf_begin_elf: the contents are mapped, so that hundreds of objects need no open file. */
void elf_files_release_descriptors(struct elf_files *files);
void elf_files_close(struct elf_files *files);

/* The section of this name with its header in *header, or NULL. */
Elf_Scn *elf_section_by_name(Elf *elf, const char *name);

#endif
