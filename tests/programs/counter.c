/*
 * counter.c - counts its own heap events in a file that survives it; for tests with kill -9.
 *
 * BUILD -O2 -pthread
 *
 * counter FILE THREADS SECONDS [PAUSE]: the file holds a 64-bit word a thread, each on a cache line of its
 * own. A word is raised when an event has returned to the program; so at any moment the recording
 * holds at least as many events of a thread as its word says, and at most one more. Runs of
 * allocation and free at several depths, so that stacks change, and reallocs (two events). After
 * SECONDS, or at a SIGTERM, it ends by itself with status 0. PAUSE: microseconds of rest after each 4,096
 * events. "ready PID" on standard output says that it begins; all other heap events, one vector a thread,
 * come before that.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct word {
    volatile uint64_t events;
    char line[56];
};

static struct word *words;
static double seconds;
static useconds_t rest;
static pthread_barrier_t barrier;
static volatile sig_atomic_t shall_end;

static void end(int unused)
{
    (void)unused;
    shall_end = 1;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static __attribute__((noinline)) void deeper(struct word *w, int depth)
{
    if (depth > 0) {
        deeper(w, depth - 1);
        __asm__ volatile("");
        return;
    }
    void *volatile p = malloc(40);
    w->events++;
    void *volatile q = realloc(p, 400);
    w->events += 2; /* the old block's free and the new one's allocation */
    free(q);
    w->events++;
}

static void *worker(void *argument)
{
    struct word *w = argument;
    pthread_barrier_wait(&barrier);
    double last = now() + seconds;
    for (unsigned i = 0; i % 1024 || (!shall_end && now() < last); i++) {
        if (rest && i % 1024 == 0)
            usleep(rest);
        deeper(w, (int)(i >> 4) % 20);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 5)
        return 2;
    int threads = atoi(argv[2]);
    size_t bytes = sizeof *words * (size_t)threads;
    int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || ftruncate(fd, (off_t)bytes))
        return 3;
    words = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (words == MAP_FAILED)
        return 4;
    seconds = atof(argv[3]);
    rest = argc > 4 ? (useconds_t)atoi(argv[4]) : 0;
    signal(SIGTERM, end);
    pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
    pthread_t thread[threads];
    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, worker, &words[i]))
            return 5;
    char text[32]; /* stdio would allocate */
    write(1, text, (size_t)snprintf(text, sizeof text, "ready %d\n", (int)getpid()));
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
