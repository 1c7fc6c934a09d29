/*
 * step.h - one step of a walk: from a frame's registers to those of its caller.
 *
 * For the memo (walk.h) a step also reports how it found the caller's registers: the frame
 * pointer's slot, and whether two slots are all that the step depended on.
 *
 * Any thread, any signal handler. Reads only what the rule says, below the stack's end where that
 * is known.
 */
#ifndef MPROF_STEP_H
#define MPROF_STEP_H

#include "arch_x86_64.h"
#include "rules.h"
#include "spool.h"
#include "sys.h"

enum step { STEP_ON, STEP_END, STEP_UNKNOWN };

/* How a frame's registers were found. */
enum reached {
    REACHED_BY_SLOTS = 0, /* by the return address's slot, and fp's where fp_below says so */
    REACHED_OTHERWISE = 1,
    REACHED_BY_SIGNAL = 2 /* the pc itself was executing: it is no return address */
};

struct stepper {
    struct registers r;
    uint16_t fp_below;    /* r.sp - address of the slot that held fp; 0: fp was not restored */
    uint16_t reached;     /* enum reached */
    int exact;            /* r.pc itself was executing */
    uintptr_t stack_end;  /* end of the stack that r is on, UINTPTR_MAX unknown */
    uintptr_t thread_end; /* end of the thread's own stack, 0 unknown */
    uintptr_t thread_low; /* from here to thread_end everything can be read */
};

static inline uintptr_t stack_end_for(uintptr_t thread_end, uintptr_t sp)
{
    return sp < thread_end && thread_end - sp < 1u << 30 ? thread_end : UINTPTR_MAX;
}

/* thread_low, thread_end: of the calling thread's own stack, as in struct memo. */
static inline struct stepper stepper_at(struct registers from, uintptr_t thread_low,
                                        uintptr_t thread_end)
{
    return (struct stepper){.r = from,
                            .reached = REACHED_OTHERWISE,
                            .stack_end = stack_end_for(thread_end, from.sp),
                            .thread_end = thread_end,
                            .thread_low = thread_low};
}

/*
 * May the slot be read? Yes on the thread's own stack, and in the page of the slot just below r.sp.
 * Elsewhere (coroutines, alternate stacks) nobody knows where memory ends, and a rule may be wrong
 * there: code that switches stacks by hand mostly has call frame information that does not say so.
 */
static inline int may_read(const struct stepper *s, uintptr_t slot)
{
    return __builtin_expect(slot - s->thread_low < s->thread_end - s->thread_low, 1) ||
           (slot ^ (s->r.sp - 8)) < SYS_PAGE || !sys_may(SYS_KIND_PROBE) ||
           sys_readable(slot & ~7ul);
}

/* Does a step by this rule depend on fp, beyond handing it on? */
static inline int rule_uses_fp(uint64_t rule)
{
    return rule_word_kind(rule) != RULE_STEP || rule_word_base_fp(rule) ||
           rule_word_fp_saved(rule) == FP_SAVED_AT_FP;
}

/* Steps by any kind of rule but the plain one. */
enum step step_rare(struct stepper *s, uint64_t rule);

/* Steps by the plain rule: CFA = sp or fp + offset; fp is at the CFA + offset, or unchanged. */
static inline enum step take_step(struct stepper *s, uint64_t rule)
{
    uintptr_t cfa = rule_word_base_fp(rule) ? s->r.fp : s->r.sp;
    if (__builtin_expect(rule_word_kind(rule) != RULE_STEP ||
                             rule_word_fp_saved(rule) == FP_SAVED_AT_FP || s->exact,
                         0))
        return step_rare(s, rule);
    cfa += (uintptr_t)rule_word_cfa_offset(rule);
    if (__builtin_expect(cfa <= s->r.sp || cfa > s->stack_end || cfa % 8 != 0, 0))
        return STEP_UNKNOWN;
    intptr_t fp_offset = rule_word_fp_offset(rule);
    if (__builtin_expect(!may_read(s, cfa + ARCH_RA_OFFSET), 0))
        return STEP_UNKNOWN;
    s->fp_below = 0;
    s->reached = REACHED_BY_SLOTS;
    if (rule_word_fp_saved(rule)) {
        if (__builtin_expect(fp_offset >= 0 || fp_offset <= -65536, 0))
            return step_rare(s, rule);
        if (__builtin_expect(!may_read(s, cfa + (uintptr_t)fp_offset), 0))
            return STEP_UNKNOWN;
        s->fp_below = (uint16_t)-fp_offset;
        s->r.fp = *(const uintptr_t *)(cfa + (uintptr_t)fp_offset);
    }
    s->r.pc = *(const uintptr_t *)(cfa + ARCH_RA_OFFSET);
    s->r.sp = cfa;
    return __builtin_expect(s->r.pc < SPOOL_PAGE, 0) ? STEP_END : STEP_ON;
}

#endif
