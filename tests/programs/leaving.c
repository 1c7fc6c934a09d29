/*
 * leaving.c - children that leave without destructors while all hold memory, and what is none of the
 * parent's ends. For tests/e2e/test_leaving.py.
 *
 * BUILD -O0 -pthread
 *
 * Five children make 8 MiB each, wait for the parent, and leave a while later, each in its own way.
 * Meanwhile the parent has made 8 MiB, too: 48 MiB at once. With the argument "child" another one is
 * killed instead. Children that share its memory, and a sixth one that was forked by its number and makes nothing,
 * leave by _exit, a raw thread by exit(2); with the argument "parent" the parent is killed in the end.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB  (1024 * 1024)
#define WAYS 5

static int ready[2], go[2];
static char stack[64 * 1024] __attribute__((aligned(16)));

static void leave(int way)
{
    errno = 77;
    if (way == 0)
        _exit(way);
    if (way == 1)
        _Exit(way);
    if (way == 2)
        quick_exit(way);
    if (way == WAYS)
        raise(SIGKILL);
    syscall(way == 3 ? SYS_exit_group : SYS_exit, way);
}

static void child(int way)
{
    char c;
    char *volatile p = malloc(8 * MIB);
    p[0] = 1;
    write(ready[1], "", 1);
    close(go[1]);
    read(go[0], &c, 1);
    usleep(100000);
    leave(way);
}

static int leave_shared(void *unused)
{
    (void)unused;
    _exit(0);
}

static int leave_thread(void *unused)
{
    (void)unused;
    syscall(SYS_exit, 0);
    return 0;
}

static void start(int (*run)(void *), int flags)
{
    int status;
    pid_t pid = clone(run, stack + sizeof stack, flags, NULL);
    if (flags & CLONE_THREAD)
        usleep(20000);
    else if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        exit(9);
}

static void leave_beside(void)
{
    int status;
    pid_t pid = vfork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, &status, 0);
    pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    waitpid(pid, &status, 0);
    start(leave_shared, CLONE_VM | SIGCHLD);
    start(leave_thread, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD);
}

int main(int argc, char **argv)
{
    char c;
    int status, sum = 0, ways = argc > 1 && strcmp(argv[1], "child") == 0 ? WAYS + 1 : WAYS;
    pipe(ready);
    pipe(go);
    for (int way = 0; way < ways; way++)
        if (fork() == 0)
            child(way);
    for (int i = 0; i < ways; i++)
        read(ready[0], &c, 1);
    leave_beside();
    usleep(100000);
    char *volatile p = malloc(8 * MIB);
    p[0] = 1;
    close(go[1]);
    while (wait(&status) > 0)
        sum += WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if (argc > 1 && strcmp(argv[1], "parent") == 0)
        raise(SIGKILL);
    return sum;
}
