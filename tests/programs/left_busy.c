/*
 * left_busy.c - threads that end inside a hook, and a program that goes on without a new one;
 * test_left_busy.py watches its spool.
 *
 * BUILD -O0 -pthread
 *
 * 30 threads drop a page that is not there, without rest, until a handler ends them wherever they are.
 * Then the program says "ready PID", and makes and frees blocks of 24 until it is
 * killed, with 20 ms of rest after every 2,000.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS = 30 };
static atomic_int turns[THREADS];

static void end(int unused)
{
    (void)unused;
    pthread_exit(NULL);
}

static void *drop(void *turns_of_thread)
{
    for (;; ++*(atomic_int *)turns_of_thread)
        munmap((void *)1, 4096);
    return NULL;
}

/* All of them end before anybody looks after the first. */
static int end_inside(void)
{
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, drop, &turns[i]))
            return 0;
    for (int i = 0; i < THREADS; i++)
        while (turns[i] < 100)
            sched_yield();
    for (int i = 0; i < THREADS; i++)
        pthread_kill(thread[i], SIGUSR1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    return 1;
}

int main(void)
{
    char text[32];
    signal(SIGUSR1, end);
    if (!end_inside())
        return 1;
    write(1, text, (size_t)snprintf(text, sizeof text, "ready %d\n", (int)getpid()));
    for (unsigned i = 1;; i++) {
        free(malloc(24));
        if (i % 2000 == 0)
            usleep(20000);
    }
}
