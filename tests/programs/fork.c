/*
 * fork.c - children free what they inherited; the parent's figures do not notice.
 *
 * BUILD -O0
 * VALGRIND no: each process is a report of its own there
 *
 * The parent makes 10 blocks of 100 (inherit), forks A, waits, forks B, waits, frees its 10 in turn.
 *   A: frees 4 inherited blocks; makes 3 of 1000 (own), frees 1 of them, which was not the last: no
 *      temporary. Forks C, which frees 1 of A's own, 1 of the parent's and makes 1 of 10. A exits by exit.
 *   B: makes nothing, frees nothing, leaves by _exit.
 * Blocks: A inherits 10, B 10, C 6 + 2 = 8. Inherited blocks are in no peak and no leak of the child.
 *
 * EXPECT allocations 10
 * EXPECT frees 10
 * EXPECT allocated_bytes 1000
 * EXPECT peak_bytes 1000
 * EXPECT live_at_end_blocks 0
 * EXPECT temporary 0
 * EXPECT inherited 0
 * EXPECT inherit self own_peak_bytes 1000
 * EXPECT own self absent 1
 * EXPECT child 1 allocations 3
 * EXPECT child 1 frees 5
 * EXPECT child 1 allocated_bytes 3000
 * EXPECT child 1 peak_bytes 3000
 * EXPECT child 1 live_at_end_bytes 2000
 * EXPECT child 1 live_at_end_blocks 2
 * EXPECT child 1 inherited 10
 * EXPECT child 1 unmatched_frees 0
 * EXPECT child 1 temporary 0
 * EXPECT child 2 allocations 1
 * EXPECT child 2 frees 2
 * EXPECT child 2 peak_bytes 10
 * EXPECT child 2 live_at_end_blocks 1
 * EXPECT child 2 inherited 8
 * EXPECT child 2 unmatched_frees 0
 * EXPECT child 3 allocations 0
 * EXPECT child 3 frees 0
 * EXPECT child 3 live_at_end_blocks 0
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *block[10];
static void *mine[3];

static void inherit(void)
{
    for (int i = 0; i < 10; i++)
        block[i] = malloc(100);
}

static void own(void)
{
    for (int i = 0; i < 3; i++)
        mine[i] = malloc(1000);
    free(mine[0]);
}

static int wait_for(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) != pid || status != 0;
}

static void grandchild(void)
{
    free(mine[1]);
    free(block[9]);
    mine[1] = malloc(10);
    exit(0);
}

static void child_a(void)
{
    for (int i = 0; i < 4; i++)
        free(block[i]);
    own();
    pid_t pid = fork();
    if (pid == 0)
        grandchild();
    exit(wait_for(pid));
}

int main(void)
{
    inherit();
    pid_t pid = fork();
    if (pid == 0)
        child_a();
    if (wait_for(pid))
        return 1;
    pid = fork();
    if (pid == 0)
        _exit(0);
    if (wait_for(pid))
        return 2;
    for (int i = 0; i < 10; i++)
        free(block[i]);
    write(1, "parent\n", 7);
    return 0;
}
