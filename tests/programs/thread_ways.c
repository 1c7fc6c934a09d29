/*
 * thread_ways.c - very many threads, detached ones, and the ways of being cancelled;
 * test_thread_ways.py runs each plain and recorded.
 *
 * BUILD -O0 -pthread
 *
 * thread_ways WAY [FILE]
 *   many      100,000 threads, 4 at a time on stacks of 16 KiB: each makes and frees a block of 48 (brief)
 *   detached  5,000 detached ones, at most 8 at a time: the same
 *   deferred  100 that allocate without rest, each holding a block of 64 (hold), which a cleanup handler
 *             frees, are cancelled at a point of their choice: pthread_testcancel, read, sem_wait or
 *             pthread_cond_wait
 *   async     100 of the same are cancelled anywhere between their allocations
 *   inside    200 that map and unmap a page without rest are cancelled anywhere, also within the calls
 *   crowd     1,000 that stay, each with a block of 32 (stay), while 20,000 more come and go, 4 at a time: brief
 * FILE, where it is given, is written: the highest resident set in KiB.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MANY        100000
#define DETACHED    5000
#define CANCELLED   100
#define CROWD       1000
#define CROWD_COMES 20000

static pthread_attr_t attributes;

static void brief(void)
{
    free(malloc(48));
}

/* ---- very many ---- */

static void *many_main(void *unused)
{
    brief();
    return unused;
}

static int many(int threads)
{
    pthread_t thread[4];
    for (int n = 0; n < threads / 4; n++) {
        for (int i = 0; i < 4; i++)
            if (pthread_create(&thread[i], &attributes, many_main, NULL))
                return 1;
        for (int i = 0; i < 4; i++)
            pthread_join(thread[i], NULL);
    }
    return 0;
}

/* ---- detached ---- */

static sem_t room;

static void *detached_main(void *unused)
{
    brief();
    sem_post(&room);
    return unused;
}

static int detached(void)
{
    pthread_t thread;
    sem_init(&room, 0, 8);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < DETACHED; i++) {
        sem_wait(&room);
        if (pthread_create(&thread, &attributes, detached_main, NULL))
            return 1;
    }
    for (int i = 0; i < 8; i++)
        sem_wait(&room);
    return 0;
}

/* ---- cancelled ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t nobody_posts;
static int nobody_writes[2];
static atomic_int turns, cleaned;

static void *hold(void)
{
    return malloc(64);
}

static void clean_up(void *held)
{
    free(held);
    brief();
    cleaned++;
}

static void unlock(void *mutex)
{
    pthread_mutex_unlock(mutex);
}

static void busy(void)
{
    for (int i = 1; i < 100; i++)
        free(malloc((size_t)i * 10));
    turns++;
}

static void wait_for_ever(void)
{
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(unlock, &lock);
    for (;;)
        pthread_cond_wait(&never, &lock);
    pthread_cleanup_pop(1);
}

/* The point where it is cancelled. */
static void point(int kind)
{
    char byte;
    if (kind == 0)
        pthread_testcancel();
    else if (kind == 1)
        read(nobody_writes[0], &byte, 1);
    else if (kind == 2)
        sem_wait(&nobody_posts);
    else
        wait_for_ever();
}

static void *deferred_main(void *kind)
{
    void *held = hold();
    pthread_cleanup_push(clean_up, held);
    for (;;) {
        busy();
        point((int)(long)kind % 4);
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static void *async_main(void *unused)
{
    int old;
    void *held = hold();
    (void)unused;
    pthread_cleanup_push(clean_up, held);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    for (;;) {
        /* malloc may not be left so. Not by the cancel state: glibc 2.36 cancels a thread that
         * disables cancellation between pthread_cancel's look at it and the signal. */
        pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old);
        busy();
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
        for (volatile int i = 0; i < 2000; i++)
            ;
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static int cancelled(void *(*function)(void *))
{
    sem_init(&nobody_posts, 0, 0);
    if (pipe(nobody_writes))
        return 1;
    for (long i = 0; i < CANCELLED; i++) {
        pthread_t thread;
        int before = turns;
        if (pthread_create(&thread, NULL, function, (void *)i))
            return 2;
        while (turns == before)
            sched_yield();
        pthread_cancel(thread);
        pthread_join(thread, NULL); /* glibc 2.36 tells NULL of some that were cancelled, too */
    }
    return cleaned == CANCELLED ? 0 : 3;
}

static void *inside_main(void *unused)
{
    int old;
    (void)unused;
    brief();
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    for (;; turns++)
        munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
    return NULL;
}

static int inside(void)
{
    for (long i = 0; i < 2 * CANCELLED; i++) {
        pthread_t thread;
        int before = turns;
        if (pthread_create(&thread, NULL, inside_main, NULL))
            return 1;
        while (turns == before)
            sched_yield();
        pthread_cancel(thread);
        pthread_join(thread, NULL);
    }
    return 0;
}

/* ---- some that stay, and many that do not ---- */

static pthread_barrier_t all_there, all_over;

static void stay(void)
{
    void *block = malloc(32);
    pthread_barrier_wait(&all_there);
    pthread_barrier_wait(&all_over);
    free(block);
}

static void *stay_main(void *unused)
{
    stay();
    return unused;
}

static int crowd(void)
{
    static pthread_t thread[CROWD];
    pthread_barrier_init(&all_there, NULL, CROWD + 1);
    pthread_barrier_init(&all_over, NULL, CROWD + 1);
    for (int i = 0; i < CROWD; i++)
        if (pthread_create(&thread[i], &attributes, stay_main, NULL))
            return 1;
    pthread_barrier_wait(&all_there);
    int result = many(CROWD_COMES);
    pthread_barrier_wait(&all_over);
    for (int i = 0; i < CROWD; i++)
        pthread_join(thread[i], NULL);
    return result;
}

/* ---- which ---- */

static void write_highest(const char *file)
{
    char status[4096] = "";
    int from = open("/proc/self/status", O_RDONLY), to = open(file, O_WRONLY | O_CREAT, 0600);
    read(from, status, sizeof status - 1);
    const char *highest = strstr(status, "VmHWM:");
    if (highest)
        dprintf(to, "%d\n", atoi(highest + 6));
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    long least = sysconf(_SC_THREAD_STACK_MIN);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, least > 16384 ? (size_t)least : 16384);
    int result = strcmp(way, "inside") == 0     ? inside()
                 : strcmp(way, "crowd") == 0    ? crowd()
                 : strcmp(way, "many") == 0     ? many(MANY)
                 : strcmp(way, "detached") == 0 ? detached()
                 : strcmp(way, "deferred") == 0 ? cancelled(deferred_main)
                 : strcmp(way, "async") == 0    ? cancelled(async_main)
                                                : 9;
    if (argc > 2)
        write_highest(argv[2]);
    return result;
}
