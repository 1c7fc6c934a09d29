/*
 * gaps.c - a program at a fixed address whose segments lie 2 MiB apart, as node's do.
 *
 * BUILD -O2 -fomit-frame-pointer -fno-pie -no-pie -Wl,-z,max-page-size=0x200000,-z,separate-code
 * VALGRIND exact
 *
 * ld.so knows it segment by segment, and the tables of call frame information lie in another one than
 * the code. It takes the address of malloc, so that a search for malloc finds a stub in the program. odd,
 * in assembly, has a frame that only libunwind can step out of. 3 blocks of 48 in make, below odd.
 *
 * EXPECT allocations 3
 * EXPECT frees 3
 * EXPECT truncated_stacks 0
 * EXPECT make self allocations 3
 * EXPECT middle inclusive allocations 3
 * EXPECT main inclusive allocations 3
 * EXPECT main inclusive own_peak_bytes 48
 */
#include <stdlib.h>
#include <unistd.h>

static void *(*volatile allocate)(size_t);

void odd(void (*callback)(void));

/* The frame is found by rbx, which no rule of the recorder follows. */
__asm__(".text\n"
        ".globl odd\n"
        ".type odd, @function\n"
        "odd: .cfi_startproc\n"
        "  push %rbx\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset %rbx, 0\n"
        "  mov %rsp, %rbx\n .cfi_def_cfa_register %rbx\n"
        "  sub $64, %rsp\n"
        "  call *%rdi\n"
        "  mov %rbx, %rsp\n .cfi_def_cfa_register %rsp\n"
        "  pop %rbx\n .cfi_adjust_cfa_offset -8\n .cfi_restore %rbx\n"
        "  ret\n .cfi_endproc\n"
        ".size odd, . - odd\n");

static __attribute__((noinline)) void make(void)
{
    void *volatile p = allocate(48);
    free(p);
}

static __attribute__((noinline)) void middle(int times)
{
    char room[200 + 16 * times];
    __asm__ volatile("" : : "r"(room) : "memory");
    odd(make);
    __asm__ volatile("" : : "r"(room) : "memory");
}

int main(void)
{
    allocate = malloc;
    for (int i = 0; i < 3; i++)
        middle(i);
    write(1, "done\n", 5);
    return 0;
}
