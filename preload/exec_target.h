/*
 * exec_target.h - what an exec is about to start, as far as the recorder must know.
 *
 * A 32-bit program's ld.so prints on the program's standard error that it ignores a 64-bit library.
 * So such a program goes without us. Scripts are judged by their interpreter.
 *
 * No allocation, no lock, errno untouched; also in a vforked child. What cannot be looked at counts
 * as 64-bit.
 */
#ifndef MPROF_EXEC_TARGET_H
#define MPROF_EXEC_TARGET_H

struct exec_target {
    int folder;       /* that a relative path begins in; AT_FDCWD */
    const char *path; /* as the program gave it, perhaps no memory; NULL: `folder` is the program */
    int is_searched;  /* a name without a slash is looked for in the folders of PATH */
};

int exec_target_is_32_bit(const struct exec_target *target);

#endif
