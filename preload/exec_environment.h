/*
 * exec_environment.h - what a program that is about to be exec'd finds in LD_PRELOAD.
 *
 * Where the library cannot be opened (behind chroot, in another mount namespace, with another
 * user's rights) ld.so would complain on the program's standard error; behind a seccomp filter that
 * forbids what our start does the program would die. Then it goes without us, and the spool's
 * control page says why. In all other cases the environment is left as it is.
 */
#ifndef MPROF_EXEC_ENVIRONMENT_H
#define MPROF_EXEC_ENVIRONMENT_H

#include <alloca.h>
#include <stddef.h>

/* Bytes that a copy without the library needs; 0: the environment can stay. No allocation, no lock,
 * errno untouched; also in a vforked child. */
size_t exec_environment_bytes(char *const *environment);
char *const *exec_environment_copy(char *const *environment, void *room);

/* The exec came to nothing: there is no such program. */
void exec_environment_failed(void);

/* The same in the program's own environment, for what libc starts by itself (system, popen). */
void exec_environment_settle(void);

/* The environment for an exec; a copy lies on the caller's stack. */
#define EXEC_ENVIRONMENT(environment)                                                              \
    ({                                                                                             \
        size_t bytes_ = exec_environment_bytes(environment);                                       \
        bytes_ ? exec_environment_copy(environment, alloca(bytes_)) : (environment);               \
    })

#endif
