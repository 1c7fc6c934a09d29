/*
 * births.c - children of every kind: each has its own place, and none writes into another's.
 *
 * BUILD -O0
 * VALGRIND no: each process is a report of its own there
 *
 * main makes 10 blocks of 100 (hold). Child 1 is forked, does not exec, makes and frees 5,000 of 20 and frees main's.
 * Child 2 forks child 3, and ends at once; that one, nobody's child, makes and frees 1,000 of 20. Child 4 tries to
 * exec what is not there, makes 9 of 20 and leaves them. Child 5 is made by clone(3) on a stack of its own: 7 of 20,
 * freed. Another clone shares main's memory, as main waits for it: 11 of 50 (shared) are main's, freed. Programs are
 * started by posix_spawn, posix_spawnp, system and popen, which leave nothing in main. main frees its 10.
 *
 * EXPECT live_at_end_blocks 0
 * EXPECT inherited 0
 * EXPECT hold self allocations 10
 * EXPECT hold self own_peak_bytes 1000
 * EXPECT hold self live_at_end_blocks 0
 * EXPECT shared self allocations 11
 * EXPECT shared self allocated_bytes 550
 * EXPECT go_on self absent 1
 * EXPECT child 1 allocations 5000
 * EXPECT child 1 frees 5010
 * EXPECT child 1 inherited 10
 * EXPECT child 1 unmatched_frees 0
 * EXPECT child 1 lost 0
 * EXPECT child 2 allocations 0
 * EXPECT child 2 frees 0
 * EXPECT child 3 allocations 1000
 * EXPECT child 3 frees 1000
 * EXPECT child 3 inherited 10
 * EXPECT child 3 lost 0
 * EXPECT child 4 allocations 9
 * EXPECT child 4 frees 0
 * EXPECT child 4 live_at_end_blocks 9
 * EXPECT child 5 allocations 7
 * EXPECT child 5 frees 7
 * EXPECT child 5 inherited 10
 * EXPECT child 5 unmatched_frees 0
 */
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *block[10];
static char other_stack[64 << 10] __attribute__((aligned(16)));
static char *const quiet[] = {"true", NULL};

static void hold(void)
{
    for (int i = 0; i < 10; i++)
        block[i] = malloc(100);
}

static void give_back(void)
{
    for (int i = 0; i < 10; i++)
        free(block[i]);
}

static void go_on(int times)
{
    for (int i = 0; i < times; i++)
        free(malloc(20));
}

static int status_of(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int forked(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        go_on(5000);
        give_back();
        _exit(3);
    }
    return status_of(pid) == 3;
}

static int forked_twice(void)
{
    int ends[2];
    char c = 0;
    if (pipe(ends))
        return 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() != 0)
            _exit(3);
        usleep(1000);
        go_on(1000);
        write(ends[1], "d", 1);
        _exit(0);
    }
    close(ends[1]);
    int good = status_of(pid) == 3 && read(ends[0], &c, 1) == 1 && c == 'd' &&
               read(ends[0], &c, 1) == 0; /* it has ended */
    close(ends[0]);
    return good;
}

static int exec_in_vain(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        execv("/nonexistent/program", quiet);
        for (int i = 0; i < 9; i++)
            block[i] = malloc(20);
        _exit(3);
    }
    return status_of(pid) == 3;
}

static int in_clone(void *unused)
{
    (void)unused;
    go_on(7);
    _exit(3);
}

static int shared(void *unused)
{
    (void)unused;
    for (int i = 0; i < 11; i++)
        free(malloc(50));
    _exit(3);
}

static int cloned(int (*what)(void *), int flags)
{
    return status_of(clone(what, other_stack + sizeof other_stack, flags | SIGCHLD, NULL)) == 3;
}

static int spawned(void)
{
    pid_t pid;
    char text[8] = "";
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, quiet, environ) || status_of(pid) != 0 ||
        posix_spawnp(&pid, "true", NULL, NULL, quiet, environ) || status_of(pid) != 0 ||
        posix_spawn(&pid, "/nonexistent/program", NULL, NULL, quiet, environ) == 0 ||
        system("exit 5") != 5 << 8)
        return 0;
    FILE *p = popen("echo words; exit 6", "r");
    return p && fgets(text, sizeof text, p) && text[0] == 'w' && pclose(p) == 6 << 8;
}

int main(void)
{
    hold();
    if (!forked())
        return 1;
    if (!forked_twice())
        return 2;
    if (!exec_in_vain())
        return 3;
    if (!cloned(in_clone, 0))
        return 4;
    if (!cloned(shared, CLONE_VM))
        return 5;
    if (!spawned())
        return 6;
    give_back();
    return 0;
}
