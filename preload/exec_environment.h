/*
 * exec_environment.h - what a program that is about to be exec'd finds in LD_PRELOAD.
 *
 * Where the library cannot be opened (behind chroot, in another mount namespace, with another
 * user's rights) ld.so would complain on the program's standard error; behind a seccomp filter that
 * forbids what our start does the program would die. Then it goes without us, and the spool's
 * control page says why. Where it stands by a name that means something else there (relative, with
 * $ORIGIN, without a slash behind another LD_LIBRARY_PATH), its absolute path takes the place of
 * that. In all other cases the environment is left as it is; who takes us out of it means it.
 */
#ifndef MPROF_EXEC_ENVIRONMENT_H
#define MPROF_EXEC_ENVIRONMENT_H

#include "cramped.h"

#include <alloca.h>
#include <stddef.h>

struct exec_environment {
    char *const *given;                 /* as the program gave it */
    size_t count;                       /* of its variables */
    size_t preload_bytes, output_bytes; /* that those need which are looked at */
    uint64_t searched;                  /* LD_LIBRARY_PATH (own_path.h) */
    size_t bytes;                       /* that another one may need */
    void *pages;                        /* where these are more than a stack may have room for */
};

/* How much memory it takes; 0: the environment stays, also where the kernel will refuse it. No
 * allocation, no lock, errno untouched; also in a vforked child. */
size_t exec_environment_measure(struct exec_environment *e, char *const *environment);
/* The environment for the exec: the one given, or another in this memory (NULL: there was none). */
char *const *exec_environment_make(const struct exec_environment *e, void *memory);
void *exec_environment_pages(struct exec_environment *e);
/* All of this, with memory that is not the stack's, and little of that (cramped.h). */
char *const *exec_environment_elsewhere(struct exec_environment *e, char *const *environment);
void exec_environment_release(struct exec_environment *e);

/* The exec came to nothing: there is no such program. */
void exec_environment_failed(void);

/* The same in the program's own environment, for what libc starts by itself (system, popen). */
void exec_environment_settle(void);

#define EXEC_ENVIRONMENT_ON_STACK 4096
#define EXEC_ENVIRONMENT_ROOM(e)                                                                   \
    ((e)->bytes <= EXEC_ENVIRONMENT_ON_STACK ? alloca((e)->bytes) : exec_environment_pages(e))

/* Declares `name`, the environment for an exec, for the rest of the function. */
#define EXEC_ENVIRONMENT(name, environment)                                                        \
    __attribute__((cleanup(exec_environment_release))) struct exec_environment name##_needs;       \
    char *const *name = environment;                                                               \
    if (tls.thread && cramped_on(tls.thread, (uintptr_t)__builtin_frame_address(0)))               \
        name = exec_environment_elsewhere(&name##_needs, environment);                             \
    else if (exec_environment_measure(&name##_needs, environment))                                 \
        name = exec_environment_make(&name##_needs, EXEC_ENVIRONMENT_ROOM(&name##_needs));

#endif
