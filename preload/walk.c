/* walk.c - the walk by rules and by memo; the rule cache. */
#include "walk.h"
#include "cfi.h"
#include "loaded.h"
#include "spool.h"
#include "sys.h"
#include "unwind.h"

#include <string.h>

/* ---- the rule cache ---- */

/* Filled once: `key` is claimed by CAS (0 -> KEY_BUSY), the rest stored, then the key released.
 * What is outdated gets KEY_DEAD and is never used again, so a reader may finish with what it had
 * found. */
struct cached {
    uintptr_t key; /* pc; its top bit set where the pc is exact */
    struct rule rule;
    uint32_t id;
    uint32_t module;
    uint32_t generation;
};

enum { KEY_FREE = 0, KEY_BUSY = 1, KEY_DEAD = 2 };
#define KEY_EXACT (1ull << 63)

/* Three tables, each used when the one before has no place left, so that a small program pays
 * little. */
#define TIERS  3
#define PROBES 8
static const unsigned tier_bits[TIERS] = {12, 14, 18};
static struct cached *tiers[TIERS];

static struct cached *tier(unsigned i)
{
    struct cached *table = __atomic_load_n(&tiers[i], __ATOMIC_ACQUIRE);
    if (__builtin_expect(table != NULL, 1))
        return table;
    size_t bytes = sizeof *table << tier_bits[i];
    struct cached *fresh = sys_pages(bytes);
    if (!fresh)
        return NULL;
    if (__atomic_compare_exchange_n(&tiers[i], &table, fresh, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return fresh;
    sys_unmap(fresh, bytes);
    return table;
}

static inline struct cached *slot(struct cached *table, unsigned bits, uintptr_t key,
                                  unsigned probe)
{
    uint64_t hash = key * 0x9e3779b97f4a7c15ull >> (64 - bits);
    return &table[(hash + probe) & ((1ull << bits) - 1)];
}

static struct cached *find(uintptr_t key)
{
    for (unsigned i = 0; i < TIERS; i++) {
        struct cached *table = tier(i);
        if (!table)
            return NULL;
        for (unsigned probe = 0; probe < PROBES; probe++) {
            struct cached *c = slot(table, tier_bits[i], key, probe);
            uintptr_t have = __atomic_load_n(&c->key, __ATOMIC_ACQUIRE);
            if (have == key)
                return c;
            if (have == KEY_FREE)
                return NULL;
        }
    }
    return NULL;
}

static void insert(uintptr_t key, const struct cached *entry)
{
    for (unsigned i = 0; i < TIERS; i++) {
        struct cached *table = tier(i);
        if (!table)
            return;
        for (unsigned probe = 0; probe < PROBES; probe++) {
            struct cached *c = slot(table, tier_bits[i], key, probe);
            uintptr_t expected = KEY_FREE;
            if (!__atomic_compare_exchange_n(&c->key, &expected, KEY_BUSY, 0, __ATOMIC_ACQUIRE,
                                             __ATOMIC_RELAXED))
                continue;
            c->rule = entry->rule;
            c->id = entry->id;
            c->module = entry->module;
            c->generation = entry->generation;
            __atomic_store_n(&c->key, key, __ATOMIC_RELEASE);
            return;
        }
    }
}

/* The rare half of look_up: a pc not seen before, or not in this generation. */
static __attribute__((noinline)) void look_up_slow(uintptr_t pc, int exact, struct cached *old,
                                                   struct cached *result)
{
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    uintptr_t key = pc | (exact ? KEY_EXACT : 0);
    struct cfi_module module;
    uint32_t serial;
    int found = loaded_module(exact ? pc : pc - 1, &module, &serial);

    if (old && serial && old->module == serial) {
        __atomic_store_n(&old->generation, generation, __ATOMIC_RELAXED);
        *result = *old;
        return;
    }
    if (old)
        __atomic_store_n(&old->key, KEY_DEAD, __ATOMIC_RELEASE);
    *result = (struct cached){.key = key, .id = SPOOL_FRAME_RAW, .generation = generation};
    result->rule.kind = RULE_NONE;
    if (found)
        result->rule = cfi_rule(&module, exact ? pc : pc - 1);
    if (found && !exact && result->rule.kind == RULE_NONE) {
        /* Nobody calls from before a function: makecontext puts the very start of __start_context
         * where the first return address belongs. */
        struct rule at_start = cfi_rule(&module, pc);
        if (at_start.kind != RULE_NONE)
            result->rule = (struct rule){.kind = RULE_END};
    }
    if (!serial)
        return; /* only pcs inside known modules are remembered */
    result->module = serial;
    result->id = loaded_pc_id(pc, serial, exact);
    if (result->id != SPOOL_FRAME_RAW)
        insert(key, result);
}

static inline void look_up(uintptr_t pc, int exact, struct cached *result)
{
    struct cached *c = find(pc | (exact ? KEY_EXACT : 0));
    if (__builtin_expect(c && c->generation == loaded_generation, 1))
        *result = *c;
    else
        look_up_slow(pc, exact, c, result);
}

/* ---- the memo's memory ---- */

#define FIRST_CAPACITY 127 /* with the header, two pages */

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

static int memo_grow(struct memo *m)
{
    struct memo_block *old = m->block;
    uint32_t capacity = old ? old->capacity * 4 : FIRST_CAPACITY;
    struct memo_block *fresh = sys_pages(block_bytes(capacity));
    if (!fresh || capacity > WALK_DEPTH_MAX * 2)
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

void walk_forget(struct memo *m)
{
    m->count = 0;
}

/* ---- one step ---- */

enum step { STEP_ON, STEP_END, STEP_UNKNOWN };

struct stepper {
    struct registers r;
    uint16_t fp_below, opaque; /* how r was reached: struct memo_frame */
    int exact;
    uintptr_t stack_end;  /* of the stack that r is on, UINTPTR_MAX unknown */
    uintptr_t thread_end; /* of the thread's own stack, 0 unknown */
};

static uintptr_t stack_end_for(uintptr_t thread_end, uintptr_t sp)
{
    return sp < thread_end && thread_end - sp < 1u << 30 ? thread_end : UINTPTR_MAX;
}

#define FRAME_MAX (64u << 10) /* a frame-pointer step further than this is not believed */

static enum step step_by_frame_pointer(struct stepper *s)
{
    uintptr_t fp = s->r.fp;
    /* The ABI has the outermost frame's fp be 0 (old crt1.o have no CFI for _start); ld.so's own
     * start code, which calls the constructors, has none either. */
    if (fp == 0 || s->r.pc - loader_start < loader_end - loader_start)
        return STEP_END;
    if (s->stack_end == UINTPTR_MAX || fp < s->r.sp || fp - s->r.sp > FRAME_MAX || fp % 8 != 0 ||
        fp > s->stack_end - 16)
        return STEP_UNKNOWN;
    s->r = arch_frame_pointer_step(s->r);
    s->fp_below = 16;
    s->opaque = 0;
    return s->r.pc < SPOOL_PAGE ? STEP_UNKNOWN : STEP_ON;
}

static enum step step_by_rule(struct stepper *s, const struct rule *rule)
{
    uintptr_t base = rule->base_fp ? s->r.fp : s->r.sp;
    uintptr_t at = base + (uintptr_t)(intptr_t)rule->cfa_offset;
    uintptr_t cfa = at;
    if (rule->kind == RULE_DEREF) {
        if (at < s->r.sp || at >= s->stack_end)
            return STEP_UNKNOWN;
        cfa = *(const uintptr_t *)at;
    }
    if (cfa <= s->r.sp || cfa > s->stack_end || cfa % 8 != 0)
        return STEP_UNKNOWN;
    uintptr_t fp_slot = rule->fp_saved == FP_SAVED_AT_FP ? s->r.fp : cfa;
    fp_slot += (uintptr_t)(intptr_t)rule->fp_offset;
    s->opaque = rule->kind == RULE_DEREF;
    s->fp_below = 0;
    /* A slot outside of the frame: gcc's CFI says so behind the `pop %rbp` of a function that
     * realigned its stack, where a signal may have interrupted it; fp is the caller's already. */
    if (rule->fp_saved == FP_SAVED_AT_FP && (fp_slot < s->r.sp || fp_slot > cfa - 16)) {
        s->opaque = MEMO_OPAQUE;
    } else if (rule->fp_saved) {
        if (fp_slot >= cfa || fp_slot + 65536 <= cfa)
            s->opaque = MEMO_OPAQUE;
        else
            s->fp_below = (uint16_t)(cfa - fp_slot);
        s->r.fp = *(const uintptr_t *)fp_slot;
    }
    s->r.pc = *(const uintptr_t *)(cfa + ARCH_RA_OFFSET);
    s->r.sp = cfa;
    return s->r.pc < SPOOL_PAGE ? STEP_END : STEP_ON;
}

static enum step step(struct stepper *s, const struct rule *rule)
{
    int exact = 0;
    enum step result;
    switch (rule->kind) {
    case RULE_STEP:
    case RULE_DEREF:
        result = step_by_rule(s, rule);
        break;
    case RULE_SIGNAL:
        s->r = arch_signal_step(s->r);
        s->fp_below = 0;
        s->opaque = MEMO_EXACT;
        s->stack_end = stack_end_for(s->thread_end, s->r.sp); /* the handler had perhaps another */
        exact = 1;
        result = STEP_ON;
        break;
    case RULE_END:
        return STEP_END;
    case RULE_NONE:
        result = step_by_frame_pointer(s);
        break;
    default:
        result = unwind_step(&s->r) ? STEP_ON : STEP_UNKNOWN;
        s->fp_below = 0;
        s->opaque = MEMO_OPAQUE;
        break;
    }
    s->exact = exact;
    return result;
}

/* ---- the walk ---- */

/* How far out from frame j the old walk's slots still hold what they held: the index of the first
 * frame that does not, or -1. Reads only what a walk would read, in the order it would read it. */
static inline int32_t verify(const struct memo_frame *f, int32_t j)
{
    int32_t k = j - 1;
    for (; k >= 0; k--) {
        if (f[k].opaque || *(const uintptr_t *)(f[k].sp + ARCH_RA_OFFSET) != f[k].pc)
            break;
        if (f[k].fp_below && *(const uintptr_t *)(f[k].sp - f[k].fp_below) != f[k].fp)
            break;
    }
    return k;
}

/* Frames common to the old stack and the new one, both outermost first. */
static uint32_t common(const struct memo_frame *old, uint32_t old_count,
                       const struct memo_frame *fresh, uint32_t count)
{
    uint32_t i = 0;
    while (i < old_count && i < count && old[i].pc == fresh[i].pc && old[i].id == fresh[i].id &&
           old[i].sp == fresh[i].sp)
        i++;
    return i;
}

/* Scratch holds a whole stack, leaf first: turn it round and make it the memo. */
static struct walk replace(struct memo *m, uint32_t n)
{
    struct memo_frame *fresh = memo_scratch(m);
    for (uint32_t i = 0; i < n / 2; i++) {
        struct memo_frame swap = fresh[i];
        fresh[i] = fresh[n - 1 - i];
        fresh[n - 1 - i] = swap;
    }
    struct walk w = {.keep = common(memo_frames(m), m->count, fresh, n), .before = m->count};
    m->flipped = !m->flipped;
    m->count = n;
    w.push = n - w.keep;
    return w;
}

/* Frames 0..j of the memo stand; scratch holds the n new ones, leaf first. */
static struct walk join(struct memo *m, int32_t j, uint32_t n)
{
    struct memo_frame *to = memo_frames(m) + j + 1;
    const struct memo_frame *scratch = memo_scratch(m);
    uint32_t old = m->count - (uint32_t)(j + 1), same = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct memo_frame *fresh = &scratch[n - 1 - i];
        /* Only the frame pointer differs, which nobody reads: such a frame need not be written
         * anew. */
        if (same == i && i < old && to[i].pc == fresh->pc && to[i].sp == fresh->sp &&
            to[i].id == fresh->id)
            same++;
        to[i] = *fresh;
    }
    struct walk w = {.keep = (uint32_t)j + 1 + same, .push = n - same, .before = m->count};
    m->count = (uint32_t)j + 1 + n;
    return w;
}

static inline void note(struct memo_frame *f, const struct stepper *s, uint32_t id)
{
    *f = (struct memo_frame){s->r.pc, s->r.sp, s->r.fp, id, s->fp_below, s->opaque};
}

/* The walk came upon frame j of the memo, but further out than k the old walk no longer holds:
 * takes over frames j .. k+1 as new ones and leaves *s at k+1, to be walked on from there by its
 * rule. */
static uint32_t take_over(struct memo *m, uint32_t n, int32_t j, int32_t k, struct stepper *s)
{
    const struct memo_frame *f = memo_frames(m);
    struct memo_frame *scratch = memo_scratch(m);
    uint32_t joint = n;
    for (int32_t i = j; i > k; i--)
        scratch[n++] = f[i];
    scratch[joint].fp_below = s->fp_below;
    scratch[joint].opaque = s->opaque;
    const struct memo_frame *last = &scratch[--n];
    s->r = (struct registers){last->pc, last->sp, last->fp};
    s->fp_below = last->fp_below;
    s->opaque = last->opaque;
    return n;
}

struct walk walk_stack(struct memo *m, struct registers from)
{
    struct stepper s = {.r = from,
                        .opaque = MEMO_OPAQUE,
                        .stack_end = stack_end_for(m->stack_end, from.sp),
                        .thread_end = m->stack_end};
    uint32_t generation = loaded_generation;
    int32_t j = m->generation == generation ? (int32_t)m->count - 1 : -1;
    uint32_t n = 0; /* frames in scratch */
    enum step result = STEP_ON;

    m->generation = generation;
    while (result == STEP_ON) {
        /* Room for this frame, the frames that might be taken over, and the mark of an unknown
         * rest. */
        if (n + 2 + (uint32_t)(j + 1) > memo_capacity(m) &&
            (memo_capacity(m) > WALK_DEPTH_MAX || memo_grow(m) < 0)) {
            result = STEP_UNKNOWN;
            break;
        }
        struct memo_frame *f = memo_frames(m);
        while (j >= 0 && f[j].sp < s.r.sp)
            j--;
        if (j >= 0 && f[j].sp == s.r.sp && f[j].pc == s.r.pc && f[j].fp == s.r.fp && !s.exact &&
            f[j].opaque != MEMO_EXACT) {
            int32_t k = verify(f, j);
            if (__builtin_expect(k < 0, 1)) {
                f[j].fp_below = s.fp_below;
                f[j].opaque = s.opaque;
                return join(m, j, n);
            }
            n = take_over(m, n, j, k, &s);
            j = k;
        }
        struct cached c;
        look_up(s.r.pc, s.exact, &c);
        note(&memo_scratch(m)[n++], &s, c.id);
        result = step(&s, &c.rule);
    }
    if (!memo_capacity(m))
        return (struct walk){0, 0, m->count};
    if (result == STEP_UNKNOWN)
        memo_scratch(m)[n++] = (struct memo_frame){
            .sp = UINTPTR_MAX, .id = SPOOL_FRAME_UNKNOWN, .opaque = MEMO_OPAQUE};
    return replace(m, n);
}

enum walk_found walk_finds(const struct memo *m, struct registers from, uintptr_t sp, uintptr_t pc)
{
    struct stepper s = {
        .r = from, .stack_end = stack_end_for(m->stack_end, from.sp), .thread_end = m->stack_end};
    for (uint32_t n = 0; n < WALK_DEPTH_MAX; n++) {
        struct cached c;
        look_up(s.r.pc, s.exact, &c);
        enum step result = step(&s, &c.rule);
        if (result != STEP_ON)
            return result == STEP_END ? WALK_NOT_FOUND : WALK_UNKNOWN;
        if (s.r.sp == sp && s.r.pc == pc)
            return WALK_FOUND;
    }
    return WALK_UNKNOWN;
}
