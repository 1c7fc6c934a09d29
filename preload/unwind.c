/* unwind.c - what libunwind is asked, and the care that takes. */
#include "unwind.h"
#include "sys.h"
#include "thread.h"
#include "unwind_space.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>

static int ready;

#define STACK_BYTES (64u << 10)

static void open_here(void *unused)
{
    (void)unused;
    __atomic_store_n(&ready, unwind_space_open(), __ATOMIC_RELEASE);
}

/* dlopen takes some KiB of stack, which a program may not have. */
void unwind_open(void)
{
    uintptr_t before = own_begin();
    uint8_t *stack = sys_pages(STACK_BYTES);
    if (stack) {
        arch_call_on_stack(open_here, NULL, stack + STACK_BYTES);
        sys_unmap(stack, STACK_BYTES);
    }
    own_end(before);
}

/* ---- one thread at a time ---- */

static uint32_t taken;  /* 0 free, 1 taken, 2 taken and waited for */
static uintptr_t owner; /* the holder's tls, which no other thread has */

/* How long a very busy machine may keep the holder from going on. */
#define WAIT_NS 2000000000ull

/* Does the calling thread hold it? */
static int is_mine(void)
{
    return __atomic_load_n(&taken, __ATOMIC_RELAXED) &&
           __atomic_load_n(&owner, __ATOMIC_RELAXED) == (uintptr_t)&tls;
}

static int take(void)
{
    struct timespec moment = {0, 20000000};
    uint32_t none = 0;
    if (is_mine())
        return 0;
    if (!__atomic_compare_exchange_n(&taken, &none, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        uint64_t end = sys_clock_ns(CLOCK_MONOTONIC) + WAIT_NS;
        while (__atomic_exchange_n(&taken, 2, __ATOMIC_ACQUIRE) != 0) {
            if (sys_clock_ns(CLOCK_MONOTONIC) > end)
                return 0;
            SYS_CALL(SYS_futex, &taken, FUTEX_WAIT_PRIVATE, 2, &moment, 0, 0);
        }
    }
    __atomic_store_n(&owner, (uintptr_t)&tls, __ATOMIC_RELAXED);
    return 1;
}

static void give_back(void)
{
    __atomic_store_n(&owner, 0, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&taken, 0, __ATOMIC_RELEASE) == 2)
        SYS_CALL(SYS_futex, &taken, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

void unwind_fork_begin(void)
{
    if (sys_may(SYS_KIND_UNWIND))
        take();
}

void unwind_fork_end(void)
{
    if (is_mine())
        give_back();
}

void unwind_after_fork(void)
{
    if (!taken || is_mine())
        return;
    ready = 0; /* its locks and lists are as the fork found them */
    owner = 0;
    taken = 0; /* whoever had it does not live here */
}

/* ---- a visit, on a stack of our own ---- */

struct unwind_view {
    unw_cursor_t cursor;
};

struct visit {
    struct unwind_visitor visitor;
    struct unwind_view view;
    struct registers from;
    unwind_show *show;
    void *shown_to;
    int steps_max; /* to `from` */
    enum unwound result;
};

int unwind_has_information(const struct unwind_view *view)
{
    unw_proc_info_t info;
    /* libunwind also answers for code it knows nothing about: one byte, at the pc. */
    return unwind_get_procedure((unw_cursor_t *)&view->cursor, &info) == 0 &&
           info.end_ip > info.start_ip + 1;
}

static int look(struct visit *v, unw_word_t *pc, unw_word_t *sp)
{
    return unwind_get_register(&v->view.cursor, UNW_REG_IP, pc) == 0 &&
           unwind_get_register(&v->view.cursor, UNW_REG_SP, sp) == 0;
}

static int come_to_from(struct visit *v)
{
    unw_word_t pc, sp;
    for (int n = 0; n < v->steps_max && unwind_step_cursor(&v->view.cursor) > 0; n++) {
        if (!look(v, &pc, &sp))
            return 0;
        if (pc == v->from.pc && sp == v->from.sp)
            return 1;
    }
    return 0;
}

/* libunwind shows whatever it reads as a return address, even at the end (0) and where a signal
 * struck while setcontext was exchanging registers. No code lies in the first page. */
#define CODE_MIN 4096

static void go_on(struct visit *v)
{
    unw_word_t pc = v->from.pc, sp = v->from.sp;
    v->result = UNWOUND_ENOUGH;
    while (v->show(v->shown_to, pc, sp, &v->view))
        if (unwind_step_cursor(&v->view.cursor) <= 0 || !look(v, &pc, &sp) || pc < CODE_MIN) {
            v->result = UNWOUND_END;
            return;
        }
}

static void pay(void *argument)
{
    struct visit *v = argument;
    uintptr_t before = tls.own;
    tls.own = 0; /* if it is set, a jump out of our own work left it so, on another stack */
    own_begin();
    if (unwind_space_enter(&v->view.cursor, &v->visitor) && come_to_from(v))
        go_on(v);
    own_end(before);
}

/* The visit starts in this function's frame, which stays until it is over. */
static __attribute__((noinline)) void visit(struct visit *v)
{
    arch_save(v->visitor.registers);
    arch_call_on_stack(pay, v, (uint8_t *)v + STACK_BYTES);
}

static enum unwound ask(struct registers from, int steps_max, unwind_show *show, void *context)
{
    enum unwound result = UNWOUND_NOT;
    if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE) || !sys_may(SYS_KIND_UNWIND) || own_work())
        return UNWOUND_NOT;
    int saved_errno = errno;
    struct sys_held held = sys_hold_signals();
    if (take()) {
        static struct visit *v; /* at the low end of the stack that it runs on */
        if (!v)
            v = sys_pages(STACK_BYTES);
        if (v) {
            v->from = from;
            v->steps_max = steps_max;
            v->show = show;
            v->shown_to = context;
            v->result = UNWOUND_NOT;
            visit(v);
            result = v->result;
        }
        give_back();
    }
    sys_release_signals(held);
    errno = saved_errno;
    return result;
}

#define OWN_FRAMES_MAX 32 /* from a hook to here */

enum unwound unwind_stack(struct registers from, unwind_show *show, void *context)
{
    return ask(from, OWN_FRAMES_MAX, show, context);
}

/* Without a limit a deep stack would take longer than the timer that interrupts it, every time. */
#define STEPS_MAX 1024

struct one_step {
    struct registers r;
    int seen; /* frames: the one to step from, and its caller */
};

static int take_second(void *context, uintptr_t pc, uintptr_t sp, const struct unwind_view *view)
{
    struct one_step *s = context;
    unw_word_t fp;
    if (!s->seen++)
        return 1;
    if (sp <= s->r.sp ||
        unwind_get_register((unw_cursor_t *)&view->cursor, ARCH_DWARF_FP, &fp) != 0)
        return 0;
    s->r = (struct registers){.pc = pc, .sp = sp, .fp = fp};
    s->seen++;
    return 0;
}

int unwind_step(struct registers *r)
{
    struct one_step s = {.r = *r};
    ask(*r, STEPS_MAX, take_second, &s);
    if (s.seen < 3)
        return 0;
    *r = s.r;
    return 1;
}
