/*
 * signals.c - a handler that allocates, one on its own stack, and jumps out of handlers.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * Handlers interrupt loops that are not in malloc. 10 times a timer's handler makes and frees a block
 * of 100 (in_handler); 10 times the same on an alternate stack; 10 times a handler makes a block of 60
 * (before_jump) and leaves by siglongjmp, after which main frees it: 10 of before_jump's and 20 of
 * in_handler's are temporary.
 *
 * EXPECT allocations 30
 * EXPECT frees 30
 * EXPECT allocated_bytes 2600
 * EXPECT peak_bytes 100
 * EXPECT live_at_end_blocks 0
 * EXPECT temporary 30
 * EXPECT in_handler self allocations 20
 * EXPECT in_handler self own_peak_bytes 100
 * EXPECT before_jump self allocations 10
 * EXPECT before_jump self own_peak_bytes 60
 * EXPECT handler inclusive allocations 20
 * EXPECT main inclusive allocations 30
 * EXPECT truncated_stacks 0
 */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t seen;
static sigjmp_buf back;
static void *volatile left;
static char other_stack[65536];

static void in_handler(void)
{
    free(malloc(100));
}

static void before_jump(void)
{
    left = malloc(60);
}

static void handler(int unused)
{
    (void)unused;
    in_handler();
    seen = 1;
}

static void jumper(int unused)
{
    (void)unused;
    before_jump();
    siglongjmp(back, 1);
}

static void spin(void)
{
    struct itimerval soon = {{0, 0}, {0, 1000}};
    seen = 0;
    setitimer(ITIMER_REAL, &soon, NULL);
    while (!seen)
        ;
}

static void install(void (*f)(int), int flags)
{
    struct sigaction action = {.sa_handler = f, .sa_flags = flags};
    sigaction(SIGALRM, &action, NULL);
}

int main(void)
{
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    install(handler, 0);
    for (int i = 0; i < 10; i++)
        spin();
    sigaltstack(&stack, NULL);
    install(handler, SA_ONSTACK);
    for (int i = 0; i < 10; i++)
        spin();
    install(jumper, 0);
    for (volatile int i = 0; i < 10; i++) {
        if (sigsetjmp(back, 1) == 0)
            spin();
        free(left);
    }
    return 0;
}
