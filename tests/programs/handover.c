/*
 * handover.c - threads that replace each other's blocks, for scripts/bench (the pattern of larson).
 *
 * BUILD -O2 -pthread
 * VALGRIND threads 2
 * ARGUMENTS 2 5 100
 *
 * handover THREADS ROUNDS OPERATIONS [report]: each thread has a set of 1000 blocks. In each round new
 * threads work, each on the set that another one has left: an operation frees a random block of it and
 * makes another of 10 to 500 bytes there. So most blocks go in another thread than they came from, and
 * threads come and go. With report it prints operations/s of all threads together, the threads' coming
 * and going included, and its highest resident set (throughput.h).
 *
 * With 2 threads, 5 rounds of 100 operations: 2 * (1000 + 5 * 100) blocks of make, and 2 thread
 * vectors, as stacks are taken over.
 *
 * EXPECT allocations 3002
 * EXPECT frees 3000
 * EXPECT live_at_end_blocks 2
 * EXPECT make self allocations 3000
 * EXPECT worker inclusive allocations 1000
 * EXPECT main inclusive allocations 2002
 */
#include "throughput.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define SLOTS       1000
#define MAX_THREADS 64

/* Of a thread, and of the one that comes after it. */
struct set {
    _Alignas(128) void *block[SLOTS];
    uint32_t random;
};

static struct set sets[MAX_THREADS];
static unsigned long operations;

static uint32_t next(struct set *s)
{
    s->random = s->random * 1664525 + 1013904223;
    return s->random >> 4;
}

static __attribute__((noipa)) void *make(struct set *s)
{
    void *volatile p = malloc(10 + next(s) % 491);
    return p;
}

static __attribute__((noipa)) void replace(struct set *s)
{
    void **chosen = &s->block[next(s) % SLOTS];
    free(*chosen);
    *chosen = make(s);
}

static void *worker(void *argument)
{
    for (unsigned long i = 0; i < operations; i++)
        replace(argument);
    return NULL;
}

/* Thread i of a round gets the set that thread i - 1 of the last round had. */
static int work(unsigned long threads, unsigned long round)
{
    pthread_t thread[MAX_THREADS];
    for (unsigned long i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, worker, &sets[(i + round) % threads]))
            return 0;
    for (unsigned long i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    return 1;
}

static void fill(struct set *s, uint32_t seed)
{
    s->random = seed;
    for (int i = 0; i < SLOTS; i++)
        s->block[i] = make(s);
}

static void empty(struct set *s)
{
    for (int i = 0; i < SLOTS; i++)
        free(s->block[i]);
}

int main(int argc, char **argv)
{
    unsigned long threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 2;
    unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
    operations = argc > 3 ? strtoul(argv[3], NULL, 10) : 100;
    if (threads < 1 || threads > MAX_THREADS)
        return 2;
    for (unsigned long i = 0; i < threads; i++)
        fill(&sets[i], (uint32_t)i + 1);
    uint64_t begin = throughput_now();
    for (unsigned long round = 0; round < rounds; round++)
        if (!work(threads, round))
            return 1;
    uint64_t end = throughput_now();
    for (unsigned long i = 0; i < threads; i++)
        empty(&sets[i]);
    if (argc > 4)
        throughput_print(threads * rounds * operations, end - begin, throughput_peak_rss_kib());
    return 0;
}
