/*
 * killme.c - counts its own events in a file that survives it, process by process and thread by thread; for
 * tests that kill it (test_fault_injection.py); no case of its own.
 *
 * BUILD -O1 -g -pthread
 *
 * killme FILE SECONDS [PAUSE [BETWEEN]]: FILE holds SLOTS slots of 64 bytes: process id, allocations, frees, bytes. A
 * thread owns its slot and raises a word when the call has returned; so whenever all of it is killed, a
 * recording has at least what the words say, and of each slot at most one call more: a realloc (an allocation
 * of 1,000 bytes at most, and a free). Slot 0 is the main thread's, 1 .. WORKERS are threads that live as
 * long as the program, the next ones threads that come and go, the last half the forked children's, one
 * thread each, around and around: a child that is gone gives its slot to another, and its words back.
 *
 * Everything is allocated in `made`, so what threads cost by themselves can be told from it. PAUSE: rest of
 * microseconds after each 4,096 calls; BETWEEN: of the main thread, before the next threads and child. It ends by itself with status 0 after SECONDS.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS   64
#define WORKERS 3
#define COMING  4
#define FORKED  (SLOTS / 2)

struct slot {
    volatile uint64_t process, allocations, frees, bytes;
    uint64_t line[4];
};

static struct slot *slots;
static double end;
static useconds_t rest;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void rests(unsigned i)
{
    if (rest && i % 1024 == 0)
        usleep(rest);
}

static __attribute__((noinline, noclone)) void *made(struct slot *s, void *old, size_t size,
                                                     int depth)
{
    if (depth > 0) {
        void *p = made(s, old, size, depth - 1);
        __asm__ volatile("" : : "r"(p));
        return p;
    }
    void *volatile p = old ? realloc(old, size) : malloc(size);
    s->bytes += size;
    s->allocations++;
    if (old)
        s->frees++;
    return p;
}

static void gone(struct slot *s, void *p)
{
    free(p);
    s->frees++;
}

static void round_of(struct slot *s, unsigned i)
{
    void *p = made(s, NULL, 40 + i % 100, (int)(i >> 4) % 20);
    p = made(s, p, 400 + i % 600, (int)(i >> 5) % 12);
    gone(s, p);
}

static void *worker(void *argument)
{
    struct slot *s = argument;
    s->process = (uint64_t)getpid();
    for (unsigned i = 0; i % 256 || now() < end; i++) {
        rests(i);
        round_of(s, i);
    }
    return NULL;
}

static void *coming(void *argument)
{
    struct slot *s = argument;
    s->process = (uint64_t)getpid();
    for (unsigned i = 0; i < 300; i++)
        round_of(s, i);
    return NULL;
}

/* One thread, the child's only one. */
static void child_of(struct slot *s, unsigned rounds)
{
    s->process = 0; /* whose words they are is said last */
    s->allocations = s->frees = s->bytes = 0;
    s->process = (uint64_t)getpid();
    for (unsigned i = 0; i < rounds; i++)
        round_of(s, i);
    _exit(0);
}

static void fork_one(struct slot *s, unsigned rounds)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        child_of(s, rounds);
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        _exit(9);
}

static void start_some(void)
{
    pthread_t thread[COMING];
    for (int i = 0; i < COMING; i++)
        if (pthread_create(&thread[i], NULL, coming, &slots[1 + WORKERS + i]))
            _exit(8);
    for (int i = 0; i < COMING; i++)
        pthread_join(thread[i], NULL);
}

int main(int argc, char **argv)
{
    pthread_t thread[WORKERS];
    int fd = argc > 2 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
    if (fd < 0 || ftruncate(fd, SLOTS * sizeof *slots))
        return 3;
    slots = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (slots == MAP_FAILED)
        return 4;
    slots[0].process = (uint64_t)getpid();
    end = now() + atof(argv[2]);
    rest = argc > 3 ? (useconds_t)atoi(argv[3]) : 0;
    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(&thread[i], NULL, worker, &slots[1 + i]))
            return 5;
    for (unsigned i = 0; i % 4 || now() < end; i++) {
        round_of(&slots[0], i);
        if (argc > 4)
            usleep((useconds_t)atoi(argv[4]));
        start_some();
        fork_one(&slots[FORKED + i % FORKED], i % 200);
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
