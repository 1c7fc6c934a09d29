/*
 * headless.c - one function at one place on the stack, with callers and without.
 *
 * BUILD -O1 -fno-omit-frame-pointer
 * VALGRIND no: it has its own view of a stack that is entered by hand
 *
 * work is called, or entered by a jump with 0 for its return address, as the first function of a stack is: 20 times
 * each, five at a time. It makes and frees a block of 40. So the stacks of half of the blocks end in work, though
 * the slots further out are those of the other half.
 *
 * EXPECT work self allocations 40
 * EXPECT enter inclusive allocations 20
 * EXPECT main inclusive allocations 20
 */
#include <setjmp.h>
#include <stdlib.h>

static jmp_buf back;
static int headless;

__attribute__((noinline, noclone, used)) static void work(void)
{
    void *volatile block = malloc(40);
    free(block);
    if (headless)
        longjmp(back, 1);
}

/* Both ways work begins at the same place. */
__attribute__((noinline, noclone)) static void enter(void)
{
    __asm__ volatile("test %1, %1\n\t"
                     "jz 1f\n\t"
                     "push $0\n\t"
                     "jmp *%0\n"
                     "1:\tcall *%0"
                     :
                     : "r"(work), "r"(headless)
                     : "memory", "cc", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
}

int main(void)
{
    for (volatile int i = 0; i < 40; i++) {
        headless = i / 5 % 2;
        if (!setjmp(back))
            enter();
    }
    return 0;
}
