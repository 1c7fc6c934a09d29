/*
 * early.c - before main, after main, and in a thread's last moments.
 *
 * BUILD -O0 -pthread
 * VALGRIND threads 1
 *
 *   begin   a constructor: 2 blocks of 100
 *   finish  an atexit handler: frees begin's, makes 1 of 30 and frees it (temporary)
 *   end     a destructor: makes 1 of 40, which stays
 *   last    a key's destructor in a thread: frees the 70 that the thread made (stay), makes and frees
 *           one of 20 (temporary)
 * The 70 is made by `stay`, and the next event of its thread is its free: temporary. 1 thread vector.
 * Allocations 2 + 1 + 1 + 1 + 1 + 1 = 7, frees 2 + 1 + 1 + 1 = 5.
 *
 * EXPECT allocations 7
 * EXPECT frees 5
 * EXPECT live_at_end_blocks 2
 * EXPECT temporary 3
 * EXPECT begin self allocations 2
 * EXPECT begin self own_peak_bytes 200
 * EXPECT begin self live_at_end_blocks 0
 * EXPECT finish self temporary 1
 * EXPECT end self live_at_end_bytes 40
 * EXPECT stay self temporary 1
 * EXPECT last self own_peak_bytes 20
 */
#include <pthread.h>
#include <stdlib.h>

static void *first[2], *final;
static pthread_key_t key;

static __attribute__((constructor)) void begin(void)
{
    first[0] = malloc(100);
    first[1] = malloc(100);
}

static void finish(void)
{
    free(first[0]);
    free(first[1]);
    free(malloc(30));
}

static __attribute__((destructor)) void end(void)
{
    final = malloc(40);
}

static void last(void *p)
{
    free(p);
    free(malloc(20));
}

static void *stay(void *unused)
{
    (void)unused;
    pthread_setspecific(key, malloc(70));
    return NULL;
}

int main(void)
{
    pthread_t thread;
    atexit(finish);
    if (pthread_key_create(&key, last) || pthread_create(&thread, NULL, stay, NULL))
        return 1;
    pthread_join(thread, NULL);
    return 0;
}
