/*
 * real.h - the next-in-line functions behind our hooks, found with dlsym(RTLD_NEXT), never with
 * __libc_malloc: a program may bring jemalloc, tcmalloc or its own.
 *
 * real_resolve runs at the first hooked call and works before any constructor; what dlsym itself
 * allocates then comes from the arena. Hooks may read a pointer only after real_ready().
 */
#ifndef MPROF_REAL_H
#define MPROF_REAL_H

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* REAL(name, result, parameters): one list for the struct, the look-up and the check of the map
 * file. */
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
    REAL(execve, int, (const char *, char *const *, char *const *))                                \
    REAL(execvpe, int, (const char *, char *const *, char *const *))                               \
    REAL(fexecve, int, (int, char *const *, char *const *))                                        \
    REAL(execveat, int, (int, const char *, char *const *, char *const *, int))                    \
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

struct real {
#define REAL_MEMBER(name, result, parameters) result(*name) parameters;
    REAL_FUNCTIONS(REAL_MEMBER)
#undef REAL_MEMBER
};

extern struct real real;

/* Our hooks of functions that not every libc has, by names that nobody else can have. */
void real_hook_free_sized(void *p, size_t size);
void real_hook_free_aligned_sized(void *p, size_t alignment, size_t size);

/* Where another library or the program itself has a realloc before ours: that one, and its free.
 * Our hooks for forms that it lacks (reallocarray, free_sized ..) are still called, and must come
 * down to it as glibc's would: the blocks are not of the allocator behind us. Else null. */
struct first {
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
};
extern struct first first;

enum { REAL_UNKNOWN, REAL_RESOLVING, REAL_RESOLVED, REAL_PASSIVE };
extern int real_state;

void real_resolve(void);

/* For hooks that an allocator may call with its lock held (mmap, syscall ..): dlsym would call
 * malloc, and where that is the program's own, not ours, it would wait for this lock for ever.
 * Until somebody else has resolved the pointers such a hook makes the system call itself. */
static inline int real_resolved(void)
{
    return __builtin_expect(__atomic_load_n(&real_state, __ATOMIC_ACQUIRE) >= REAL_RESOLVED, 1);
}

/*
 * Has ld.so relocated this library? It does so after those that come behind us, and runs their
 * IFUNC resolvers: what these call us for is served without thread-local storage and without a call
 * of another library's.
 */
extern const void *const volatile real_relocated;
static inline int real_works(void)
{
    return real_resolved() || real_relocated == (const void *)&real_relocated;
}

/* 1: the pointers are there, record. 0: the program is to be left alone (real_passive), or this
 * call comes from inside dlsym; then use the arena. */
static inline int real_ready(void)
{
    if (__builtin_expect(__atomic_load_n(&real_state, __ATOMIC_ACQUIRE) != REAL_RESOLVED, 0))
        real_resolve();
    return __builtin_expect(real_state == REAL_RESOLVED, 1);
}

/* Asked where real_ready() said no: every hook jumps on to the function behind it (host.h). */
static inline int real_passive(void)
{
    return real_state == REAL_PASSIVE;
}

/* 1: the pointers are there, by now. */
static inline int real_found(void)
{
    return real_ready() || real_passive();
}

/* 0: the program brings a malloc of its own, which comes before ours; we see only its mappings. */
int real_malloc_is_ours(void);

/* operator new and delete of the provider behind us; see interpose_cxx.c. caller: a pc in the
 * calling module, through which the function is looked up where RTLD_NEXT has none (a C host's C++
 * plugin). */
void *real_cxx(const char *symbol, const void *caller, int *forwards);

#endif
