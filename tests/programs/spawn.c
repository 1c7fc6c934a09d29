/*
 * spawn.c - children by vfork, posix_spawn and system: the parent's recording goes on untouched.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * 3 blocks of 100 (hold), one before each kind of child. A vforked child that fails to exec leaves by
 * _exit. 1 block is freed at the end; 2 leak.
 *
 * EXPECT allocations 3
 * EXPECT frees 1
 * EXPECT allocated_bytes 300
 * EXPECT peak_bytes 300
 * EXPECT live_at_end_blocks 2
 * EXPECT hold self own_peak_bytes 300
 * EXPECT hold self live_at_end_blocks 2
 * LEAK 2 200 hold main
 */
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static void *block[3];
static char *const quiet[] = {"true", NULL};

static void hold(int i)
{
    block[i] = malloc(100);
}

static int status_of(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int by_vfork(const char *program)
{
    pid_t pid = vfork();
    if (pid == 0) {
        execve(program, quiet, environ);
        _exit(9);
    }
    return status_of(pid);
}

static int by_spawn(void)
{
    pid_t pid;
    return posix_spawnp(&pid, "true", NULL, NULL, quiet, environ) ? -1 : status_of(pid);
}

int main(void)
{
    hold(0);
    if (by_vfork("/nonexistent/program") != 9 || by_vfork("/bin/true") != 0)
        return 1;
    hold(1);
    if (by_spawn() != 0)
        return 2;
    hold(2);
    if (system("exit 5") != 5 << 8)
        return 3;
    free(block[1]);
    return 0;
}
