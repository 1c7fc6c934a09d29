/*
 * exec_environment.h - what a program that is about to be exec'd finds in LD_PRELOAD.
 *
 * Where the library cannot be opened (behind chroot, in another mount namespace, with another
 * user's rights), ld.so would complain on the program's standard error; behind a seccomp filter
 * that forbids what our start does, the program would die. Such a program goes without us, and the
 * spool's control page says why. Where our name in LD_PRELOAD means something else there (relative,
 * with $ORIGIN, or without a slash under another LD_LIBRARY_PATH), our absolute path replaces it.
 * In all other cases the environment stays as it is: whoever takes us out of it means to.
 */
#ifndef MPROF_EXEC_ENVIRONMENT_H
#define MPROF_EXEC_ENVIRONMENT_H

#include "cramped.h"
#include "exec_target.h"

#include <alloca.h>
#include <stddef.h>

struct exec_environment {
    const struct exec_target *target;   /* what the environment is for; NULL: not known yet */
    char *const *given;                 /* as the program gave it */
    size_t count;                       /* the number of its variables */
    size_t preload_bytes, output_bytes; /* for the variables that are examined */
    uint64_t searched;                  /* number of its LD_LIBRARY_PATH (own_path.h) */
    size_t bytes;                       /* memory that a changed environment may need */
    void *pages;                        /* that memory, where a stack may have no room for it */
};

/* Returns how much memory a changed environment takes; 0: it stays as it is, also if the kernel
 * will refuse it. No allocation, no lock, errno untouched; works in a vforked child, too. */
size_t exec_environment_measure(struct exec_environment *e, char *const *environment,
                                const struct exec_target *target);
/* Returns the environment for the exec: the given one, or another in `memory` (NULL: none). */
char *const *exec_environment_make(const struct exec_environment *e, void *memory);
void *exec_environment_pages(struct exec_environment *e);
/* Does all of this in mapped memory, with little stack (cramped.h). */
char *const *exec_environment_elsewhere(struct exec_environment *e, char *const *environment,
                                        const struct exec_target *target);
void exec_environment_release(struct exec_environment *e);

/* The exec failed, so there is no such program: takes back what was said of it. */
void exec_environment_failed(void);

/* Does the same to the program's own environment, for what libc starts itself (system, popen). */
void exec_environment_settle(void);

#define EXEC_ENVIRONMENT_ON_STACK 4096
#define EXEC_ENVIRONMENT_ROOM(e)                                                                   \
    ((e)->bytes <= EXEC_ENVIRONMENT_ON_STACK ? alloca((e)->bytes) : exec_environment_pages(e))

/* Declares `name`, the environment for an exec of a target {folder, path, is_searched}, valid for
 * the rest of the function. */
#define EXEC_ENVIRONMENT(name, environment, ...)                                                   \
    __attribute__((cleanup(exec_environment_release))) struct exec_environment name##_needs;       \
    const struct exec_target name##_target = __VA_ARGS__;                                          \
    char *const *name = environment;                                                               \
    const struct thread *name##_thread = thread_here();                                            \
    if (name##_thread && cramped_on(name##_thread, (uintptr_t)__builtin_frame_address(0)))         \
        name = exec_environment_elsewhere(&name##_needs, environment, &name##_target);             \
    else if (exec_environment_measure(&name##_needs, environment, &name##_target))                 \
        name = exec_environment_make(&name##_needs, EXEC_ENVIRONMENT_ROOM(&name##_needs));

#endif
