/*
 * identity.h - is this file the object that the program had loaded?
 *
 * A wrong name is worse than none, so a file counts only if something shows that it is the object:
 *
 *   build id    equal, or neither has one; always
 *   content     equal (format/spool_content.h), where the recorder wrote it down
 *   the file    the same device, inode, size and time of change, where there is no build id or it
 *               says little: too short, too regular, or several objects have it
 *
 * Recordings without facts (older recorders) are believed by path and build id. Owner: all handles
 * are the caller's. Threads: one.
 */
#ifndef MPROF_IDENTITY_H
#define MPROF_IDENTITY_H

#include <libelf.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "symbols.h"

/* Judging by its bytes alone, could only one object have this build id? */
bool build_id_is_telling(const struct symbol_identity *object);

/* Is this the file's build id? Without one (0 bytes) any file will do. */
bool build_id_fits(Elf *elf, const uint8_t *build_id, size_t bytes);
bool has_build_id(Elf *elf);

/* The content of the file, read through its descriptor; 0 unknown. */
uint64_t content_of_file(int fd, Elf *elf);

/* SYMBOLS_WHOLE: it is the object; else why it is not, or may not be. mapped: the kernel has shown
 * the file as what the process has mapped there, so its inode need not be compared. */
enum symbol_gap identity_check(const struct symbol_identity *object, int fd, Elf *elf,
                               const struct stat *status, bool mapped);

#endif
