/*
 * walk_shapes.h - functions with every shape of stack frame, for walk_dance.h.
 *
 * A dance calls shapes from shapes at random, deeper and back again, and now and then checks the
 * stack from where it stands. A shape only has to call walk_next inside a frame of its own kind; it
 * must touch its locals afterwards, so that the call is no tail call.
 */
#ifndef TESTS_WALK_SHAPES_H
#define TESTS_WALK_SHAPES_H

#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

struct dancer;

/* Goes on with the dance: returns, checks, or calls a shape. */
void walk_next(struct dancer *d, int depth);

typedef void shape(struct dancer *d, int depth);
extern __thread struct dancer *walk_dancing; /* for callbacks that get no argument */
extern __thread int walk_depth;

/* The compiler believes that p is looked at. */
#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")
#define APART   __attribute__((noinline, noclone))
#define SHAPE   static APART __attribute__((optimize("omit-frame-pointer"))) void
#define FRAMED  static APART __attribute__((optimize("no-omit-frame-pointer"))) void

/* ---- what compilers write ---- */

SHAPE plain(struct dancer *d, int depth)
{
    walk_next(d, depth);
    KEEP(d);
}

FRAMED
with_frame_pointer(struct dancer *d, int depth)
{
    char local[40];
    KEEP(local);
    walk_next(d, depth);
    KEEP(local);
}

SHAPE __attribute__((optimize("O3"))) busy(struct dancer *d, int depth)
{
    uint64_t a = (uint64_t)depth, b = a * 3, c = b ^ 7, e = c + a, f = e * 11, g = f ^ b;
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(e), "+r"(f), "+r"(g));
    walk_next(d, depth);
    __asm__ volatile("" : : "r"(a), "r"(b), "r"(c), "r"(e), "r"(f), "r"(g));
    walk_next(d, depth);
    KEEP(a + b + c + e + f + g);
}

SHAPE with_array(struct dancer *d, int depth)
{
    char local[1 + depth * 37 % 501];
    memset(local, 1, sizeof local);
    walk_next(d, depth);
    KEEP(local);
}

SHAPE with_alloca(struct dancer *d, int depth)
{
    for (int i = 0; i < 3; i++) {
        char *more = alloca((size_t)(16 + i * 48));
        memset(more, 2, 16);
        walk_next(d, depth);
        KEEP(more);
    }
}

SHAPE realigned(struct dancer *d, int depth)
{
    _Alignas(64) char local[128];
    KEEP(local);
    walk_next(d, depth);
    KEEP(local);
}

/* gcc keeps the way to the CFA in memory here: breg6 offset, deref. */
SHAPE realigned_with_alloca(struct dancer *d, int depth)
{
    _Alignas(64) char local[64];
    char *more = alloca((size_t)(24 + depth % 9 * 16));
    memset(more, 3, 24);
    KEEP(local);
    walk_next(d, depth);
    KEEP(local);
    KEEP(more);
}

SHAPE __attribute__((force_align_arg_pointer)) realigned_argument(struct dancer *d, int depth)
{
    char local[8 + depth % 5];
    KEEP(local);
    walk_next(d, depth);
    KEEP(local);
}

SHAPE large_frame(struct dancer *d, int depth)
{
    char local[100 * 1024];
    KEEP(local);
    walk_next(d, depth);
    KEEP(local);
}

FRAMED
large_with_frame_pointer(struct dancer *d, int depth)
{
    char local[70 * 1024];
    KEEP(local);
    walk_next(d, depth);
    KEEP(local);
}

static __attribute__((noinline, noclone)) int
many_arguments(struct dancer *d, int depth, int a, int b, int c, int e, int f, int g, int h, int i)
{
    walk_next(d, depth);
    return a + b + c + e + f + g + h + i;
}

SHAPE pushes_arguments(struct dancer *d, int depth)
{
    int sum = many_arguments(d, depth, 1, 2, 3, 4, 5, 6, 7, depth);
    sum += many_arguments(d, depth, 8, 7, 6, 5, 4, 3, sum, depth);
    KEEP((intptr_t)sum);
}

/* ---- through the C library ---- */

static int compare_dancing(const void *a, const void *b)
{
    int depth = walk_depth;
    walk_next(walk_dancing, depth);
    walk_depth = depth;
    return *(const int *)a - *(const int *)b;
}

SHAPE through_qsort(struct dancer *d, int depth)
{
    int items[] = {3, 1, 2};
    walk_dancing = d;
    walk_depth = depth;
    qsort(items, 3, sizeof items[0], compare_dancing);
    KEEP(items);
}

SHAPE through_bsearch(struct dancer *d, int depth)
{
    int items[] = {1, 2, 3}, key = 2;
    walk_dancing = d;
    walk_depth = depth;
    KEEP(bsearch(&key, items, 3, sizeof items[0], compare_dancing));
}

static void handle_dancing(int number)
{
    int depth = walk_depth;
    (void)number;
    walk_next(walk_dancing, depth);
    walk_depth = depth;
}

/* SIGUSR1's handler runs on this stack, SIGUSR2's on the alternate one (where there is one). */
SHAPE through_signal(struct dancer *d, int depth)
{
    walk_dancing = d;
    walk_depth = depth;
    raise(SIGUSR1);
    KEEP(d);
}

/* Once at a time: from a coroutine the kernel would begin at the stack's top again. */
SHAPE through_alternate_stack(struct dancer *d, int depth)
{
    static __thread volatile sig_atomic_t in_use;
    if (in_use)
        return;
    in_use = 1;
    walk_dancing = d;
    walk_depth = depth;
    raise(SIGUSR2);
    in_use = 0;
}

/* A call that never comes back is the last instruction: the return address is another function's.
 */
static _Noreturn __attribute__((noinline, noclone)) void jump_back(struct dancer *d, int depth,
                                                                   jmp_buf *back)
{
    walk_next(d, depth);
    longjmp(*back, 1);
}

static _Noreturn __attribute__((noinline, noclone)) void end_with_call(struct dancer *d, int depth,
                                                                       jmp_buf *back)
{
    char local[200];
    KEEP(local);
    jump_back(d, depth, back);
}

SHAPE through_longjmp(struct dancer *d, int depth)
{
    jmp_buf back;
    if (!setjmp(back))
        end_with_call(d, depth, &back);
    KEEP(d);
}

/* ---- hand-written, with CFI; the last three have no simple rule ---- */

void asm_pushes(struct dancer *d, int depth);
void asm_remembers(struct dancer *d, int depth);
void asm_other_base(struct dancer *d, int depth);
void asm_expression(struct dancer *d, int depth);
void asm_register(struct dancer *d, int depth);

__asm__(".text\n"
        "asm_pushes: .cfi_startproc\n"
        "  push %rbp\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset %rbp, 0\n"
        "  push %rbx\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset %rbx, 0\n"
        "  sub $8, %rsp\n .cfi_adjust_cfa_offset 8\n"
        "  mov $0x77, %ebp\n" /* a general register here, no frame pointer */
        "  call walk_next\n"
        "  add $8, %rsp\n .cfi_adjust_cfa_offset -8\n"
        "  pop %rbx\n .cfi_adjust_cfa_offset -8\n .cfi_restore %rbx\n"
        "  pop %rbp\n .cfi_adjust_cfa_offset -8\n .cfi_restore %rbp\n"
        "  ret\n .cfi_endproc\n"

        "asm_remembers: .cfi_startproc\n"
        "  sub $24, %rsp\n .cfi_adjust_cfa_offset 24\n"
        "  test $1, %esi\n jnz 1f\n"
        "  .cfi_remember_state\n"
        "  add $24, %rsp\n .cfi_adjust_cfa_offset -24\n"
        "  ret\n"
        "1: .cfi_restore_state\n"
        "  call walk_next\n"
        "  add $24, %rsp\n .cfi_adjust_cfa_offset -24\n"
        "  ret\n .cfi_endproc\n"

        "asm_other_base: .cfi_startproc\n"
        "  push %rbx\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset %rbx, 0\n"
        "  mov %rsp, %rbx\n .cfi_def_cfa_register %rbx\n"
        "  sub $64, %rsp\n"
        "  call walk_next\n"
        "  mov %rbx, %rsp\n .cfi_def_cfa_register %rsp\n"
        "  pop %rbx\n .cfi_adjust_cfa_offset -8\n .cfi_restore %rbx\n"
        "  ret\n .cfi_endproc\n"

        "asm_expression: .cfi_startproc\n"
        "  sub $8, %rsp\n .cfi_escape 0x0f, 2, 0x77, 16\n" /* CFA: breg7 16 */
        "  call walk_next\n"
        "  add $8, %rsp\n .cfi_def_cfa %rsp, 8\n"
        "  ret\n .cfi_endproc\n"

        "asm_register: .cfi_startproc\n"
        "  push %r12\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset %r12, 0\n"
        "  mov %rbp, %r12\n .cfi_register %rbp, %r12\n"
        "  mov $5, %ebp\n"
        "  call walk_next\n"
        "  mov %r12, %rbp\n .cfi_restore %rbp\n"
        "  pop %r12\n .cfi_adjust_cfa_offset -8\n .cfi_restore %r12\n"
        "  ret\n .cfi_endproc\n");

/* Like the end of a realigned function in gcc's CFI: the frame pointer is the caller's again, but
 * still said to be saved where it points to; in its caller it is a general register. */
void asm_stale_rule(struct dancer *d, void (*callback)(struct dancer *));

__asm__(".text\n"
        "asm_stale_rule: .cfi_startproc\n"
        "  push %rbp\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset %rbp, 0\n"
        "  mov $0x77, %ebp\n"
        "  call asm_stale_inner\n"
        "  pop %rbp\n .cfi_adjust_cfa_offset -8\n .cfi_restore %rbp\n"
        "  ret\n .cfi_endproc\n"
        "asm_stale_inner: .cfi_startproc\n"
        "  sub $8, %rsp\n .cfi_adjust_cfa_offset 8\n"
        "  .cfi_escape 0x10, 6, 2, 0x76, 0\n" /* rbp: saved at breg6 0 */
        "  call *%rsi\n"
        "  add $8, %rsp\n .cfi_adjust_cfa_offset -8\n"
        "  ret\n .cfi_endproc\n");

/* ---- a coroutine ---- */

struct coroutine {
    ucontext_t here, there;
    struct dancer *dancer;
    int depth;
    char stack[4 << 20];
};

static void coroutine_main(unsigned high, unsigned low)
{
    struct coroutine *c = (struct coroutine *)((uintptr_t)high << 32 | low);
    walk_next(c->dancer, c->depth);
    swapcontext(&c->there, &c->here); /* the caller goes on; then we do */
    walk_next(c->dancer, c->depth);
}

SHAPE through_coroutine(struct dancer *d, int depth)
{
    struct coroutine *c = malloc(sizeof *c);
    c->dancer = d;
    c->depth = depth;
    getcontext(&c->there);
    c->there.uc_stack.ss_sp = c->stack;
    c->there.uc_stack.ss_size = sizeof c->stack;
    c->there.uc_link = &c->here;
    makecontext(&c->there, (void (*)(void))coroutine_main, 2, (unsigned)((uintptr_t)c >> 32),
                (unsigned)(uintptr_t)c);
    swapcontext(&c->here, &c->there);
    walk_next(d, depth);
    swapcontext(&c->here, &c->there);
    free(c);
}

/* Known to the last instruction: gcc's CFI has the frame pointer wrong in the epilogues of
 * realigned. */
#define STEADY_SHAPES                                                                              \
    plain, with_frame_pointer, busy, with_array, with_alloca, large_frame,                         \
        large_with_frame_pointer, pushes_arguments, asm_pushes, asm_remembers
#define SIMPLE_SHAPES STEADY_SHAPES, realigned, realigned_with_alloca, realigned_argument

static shape *const steady_shapes[] = {STEADY_SHAPES};
static shape *const simple_shapes[] = {SIMPLE_SHAPES};
static shape *const all_shapes[] = {
    SIMPLE_SHAPES,           through_qsort,  through_bsearch, through_signal, through_longjmp,
    through_alternate_stack, asm_other_base, asm_expression,  asm_register,   through_coroutine};

#endif
