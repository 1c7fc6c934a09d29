/* walk_cache.c - stacks become known. */
#include "walk_cache.h"
#include "step.h"
#include "sys.h"
#include "walk.h"

#include <string.h>

/* ---- memory: the buckets, and behind them the arena ---- */

#ifdef MPROF_TINY_TABLES
#define BUCKET_BITS_FIRST 1
#define ARENA_FIRST       2048u
#define ARENA_MAX         4096u
#else
#define BUCKET_BITS_FIRST 8
#define ARENA_FIRST       (24u << 10)
#define ARENA_MAX         (448u << 10)
#endif
#define GROWTH_BITS     2
#define BUCKET_BITS_MAX (BUCKET_BITS_FIRST + 2 * GROWTH_BITS)

/* An entry that begins nowhere, for the reference 0. */
#define ARENA_EMPTY ((uint32_t)sizeof(struct walk_cache_stack))

static size_t bucket_bytes(uint32_t bucket_shift)
{
    return sizeof(struct walk_cache_bucket) << (64 - bucket_shift);
}

/* The memo no longer refers to what is in the cache. */
static void forget_references(struct memo *m)
{
    m->shown = NULL;
    for (uint32_t i = 0; i < m->count; i++)
        memo_frames(m)[i].part = 0;
}

/* A signal handler may jump out between any two stores: the cache never points to what is unmapped.
 */
void walk_cache_release(struct memo *m)
{
    struct walk_cache *c = &m->cache;
    struct walk_cache_bucket *old = c->buckets;
    forget_references(m);
    __atomic_store_n(&c->buckets, NULL, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (old)
        sys_unmap(old, bucket_bytes(c->bucket_shift) + c->arena_bytes);
}

static void arena_clear(struct walk_cache *c)
{
    c->last = 0;
    *(struct walk_cache_stack *)walk_cache_at(c, 0) = (struct walk_cache_stack){.next = 0};
    c->arena_used = ARENA_EMPTY;
}

static int make(struct memo *m, uint32_t bits, uint32_t arena_bytes)
{
    struct walk_cache *c = &m->cache;
    uint8_t *p = sys_pages(bucket_bytes(64 - bits) + arena_bytes);
    if (!p)
        return 0;
    walk_cache_release(m);
    c->bucket_shift = 64 - bits;
    c->arena = p + bucket_bytes(c->bucket_shift);
    c->arena_bytes = arena_bytes;
    arena_clear(c);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&c->buckets, (struct walk_cache_bucket *)p, __ATOMIC_RELAXED);
    return 1;
}

static int begin(struct memo *m)
{
    return m->cache.buckets || make(m, BUCKET_BITS_FIRST, ARENA_FIRST);
}

static int grow(struct memo *m)
{
    const struct walk_cache *c = &m->cache;
    uint32_t bits = 64 - c->bucket_shift + GROWTH_BITS, bytes = c->arena_bytes << GROWTH_BITS;
    return c->arena_bytes < ARENA_MAX && make(m, bits < BUCKET_BITS_MAX ? bits : BUCKET_BITS_MAX,
                                              bytes < ARENA_MAX ? bytes : ARENA_MAX);
}

void walk_cache_clear(struct memo *m)
{
    struct walk_cache *c = &m->cache;
    if (!c->buckets)
        return;
    forget_references(m);
    memset(c->buckets, 0, bucket_bytes(c->bucket_shift));
    arena_clear(c);
}

void walk_cache_shrink(struct memo *m)
{
    if (m->cache.buckets && m->cache.arena_bytes > ARENA_FIRST)
        walk_cache_release(m);
}

static size_t part_bytes(uint32_t slots)
{
    return (slots + WALK_CACHE_BLOCK - 1) / WALK_CACHE_BLOCK * sizeof(struct walk_cache_block);
}

/* Room for a stack of so many frames, in two parts. What is known may be forgotten for it. */
static int make_room(struct memo *m, uint32_t frames)
{
    const struct walk_cache *c = &m->cache;
    size_t most = sizeof(struct walk_cache_stack) + sizeof(struct walk_cache_part) +
                  part_bytes(2 * frames) + 2 * part_bytes(1);
    if (most > ARENA_FIRST / 2 || !begin(m))
        return 0;
    if (most > c->arena_bytes - c->arena_used && !grow(m))
        walk_cache_clear(m);
    return 1;
}

/* What was taken before it stays where it is. Returns its reference. */
static uint32_t arena_take(struct walk_cache *c, size_t bytes)
{
    uint32_t ref = c->arena_used;
    c->arena_used += (uint32_t)bytes;
    return ref;
}

/* ---- a stack's words ---- */

struct words {
    struct walk_cache_block *block;
    uint32_t count;
    const uint64_t *end; /* of the thread's stack */
};

static void put_word(struct words *w, uint64_t at, uint64_t word)
{
    struct walk_cache_block *b = &w->block[w->count / WALK_CACHE_BLOCK];
    b->at[w->count % WALK_CACHE_BLOCK] = (uint16_t)at;
    b->word[w->count++ % WALK_CACHE_BLOCK] = word;
}

static uint64_t word_at(const struct walk_cache_part *p, uint32_t i)
{
    return p->block[i / WALK_CACHE_BLOCK].word[i % WALK_CACHE_BLOCK];
}

static uint32_t place_at(const struct walk_cache_part *p, uint32_t i)
{
    return p->block[i / WALK_CACHE_BLOCK].at[i % WALK_CACHE_BLOCK];
}

static uint32_t words_of(const struct walk_cache_part *p)
{
    return p->blocks * WALK_CACHE_BLOCK;
}

/* Does the walk further out depend on the slot that held the frame's fp? */
static int needs_fp(const struct memo_frame *f)
{
    return f->fp_matters && f->fp_below;
}

static uintptr_t fp_slot(const struct memo_frame *f)
{
    return f->sp - f->fp_below;
}

static uintptr_t pc_slot(const struct memo_frame *f)
{
    return f->sp + ARCH_RA_OFFSET;
}

/* The slots that a walk to frame f reads besides those of the frames further in. */
static void put_frame(struct words *w, const struct memo_frame *f)
{
    if (needs_fp(f))
        put_word(w, walk_cache_below(w->end, fp_slot(f)), f->fp);
    put_word(w, walk_cache_below(w->end, pc_slot(f)), f->pc);
}

static void fill_up(struct words *w)
{
    uint32_t last = w->count - 1;
    const struct walk_cache_block *b = &w->block[last / WALK_CACHE_BLOCK];
    while (w->count % WALK_CACHE_BLOCK)
        put_word(w, b->at[last % WALK_CACHE_BLOCK], b->word[last % WALK_CACHE_BLOCK]);
}

/* What a walk reads from frame `inner` to frame `outer`, which has a part or is the outermost. */
static void write_part(struct walk_cache_part *p, const struct memo *m, uint32_t inner,
                       uint32_t outer)
{
    const struct memo_frame *f = memo_frames(m);
    struct words w = {.block = p->block, .end = walk_cache_end(m->stack_end)};
    for (uint32_t i = inner; i-- > outer;)
        put_frame(&w, &f[i]);
    if (outer == 0 && m->end_slot)
        put_word(&w, walk_cache_below(w.end, m->end_slot), m->end_word);
    if (w.count)
        fill_up(&w);
    p->outer = f[outer].part;
    p->blocks = w.count / WALK_CACHE_BLOCK;
}

static uint32_t take_part(struct walk_cache *c, const struct walk_cache_part *p, size_t head)
{
    return arena_take(c, head + part_bytes(words_of(p)));
}

/* Can a place in an entry tell the slot, which must lie above sp? */
static int is_within(const struct memo *m, uintptr_t sp, uintptr_t slot)
{
    uintptr_t end = (uintptr_t)walk_cache_end(m->stack_end);
    return slot >= sp && slot < end && (end - slot) / sizeof(uint64_t) <= UINT16_MAX &&
           (end - slot) % sizeof(uint64_t) == 0;
}

/* Was it reached by words of this stack alone? */
static int is_reached_by_words(const struct memo *m, uintptr_t sp, const struct memo_frame *f)
{
    return f->reached == REACHED_BY_SLOTS && is_within(m, sp, pc_slot(f)) &&
           (!needs_fp(f) || is_within(m, sp, fp_slot(f)));
}

/* The innermost frame with a part, 0 (the outermost frame) if there is none. */
static uint32_t innermost_part(const struct memo *m)
{
    const struct memo_frame *f = memo_frames(m);
    uint32_t i = m->count - 1;
    while (i && !f[i].part)
        i--;
    return i;
}

/* Can it be held? All of it must lie on the thread's own stack. Of a part we know that it does. A
 * comparison reads all of a part before it knows whether any of it is right, so no word may lie
 * where a stack was that has gone since. What is taken for a thread's own stack may be several,
 * side by side without a guard page: the one that the thread is on, and its own, are there; those
 * between the two need not be. */
static int can_hold(const struct memo *m, uintptr_t sp)
{
    const struct memo_frame *f = memo_frames(m);
    if (m->count < 2 || sp < m->stack_low || walk_leads_over_gaps(m, 1) ||
        (m->end_slot && !is_within(m, sp, m->end_slot)))
        return 0;
    for (uint32_t i = innermost_part(m); i + 1 < m->count; i++)
        if (!is_reached_by_words(m, sp, &f[i]))
            return 0;
    return 1;
}

/* From frame `keep` - 1 outwards two stacks agree: the part from there is made. */
static void make_part(struct memo *m, uint32_t keep)
{
    struct walk_cache *c = &m->cache;
    uint32_t outer = innermost_part(m), inner = keep - 1;
    if (keep < 2 || inner <= outer || inner >= m->count - 1)
        return;
    struct walk_cache_part *p = walk_cache_at(c, c->arena_used);
    write_part(p, m, inner, outer);
    memo_frames(m)[inner].part = take_part(c, p, sizeof *p);
}

/* Written behind what is in use; it stays only if it is taken. */
static struct walk_cache_stack *draft(const struct memo *m, struct registers r)
{
    struct walk_cache_stack *k = walk_cache_at(&m->cache, m->cache.arena_used);
    const struct memo_frame *leaf = &memo_frames(m)[m->count - 1];
    k->pc = r.pc;
    k->sp = r.sp;
    k->fp = r.fp;
    k->fp_mask = leaf->fp_matters ? -1 : 0;
    k->generation = m->generation;
    k->number = leaf->number;
    k->frames = m->count;
    k->next = 0;
    write_part(&k->inner, m, m->count - 1, innermost_part(m));
    return k;
}

/* ---- the trie ---- */

/* How much is lost with what a way knows: nothing, a mark, a stack, all that lies behind a branch.
 */
static uint32_t worth_of(const struct walk_cache_way *way)
{
    return !way->tag ? 0 : !way->ref ? 1 : !(way->ref & WALK_CACHE_BRANCH) ? 2 : 3;
}

/* Where `key` is, or is to be: there the least is lost. */
static struct walk_cache_way *way_of(const struct walk_cache *c, uint64_t key)
{
    struct walk_cache_way *way = walk_cache_bucket_of(c, key)->way, *end = way + WALK_CACHE_WAYS;
    struct walk_cache_way *victim = &way[key >> 30 & (WALK_CACHE_WAYS - 1)];
    for (; way < end; way++)
        if (way->tag == walk_cache_tag(key))
            return way;
        else if (worth_of(way) < worth_of(victim))
            victim = way;
    return victim;
}

static void put_ref(struct walk_cache *c, uint64_t key, uint32_t ref)
{
    *way_of(c, key) = (struct walk_cache_way){walk_cache_tag(key), ref};
}

/* The path of a look-up: the keys, and what is known by each. */
#define PATH_MAX_STEPS 32
struct path {
    uint32_t count;
    uint64_t key[PATH_MAX_STEPS];
    uint32_t ref[PATH_MAX_STEPS];
};

/* Goes as far as a look-up does; the last reference is no branch. Returns 0 where it would give
 * up, or the path is too long for one more step. */
static int go_along(const struct walk_cache *c, const uint64_t *end, struct registers r,
                    struct path *path)
{
    uint64_t key = walk_cache_root(r);
    for (uint64_t inner = walk_cache_below(end, r.sp) + 1; path->count < PATH_MAX_STEPS - 1;) {
        uint32_t ref = walk_cache_ref(c, key);
        path->key[path->count] = key;
        path->ref[path->count++] = ref;
        if (!(ref & WALK_CACHE_BRANCH))
            return 1;
        if (walk_cache_branch_at(ref) >= inner)
            return 0;
        inner = walk_cache_branch_at(ref);
        key = walk_cache_key(ref, walk_cache_word(end, inner));
    }
    return 0;
}

/* A word of a known stack that is not on the stack. */
struct other {
    uint32_t at; /* 0: all are on it */
    uint64_t word;
};

static struct other other_in(const struct walk_cache_part *p, const uint64_t *end)
{
    for (uint32_t i = 0; i < words_of(p); i++)
        if (walk_cache_word(end, place_at(p, i)) != word_at(p, i))
            return (struct other){place_at(p, i), word_at(p, i)};
    return (struct other){0, 0};
}

/* The innermost such word. */
static struct other first_other(const struct walk_cache *c, const struct walk_cache_stack *k,
                                const uint64_t *end)
{
    const struct walk_cache_part *p = &k->inner;
    struct other o = other_in(p, end);
    for (; !o.at && p->outer; o = other_in(p, end))
        p = walk_cache_at(c, p->outer);
    return o;
}

static uint32_t new_branch(struct walk_cache *c, uint32_t at)
{
    return at << 16 | (c->branches++ & 0x7fff) << 1 | WALK_CACHE_BRANCH;
}

/* The first step of the path whose branch does not lie further in than `at`; the last has none. */
static uint32_t first_outside(const struct path *path, uint64_t at)
{
    uint32_t i = 0;
    while (i + 1 < path->count && walk_cache_branch_at(path->ref[i]) > at)
        i++;
    return i;
}

/* What is known at a step of the path and the fresh stack part at o, a word of what is known. Every
 * reference is stored before the one that leads to it. */
static void branch_off(struct walk_cache *c, const struct path *path, uint32_t step, struct other o,
                       uint32_t fresh, const uint64_t *end)
{
    uint32_t branch = new_branch(c, o.at);
    put_ref(c, walk_cache_key(branch, o.word), path->ref[step]);
    put_ref(c, walk_cache_key(branch, walk_cache_word(end, o.at)), fresh);
    put_ref(c, path->key[step], branch);
}

/* The fresh stack's place: at the end of the path, or beside what is known there, k. */
static void lead_to(struct walk_cache *c, const struct path *path, int begins_alike, struct other o,
                    uint32_t fresh, const uint64_t *end)
{
    uint32_t last = path->count - 1, step = begins_alike ? first_outside(path, o.at) : last;
    if (!begins_alike || (step < last && walk_cache_branch_at(path->ref[step]) == o.at))
        put_ref(c, path->key[last], fresh);
    else
        branch_off(c, path, step, o, fresh, end);
}

void walk_cache_add(struct memo *m, struct registers r, uint32_t keep)
{
    struct walk_cache *c = &m->cache;
    const uint64_t *end = walk_cache_end(m->stack_end);
    struct path path;
    path.count = 0;
    if (!can_hold(m, r.sp) || !make_room(m, m->count) || !go_along(c, end, r, &path))
        return;
    struct walk_cache_stack *k = walk_cache_at(c, path.ref[path.count - 1]);
    int begins_alike = walk_cache_begins_at(k, &r, m->generation);
    struct other o = begins_alike ? first_other(c, k, end) : (struct other){0, 0};
    if (begins_alike && !o.at) { /* it has only got another number */
        k->number = memo_frames(m)[m->count - 1].number;
        return;
    }
    make_part(m, keep);
    const struct walk_cache_stack *fresh = draft(m, r);
    lead_to(c, &path, begins_alike, o, take_part(c, &fresh->inner, sizeof *fresh), end);
}

/* ---- what was seen once ---- */

#define SEEN_FRAMES 4 /* the innermost ones tell most stacks from each other */

/* Of another kind than the keys of the trie. */
static uint64_t seen_key(const struct memo *m, struct registers r)
{
    const struct memo_frame *f = memo_frames(m);
    uint64_t key = ~walk_cache_root(r);
    for (uint32_t i = 2; i <= SEEN_FRAMES && i <= m->count; i++)
        key = walk_cache_hash(key, f[m->count - i].pc);
    return key;
}

int walk_cache_has_seen(struct memo *m, struct registers r)
{
    uint64_t key = seen_key(m, r);
    if (!begin(m))
        return 0;
    int seen = way_of(&m->cache, key)->tag == walk_cache_tag(key);
    if (!seen)
        put_ref(&m->cache, key, 0); /* leads nowhere */
    return seen;
}

/* ---- the self-check ---- */

/* The words of a known stack, one after the other. */
struct reader {
    const struct walk_cache *cache;
    const struct walk_cache_part *part;
    const uint64_t *end;
    uint32_t next;
};

static void skip_copies(struct reader *w)
{
    const struct walk_cache_part *p = w->part;
    while (w->next && w->next < words_of(p) && place_at(p, w->next) == place_at(p, w->next - 1))
        w->next++;
}

static int is_next(struct reader *w, uintptr_t slot, uint64_t word)
{
    skip_copies(w);
    while (w->next == words_of(w->part) && w->part->outer) {
        w->part = walk_cache_at(w->cache, w->part->outer);
        w->next = 0;
    }
    return w->next < words_of(w->part) && word_at(w->part, w->next) == word &&
           place_at(w->part, w->next++) == walk_cache_below(w->end, slot);
}

static int is_over(struct reader *w)
{
    skip_copies(w);
    return w->next == words_of(w->part) && !w->part->outer;
}

int walk_cache_agrees(const struct memo *m, uintptr_t sp, const struct walk_cache_stack *k)
{
    const struct memo_frame *frames = memo_frames(m);
    struct reader w = {&m->cache, &k->inner, walk_cache_end(m->stack_end), 0};
    if (k->frames != m->count || k->sp != sp)
        return 0;
    for (const struct memo_frame *f = &frames[m->count - 1]; f-- > frames;) {
        if (f->reached != REACHED_BY_SLOTS)
            return 0;
        if (needs_fp(f) && !is_next(&w, fp_slot(f), f->fp))
            return 0;
        if (!is_next(&w, pc_slot(f), f->pc))
            return 0;
    }
    return (!m->end_slot || is_next(&w, m->end_slot, m->end_word)) && is_over(&w);
}
