/* walk.c - the walk by memo and by rules. */
#include "walk.h"
#include "hook.h"
#include "spool.h"
#include "step.h"
#include "sys.h"
#include "walk_numbers.h"

#include <string.h>

/* ---- the memo's memory ---- */

#define FIRST_CAPACITY 84 /* with the header, two pages */

static struct memo_frame *memo_scratch(const struct memo *m)
{
    return m->block->frames + (m->flipped ? 0 : m->block->capacity);
}

static inline uint32_t memo_capacity(const struct memo *m)
{
    return m->block ? m->block->capacity : 0;
}

static size_t block_bytes(uint32_t capacity)
{
    return sizeof(struct memo_block) + 2 * sizeof(struct memo_frame) * capacity;
}

static __attribute__((noinline)) int memo_grow(struct memo *m)
{
    struct memo_block *old = m->block;
    uint32_t capacity = old ? old->capacity * 4 : FIRST_CAPACITY;
    if (capacity > WALK_DEPTH_MAX * 2 || !numbers_begin(m))
        return -1;
    struct memo_block *fresh = sys_pages(block_bytes(capacity));
    if (!fresh)
        return -1;
    fresh->capacity = capacity;
    if (old) {
        memcpy(fresh->frames, old->frames, sizeof *old->frames * old->capacity);
        memcpy(fresh->frames + capacity, old->frames + old->capacity,
               sizeof *old->frames * old->capacity);
    }
    m->block = fresh;
    if (old)
        sys_unmap(old, block_bytes(old->capacity));
    return 0;
}

void walk_reset(struct memo *m)
{
    walk_forget(m);
    numbers_clear(m);
    walk_cache_clear(m);
}

/* ---- the thread's own stack ---- */

#define GROWTH_MAX (1u << 20) /* a stack further away than this may well be another one */

/* The thread stands deeper than ever before, or on a stack that lies below its own. */
static __attribute__((noinline)) void stack_grow(struct memo *m, uintptr_t sp)
{
    uintptr_t low = (sp - 8) & ~(uintptr_t)(SYS_PAGE - 1);
    if (!sys_may(SYS_KIND_PROBE))
        return;
    for (uintptr_t page = low; page < m->stack_low; page += SYS_PAGE)
        if (!sys_readable(page)) {
            m->stack_hole = page;
            return;
        }
    m->stack_low = low;
}

static inline int is_growth(const struct memo *m, uintptr_t sp)
{
    return m->stack_low - sp < GROWTH_MAX && sp < m->stack_low && sp > m->stack_hole;
}

void walk_new_stack(struct memo *m, uintptr_t sp, uintptr_t end)
{
    m->stack_hole = 0;
    if (m->stack_end != end)
        walk_cache_clear(m);
    m->stack_end = end;
    m->stack_low = (end + SYS_PAGE - 1) & ~(uintptr_t)(SYS_PAGE - 1);
    if (is_growth(m, sp))
        stack_grow(m, sp);
    if (m->stack_low > end)
        m->stack_low = end;
}

/* ---- joining the old stack ---- */

/* Compares the old walk's slots from frame j outwards: returns the index of the first frame whose
 * slots have changed, or -1. Reads only what a walk would read, in the same order. */
static inline int32_t verify(const struct memo_frame *f, int32_t j)
{
    int32_t k = j - 1;
    for (; k >= 0; k--) {
        if (f[k].reached || *(const uintptr_t *)(f[k].sp + ARCH_RA_OFFSET) != f[k].pc)
            break;
        if (f[k].fp_matters && f[k].fp_below &&
            *(const uintptr_t *)(f[k].sp - f[k].fp_below) != f[k].fp)
            break;
    }
    return k;
}

/* Would a walk end where the old one did, if it came to its outermost frame? */
static inline int ends_alike(const struct memo *m)
{
    return m->end_slot == 0 ||
           (m->end_slot != MEMO_NO_END && *(const uintptr_t *)m->end_slot == m->end_word);
}

/* Only fp may differ, and nobody reads that: such a frame need not be written anew. */
static inline int is_same_frame(const struct memo_frame *a, const struct memo_frame *b)
{
    return a->pc == b->pc && a->sp == b->sp && a->id == b->id;
}

/* The frame stays, and its number with it. */
static inline void keep_number(struct memo_frame *fresh, const struct memo_frame *old)
{
    fresh->number = old->number;
    fresh->outer = old->outer;
}

#define GAP_MIN (8u << 10) /* few frames are larger */

/* May the way to the caller lead to another stack? A function that changes stacks must find its own
 * by fp, and mostly goes far. */
static inline int is_gap(const struct memo_frame *f, uint32_t i)
{
    return f[i].uses_fp && f[i - 1].sp - f[i].sp > GAP_MIN;
}

/* Where a stack ends, it may be another one's base that the thread's own goes on behind. */
int walk_leads_over_gaps(const struct memo *m, uint32_t most)
{
    const struct memo_frame *f = memo_frames(m);
    uint32_t gaps = m->stack_end - f[0].sp > GAP_MIN;
    return f[m->count - 1].gaps + gaps > most;
}

/* What follows from the frame and its caller. */
static inline void settle_frame(struct memo_frame *f, uint32_t i)
{
    f[i].fp_matters = f[i].uses_fp || (i > 0 && f[i - 1].fp_below == 0 && f[i - 1].fp_matters);
    f[i].gaps = 0;
    if (i > 0)
        f[i].gaps = (uint16_t)(f[i - 1].gaps + (f[i - 1].gaps < UINT16_MAX && is_gap(f, i)));
}

/* Scratch holds a whole stack, leaf first: turns it round and makes it the memo. */
static struct walk replace(struct memo *m, uint32_t n)
{
    struct memo_frame *fresh = memo_scratch(m);
    const struct memo_frame *old = memo_frames(m);
    struct walk w = {.before = m->count};
    for (uint32_t i = 0; i < n / 2; i++) {
        struct memo_frame swap = fresh[i];
        fresh[i] = fresh[n - 1 - i];
        fresh[n - 1 - i] = swap;
    }
    for (; w.keep < m->count && w.keep < n && is_same_frame(&old[w.keep], &fresh[w.keep]); w.keep++)
        keep_number(&fresh[w.keep], &old[w.keep]);
    for (uint32_t i = 0; i < n; i++)
        settle_frame(fresh, i);
    m->flipped = !m->flipped;
    m->count = n;
    w.push = n - w.keep;
    return w;
}

/* The memo's frames 0..j stand, as do `same` of the n after them, which are in place by now. */
static inline struct walk joined(struct memo *m, int32_t j, uint32_t n, uint32_t same)
{
    struct walk w = {.keep = (uint32_t)j + 1 + same, .push = n - same, .before = m->count};
    m->count = (uint32_t)j + 1 + n;
    return w;
}

/* Frames 0..j of the memo stand; scratch holds the n new ones, leaf first. */
static struct walk join(struct memo *m, int32_t j, uint32_t n)
{
    struct memo_frame *f = memo_frames(m), *to = f + j + 1;
    struct memo_frame *fresh = memo_scratch(m) + n;
    uint32_t old = m->count - (uint32_t)(j + 1), same = 0;
    for (uint32_t i = 0; i < n; i++) {
        fresh--;
        if (same == i && i < old && is_same_frame(&to[i], fresh)) {
            keep_number(fresh, &to[i]);
            same++;
        }
        to[i] = *fresh;
        settle_frame(f, (uint32_t)j + 1 + i);
    }
    return joined(m, j, n, same);
}

/* ---- the walk ---- */

/* Notes the frame at s among the new ones. */
static inline void note(struct memo_frame *to, const struct stepper *s, uint64_t rule)
{
    to->pc = s->r.pc;
    to->sp = s->r.sp;
    to->fp = s->r.fp;
    to->id = rule_word_id(rule);
    to->number = 0;
    to->part = 0;
    to->fp_below = s->fp_below;
    to->reached = (uint8_t)s->reached;
    to->uses_fp = (uint8_t)rule_uses_fp(rule);
}

/* A walk's progress: at s, with n frames in scratch; it may still meet frames 0..j of the memo. */
struct progress {
    struct stepper s;
    int32_t j;
    uint32_t n;
};

/* Has a walk reached this frame of the memo? */
static inline int meets(const struct memo_frame *f, const struct registers *r)
{
    return f->sp == r->sp && f->pc == r->pc && (f->fp == r->fp || !f->fp_matters) &&
           f->reached != REACHED_BY_SIGNAL;
}

static inline int32_t skip_inner(const struct memo_frame *f, int32_t j, uintptr_t sp)
{
    while (j >= 0 && f[j].sp < sp)
        j--;
    return j;
}

/* The frame that was met is now reached another way. */
static inline void reach(struct memo_frame *f, uintptr_t fp, uint32_t fp_below, uint32_t reached)
{
    f->fp = fp;
    f->fp_below = (uint16_t)fp_below;
    f->reached = (uint8_t)reached;
}

/* Room for a frame, the memo's frames after it, and the mark of an unknown rest. */
static inline int has_room(const struct memo *m, uint32_t n, int32_t j)
{
    return n + 2 + (uint32_t)(j + 1) <= memo_capacity(m);
}

/* Takes one step from p->s, which is noted in scratch. */
static inline enum step step_and_note(struct memo *m, struct progress *p, uint32_t generation)
{
    uint64_t rule = rule_find(p->s.r.pc, p->s.exact, generation);
    note(&memo_scratch(m)[p->n++], &p->s, rule);
    return take_step(&p->s, rule);
}

/* A walk that came to its end, at s: did a word end it, or a rule? */
static void note_end(struct memo *m, const struct stepper *s, enum step result)
{
    int by_word = result == STEP_END && s->r.pc < SPOOL_PAGE;
    int is_known = s->reached == REACHED_BY_SLOTS;
    m->end_slot = !by_word ? 0 : is_known ? s->r.sp + ARCH_RA_OFFSET : MEMO_NO_END;
    m->end_word = s->r.pc;
}

/* Walks on from p, frame by frame. */
static struct walk walk_by_rules(struct memo *m, struct progress *p, uint32_t generation)
{
    enum step result = STEP_ON;
    while (result == STEP_ON) {
        if (__builtin_expect(!has_room(m, p->n, p->j), 0) &&
            (memo_capacity(m) > WALK_DEPTH_MAX || memo_grow(m) < 0)) {
            result = STEP_UNKNOWN;
            break;
        }
        struct memo_frame *f = memo_frames(m);
        p->j = skip_inner(f, p->j, p->s.r.sp);
        if (p->j >= 0 && meets(&f[p->j], &p->s.r) && !p->s.exact) {
            int32_t k = verify(f, p->j);
            if (__builtin_expect(k < 0 && ends_alike(m), 1)) {
                reach(&f[p->j], p->s.r.fp, p->s.fp_below, p->s.reached);
                return join(m, p->j, p->n);
            }
            p->j = k;
        }
        result = step_and_note(m, p, generation);
    }
    if (!memo_capacity(m))
        return (struct walk){0, 0, m->count};
    note_end(m, &p->s, result);
    if (result == STEP_UNKNOWN)
        memo_scratch(m)[p->n++] = (struct memo_frame){
            .sp = UINTPTR_MAX, .id = SPOOL_FRAME_UNKNOWN, .reached = REACHED_OTHERWISE};
    return replace(m, p->n);
}

struct walk walk_stack(struct memo *m, uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    struct progress p; /* no initialiser, which would first write all of it */

    p.j = m->generation == generation ? (int32_t)m->count - 1 : -1;
    p.n = 0;
    m->generation = generation;
    if (__builtin_expect(is_growth(m, sp), 0))
        stack_grow(m, sp);
    p.s = stepper_at((struct registers){pc, sp, fp}, m->stack_low, m->stack_end);
    return walk_by_rules(m, &p, generation);
}

enum walk_found walk_finds(const struct memo *m, struct registers from, uintptr_t sp, uintptr_t pc)
{
    struct stepper s = stepper_at(from, m->stack_low, m->stack_end);
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    for (uint32_t n = 0; n < WALK_DEPTH_MAX; n++) {
        enum step result = take_step(&s, rule_find(s.r.pc, s.exact, generation));
        if (result != STEP_ON)
            return result == STEP_END ? WALK_NOT_FOUND : WALK_UNKNOWN;
        if (s.r.sp == sp && s.r.pc == pc)
            return WALK_FOUND;
    }
    return WALK_UNKNOWN;
}

#define NEAR_CALLERS 64 /* no allocator calls itself as often, and a deeper look would be dear */

int walk_meets_hook(const struct memo *m, struct registers from)
{
    struct stepper s = stepper_at(from, m ? m->stack_low : 0, m ? m->stack_end : 0);
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    for (uint32_t n = 0; n < NEAR_CALLERS && !s.exact; n++) {
        if (hook_has(s.r.pc))
            return 1;
        if (take_step(&s, rule_find(s.r.pc, 0, generation)) != STEP_ON)
            return 0;
    }
    return 0;
}
