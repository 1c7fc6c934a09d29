/*
 * interpose_process.c - the hooks that are not about memory: _Fork and forks by number, which call
 * no handlers of forks; exec, so that blocks live then are not taken for leaks; _exit, for the
 * moment of the end; whatever starts a program, for its LD_PRELOAD; prctl and syscall, so that we
 * keep still behind a seccomp filter; sigaltstack (cramped.h); and what gives a thread its name.
 */
#include "cramped.h"
#include "exec_environment.h"
#include "given.h"
#include "init.h"
#include "map_number.h"
#include "real.h"
#include "record.h"
#include "sandbox.h"
#include "sys.h"
#include "thread.h"

#include <alloca.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define HOOK __attribute__((visibility("default")))

static int done(int result)
{
    init_exec_failed();
    exec_environment_failed();
    return result;
}

/* Something asks before ld.so is done. */
static int not_yet(void)
{
    errno = ENOSYS;
    return -1;
}

static void get_ready(void *is_ready)
{
    *(int *)is_ready = recorder_ready();
}

static void begin_child(void *unused)
{
    (void)unused;
    init_fork_child();
}

/* For what may make this process one of its own. An event finds a stack of ours itself, and must be
 * asked for from the caller's: its place tells whose hooks the caller is within. */
static void on_large_stack(void (*work)(void *), void *job)
{
    if (cramped_perhaps((uintptr_t)__builtin_frame_address(0)))
        cramped_call(work, job);
    else
        work(job);
}

/* Returns 0 where the fork is not to be recorded by whoever makes it: nothing is touched then. */
static int prepare_fork(uintptr_t sp)
{
    int is_ready = 0;
    if (recorder_state == RECORDER_OFF || !thread_has_storage() || (tls.thread && !thread_here()))
        return 0;
    on_large_stack(get_ready, &is_ready);
    if (!is_ready || !thread_is_own())
        return !is_ready && recorder_state == RECORDER_COUNTING;
    init_fork_prepare(sp);
    return 1;
}

static void settle_fork(long child)
{
    if (child == 0)
        on_large_stack(begin_child, NULL);
    else if (recorder_state == RECORDER_ON)
        init_fork_returned();
}

/* Where a handler forks within a hook of ours, the child must not go on in its parent's chunk. No
 * lock is taken, not even for the unwinder's: whoever has one may be what the handler interrupted.
 */
HOOK pid_t _Fork(void)
{
    if (!real_found() || !real._Fork)
        return not_yet();
    if (!prepare_fork((uintptr_t)__builtin_frame_address(0)))
        return real._Fork();
    pid_t child = real._Fork();
    settle_fork(child);
    return child;
}

HOOK int execve(const char *path, char *const argv[], char *const envp[])
{
    if (!real_found())
        return not_yet();
    init_exec(path);
    EXEC_ENVIRONMENT(environment, envp, {AT_FDCWD, path, 0})
    return done(real.execve(path, argv, environment));
}

HOOK int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

HOOK int execvpe(const char *file, char *const argv[], char *const envp[])
{
    if (!real_found())
        return not_yet();
    init_exec(file);
    EXEC_ENVIRONMENT(environment, envp, {AT_FDCWD, file, 1})
    return done(real.execvpe(file, argv, environment));
}

HOOK int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

HOOK int fexecve(int fd, char *const argv[], char *const envp[])
{
    if (!real_found())
        return not_yet();
    init_exec("");
    EXEC_ENVIRONMENT(environment, envp, {fd, NULL, 0})
    return done(real.fexecve(fd, argv, environment));
}

HOOK int execveat(int folder, const char *path, char *const argv[], char *const envp[], int flags)
{
    if (!real_found() || !real.execveat) {
        errno = ENOSYS;
        return -1;
    }
    init_exec(path);
    EXEC_ENVIRONMENT(environment, envp, {folder, path, 0})
    return done(real.execveat(folder, path, argv, environment, flags));
}

/* Puts the arguments from `first` on, NULL included, into an array on the caller's stack; `more`
 * then stands after them (at execle's environment). */
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

/* What leaves at once, without destructors. quick_exit says so itself (init.c). */
#define LEAVE(name)                                                                                \
    HOOK void name(int status)                                                                     \
    {                                                                                              \
        init_leave();                                                                              \
        if (real_found() && real.name)                                                             \
            real.name(status);                                                                     \
        for (;;)                                                                                   \
            SYS_CALL(SYS_exit_group, status, 0, 0, 0, 0, 0);                                       \
    }

LEAVE(_exit)
LEAVE(_Exit)

/* Records nothing of the parent: its image goes on. */
static int spawned(int error)
{
    if (error)
        exec_environment_failed();
    return error;
}

#define SPAWN(hook, next, is_searched)                                                             \
    HOOK int hook(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,         \
                  const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])     \
    {                                                                                              \
        if (!real_found() || !real.next)                                                           \
            return ENOSYS;                                                                         \
        EXEC_ENVIRONMENT(environment, envp, {AT_FDCWD, path, is_searched})                         \
        return spawned(real.next(pid, path, actions, attributes, argv, environment));              \
    }

#ifdef __x86_64__ /* two versions, as glibc has them there (libmprof.map) */
__asm__(".symver hook_posix_spawn, posix_spawn@@GLIBC_2.15");
__asm__(".symver hook_posix_spawnp, posix_spawnp@@GLIBC_2.15");
__asm__(".symver hook_old_posix_spawn, posix_spawn@GLIBC_2.2.5");
__asm__(".symver hook_old_posix_spawnp, posix_spawnp@GLIBC_2.2.5");
__typeof__(posix_spawn) hook_posix_spawn, hook_posix_spawnp;
__typeof__(posix_spawn) hook_old_posix_spawn, hook_old_posix_spawnp;
SPAWN(hook_posix_spawn, posix_spawn, 0)
SPAWN(hook_posix_spawnp, posix_spawnp, 1)
SPAWN(hook_old_posix_spawn, old_posix_spawn, 0)
SPAWN(hook_old_posix_spawnp, old_posix_spawnp, 1)
#else
SPAWN(posix_spawn, posix_spawn, 0)
SPAWN(posix_spawnp, posix_spawnp, 1)
#endif

/* By a jump, like popen's (the Makefile has this file compiled with sibling calls): popen
 * allocates, and no frame of ours may be among its callers. */
HOOK int system(const char *command)
{
    if (!real_found())
        return not_yet();
    exec_environment_settle();
    return real.system(command);
}

HOOK FILE *popen(const char *command, const char *type)
{
    if (!real_found()) {
        errno = ENOSYS;
        return NULL;
    }
    exec_environment_settle();
    return real.popen(command, type);
}

/* ---- doors that the program closes behind itself ---- */

static struct sandbox_attempt before_prctl(int option, unsigned long value, const void *program)
{
    if (option == PR_SET_SECCOMP && value == SECCOMP_MODE_STRICT)
        return sandbox_strict();
    if (option == PR_SET_SECCOMP && value == SECCOMP_MODE_FILTER)
        return sandbox_filter(program);
    if (option == PR_SET_TSC && value == PR_TSC_SIGSEGV)
        return sandbox_no_counter();
    return (struct sandbox_attempt){0};
}

/* Turns a raw call's result into what libc would return. */
static long raw_result(long result)
{
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

static long after_prctl(long result, unsigned long option, struct sandbox_attempt attempt)
{
    sandbox_over(attempt, result < 0);
    if (option == PR_SET_NAME && result == 0)
        record_name();
    return result;
}

HOOK int prctl(int option, ...)
{
    va_list more;
    va_start(more, option);
    unsigned long a = va_arg(more, unsigned long), b = va_arg(more, unsigned long);
    unsigned long c = va_arg(more, unsigned long), d = va_arg(more, unsigned long);
    va_end(more);
    if (!real_found())
        return (int)raw_result(SYS_CALL(SYS_prctl, option, a, b, c, d, 0));
    struct sandbox_attempt attempt = before_prctl(option, a, (const void *)b);
    return (int)after_prctl(real.prctl(option, a, b, c, d), (unsigned long)option, attempt);
}

/* We want to know where a handler may have little room (cramped.h). */
static long alternate_set(long result, int is_set)
{
    struct thread *t = result == 0 && is_set ? thread_here() : NULL;
    if (t && thread_is_own())
        cramped_note(t);
    return result;
}

HOOK int sigaltstack(const stack_t *fresh, stack_t *old)
{
    if (!real_found() || !real.sigaltstack)
        return (int)raw_result(SYS_CALL(SYS_sigaltstack, fresh, old, 0, 0, 0, 0));
    return (int)alternate_set(real.sigaltstack(fresh, old), fresh != NULL);
}

HOOK int pthread_setname_np(pthread_t thread, const char *name)
{
    if (!real_found() || !real.pthread_setname_np)
        return ENOSYS;
    int result = real.pthread_setname_np(thread, name);
    if (result == 0 && thread == pthread_self())
        record_name();
    else if (result == 0)
        record_name_of(thread, name);
    return result;
}

static struct sandbox_attempt before_seccomp(long operation, const void *program)
{
    if (operation == SECCOMP_SET_MODE_STRICT)
        return sandbox_strict();
    if (operation == SECCOMP_SET_MODE_FILTER)
        return sandbox_filter(program);
    return (struct sandbox_attempt){0};
}

/* seccomp by its number, or prctl. */
static __attribute__((noinline)) long close_by_number(long number, long a, long b, long c, long d,
                                                      long e, long f)
{
    int is_prctl = number == SYS_prctl;
    struct sandbox_attempt attempt = is_prctl
                                         ? before_prctl((int)a, (unsigned long)b, (const void *)c)
                                         : before_seccomp(a, (const void *)c);
    long result = real.syscall(number, a, b, c, d, e, f);
    return after_prctl(result, is_prctl ? (unsigned long)a : 0, attempt);
}

/* execve or execveat by its number. */
static __attribute__((noinline)) long exec_by_number(long number, long a, long b, long c, long d,
                                                     long e, long f)
{
    int is_at = number == SYS_execveat;
    init_exec((const char *)(is_at ? b : a));
    EXEC_ENVIRONMENT(environment, (char *const *)(is_at ? d : c),
                     {is_at ? (int)a : AT_FDCWD, (const char *)(is_at ? b : a), 0})
    if (is_at)
        return done((int)real.syscall(number, a, b, c, (long)environment, e, f));
    return done((int)real.syscall(number, a, b, (long)environment, d, e, f));
}

/* Both by their numbers. exit ends the process only with its last thread. */
static __attribute__((noinline)) long leave_by_number(long number, long status)
{
    if (number == SYS_exit_group)
        init_leave();
    else
        init_leave_thread();
    return real.syscall(number, status, 0, 0, 0, 0, 0);
}

#define NO_COPY (CLONE_VM | CLONE_SETTLS) /* of our storage */

#define CLONE3_BYTES 64 /* of arguments at least */
#define CLONE3_STACK 5  /* which of them, 8 bytes each */

/* Where we may not ask what is there, it is left alone. Not inline, as a handler's stack may be
 * small. */
static __attribute__((noinline)) int is_forking_clone3(const uint64_t *arguments, size_t bytes)
{
    struct given g = GIVEN_NOTHING;
    return bytes >= CLONE3_BYTES && (sys_may(SYS_KIND_PROBE) || sys_may(SYS_KIND_GLANCE)) &&
           given_is_there(&g, arguments, CLONE3_BYTES) && arguments[CLONE3_STACK] == 0 &&
           !(arguments[0] & NO_COPY);
}

/* Does it make a process on a copy of this stack, with a copy of our storage? */
static int is_fork(long number, long a, long b)
{
#ifdef SYS_fork
    if (number == SYS_fork)
        return 1;
#endif
    if (number == SYS_clone)
        return b == 0 && !(a & NO_COPY);
    return number == SYS_clone3 && is_forking_clone3((const uint64_t *)a, (size_t)b);
}

static __attribute__((noinline)) long fork_by_number(long number, long a, long b, long c, long d,
                                                     long e)
{
    if (!prepare_fork((uintptr_t)__builtin_frame_address(0)))
        return real.syscall(number, a, b, c, d, e, 0);
    long child = real.syscall(number, a, b, c, d, e, 0);
    settle_fork(child);
    return child;
}

/* syscall(3), which <unistd.h> declares with `...`: what the hooks above look at may come by its
 * number, and for seccomp(2) there is no function. All else must reach the real one by a jump, as
 * if we were not there: the child of a vfork, or of a clone with a stack of its own, comes back
 * here, too. */
HOOK long hook_syscall(long number, long a, long b, long c, long d, long e,
                       long f) __asm__("syscall");
HOOK long hook_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (__builtin_expect(!real_found(), 0))
        return raw_result(SYS_CALL(number, a, b, c, d, e, f));
    if (__builtin_expect(number == SYS_seccomp || number == SYS_prctl, 0))
        return close_by_number(number, a, b, c, d, e, f);
    if (__builtin_expect(number == SYS_execve || number == SYS_execveat, 0))
        return exec_by_number(number, a, b, c, d, e, f);
    if (__builtin_expect(number == SYS_exit_group || number == SYS_exit, 0))
        return leave_by_number(number, a);
    if (__builtin_expect(map_is_number(number), 0))
        return map_by_number(number, a, b, c, d, e, f);
    if (__builtin_expect(is_fork(number, a, b), 0))
        return fork_by_number(number, a, b, c, d, e);
    if (__builtin_expect(number == SYS_sigaltstack, 0))
        return alternate_set(real.syscall(number, a, b, c, d, e, f), a != 0);
    return real.syscall(number, a, b, c, d, e, f);
}
