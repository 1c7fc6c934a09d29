/*
 * allocloop.c - threads that allocate and free, each for itself, for scripts/bench.
 *
 * BUILD -O2 -pthread
 * VALGRIND threads 2
 * ARGUMENTS 2 1000
 *
 * allocloop THREADS OPERATIONS [report]: every thread fills 256 slots, waits for the others, does its
 * operations and waits again; then it empties its slots. An operation frees the block of a random slot
 * and makes another of 16 to 512 bytes there, by way of 4, 5, 7 or 8 functions. Slots lie on the thread's
 * own stack and blocks come from its arena: nothing is shared. With report it prints what happened
 * between the two waits, operations/s of all threads together, and the highest resident set
 * until the second one, when all threads are alive:
 *     operations 6000000
 *     operations_per_second 31415926
 *     peak_rss_kib 2718
 *
 * With 2 threads of 1000 operations: 2 * (256 + 1000) blocks of leaf, all freed, and 2 thread vectors.
 *
 * EXPECT allocations 2514
 * EXPECT frees 2512
 * EXPECT live_at_end_blocks 2
 * EXPECT leaf self allocations 2512
 * EXPECT leaf self live_at_end_blocks 0
 * EXPECT worker self allocations 0
 * EXPECT worker inclusive allocations 2512
 * EXPECT main self allocations 0
 */
#include "throughput.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define SLOTS       256
#define MAX_THREADS 1024

struct worker {
    _Alignas(128) pthread_t thread;
    uint64_t begin, end; /* ns, of the operations */
};

static struct worker workers[MAX_THREADS];
static pthread_barrier_t barrier;
static unsigned long operations;

/* noipa: neither inlined nor merged with its like; the volatile keeps the call from becoming a jump. */
#define PATH(name, parameter, call)                                                                \
    static __attribute__((noipa)) void *name(uint32_t parameter)                                   \
    {                                                                                              \
        void *volatile p = call;                                                                   \
        return p;                                                                                  \
    }

PATH(leaf, n, malloc(16 + (n >> 8) % 497))
PATH(left1, n, leaf(n))
PATH(right1, n, leaf(n))
PATH(left2, n, n & 1 ? left1(n) : right1(n))
PATH(right2, n, n & 1 ? left1(n) : right1(n))
PATH(level3, n, n & 2 ? left2(n) : right2(n))
PATH(level4, n, level3(n))
PATH(level5, n, level4(n))
PATH(level6, n, level5(n))
PATH(level7, n, level6(n))

static void *allocate(uint32_t n)
{
    static void *(*const entry[4])(uint32_t) = {level3, level4, level6, level7};
    return entry[n >> 2 & 3](n);
}

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 4;
}

static __attribute__((noipa)) void operate(void **slot, uint32_t *random)
{
    uint32_t n = next(random);
    void **chosen = &slot[n >> 20];
    free(*chosen);
    *chosen = allocate(n);
}

static void *worker(void *argument)
{
    struct worker *me = argument;
    uint32_t random = (uint32_t)(me - workers) + 1;
    void *slot[SLOTS];
    for (int i = 0; i < SLOTS; i++)
        slot[i] = allocate(next(&random));
    pthread_barrier_wait(&barrier);
    me->begin = throughput_now();
    for (unsigned long i = 0; i < operations; i++)
        operate(slot, &random);
    me->end = throughput_now();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier); /* main has looked */
    for (int i = 0; i < SLOTS; i++)
        free(slot[i]);
    return NULL;
}

static void report(unsigned long threads, unsigned long rss)
{
    uint64_t begin = UINT64_MAX, end = 0;
    for (unsigned long i = 0; i < threads; i++) {
        if (workers[i].begin < begin)
            begin = workers[i].begin;
        if (workers[i].end > end)
            end = workers[i].end;
    }
    throughput_print(threads * operations, end > begin ? end - begin : 0, rss);
}

int main(int argc, char **argv)
{
    unsigned long threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    operations = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
    if (threads < 1 || threads > MAX_THREADS)
        return 2;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
    for (unsigned long i = 0; i < threads; i++)
        if (pthread_create(&workers[i].thread, NULL, worker, &workers[i]))
            return 1;
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    unsigned long rss = throughput_peak_rss_kib();
    pthread_barrier_wait(&barrier);
    for (unsigned long i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    if (argc > 3)
        report(threads, rss);
    return 0;
}
