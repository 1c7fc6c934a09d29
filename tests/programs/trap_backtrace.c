/*
 * trap_backtrace.c - a handler at 10 kHz that allocates, frees and walks the stack, also through our own
 * frames, and jumps out of them.
 *
 * BUILD -O0 -rdynamic
 * VALGRIND no: it slows the program, not the timer
 *
 * The handler may call malloc because what it interrupts does not: a loop of mmap and munmap (hooks of
 * ours, too) at changing depths. It makes 3 blocks of 33 (in_handler), calls backtrace(), which must come
 * by main, and backtrace_symbols() now and then, and frees all; in odd rounds it leaves by siglongjmp, in
 * rounds 2 and 3 it has a stack of its own. Each of the 4 rounds lasts until 500 signals have come. After
 * each 50 blocks of 10 are made and freed (after). A signal that comes while one is handled waits.
 *
 * EXPECT after self allocations 200
 * EXPECT after self live_at_end_blocks 0
 * EXPECT in_handler self allocations 6000
 * EXPECT in_handler self live_at_end_blocks 0
 * EXPECT handler inclusive live_at_end_blocks 0
 */
#include <execinfo.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define SIGNALS 500

static sigjmp_buf back;
static volatile sig_atomic_t jump, seen, lost_main;
static char other_stack[256 << 10];
static const char *main_start, *main_end;

static void in_handler(void)
{
    void *p[3];
    for (int i = 0; i < 3; i++)
        p[i] = malloc(33);
    for (int i = 0; i < 3; i++)
        free(p[i]);
}

/* Whether the stack, walked by the host's own means, leads back to main. */
static void look(void)
{
    void *pc[200];
    int n = backtrace(pc, 200), found = 0;
    for (int i = 0; i < n; i++)
        found += (const char *)pc[i] >= main_start && (const char *)pc[i] < main_end;
    lost_main += !found;
    if (seen % 50 == 0)
        free(backtrace_symbols(pc, n));
}

static void handler(int unused)
{
    (void)unused;
    if (seen >= SIGNALS)
        return;
    seen++;
    in_handler();
    look();
    if (jump)
        siglongjmp(back, 1);
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

static void storm(int jumps)
{
    struct itimerval t = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    volatile int i = 0;
    seen = 0;
    sigsetjmp(back, 1);
    jump = jumps;
    setitimer(ITIMER_REAL, &t, NULL);
    while (seen < SIGNALS)
        descend(i++ % 30);
    jump = 0;
    setitimer(ITIMER_REAL, &never, NULL);
}

static void after(void)
{
    void *block[50];
    for (int i = 0; i < 50; i++)
        block[i] = malloc(10);
    for (int i = 0; i < 50; i++)
        free(block[i]);
}

int main(void)
{
    char text[80];
    void *first[4];
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    main_start = (const char *)main;
    main_end = (const char *)&&end;
    backtrace(first, 4); /* the first time it loads libgcc_s, which no handler may do */
    sigaltstack(&stack, NULL);
    for (int round = 0; round < 4; round++) {
        struct sigaction action = {.sa_handler = handler, .sa_flags = round < 2 ? 0 : SA_ONSTACK};
        sigaction(SIGALRM, &action, NULL);
        storm(round % 2);
        after();
    }
    write(1, text, (size_t)snprintf(text, sizeof text, "stacks without main: %d\n", lost_main));
end:
    return 0;
}
