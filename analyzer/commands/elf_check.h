/*
 * elf_check.h - can this program be recorded by preloading a library, and if not, why?
 *
 * Looks at the file itself, before it is started; a script is judged by its interpreter. Where the
 * file cannot be read or is in doubt, the answer is ELF_RECORDABLE: the start will show. Facts
 * about ELF from the gABI; what makes a start "secure" (no LD_PRELOAD) from ld.so(8) and
 * capabilities(7). Prints nothing, keeps no state.
 */
#ifndef MPROF_ELF_CHECK_H
#define MPROF_ELF_CHECK_H

#include <limits.h>

enum elf_verdict {
    ELF_RECORDABLE,
    ELF_STATIC,        /* no dynamic loader: nothing is preloaded; its children may be recorded */
    ELF_OWN_MALLOC,    /* an allocator is linked in; what it does itself is not seen */
    ELF_SECURE,        /* setuid, setgid or file capabilities that count here */
    ELF_SANITIZER,     /* brings its own malloc and wants to be first */
    ELF_OTHER_MACHINE, /* 32 bit or another processor: the loader would refuse the library */
    ELF_OTHER_LIBC,    /* its loader is not glibc's */
};

struct elf_report {
    enum elf_verdict verdict;
    char file[PATH_MAX]; /* the file that was judged: the program or its interpreter */
    const char *detail;  /* "AddressSanitizer", "setuid", "musl" ...; "" if there is none */
};

void elf_check(const char *path, struct elf_report *report);

/* The second half of a sentence that begins with the file's name; NULL for ELF_RECORDABLE. The text
 * lies in `buffer` of `bytes`. */
const char *elf_check_sentence(const struct elf_report *report, char *buffer, int bytes);

/* 1 if LD_PRELOAD in the environment of such a program does no harm. */
int elf_check_may_preload(enum elf_verdict verdict);

#endif
