/*
 * trap_stacks.c - stacks that end at a guard page, changed by swapcontext, by hand and for one call.
 *
 * BUILD -O2 -fomit-frame-pointer -pthread
 * VALGRIND no: it does not follow stacks that are changed by hand
 *
 * All of it once in main and once in a thread with a stack of 64 KiB, whose neighbours are the others:
 *   20 contexts of 16 KiB, in turn: each goes down to a depth of its own, makes a block of 20 there
 *      (in_context), yields, frees it and yields, 10 times: 200 blocks
 *   by hand: a coroutine that begins at the very top of its stack, with nobody to return to, and changes
 *      stacks by assembly that no call frame information describes: 100 blocks of 30 (in_coroutine)
 *   for a call: a function that runs another on a stack that ends at a guard page. Its own call frame
 *      information, which counts from the stack pointer, then leads past the end: 100 blocks of 40
 *      (on_other_stack)
 *
 * EXPECT in_context self allocations 400
 * EXPECT in_context self live_at_end_blocks 0
 * EXPECT in_coroutine self allocations 200
 * EXPECT in_coroutine self live_at_end_blocks 0
 * EXPECT on_other_stack self allocations 200
 * EXPECT on_other_stack self live_at_end_blocks 0
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define CONTEXTS 20
#define SIZE     16384
#define PAGE     4096
#define NOINLINE __attribute__((noinline))

/* The upper end of a stack between two guard pages. */
static char *stack_top(size_t bytes)
{
    char *p = mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + PAGE, bytes, PROT_READ | PROT_WRITE))
        _exit(3);
    return p + PAGE + bytes;
}

static void *keep(void *p)
{
    __asm__ volatile("" : "+r"(p)); /* or the compiler leaves out a block that nobody looks at */
    return p;
}

/* ---- contexts ---- */

static __thread ucontext_t context[CONTEXTS], resumer;

static NOINLINE void in_context(int i)
{
    void *p = keep(malloc(20));
    swapcontext(&context[i], &resumer);
    free(p);
    swapcontext(&context[i], &resumer);
}

static NOINLINE void descend(int i, int depth)
{
    volatile char room[100 + 16 * (depth % 3)];
    room[0] = 1;
    if (depth)
        descend(i, depth - 1);
    else
        in_context(i);
    (void)room[0];
}

static void context_main(int i)
{
    for (;;)
        descend(i, i * 2);
}

static void contexts(void)
{
    for (int i = 0; i < CONTEXTS; i++) {
        getcontext(&context[i]);
        context[i].uc_stack.ss_sp = stack_top(SIZE) - SIZE;
        context[i].uc_stack.ss_size = SIZE;
        makecontext(&context[i], (void (*)(void))context_main, 1, i);
    }
    for (int turn = 0; turn < 20; turn++)
        for (int i = 0; i < CONTEXTS; i++)
            swapcontext(&resumer, &context[i]);
}

/* ---- by hand ---- */

/* Keeps what a callee must keep, stores the stack pointer at *from and goes on where `to` was left. */
void switch_stack(void **from, void *to);
__asm__(".text\n"
        ".globl switch_stack\n"
        ".type switch_stack, @function\n"
        "switch_stack:\n"
        "  push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "  mov %rsp, (%rdi)\n mov %rsi, %rsp\n"
        "  pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n"
        "  ret\n"
        ".size switch_stack, . - switch_stack\n");

static __thread void *caller_sp, *coroutine_sp;

static NOINLINE void in_coroutine(void)
{
    free(keep(malloc(30)));
    switch_stack(&coroutine_sp, caller_sp);
}

static void coroutine_main(void)
{
    for (;;)
        in_coroutine();
}

static void by_hand(void)
{
    char *top = stack_top(SIZE);
    void **sp = (void **)top - 1; /* where a caller's return address would be */
    *--sp = (void *)coroutine_main;
    for (int i = 0; i < 6; i++)
        *--sp = (void *)(uintptr_t)top; /* also rbp: it leads to the guard page */
    coroutine_sp = sp;
    for (int i = 0; i < 100; i++)
        switch_stack(&caller_sp, coroutine_sp);
}

/* ---- for one call ---- */

static NOINLINE void on_other_stack(void)
{
    free(keep(malloc(40)));
}

static void (*volatile function)(void) = on_other_stack;

static NOINLINE void call_on(char *top)
{
    __asm__ volatile("mov %%rsp, %%rbx\n\t"
                     "mov %0, %%rsp\n\t"
                     "call *%1\n\t"
                     "mov %%rbx, %%rsp"
                     :
                     : "r"(top), "r"(function)
                     : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory",
                       "cc");
}

static NOINLINE void with_room(char *top)
{
    volatile char room[300];
    room[0] = 1;
    call_on(top);
    (void)room[0];
}

static void for_a_call(void)
{
    char *top = stack_top(SIZE);
    for (int i = 0; i < 100; i++)
        with_room(top);
}

static void *all(void *unused)
{
    contexts();
    by_hand();
    for_a_call();
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    all(NULL);
    if (pthread_create(&thread, &small, all, NULL) || pthread_join(thread, NULL))
        return 1;
    return 0;
}
