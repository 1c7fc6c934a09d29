/*
 * coroutines.c - stacks that are swapped by hand, on heap memory and on a mapping.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * Two coroutines (swapcontext) take turns 10 times; in each turn each makes a block of 10 or 20 bytes
 * (odd_turn, even_turn), which the other frees. One stack is a block of 64 KiB of `stacks`, the other
 * a mapping of 64 KiB.
 *
 * EXPECT allocations 21
 * EXPECT frees 20
 * EXPECT live_at_end_blocks 1
 * EXPECT mapped_peak_bytes 65536
 * EXPECT stacks self live_at_end_bytes 65536
 * EXPECT odd_turn self allocations 10
 * EXPECT odd_turn self own_peak_bytes 10
 * EXPECT even_turn self allocations 10
 * EXPECT even_turn self own_peak_bytes 20
 * EXPECT main self allocations 0
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK 65536

static ucontext_t home, odd, even;
static void *passed;

static void odd_turn(void)
{
    free(passed);
    passed = malloc(10);
}

static void even_turn(void)
{
    free(passed);
    passed = malloc(20);
}

static void run_odd(void)
{
    for (int i = 0; i < 10; i++) {
        odd_turn();
        swapcontext(&odd, &even);
    }
}

static void run_even(void)
{
    for (int i = 0; i < 10; i++) {
        even_turn();
        swapcontext(&even, i < 9 ? &odd : &home);
    }
}

static void prepare(ucontext_t *c, void *stack, void (*f)(void))
{
    getcontext(c);
    c->uc_stack.ss_sp = stack;
    c->uc_stack.ss_size = STACK;
    c->uc_link = &home;
    makecontext(c, f, 0);
}

static void stacks(void)
{
    static void *kept;
    kept = malloc(STACK);
    prepare(&odd, kept, run_odd);
    prepare(&even, mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            run_even);
}

int main(void)
{
    stacks();
    swapcontext(&home, &odd);
    free(passed);
    return 0;
}
