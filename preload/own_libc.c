/*
 * own_libc.c - the other functions of libc that this library calls, for it alone, as own_text.c:
 * hidden, and each ends in libc's own, which is found in libc's table. By its name ld.so would find
 * the definition of the program, or of a library preloaded before ours, and that may wait for a
 * constructor that has not run yet.
 *
 * Linked without the compiler's start files, which would call __cxa_finalize by its name.
 */
#include "real.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

void *__dso_handle __attribute__((visibility("hidden"))) = &__dso_handle;

int __register_atfork(void (*before)(void), void (*parent)(void), void (*child)(void),
                      void *library);
int __cxa_at_quick_exit(void (*leave)(void *), void *library);

/* ---- libc's ---- */

/* Ours come before any other call of libc's, and while there is one thread. */
static void *found(void **function, const char *name)
{
    void *known = __atomic_load_n(function, __ATOMIC_RELAXED);
    if (__builtin_expect(!known, 0)) {
        known = real_libc(name);
        __atomic_store_n(function, known, __ATOMIC_RELAXED);
    }
    return known;
}

/* Defines a function as libc's of that name. */
#define LIBC(result, name, parameters, arguments)                                                  \
    result name parameters                                                                         \
    {                                                                                              \
        static void *function;                                                                     \
        return ((result(*) parameters)found(&function, #name))arguments;                           \
    }

LIBC(unsigned long, getauxval, (unsigned long type), (type))
LIBC(void *, dlopen, (const char *path, int mode), (path, mode))
LIBC(int, pthread_getcpuclockid, (pthread_t thread, clockid_t *clock), (thread, clock))
LIBC(int *, __errno_location, (void), ())
LIBC(int, __register_atfork,
     (void (*before)(void), void (*parent)(void), void (*child)(void), void *library),
     (before, parent, child, library))

/* musl has none. */
int __cxa_at_quick_exit(void (*leave)(void *), void *library)
{
    static void *function;
    int (*libc)(void (*)(void *), void *) =
        (int (*)(void (*)(void *), void *))found(&function, "__cxa_at_quick_exit");
    return libc ? libc(leave, library) : -1;
}

void abort(void)
{
    static void *function;
    ((void (*)(void))found(&function, "abort"))();
    __builtin_unreachable();
}

/* ---- ours ---- */

/* A thread is known by the address of its block, which that begins with. */
pthread_t pthread_self(void)
{
    return (pthread_t)__builtin_thread_pointer();
}

char *getenv(const char *name)
{
    size_t bytes = strlen(name);
    for (char **variable = environ; variable && *variable; variable++)
        if (strncmp(*variable, name, bytes) == 0 && (*variable)[bytes] == '=')
            return *variable + bytes + 1;
    return NULL;
}
