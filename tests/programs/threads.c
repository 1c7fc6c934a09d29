/*
 * threads.c - four threads free each other's blocks.
 *
 * BUILD -O0 -pthread
 * VALGRIND threads 4
 *
 * Thread i allocates 8 blocks of (i + 1) * 1000 bytes (produce) and one of 16 (keep_one). A barrier
 * later it frees the 8 blocks of thread i + 1 (consume); no block is freed before all are there.
 *   produce: 8 * (1000 + 2000 + 3000 + 4000) = 80000 bytes in 32 blocks
 *   keep_one: 4 * 16 = 64 bytes in 4 blocks, never freed
 * All eight allocations come before the barrier and keep_one's is the last before a free of another
 * thread's block, so nothing is temporary. pthread_create makes 4 thread vectors, which stay with the
 * cached stacks: 32 + 4 + 4 allocations, 32 frees, 8 blocks left.
 *
 * EXPECT allocations 40
 * EXPECT frees 32
 * EXPECT live_at_end_blocks 8
 * EXPECT temporary 0
 * EXPECT produce self allocations 32
 * EXPECT produce self allocated_bytes 80000
 * EXPECT produce self own_peak_bytes 80000
 * EXPECT produce self at_peak_bytes 80000
 * EXPECT produce self live_at_end_bytes 0
 * EXPECT keep_one self own_peak_bytes 64
 * EXPECT keep_one self live_at_end_blocks 4
 * EXPECT worker self allocations 0
 * EXPECT worker inclusive allocations 36
 * EXPECT worker inclusive own_peak_bytes 80064
 * EXPECT worker inclusive at_peak_bytes 80064
 * LEAK 4 64 keep_one worker
 */
#include <pthread.h>
#include <stdlib.h>

#define THREADS 4
#define BLOCKS  8

static pthread_barrier_t barrier;
static void *table[THREADS][BLOCKS];
static void *kept[THREADS];

static void produce(int thread)
{
    for (int i = 0; i < BLOCKS; i++)
        table[thread][i] = malloc((size_t)(thread + 1) * 1000);
}

static void keep_one(int thread)
{
    kept[thread] = malloc(16);
}

static void consume(int thread)
{
    for (int i = 0; i < BLOCKS; i++)
        free(table[thread][i]);
}

static void *worker(void *argument)
{
    int thread = (int)(long)argument;
    produce(thread);
    keep_one(thread);
    pthread_barrier_wait(&barrier);
    consume((thread + 1) % THREADS);
    pthread_barrier_wait(&barrier);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, worker, (void *)i))
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
