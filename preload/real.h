/*
 * real.h - the next functions in line behind our hooks, never __libc_malloc: a program may bring
 * jemalloc, tcmalloc or its own. Each is the one that a caller of our hook would have been bound
 * to, by version, too: programs are bound to libc_malloc_debug's malloc, which dlsym does not show.
 *
 * real_resolve runs at the first hooked call and works before any constructor; it asks lookup.h,
 * not dlsym, which may call code that is not ready. Hooks may read a pointer only after
 * real_ready().
 */
#ifndef MPROF_REAL_H
#define MPROF_REAL_H

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* REAL(name, result, parameters): one list for the struct and the look-up. */
#define REAL_FUNCTIONS(REAL)                                                                       \
    REAL(malloc, void *, (size_t))                                                                 \
    REAL(free, void, (void *))                                                                     \
    REAL(calloc, void *, (size_t, size_t))                                                         \
    REAL(realloc, void *, (void *, size_t))                                                        \
    REAL(reallocarray, void *, (void *, size_t, size_t))                                           \
    REAL(posix_memalign, int, (void **, size_t, size_t))                                           \
    REAL(aligned_alloc, void *, (size_t, size_t))                                                  \
    REAL(memalign, void *, (size_t, size_t))                                                       \
    REAL(valloc, void *, (size_t))                                                                 \
    REAL(pvalloc, void *, (size_t))                                                                \
    REAL(free_sized, void, (void *, size_t))                                                       \
    REAL(free_aligned_sized, void, (void *, size_t, size_t))                                       \
    REAL(malloc_usable_size, size_t, (void *))                                                     \
    REAL(mmap, void *, (void *, size_t, int, int, int, off_t))                                     \
    REAL(mmap64, void *, (void *, size_t, int, int, int, off64_t))                                 \
    REAL(munmap, int, (void *, size_t))                                                            \
    REAL(mremap, void *, (void *, size_t, size_t, int, void *))                                    \
    REAL(mprotect, int, (void *, size_t, int))                                                     \
    REAL(pkey_mprotect, int, (void *, size_t, int, int))                                           \
    REAL(brk, int, (void *))                                                                       \
    REAL(sbrk, void *, (intptr_t))                                                                 \
    REAL(__sbrk, void *, (intptr_t))                                                               \
    REAL(shmat, void *, (int, const void *, int))                                                  \
    REAL(shmdt, int, (const void *))                                                               \
    REAL(execve, int, (const char *, char *const *, char *const *))                                \
    REAL(execvpe, int, (const char *, char *const *, char *const *))                               \
    REAL(fexecve, int, (int, char *const *, char *const *))                                        \
    REAL(execveat, int, (int, const char *, char *const *, char *const *, int))                    \
    REAL(_Fork, pid_t, (void))                                                                     \
    REAL(_exit, void, (int))                                                                       \
    REAL(_Exit, void, (int))                                                                       \
    REAL(system, int, (const char *))                                                              \
    REAL(popen, FILE *, (const char *, const char *))                                              \
    REAL(posix_spawn, int,                                                                         \
         (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,    \
          char *const *, char *const *))                                                           \
    REAL(posix_spawnp, int,                                                                        \
         (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,    \
          char *const *, char *const *))                                                           \
    REAL(prctl, int, (int, unsigned long, unsigned long, unsigned long, unsigned long))            \
    REAL(sigaltstack, int, (const stack_t *, stack_t *))                                           \
    REAL(pthread_setname_np, int, (pthread_t, const char *))                                       \
    REAL(syscall, long, (long, long, long, long, long, long, long))

/* Programs from before glibc 2.15 are bound to a posix_spawn that has the shell run a file that is
 * no program. */
#define REAL_OLD_SPAWN "GLIBC_2.2.5"

struct real {
    __typeof__(posix_spawn) *old_posix_spawn, *old_posix_spawnp; /* NULL: this libc has none */
#define REAL_MEMBER(name, result, parameters) result(*name) parameters;
    REAL_FUNCTIONS(REAL_MEMBER)
#undef REAL_MEMBER
};

extern struct real real;

/* The realloc, and the free, of another library or of the program itself that comes before ours;
 * else null. Our hooks for forms that it lacks (reallocarray, free_sized ..) are still called, and
 * must end in it, as glibc's would: the blocks do not belong to the allocator behind us. */
struct first {
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
};
extern struct first first;

enum { REAL_UNKNOWN, REAL_RESOLVING, REAL_RESOLVED, REAL_PASSIVE };
extern int real_state;

void real_resolve(void);

/* The function behind us of that name and version (lookup.h), or NULL. */
void *real_next(const char *name, const char *version);

/* The C library's own function of that name. */
void *real_libc(const char *name);

/*
 * Has ld.so relocated this library? Before us it relocates the libraries behind us, and runs their
 * IFUNC resolvers: what these call us for is served without thread-local storage and without calls
 * into other libraries.
 */
extern const void *const volatile real_relocated;
static inline int real_works(void)
{
    return __builtin_expect(__atomic_load_n(&real_state, __ATOMIC_ACQUIRE) >= REAL_RESOLVED, 1) ||
           real_relocated == (const void *)&real_relocated;
}

/* 1: the pointers are there, record. 0: the program is to be left alone (real_passive), or this
 * call comes too early or from inside real_resolve; then use the arena. */
static inline int real_ready(void)
{
    if (__builtin_expect(__atomic_load_n(&real_state, __ATOMIC_ACQUIRE) != REAL_RESOLVED, 0))
        real_resolve();
    return __builtin_expect(real_state == REAL_RESOLVED, 1);
}

/* For when real_ready() said no: does every hook jump on to the function behind it (host.h)? */
static inline int real_passive(void)
{
    return real_state == REAL_PASSIVE;
}

/* 1: the pointers are there, by now. 0: ld.so has not relocated us yet, or this call comes from
 * inside real_resolve. Then a hook must do without: make the system call itself, or serve from the
 * arena. */
static inline int real_found(void)
{
    return real_ready() || real_passive();
}

/* 0: the program brings its own malloc, calloc, realloc or free, which comes before ours. */
int real_malloc_is_ours(void);

/* operator new and delete of the provider behind us; see interpose_cxx.c. *forwards: the provider
 * ends up in malloc and free. */
void *real_cxx(const char *symbol, int *forwards);

#endif
