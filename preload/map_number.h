/*
 * map_number.h - the hooks of mappings for a program that makes the calls by their numbers, through
 * syscall(3). They do what the hook of that name does; errno and result are those of syscall(3).
 *
 * map_by_number must be reached by a jump: it takes the caller of its own frame for the program.
 */
#ifndef MPROF_MAP_NUMBER_H
#define MPROF_MAP_NUMBER_H

#include <sys/syscall.h>

/* Is it the number of a call that changes mappings? */
static inline int map_is_number(long number)
{
    switch (number) {
    case SYS_mmap:
    case SYS_munmap:
    case SYS_mremap:
    case SYS_mprotect:
    case SYS_pkey_mprotect:
    case SYS_brk:
    case SYS_shmat:
    case SYS_shmdt:
        return 1;
    default:
        return 0;
    }
}

long map_by_number(long number, long a, long b, long c, long d, long e, long f);

#endif
