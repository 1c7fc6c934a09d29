/*
 * interpose_process.c - the hooks that are not of memory: exec, so that blocks live then are not
 * taken for leaks, and prctl, so that we keep still behind a seccomp filter.
 */
#include "init.h"
#include "real.h"

#include <alloca.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <unistd.h>

#define HOOK __attribute__((visibility("default")))

static int done(int result)
{
    init_exec_failed();
    return result;
}

HOOK int execve(const char *path, char *const argv[], char *const envp[])
{
    if (!real_ready())
        return -1;
    init_exec(path);
    return done(real.execve(path, argv, envp));
}

HOOK int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

HOOK int execvpe(const char *file, char *const argv[], char *const envp[])
{
    if (!real_ready())
        return -1;
    init_exec(file);
    return done(real.execvpe(file, argv, envp));
}

HOOK int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

HOOK int fexecve(int fd, char *const argv[], char *const envp[])
{
    if (!real_ready())
        return -1;
    init_exec("");
    return done(real.fexecve(fd, argv, envp));
}

HOOK int execveat(int folder, const char *path, char *const argv[], char *const envp[], int flags)
{
    if (!real_ready() || !real.execveat) {
        errno = ENOSYS;
        return -1;
    }
    init_exec(path);
    return done(real.execveat(folder, path, argv, envp, flags));
}

/* The arguments behind `first`, NULL included, as an array on the caller's stack; `more` goes on
 * behind them (execle's environment). */
#define COLLECT_ARGUMENTS(argv, first, more)                                                       \
    va_list more, count_;                                                                          \
    va_start(more, first);                                                                         \
    va_copy(count_, more);                                                                         \
    size_t n_ = 1;                                                                                 \
    for (const char *a_ = first; a_; a_ = va_arg(count_, const char *))                            \
        n_++;                                                                                      \
    va_end(count_);                                                                                \
    char **argv = alloca(n_ * sizeof *argv);                                                       \
    argv[0] = (char *)first;                                                                       \
    for (size_t i_ = 1; i_ < n_; i_++)                                                             \
        argv[i_] = va_arg(more, char *);

HOOK int execl(const char *path, const char *first, ...)
{
    COLLECT_ARGUMENTS(argv, first, more)
    va_end(more);
    return execve(path, argv, environ);
}

HOOK int execlp(const char *file, const char *first, ...)
{
    COLLECT_ARGUMENTS(argv, first, more)
    va_end(more);
    return execvpe(file, argv, environ);
}

HOOK int execle(const char *path, const char *first, ...)
{
    COLLECT_ARGUMENTS(argv, first, more)
    char *const *envp = va_arg(more, char *const *);
    va_end(more);
    return execve(path, argv, envp);
}

HOOK int prctl(int option, ...)
{
    va_list more;
    va_start(more, option);
    unsigned long a = va_arg(more, unsigned long), b = va_arg(more, unsigned long);
    unsigned long c = va_arg(more, unsigned long), d = va_arg(more, unsigned long);
    va_end(more);
    if (!real_ready())
        return -1;
    if (option == PR_SET_SECCOMP)
        init_sandboxed(a == SECCOMP_MODE_STRICT);
    if (option == PR_SET_TSC && a == PR_TSC_SIGSEGV)
        init_sandboxed(1);
    return real.prctl(option, a, b, c, d);
}
