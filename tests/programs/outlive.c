/*
 * outlive.c - a daemon goes on when the program that it began as has ended.
 *
 * BUILD -O0
 * VALGRIND no: each process is a report of its own there
 *
 * Without an argument: makes 10 blocks of 100 and ends (with status 3). With one: a daemon is made before
 * that, by daemon(3) ("daemon") or two forks ("twice"). It makes and frees 200,000 of 50, and the first
 * process ends only then with "twice". When there is a file "go" (a minute at most) it does so again,
 * makes 7 of 1000, and writes a file "gone" as the last thing that it does.
 *
 * EXIT 3
 * EXPECT allocations 10
 * EXPECT frees 0
 * EXPECT live_at_end_bytes 1000
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void make(int blocks, size_t size)
{
    for (int i = 0; i < blocks; i++)
        if (!malloc(size))
            _exit(4);
}

static void churn(void)
{
    for (int i = 0; i < 200000; i++) {
        char *p = malloc(50);
        p[0] = 1;
        free(p);
    }
}

static void wait_for_go(void)
{
    for (int i = 0; i < 6000 && access("go", F_OK) != 0; i++)
        usleep(10000);
}

static void live_on(int tell)
{
    churn();
    close(tell);
    wait_for_go();
    churn();
    make(7, 1000);
    close(open("gone", O_WRONLY | O_CREAT, 0600));
    exit(0);
}

/* The daemon keeps no descriptor of ours but the one that it tells by. */
static int twice(void)
{
    int ends[2];
    char byte;
    if (pipe(ends))
        return 5;
    if (fork() == 0) {
        setsid();
        if (fork() != 0)
            _exit(0);
        for (int fd = 0; fd < 3; fd++)
            close(fd);
        close(ends[0]);
        live_on(ends[1]);
    }
    close(ends[1]);
    return read(ends[0], &byte, 1) != 0;
}

int main(int argc, char **argv)
{
    make(10, 100);
    if (argc > 1 && strcmp(argv[1], "twice") == 0 && twice() != 0)
        return 6;
    if (argc > 1 && strcmp(argv[1], "daemon") == 0) {
        if (daemon(1, 0) != 0)
            return 7;
        live_on(-1);
    }
    return 3;
}
