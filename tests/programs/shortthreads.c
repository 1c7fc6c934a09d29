/*
 * shortthreads.c - two thousand threads, four at a time, on the smallest stacks there are.
 * shortthreads BATCHES: so many times four.
 *
 * BUILD -O0 -pthread
 * VALGRIND threads 4
 *
 * Each thread makes 3 blocks of 50 and frees them in order (brief): 6000 allocations and frees, 300000
 * bytes; at most 4 threads at once, 600 bytes. The last batch's blocks are handed to main, which frees
 * them: frees after the death of the thread. Stacks are cached and taken over: 4 thread vectors.
 *
 * EXPECT allocations 6004
 * EXPECT frees 6000
 * EXPECT live_at_end_blocks 4
 * EXPECT brief self allocations 6000
 * EXPECT brief self allocated_bytes 300000
 * EXPECT brief self live_at_end_blocks 0
 * EXPECT brief self temporary 0
 */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#define BATCH   4
#define BATCHES 500 /* unless it is told another number */

static void *left[BATCH][3];
static int last;

static void *brief(void *argument)
{
    void *block[3];
    for (int i = 0; i < 3; i++)
        block[i] = malloc(50);
    for (int i = 0; i < 3; i++)
        if (last)
            left[(long)argument][i] = block[i];
        else
            free(block[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    int batches = argc > 1 ? atoi(argv[1]) : BATCHES;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    for (int n = 0; n < batches; n++) {
        pthread_t threads[BATCH];
        last = n == batches - 1;
        for (long i = 0; i < BATCH; i++)
            if (pthread_create(&threads[i], &small, brief, (void *)i))
                return 1;
        for (int i = 0; i < BATCH; i++)
            pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < BATCH; i++)
        for (int k = 0; k < 3; k++)
            free(left[i][k]);
    return 0;
}
