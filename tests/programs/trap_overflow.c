/*
 * trap_overflow.c - handlers of SIGSEGV on a stack of their own: the stack is full, a page is protected.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: it has stacks of its own
 *
 * full: 20 times in main, then 20 times in each of 2 threads, descend() makes 20 blocks of 16 on its way
 *   (kept_in) and calls itself until the stack is full, be it in a hook of ours; the handler makes and
 *   frees a block of 70 (in_handler) and leaves by siglongjmp. Then the blocks of the descent are freed,
 *   and one of 5 is made (after). The soft limit of main's stack is 1 MiB.
 * guarded: 100 times a page is protected and then written to, as collectors of garbage do; the handler
 *   makes a block of 90 (in_fault), lifts the protection and returns to the instruction.
 * caught: 50 times a read of page 0 is caught; the handler changes the saved pc (as runtimes do for
 *   null pointers) so that it goes on behind it, with a block of 20 (in_null).
 *
 * EXPECT kept_in self allocations 1200
 * EXPECT kept_in self live_at_end_blocks 0
 * EXPECT in_handler self allocations 60
 * EXPECT in_handler self live_at_end_blocks 0
 * EXPECT in_fault self allocations 100
 * EXPECT in_fault self live_at_end_blocks 0
 * EXPECT in_null self allocations 50
 * EXPECT after self allocations 60
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#define TIMES  20
#define BLOCKS 20

static __thread sigjmp_buf back;
static __thread void **chain;
static char *page;
static void *in_fault_block;

/* ---- the stack is full ---- */

static void in_handler(void)
{
    free(malloc(70));
}

static void full_handler(int unused)
{
    (void)unused;
    in_handler();
    siglongjmp(back, 1);
}

static void **kept_in(void)
{
    return malloc(16);
}

/* Who jumps out of glibc's malloc leaves its lock behind. So only the first steps allocate; the further
 * ones are of changing length and call munmap in vain, and most of the time it is our hook in which the
 * stack ends. */
static void descend(int depth)
{
    volatile char step[depth < BLOCKS ? 500 : 16 + depth * 56 % 700];
    for (int i = (int)sizeof step - 1; i >= 0; i -= 64)
        step[i] = 1;
    if (depth < BLOCKS) {
        void **p = kept_in();
        *p = chain;
        chain = p;
    } else {
        munmap((void *)1, 4096);
    }
    if (depth < 1000000)
        descend(depth + 1);
    step[0] = 2;
}

static void after(void)
{
    free(malloc(5));
}

static void full(void)
{
    char *memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_sp = memory, .ss_size = 65536};
    sigaltstack(&stack, NULL);
    for (volatile int i = 0; i < TIMES; i++) {
        chain = NULL;
        if (sigsetjmp(back, 1) == 0)
            descend(0);
        while (chain) {
            void **next = *chain;
            free(chain);
            chain = next;
        }
        after();
    }
}

static void *full_thread(void *unused)
{
    full();
    return unused;
}

/* ---- pages ---- */

static void in_fault(void)
{
    in_fault_block = malloc(90);
}

static void fault_handler(int unused, siginfo_t *info, void *context)
{
    (void)unused;
    (void)context;
    in_fault();
    if (info->si_addr != page || mprotect(page, 4096, PROT_READ | PROT_WRITE))
        _exit(7);
    free(in_fault_block);
}

static void guarded(void)
{
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 100; i++) {
        mprotect(page, 4096, PROT_NONE);
        *(volatile char *)page = 1;
    }
}

static void in_null(void)
{
    free(malloc(20));
}

static void null_handler(int unused, siginfo_t *info, void *context)
{
    (void)unused;
    (void)info;
    in_null();
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2; /* movb (%rax), %al */
}

static void caught(void)
{
    for (int i = 0; i < 50; i++)
        __asm__ volatile("xor %%eax, %%eax\n\t.byte 0x8a, 0x00" : : : "rax", "cc", "memory");
}

static void handle(void (*simple)(int), void (*with_context)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_flags = SA_ONSTACK};
    if (simple)
        action.sa_handler = simple;
    else
        action.sa_sigaction = with_context, action.sa_flags |= SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
}

int main(void)
{
    pthread_t thread[2];
    pthread_attr_t attributes;
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_STACK, &limit);
    handle(full_handler, NULL);
    full();
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&thread[i], &attributes, full_thread, NULL))
            return 1;
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    handle(NULL, fault_handler);
    guarded();
    handle(NULL, null_handler);
    caught();
    return 0;
}
