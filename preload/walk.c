/* walk.c - the walk by memo, by nodes and by rules. */
#include "walk.h"
#include "hook.h"
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

static inline void set_fp_matters(struct memo_frame *f, uint32_t i)
{
    f[i].fp_matters = f[i].uses_fp || (i > 0 && f[i - 1].fp_below == 0 && f[i - 1].fp_matters);
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
        set_fp_matters(fresh, i);
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
        set_fp_matters(f, (uint32_t)j + 1 + i);
    }
    return joined(m, j, n, same);
}

/* ---- frames known by their nodes ---- */

/*
 * Most frames are as their node says, except for fp. While a walk goes from node to node, scratch
 * holds only `node` and `fp` of them; the rest goes straight into the memo (join_nodes), or into
 * scratch where the walk cannot go on like this (spread_nodes).
 */
static inline const struct node *node_of(const struct memo *m, const struct memo_frame *f)
{
    return &m->nodes[f->node];
}

/* inner: the node of the frame that x's frame was reached from; NULL: the walk began in x's. */
static inline void put_node(struct memo_frame *to, const struct node *x, const struct node *inner)
{
    to->pc = x->pc;
    to->sp = x->sp;
    to->id = rule_word_id(x->rule);
    to->uses_fp = (uint8_t)x->uses_fp;
    to->fp_below = inner ? inner->fp_below : 0;
    to->reached = inner ? REACHED_BY_SLOTS : REACHED_OTHERWISE;
}

static inline void put_number(struct memo_frame *to, const struct node *x)
{
    to->number = x->number;
    to->outer = x->outer;
}

static inline int is_frame_of_node(const struct memo_frame *f, const struct node *x)
{
    return f->pc == x->pc && f->sp == x->sp && f->id == rule_word_id(x->rule);
}

static __attribute__((noinline)) void spread_nodes(struct memo *m, uint32_t n)
{
    struct memo_frame *fresh = memo_scratch(m);
    for (uint32_t i = 0; i < n; i++) {
        put_node(&fresh[i], node_of(m, &fresh[i]), i ? node_of(m, &fresh[i - 1]) : NULL);
        put_number(&fresh[i], node_of(m, &fresh[i]));
    }
}

/* Does what join does. */
static inline struct walk join_nodes(struct memo *m, int32_t j, uint32_t n)
{
    struct memo_frame *f = memo_frames(m), *to = f + j + 1;
    const struct memo_frame *fresh = memo_scratch(m) + n;
    const struct node *x = n ? node_of(m, fresh - 1) : NULL, *inner;
    uint32_t old = m->count - (uint32_t)(j + 1), same = 0;
    for (uint32_t i = 0; i < n; i++, x = inner) {
        fresh--;
        inner = i + 1 < n ? node_of(m, fresh - 1) : NULL;
        if (same == i && i < old && is_frame_of_node(&to[i], x))
            same++; /* it keeps its number */
        else
            put_number(&to[i], x);
        put_node(&to[i], x, inner);
        to[i].fp = fresh->fp;
        to[i].node = fresh->node;
        set_fp_matters(f, (uint32_t)j + 1 + i);
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
    to->fp_below = s->fp_below;
    to->reached = (uint8_t)s->reached;
    to->uses_fp = (uint8_t)rule_uses_fp(rule);
}

/* Goes from x's frame to its caller by what x knows; outer_sp must not be 0. */
static inline void go_out(struct registers *r, const struct node *x)
{
    r->sp = x->outer_sp;
    r->pc = *(const uintptr_t *)(r->sp + ARCH_RA_OFFSET);
    if (x->fp_below)
        r->fp = *(const uintptr_t *)(r->sp - x->fp_below);
}

/* Where the node of x's caller belongs; the caller stands at r. */
static inline struct node *outer_node(struct memo *m, struct node *x, const struct registers *r)
{
    struct node *outer = &m->nodes[x->next];
    if (__builtin_expect(outer->pc == r->pc && outer->sp == r->sp, 1))
        return outer;
    x->next = node_place(m, r->pc, r->sp);
    return &m->nodes[x->next];
}

/* Makes a plain step by x's rule; x keeps what it finds. A frame-pointer step (JIT code) is only as
 * good as the stack's bounds, so it is made anew each time. */
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

/* The usual walk: from node to node, until the memo holds what is further out. Returns 1 when done;
 * 0: walk_by_rules goes on from p. All it knows stays in registers, as it would not in a stepper
 * that is passed by address. */
static inline int walk_by_nodes(struct memo *m, struct progress *p, uint32_t generation,
                                struct walk *w)
{
    struct memo_frame *f = memo_frames(m), *scratch = memo_scratch(m);
    struct registers r = p->s.r;
    uint32_t fp_below = 0, n = 0, reached = REACHED_OTHERWISE;
    int32_t j = p->j;
    struct node *x = &m->nodes[node_place(m, r.pc, r.sp)];
    for (;;) {
        j = skip_inner(f, j, r.sp);
        if (j >= 0 && meets(&f[j], &r)) {
            int32_t k = verify(f, j);
            if (__builtin_expect(k < 0, 1)) {
                reach(&f[j], r.fp, fp_below, reached);
                *w = join_nodes(m, j, n);
                return 1;
            }
            j = k;
        }
        if (__builtin_expect(!is_node_of(x, &r, generation) || !x->outer_sp || !has_room(m, n, j),
                             0))
            break;
        scratch[n].fp = r.fp;
        scratch[n++].node = (uint32_t)(x - m->nodes);
        go_out(&r, x);
        fp_below = x->fp_below;
        reached = REACHED_BY_SLOTS;
        if (__builtin_expect(r.pc < SPOOL_PAGE, 0)) {
            spread_nodes(m, n);
            *w = replace(m, n);
            return 1;
        }
        x = outer_node(m, x, &r);
    }
    spread_nodes(m, n);
    p->s.r = r;
    p->s.fp_below = (uint16_t)fp_below;
    p->s.reached = (uint16_t)reached;
    p->j = j;
    p->n = n;
    return 0;
}

/* Takes one step from p->s, which is noted in scratch. */
static enum step step_and_note(struct memo *m, struct progress *p, uint32_t generation)
{
    struct memo_frame *fresh = &memo_scratch(m)[p->n++];
    if (__builtin_expect(p->s.exact, 0)) {
        uint64_t rule = rule_find(p->s.r.pc, 1, generation);
        note(fresh, &p->s, rule);
        fresh->number = 0;
        fresh->node = NODE_NONE;
        return step_rare(&p->s, rule);
    }
    struct node *x = node_for(m, &p->s, generation);
    note(fresh, &p->s, x->rule);
    put_number(fresh, x);
    fresh->node = (uint32_t)(x - m->nodes);
    return step_from_node(m, x, &p->s);
}

/* Walks on from p, frame by frame. */
static __attribute__((noinline)) struct walk walk_by_rules(struct memo *m, struct progress *p,
                                                           uint32_t generation)
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
            if (__builtin_expect(k < 0, 1)) {
                reach(&f[p->j], p->s.r.fp, p->s.fp_below, p->s.reached);
                return join(m, p->j, p->n);
            }
            p->j = k;
        }
        result = step_and_note(m, p, generation);
    }
    if (!memo_capacity(m))
        return (struct walk){0, 0, m->count};
    if (result == STEP_UNKNOWN)
        memo_scratch(m)[p->n++] = (struct memo_frame){.sp = UINTPTR_MAX,
                                                      .id = SPOOL_FRAME_UNKNOWN,
                                                      .node = NODE_NONE,
                                                      .reached = REACHED_OTHERWISE};
    return replace(m, p->n);
}

struct walk walk_stack(struct memo *m, uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    struct progress p; /* no initialiser, which would first write all of it */
    struct walk w;

    p.j = m->generation == generation ? (int32_t)m->count - 1 : -1;
    p.n = 0;
    m->generation = generation;
    if (__builtin_expect(is_growth(m, sp), 0))
        stack_grow(m, sp);
    p.s = stepper_at((struct registers){pc, sp, fp}, m->stack_low, m->stack_end);
    if (__builtin_expect(m->misses >> m->node_bits >= NODE_PATIENCE, 0))
        nodes_grow(m);
    if (__builtin_expect(m->block != NULL, 1) && walk_by_nodes(m, &p, generation, &w))
        return w;
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
