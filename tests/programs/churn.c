/*
 * churn.c - two threads hand blocks to each other with nothing between the exchange and the free.
 *
 * BUILD -O2 -pthread
 * VALGRIND threads 2
 *
 * A block is freed by the other thread a few nanoseconds after its allocation was recorded: this shows
 * whether a time stamp is taken before the instructions in front of it are done. 8 slots filled by
 * main, 2 * 200,000 turns, emptied by main: 400,008 blocks of 64 bytes and 2 thread vectors.
 * "churn 1000" takes 1,000 turns a thread.
 *
 * EXPECT allocations 400010
 * EXPECT frees 400008
 * EXPECT live_at_end_blocks 2
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SLOTS 8

static unsigned turns = 200000; /* of each thread */
static _Atomic(void *) slot[SLOTS];
static pthread_barrier_t barrier;

static void *churn(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < turns; i++)
        free(atomic_exchange(&slot[i % SLOTS], malloc(64)));
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    if (argc > 1 && atoi(argv[1]) > 0)
        turns = (unsigned)atoi(argv[1]);
    for (int i = 0; i < SLOTS; i++)
        slot[i] = malloc(64);
    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, churn, NULL))
            return 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SLOTS; i++)
        free(slot[i]);
    return 0;
}
