/*
 * family.c - a process, one that it forks and one that it starts by exec all hold memory at once.
 *
 * BUILD -O0
 * VALGRIND no: each process is a report of its own there
 *
 * The parent holds 1 MiB. Child 1 is forked (and inherits it), child 2 is forked and becomes this
 * program again. Child N holds N + 1 MiB, loses N blocks of 100, and says that it is ready. When both
 * are, the parent lets them free theirs and end, and frees its own. So all together hold 6 MiB and 300
 * at the highest, and 300 are lost in 3 blocks of one stack.
 *
 * EXPECT allocations 1
 * EXPECT frees 1
 * EXPECT peak_bytes 1048576
 * EXPECT live_at_end_blocks 0
 * EXPECT hold self allocations 1
 * EXPECT child 1 allocations 2
 * EXPECT child 1 frees 1
 * EXPECT child 1 peak_bytes 2097252
 * EXPECT child 1 live_at_end_bytes 100
 * EXPECT child 1 inherited 1
 * EXPECT child 1 unmatched_frees 0
 * EXPECT child 2 allocations 0
 * EXPECT child 2 frees 0
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY = 60, GO = 61, MIB = 1 << 20 };

static void *hold(int mib)
{
    return malloc((size_t)mib * MIB);
}

static void lose(int blocks)
{
    for (int i = 0; i < blocks; i++)
        if (!malloc(100))
            _exit(3);
}

static void child(int number)
{
    char byte = 'r';
    void *held = hold(number + 1);
    lose(number);
    if (write(READY, &byte, 1) != 1 || read(GO, &byte, 1) != 1)
        _exit(4);
    free(held);
}

static void move(int from, int to)
{
    if (dup2(from, to) != to)
        _exit(5);
    close(from);
}

/* Returns the number of the child in a forked one, 0 in the parent. */
static int start(const char *program)
{
    int ready[2], go[2];
    if (pipe(ready) || pipe(go))
        _exit(6);
    if (fork() == 0) {
        move(ready[1], READY);
        move(go[0], GO);
        return 1;
    }
    if (fork() == 0) {
        move(ready[1], READY);
        move(go[0], GO);
        execl(program, program, "2", NULL);
        _exit(7);
    }
    move(ready[0], READY);
    move(go[1], GO);
    return 0;
}

static int lead(void)
{
    char bytes[] = "gg";
    int status, bad = 0;
    for (int i = 0; i < 2; i++)
        bad |= read(READY, bytes, 1) != 1;
    bytes[0] = 'g';
    usleep(20000); /* a part of the plot is read in steps of a millisecond */
    bad |= write(GO, bytes, 2) != 2;
    for (int i = 0; i < 2; i++)
        bad |= wait(&status) < 0 || status != 0;
    return bad;
}

int main(int argc, char **argv)
{
    void *held = argc > 1 ? NULL : hold(1);
    int number = argc > 1 ? atoi(argv[1]) : start(argv[0]);
    if (number > 0) {
        child(number);
        return 0;
    }
    int bad = lead();
    free(held);
    write(1, "family\n", 7);
    return bad;
}
