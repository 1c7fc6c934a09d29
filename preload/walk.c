/* walk.c - the walk by memo, by nodes and by rules. */
#include "walk.h"
#include "spool.h"
#include "step.h"
#include "sys.h"
#include "walk_nodes.h"

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
    if (capacity > WALK_DEPTH_MAX * 2 || (!m->nodes && !nodes_grow(m)))
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
    m->count = 0;
    nodes_clear(m);
}

/* ---- the thread's own stack ---- */

#define GROWTH_MAX (1u << 20) /* a stack that is further away may as well be another one */

/* The thread stands deeper than it ever did, or on a stack that lies below its own. */
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
    m->stack_end = end;
    m->stack_low = (end + SYS_PAGE - 1) & ~(uintptr_t)(SYS_PAGE - 1);
    if (is_growth(m, sp))
        stack_grow(m, sp);
    if (m->stack_low > end)
        m->stack_low = end;
}

/* ---- joining the old stack ---- */

/* How far out from frame j the old walk's slots still hold what they held: the index of the first
 * frame that does not, or -1. Reads only what a walk would read, in the order it would read it. */
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

/* Only the fp may differ, which nobody reads: such a frame need not be written anew. */
static inline int is_same_frame(const struct memo_frame *a, const struct memo_frame *b)
{
    return a->pc == b->pc && a->sp == b->sp && a->id == b->id;
}

/* The frame stays; what it is called stays with it. */
static inline void keep_number(struct memo_frame *fresh, const struct memo_frame *old)
{
    fresh->number = old->number;
    fresh->outer = old->outer;
}

static inline void set_fp_matters(struct memo_frame *f, uint32_t i)
{
    f[i].fp_matters = f[i].uses_fp || (i > 0 && f[i - 1].fp_below == 0 && f[i - 1].fp_matters);
}

/* Scratch holds a whole stack, leaf first: turn it round and make it the memo. */
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
        set_fp_matters(fresh, i);
    m->flipped = !m->flipped;
    m->count = n;
    w.push = n - w.keep;
    return w;
}

/* Frames 0..j of the memo stand; scratch holds the n new ones, leaf first. */
static inline struct walk join(struct memo *m, int32_t j, uint32_t n)
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
        set_fp_matters(f, (uint32_t)j + 1 + i);
    }
    struct walk w = {.keep = (uint32_t)j + 1 + same, .push = n - same, .before = m->count};
    m->count = (uint32_t)j + 1 + n;
    return w;
}

/* The walk came upon frame j of the memo, but further out than k the old walk no longer holds:
 * takes over frames j .. k+1 as new ones and leaves *s at k+1, to be walked on from there by its
 * rule. */
static uint32_t take_over(struct memo *m, uint32_t n, int32_t j, int32_t k, struct stepper *s)
{
    const struct memo_frame *f = memo_frames(m);
    struct memo_frame *scratch = memo_scratch(m);
    for (int32_t i = j; i > k; i--) {
        scratch[n] = f[i];
        if (i < j) {
            s->fp_below = f[i].fp_below;
            s->reached = f[i].reached;
            if (f[i].fp_below)
                s->r.fp = *(const uintptr_t *)(f[i].sp - f[i].fp_below);
        }
        scratch[n].fp = s->r.fp; /* what did not matter on the old way may do so on the new one */
        scratch[n].fp_below = s->fp_below;
        scratch[n++].reached = (uint8_t)s->reached;
    }
    n--;
    s->r.pc = scratch[n].pc;
    s->r.sp = scratch[n].sp;
    return n;
}

/* ---- the walk ---- */

/* Puts the frame at s into the list of new ones. */
static inline void note(struct memo_frame *to, const struct stepper *s, uint64_t rule)
{
    to->pc = s->r.pc;
    to->sp = s->r.sp;
    to->fp = s->r.fp;
    to->id = rule_word_id(rule);
    to->fp_below = s->fp_below;
    to->reached = (uint8_t)s->reached;
    to->uses_fp = (uint8_t)rule_uses_fp(rule);
}

/* The caller of x by what x knows; NULL with s->r its registers where another node is needed. */
static inline struct node *node_outer(struct memo *m, struct node *x, struct stepper *s,
                                      uint32_t generation)
{
    uintptr_t sp = x->outer_sp;
    s->r.pc = *(const uintptr_t *)(sp + ARCH_RA_OFFSET);
    s->r.sp = sp;
    s->fp_below = x->fp_below;
    s->reached = REACHED_BY_SLOTS;
    if (x->fp_below)
        s->r.fp = *(const uintptr_t *)(sp - x->fp_below);
    struct node *outer = &m->nodes[x->next];
    if (__builtin_expect(is_node_of(outer, &s->r, generation), 1))
        return outer;
    x->next = node_place(m, s->r.pc, sp);
    return NULL;
}

/* A plain step by x's rule; what it found is x's from now on. A frame-pointer step (JIT code) is
 * only as good as the stack's bounds, so it is made anew each time. */
static inline enum step step_from_node(struct memo *m, struct node *x, struct stepper *s)
{
    enum step result = take_step(s, x->rule);
    if (result == STEP_ON && s->reached == REACHED_BY_SLOTS &&
        rule_word_kind(x->rule) == RULE_STEP) {
        x->outer_sp = s->r.sp;
        x->fp_below = s->fp_below;
        x->next = node_place(m, s->r.pc, s->r.sp);
    }
    return result;
}

struct walk walk_stack(struct memo *m, uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
    struct stepper s;
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    int32_t j = m->generation == generation ? (int32_t)m->count - 1 : -1;
    uint32_t n = 0; /* frames in scratch */
    enum step result = STEP_ON;
    struct node *x = NULL; /* of the frame at s, where it is known already */

    m->generation = generation;
    if (__builtin_expect(is_growth(m, sp), 0))
        stack_grow(m, sp);
    s = stepper_at((struct registers){pc, sp, fp}, m->stack_low, m->stack_end);
    if (__builtin_expect(m->misses >> m->node_bits >= NODE_PATIENCE, 0))
        nodes_grow(m);
    while (result == STEP_ON) {
        /* Room for this frame, the frames that might be taken over, and the mark of an unknown
         * rest. */
        if (__builtin_expect(n + 2 + (uint32_t)(j + 1) > memo_capacity(m), 0) &&
            (memo_capacity(m) > WALK_DEPTH_MAX || memo_grow(m) < 0)) {
            result = STEP_UNKNOWN;
            break;
        }
        struct memo_frame *f = memo_frames(m);
        while (j >= 0 && f[j].sp < s.r.sp)
            j--;
        if (j >= 0 && f[j].sp == s.r.sp && f[j].pc == s.r.pc &&
            (f[j].fp == s.r.fp || !f[j].fp_matters) && !s.exact &&
            f[j].reached != REACHED_BY_SIGNAL) {
            int32_t k = verify(f, j);
            if (__builtin_expect(k < 0, 1)) {
                f[j].fp = s.r.fp;
                f[j].fp_below = s.fp_below;
                f[j].reached = (uint8_t)s.reached;
                return join(m, j, n);
            }
            n = take_over(m, n, j, k, &s);
            j = k;
            x = NULL;
        }
        struct memo_frame *fresh = &memo_scratch(m)[n++];
        if (__builtin_expect(s.exact, 0)) {
            uint64_t rule = rule_find(s.r.pc, 1, generation);
            note(fresh, &s, rule);
            fresh->number = 0;
            fresh->node = NODE_NONE;
            result = step_rare(&s, rule);
            x = NULL;
            continue;
        }
        if (!x)
            x = node_for(m, &s, generation);
        note(fresh, &s, x->rule);
        fresh->number = x->number;
        fresh->outer = x->outer;
        fresh->node = (uint32_t)(x - m->nodes);
        if (__builtin_expect(x->outer_sp != 0, 1)) {
            x = node_outer(m, x, &s, generation);
            if (__builtin_expect(s.r.pc < SPOOL_PAGE, 0))
                result = STEP_END;
        } else {
            result = step_from_node(m, x, &s);
            x = NULL;
        }
    }
    if (!memo_capacity(m))
        return (struct walk){0, 0, m->count};
    if (result == STEP_UNKNOWN)
        memo_scratch(m)[n++] = (struct memo_frame){.sp = UINTPTR_MAX,
                                                   .id = SPOOL_FRAME_UNKNOWN,
                                                   .node = NODE_NONE,
                                                   .reached = REACHED_OTHERWISE};
    return replace(m, n);
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
