/* step.c - the steps other than the plain one. */
#include "step.h"
#include "unwind.h"

#define FRAME_MAX (64u << 10) /* a frame-pointer step further than this is not believed */

static enum step step_by_frame_pointer(struct stepper *s)
{
    uintptr_t fp = s->r.fp;
    /* By the ABI the outermost frame's fp is 0 (old crt1.o files have no CFI for _start). ld.so's
     * own start code, which calls the constructors, has no CFI either. */
    if (fp == 0 || s->r.pc - loader_start < loader_end - loader_start)
        return STEP_END;
    if (s->stack_end == UINTPTR_MAX || fp < s->r.sp || fp - s->r.sp > FRAME_MAX || fp % 8 != 0 ||
        fp > s->stack_end - 16 || !may_read(s, fp) || !may_read(s, fp + 8))
        return STEP_UNKNOWN;
    s->r = arch_frame_pointer_step(s->r);
    s->fp_below = 16;
    s->reached = REACHED_BY_SLOTS;
    return s->r.pc < SPOOL_PAGE ? STEP_UNKNOWN : STEP_ON;
}

static enum step step_by_rule(struct stepper *s, uint64_t rule)
{
    enum fp_saved fp_saved = rule_word_fp_saved(rule);
    uintptr_t base = rule_word_base_fp(rule) ? s->r.fp : s->r.sp;
    uintptr_t at = base + (uintptr_t)rule_word_cfa_offset(rule);
    uintptr_t cfa = at;
    if (rule_word_kind(rule) == RULE_DEREF) {
        if (at < s->r.sp || at >= s->stack_end || !may_read(s, at))
            return STEP_UNKNOWN;
        cfa = *(const uintptr_t *)at;
    }
    if (cfa <= s->r.sp || cfa > s->stack_end || cfa % 8 != 0 || !may_read(s, cfa + ARCH_RA_OFFSET))
        return STEP_UNKNOWN;
    uintptr_t fp_slot = fp_saved == FP_SAVED_AT_FP ? s->r.fp : cfa;
    fp_slot += (uintptr_t)rule_word_fp_offset(rule);
    s->reached = rule_word_kind(rule) == RULE_DEREF ? REACHED_OTHERWISE : REACHED_BY_SLOTS;
    s->fp_below = 0;
    /* A slot outside the frame: gcc's CFI still names it after the `pop %rbp` of a function that
     * realigned its stack, where a signal may strike. By then fp is the caller's. */
    if (fp_saved == FP_SAVED_AT_FP && (fp_slot < s->r.sp || fp_slot > cfa - 16)) {
        s->reached = REACHED_OTHERWISE;
    } else if (fp_saved) {
        if (!may_read(s, fp_slot))
            return STEP_UNKNOWN;
        if (fp_slot >= cfa || fp_slot + 65536 <= cfa)
            s->reached = REACHED_OTHERWISE;
        else
            s->fp_below = (uint16_t)(cfa - fp_slot);
        s->r.fp = *(const uintptr_t *)fp_slot;
    }
    s->r.pc = *(const uintptr_t *)(cfa + ARCH_RA_OFFSET);
    s->r.sp = cfa;
    return s->r.pc < SPOOL_PAGE ? STEP_END : STEP_ON;
}

static enum step step_over_signal(struct stepper *s)
{
    s->r = arch_signal_step(s->r);
    s->fp_below = 0;
    s->reached = REACHED_BY_SIGNAL;
    s->stack_end = stack_end_for(s->thread_end, s->r.sp); /* the handler may have had another */
    s->exact = 1;
    return STEP_ON;
}

enum step step_rare(struct stepper *s, uint64_t rule)
{
    s->exact = 0;
    switch (rule_word_kind(rule)) {
    case RULE_STEP:
    case RULE_DEREF:
        return step_by_rule(s, rule);
    case RULE_SIGNAL:
        return step_over_signal(s);
    case RULE_END:
        return STEP_END;
    case RULE_NONE:
        return step_by_frame_pointer(s);
    default:
        s->fp_below = 0;
        s->reached = REACHED_OTHERWISE;
        return unwind_step(&s->r) ? STEP_ON : STEP_UNKNOWN;
    }
}
