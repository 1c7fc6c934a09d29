/*
 * lossy.c - always the same events, many more than fit into a small spool (test_loss.py, test_family_loss.py); no
 * case of its own.
 *
 * BUILD -O0 -pthread
 *
 * lossy THREADS ROUNDS [wait]: each round of a thread is an allocation of 40 bytes, a realloc to 100, a
 * realloc that fails, and a free; each hundredth a mapping of 8192 bytes and its end. A forked child makes
 * one thread's rounds once more. With "wait" it then writes a line, waits for one on standard input, rests for
 * 0.3 s (the recorder tries again after 0.1 s), and makes and frees 1,000 blocks of 24 bytes in `second`.
 *
 * lossy alone ROUNDS, lossy child ROUNDS: the process itself, or a forked child alone, makes so many rounds.
 *
 * lossy forks N: that many children, one after the other, each of which allocates and frees 40 bytes.
 *
 * lossy idle SECONDS: a child that does nothing, and a sleep.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static long rounds;

static void round_of(long i)
{
    void *volatile p = malloc(40);
    void *volatile q = realloc(p, 100);
    errno = 0;
    if (realloc(q, PTRDIFF_MAX - 4096) || errno != ENOMEM)
        _exit(9);
    errno = EBADF;
    free(q);
    if (errno != EBADF)
        _exit(8);
    if (i % 100)
        return;
    void *map = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || munmap(map, 8192))
        _exit(7);
}

static void *first(void *argument)
{
    for (long i = 0; i < rounds; i++)
        round_of(i);
    return argument;
}

static void second(void)
{
    void *block[1000];
    for (int i = 0; i < 1000; i++)
        block[i] = malloc(24);
    for (int i = 0; i < 1000; i++)
        free(block[i]);
}

static void one_block(void)
{
    free(malloc(40));
}

static void all_rounds(void)
{
    first(NULL);
}

static int fork_only(int count, void (*work)(void))
{
    for (int i = 0; i < count; i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            if (work)
                work();
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status)
            return 6;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && argv[1][0] == 'f')
        return fork_only(atoi(argv[2]), one_block);
    if (argc == 3 && argv[1][0] == 'i')
        return fork_only(1, NULL) || usleep((useconds_t)(atof(argv[2]) * 1e6));
    rounds = argc > 2 ? atol(argv[2]) : 0;
    if (argc == 3 && argv[1][0] == 'c')
        return fork_only(1, all_rounds);
    if (argc == 3 && argv[1][0] == 'a')
        return first(NULL) != NULL;
    int threads = argc > 2 ? atoi(argv[1]) : 0, status = -1;
    char c;
    if (threads < 1 || threads > 64)
        return 2;
    pthread_t thread[64];
    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, first, NULL))
            return 3;
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    pid_t child = fork();
    if (child == 0) {
        first(NULL);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || status)
        return 4;
    if (argc > 3) {
        write(1, "waiting\n", 8);
        if (read(0, &c, 1) != 1)
            return 5;
        usleep(300000);
        second();
    }
    return 0;
}
