/*
 * manystacks.c - a program that goes through thousands of stacks, again and again.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: it keeps fewer stacks than these
 *
 * left and right call each other by the bits of a number, twelve deep; leaf makes and frees a block of 30. There are
 * 4,096 such stacks: more than a chunk can show.
 *
 * manystacks [ROUNDS [THREADS]]: so many rounds of all stacks (10), by main, or by each of so many threads, which
 * then wait for each other. With THREADS it prints, as throughput.h says, its highest resident set while all are alive.
 *
 * EXPECT leaf self allocations 40960
 * EXPECT main inclusive allocations 40960
 * EXPECT left inclusive allocations 40950
 * EXPECT right inclusive allocations 40950
 */
#include "throughput.h"

#include <pthread.h>
#include <stdlib.h>

#define DEPTH       12
#define MAX_THREADS 1024

static pthread_barrier_t barrier;
static long rounds = 10;

static void left(unsigned path, int depth);
static void right(unsigned path, int depth);

static void leaf(void)
{
    free(malloc(30));
}

static void go_on(unsigned path, int depth)
{
    if (depth == DEPTH)
        leaf();
    else if (path >> depth & 1)
        left(path, depth + 1);
    else
        right(path, depth + 1);
}

static void left(unsigned path, int depth)
{
    go_on(path, depth);
}

static void right(unsigned path, int depth)
{
    go_on(path, depth);
}

static void all_rounds(void)
{
    for (long i = 0; i < rounds; i++)
        for (unsigned path = 0; path < 1u << DEPTH; path++)
            go_on(path, 0);
}

static void *worker(void *unused)
{
    all_rounds();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier); /* main has looked */
    return unused;
}

static int work_in_threads(unsigned count)
{
    static pthread_t threads[MAX_THREADS];
    uint64_t begin = throughput_now();
    pthread_barrier_init(&barrier, NULL, count + 1);
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, worker, NULL))
            return 1;
    pthread_barrier_wait(&barrier);
    uint64_t end = throughput_now();
    unsigned long rss = throughput_peak_rss_kib();
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    throughput_print(count * (unsigned long)rounds << DEPTH, end - begin, rss);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long threads = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (argc > 1)
        rounds = atol(argv[1]);
    if (threads > MAX_THREADS)
        return 2;
    if (threads)
        return work_in_threads((unsigned)threads);
    all_rounds();
    return 0;
}
