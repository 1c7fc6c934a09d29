/*
 * trap_switch.c - goes from stack to stack, side by side without guard pages, and lets one of them go.
 *
 * BUILD -O1 -pthread
 *
 * trap_switch unmap|protect|move|replace|end: a thread's own stack lies right above two others, A and B. It allocates on A;
 * on A, called from B; then, as B is gone in that way (end: by unmap, and nothing further out was known of B), on A again. 320 blocks, which it frees; prints "done 320".
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALL = 64 << 10, OWN = 256 << 10, TIMES = 20 };

static char *base; /* [A][B][the thread's own] */
static const char *way;
static long count;

/* Calls f on the stack that ends at `top`; its call frame information says where it came from, or that there is nothing
 * further out. */
void call_on(void *top, void (*f)(void));
void begin_on(void *top, void (*f)(void));
#if defined __x86_64__
__asm__(".text\n"
        ".type call_on, @function\n"
        "call_on:\n"
        ".cfi_startproc\n"
        "push %rbp\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset 6, -16\n"
        "mov %rsp, %rbp\n"
        ".cfi_def_cfa_register 6\n"
        "mov %rdi, %rsp\n"
        "call *%rsi\n"
        "mov %rbp, %rsp\n"
        "pop %rbp\n"
        ".cfi_def_cfa 7, 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size call_on, . - call_on\n"
        ".type begin_on, @function\n"
        "begin_on:\n"
        ".cfi_startproc\n"
        ".cfi_undefined rip\n"
        "push %rbp\n"
        "mov %rsp, %rbp\n"
        "mov %rdi, %rsp\n"
        "call *%rsi\n"
        "mov %rbp, %rsp\n"
        "pop %rbp\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size begin_on, . - begin_on\n");
#elif defined __aarch64__
__asm__(".text\n"
        ".type call_on, @function\n"
        "call_on:\n"
        ".cfi_startproc\n"
        "stp x29, x30, [sp, -16]!\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset 29, -16\n"
        ".cfi_offset 30, -8\n"
        "mov x29, sp\n"
        ".cfi_def_cfa_register 29\n"
        "mov sp, x0\n"
        "blr x1\n"
        "mov sp, x29\n"
        ".cfi_def_cfa_register 31\n"
        "ldp x29, x30, [sp], 16\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size call_on, . - call_on\n"
        ".type begin_on, @function\n"
        "begin_on:\n"
        ".cfi_startproc\n"
        ".cfi_undefined x30\n"
        "stp x29, x30, [sp, -16]!\n"
        "mov x29, sp\n"
        "mov sp, x0\n"
        "blr x1\n"
        "mov sp, x29\n"
        "ldp x29, x30, [sp], 16\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size begin_on, . - begin_on\n");
#endif

/* Saves the caller's frame pointer, so that its own says nothing of the stack further out. */
static __attribute__((noinline)) void leaf(void)
{
#if defined __x86_64__
    __asm__ volatile("" : : : "rbp");
#endif
    for (int i = 0; i < TIMES; i++) {
        void *volatile block = malloc(10);
        count++;
        free(block);
    }
    __asm__ volatile("");
}

static __attribute__((noinline)) void on_b(void)
{
    call_on(base + SMALL - 64, leaf);
    __asm__ volatile("");
}

static void let_b_go(void)
{
    char *b = base + SMALL;
    void *elsewhere = NULL;
    if (strcmp(way, "unmap") == 0 || strcmp(way, "end") == 0)
        munmap(b, SMALL);
    else if (strcmp(way, "protect") == 0)
        mprotect(b, SMALL, PROT_NONE);
    else if (strcmp(way, "move") == 0)
        elsewhere = mremap(b, SMALL, 2 * SMALL, MREMAP_MAYMOVE);
    else
        elsewhere = mmap(b, SMALL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (elsewhere == MAP_FAILED)
        abort();
}

static void *thread(void *unused)
{
    for (int i = 0; i < 5; i++)
        call_on(base + SMALL - 64, leaf);
    for (int i = 0; i < 5; i++)
        (strcmp(way, "end") == 0 ? begin_on : call_on)(base + 2 * SMALL - 64, on_b);
    let_b_go();
    for (int i = 0; i < 6; i++)
        call_on(base + SMALL - 64, leaf);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_attr_t attributes;
    pthread_t t;
    way = argc > 1 ? argv[1] : "";
    base = mmap(NULL, 2 * SMALL + OWN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_init(&attributes);
    if (base == MAP_FAILED || pthread_attr_setstack(&attributes, base + 2 * SMALL, OWN) != 0 ||
        pthread_create(&t, &attributes, thread, NULL) != 0)
        return 1;
    pthread_join(t, NULL);
    printf("done %ld\n", count);
    return 0;
}
