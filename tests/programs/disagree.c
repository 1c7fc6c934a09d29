/*
 * disagree.c - a frame that the recorder and libunwind take differently, so that the self-check has
 * something to tell (test_selfcheck.sh).
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * without_fp says that the caller's frame pointer is lost: libunwind takes that for the end of the stack,
 * though the return address is there. 5 blocks of 20 above it (leaf), 3 of 30 without it (plain).
 *
 * EXPECT allocations 8
 * EXPECT frees 8
 * EXPECT truncated_stacks 0
 * EXPECT leaf self allocations 5
 * EXPECT main inclusive allocations 8
 */
#include <stdlib.h>
#include <unistd.h>

void without_fp(void (*callback)(void));

__asm__(".text\n"
        ".globl without_fp\n"
        ".type without_fp, @function\n"
        "without_fp: .cfi_startproc\n"
        "  .cfi_undefined %rbp\n"
        "  sub $8, %rsp\n .cfi_adjust_cfa_offset 8\n"
        "  call *%rdi\n"
        "  add $8, %rsp\n .cfi_adjust_cfa_offset -8\n"
        "  ret\n .cfi_endproc\n"
        ".size without_fp, . - without_fp\n");

static void leaf(void)
{
    free(malloc(20));
}

static void plain(void)
{
    free(malloc(30));
}

int main(void)
{
    for (int i = 0; i < 5; i++)
        without_fp(leaf);
    for (int i = 0; i < 3; i++)
        plain();
    write(1, "done\n", 5);
    return 0;
}
