/*
 * trap_storm.c - a handler at 10 kHz that maps and unmaps inside our hooks, and jumps out of them.
 *
 * BUILD -O0
 * VALGRIND no: it slows the program, not the timer
 *
 * mmap and munmap are what a handler may call although the loop it interrupts calls them, too. Rounds:
 * handler on the same stack, on an alternate stack, one that leaves by siglongjmp, that from the
 * alternate stack, and one that leaves for a frame far down the stack. After each round 100 blocks of 10
 * bytes are made at changing depths and freed (blocks): no memory of what was interrupted may be in the
 * way. How often the timer strikes is chance, so nothing else is known. Before all that a handler forks,
 * 20 times: the child comes back from it into the hook that was interrupted, goes on there, makes and
 * frees a block of 10 and leaves.
 *
 * EXPECT allocations 500
 * EXPECT frees 500
 * EXPECT blocks inclusive own_peak_bytes 1000
 * EXPECT main inclusive allocations 500
 * EXPECT make self allocations 500
 * EXPECT child 20 allocations 1
 * EXPECT child 20 frees 1
 * EXPECT child 20 lost 0
 */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int jump, leaving;
static char other_stack[65536];
static void *block[100];

/* siglongjmp lets the signal in again before it leaves the stack. Where the machine is so slow that the
 * timer strikes each time, handlers that jump would stand upon each other until the alternate stack is full. */
static void handler(int unused)
{
    (void)unused;
    if (leaving)
        return;
    void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p, 4096);
    if (jump) {
        leaving = 1;
        siglongjmp(back, 1);
    }
}

static volatile int forks, bad_children, in_child;

/* A timer is not inherited: the child goes on undisturbed. */
static void forker(int unused)
{
    int status = 0;
    (void)unused;
    pid_t child = fork();
    if (child == 0) {
        in_child = 1;
        return;
    }
    forks++;
    if (waitpid(child, &status, 0) != child || status != 5 << 8)
        bad_children++;
}

static void timer(int microseconds)
{
    struct itimerval t = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &t, NULL);
}

static void descend(int depth)
{
    volatile char frame[64] = {(char)depth};
    if (depth) {
        descend(depth - 1);
    } else {
        void *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(p, 8192);
    }
    (void)frame[0];
}

static void make(int i, int depth)
{
    if (depth)
        make(i, depth - 1);
    else
        block[i] = malloc(10);
}

static void blocks(void)
{
    for (int i = 0; i < 100; i++)
        make(i, i % 7);
    for (int i = 0; i < 100; i++)
        free(block[i]);
}

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A tenth of a second of mappings at changing depths. */
static void storm(int jumps)
{
    volatile long end = now_ms() + 100;
    volatile int i = 0;
    sigsetjmp(back, 1);
    leaving = 0;
    jump = jumps;
    while (now_ms() < end)
        descend(i++ % 30);
    jump = 0; /* while there is still something to jump to */
}

static void storm_deep(int depth)
{
    if (depth)
        storm_deep(depth - 1);
    else
        storm(1);
}

/* Forks out of handlers that interrupt our hooks, most of the time. */
static void forks_in_hooks(void)
{
    struct sigaction action = {.sa_handler = forker};
    sigaction(SIGALRM, &action, NULL);
    while (forks < 20) {
        struct itimerval once = {{0, 0}, {0, 200 + 37 * forks}};
        int before = forks;
        setitimer(ITIMER_REAL, &once, NULL);
        while (forks == before && !in_child)
            munmap((void *)1, 4096); /* fails: the children inherit no mappings */
        if (in_child) {
            for (int i = 0; i < 50; i++)
                munmap((void *)1, 4096);
            free(malloc(10));
            _exit(5);
        }
    }
}

int main(void)
{
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    sigaltstack(&stack, NULL);
    forks_in_hooks();
    for (int round = 0; round < 5; round++) {
        struct sigaction action = {.sa_handler = handler, .sa_flags = round % 2 ? SA_ONSTACK : 0};
        sigaction(SIGALRM, &action, NULL);
        timer(100);
        if (round == 4)
            storm_deep(40);
        else
            storm(round >= 2);
        timer(0);
        jump = 0;
        blocks();
    }
    return bad_children;
}
