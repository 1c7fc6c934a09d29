/* cramped.c - see cramped.h. */
#include "cramped.h"
#include "sys.h"

#include <signal.h>

void cramped_note(struct thread *t)
{
    stack_t now = {.ss_flags = SS_DISABLE};
    if (sys_may(SYS_KIND_SELF))
        SYS_CALL(SYS_sigaltstack, 0, &now, 0, 0, 0, 0);
    int is_small = !(now.ss_flags & SS_DISABLE) && now.ss_size < CRAMPED_BYTES;
    t->alternate = is_small ? (uintptr_t)now.ss_sp : 0;
    t->alternate_bytes = is_small ? now.ss_size : 0;
}

/* ---- our stacks: some for all threads, as each is used for a moment ---- */

#define STACKS      8
#define STACK_BYTES (32u << 10)

static uint8_t *stacks[STACKS];
static uint32_t taken; /* a bit for each stack */

static uint8_t *stack_take(uint32_t *bit)
{
    for (unsigned i = 0; i < STACKS; i++) {
        *bit = 1u << i;
        if (__atomic_fetch_or(&taken, *bit, __ATOMIC_ACQUIRE) & *bit)
            continue;
        if (!stacks[i])
            stacks[i] = sys_pages(STACK_BYTES);
        return stacks[i];
    }
    *bit = 0;
    return sys_pages(STACK_BYTES);
}

static void stack_give_back(uint8_t *stack, uint32_t bit)
{
    if (bit)
        __atomic_fetch_and(&taken, ~bit, __ATOMIC_RELEASE);
    else if (stack)
        sys_unmap(stack, STACK_BYTES);
}

void cramped_after_fork(void)
{
    taken = 0;
}

/* ---- the call ---- */

static __attribute__((noinline)) int is_on_small_alternate(void)
{
    stack_t now = {0};
    if (!sys_may(SYS_KIND_SELF))
        return 0;
    SYS_CALL(SYS_sigaltstack, 0, &now, 0, 0, 0, 0);
    return (now.ss_flags & SS_ONSTACK) && now.ss_size < CRAMPED_BYTES;
}

struct call {
    void (*work)(void *);
    void *job;
};

/* Signals may come, as nothing may hold them back. Without an alternate stack their frames lie on
 * ours, and not on the handler that called us. */
static void without_alternate(void *argument)
{
    const struct call *c = argument;
    stack_t now, none = {.ss_flags = SS_DISABLE};
    SYS_CALL(SYS_sigaltstack, &none, &now, 0, 0, 0, 0);
    c->work(c->job);
    SYS_CALL(SYS_sigaltstack, &now, 0, 0, 0, 0, 0);
}

static __attribute__((noinline)) void call_elsewhere(struct call *c)
{
    struct sys_held held = sys_hold_signals();
    uint32_t bit;
    uint8_t *stack = stack_take(&bit);
    if (stack && held.is_held)
        arch_call_on_stack(c->work, c->job, stack + STACK_BYTES);
    else if (stack)
        arch_call_on_stack(without_alternate, c, stack + STACK_BYTES);
    else
        c->work(c->job);
    stack_give_back(stack, bit);
    sys_release_signals(held);
}

void cramped_call(void (*work)(void *), void *job)
{
    struct call c = {work, job};
    int can_go = sys_may(SYS_KIND_SIGNALS) || sys_may(SYS_KIND_SELF);
    if (can_go && (tls.thread || is_on_small_alternate()))
        call_elsewhere(&c);
    else
        work(job);
}
