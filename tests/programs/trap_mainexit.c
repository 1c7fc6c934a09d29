/*
 * trap_mainexit.c - the first thread leaves by pthread_exit, others are cancelled; the last one ends the
 * process.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: libgcc_s, loaded for the unwinding, makes the loader allocate
 * EXIT 6
 *
 * main makes 10 blocks of 30 (early), cancels two threads that allocate without rest and joins them, and
 * leaves. The heir, 50 ms later, frees the 10 and makes 5 of 40 (late), then exits with 6 while a thread
 * still allocates.
 *
 * EXPECT early self allocations 10
 * EXPECT early self live_at_end_blocks 0
 * EXPECT late self allocations 5
 * EXPECT late self live_at_end_bytes 200
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void *block[10];
static pthread_t first;

static void early(void)
{
    for (int i = 0; i < 10; i++)
        block[i] = malloc(30);
}

static void late(void)
{
    for (int i = 0; i < 5; i++)
        block[i] = malloc(40);
}

static void *restless(void *unused)
{
    for (;;) {
        free(malloc(50));
        usleep(1); /* a cancellation point, as malloc and free are not */
    }
    return unused;
}

static void *heir(void *unused)
{
    void *result;
    pthread_join(first, &result);
    usleep(50000);
    for (int i = 0; i < 10; i++)
        free(block[i]);
    late();
    exit(6);
    return unused;
}

int main(void)
{
    pthread_t thread[3], next;
    first = pthread_self();
    early();
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, restless, NULL);
    for (int i = 0; i < 2; i++) {
        usleep(10000);
        pthread_cancel(thread[i]);
        pthread_join(thread[i], NULL);
    }
    pthread_create(&next, NULL, heir, NULL);
    pthread_exit(NULL);
}
