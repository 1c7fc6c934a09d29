/*
 * walk_cache.h - whole stacks that a thread has shown before, found and compared in one go.
 *
 * A walk is a pure function of the registers at its start, the loader's generation, and the slots
 * of the stack that it reads. An entry holds all of these for one stack: where a look-up finds an
 * entry whose every word is on the stack, the stack is the same, exactly, and its number is at
 * hand. Stacks that agree from some frame outwards share a part that holds the words from there on:
 *
 *   stack {pc, sp, fp, number, inner words} -> part {words} -> part {words} -> 0
 *   stack {pc, sp, fp, number, inner words} -----^
 *
 * Entries are found by a trie. Its root is told by {pc, sp} of the hook's caller; a branch is a
 * slot in which stacks differ that agree further in, and the word in that slot leads on. Branch and
 * word are looked up in one table, in which whatever comes later may overwrite what was there:
 *
 *   a look-up ends     each branch lies further out on the stack than the one before, or the
 *                      look-up gives up; no cycle is possible, whatever the table holds
 *   a hit is right     all words are compared, however the entry was found
 *   a miss is allowed  the walk then goes the other way (walk.h), and the entry is made anew
 *
 * Only stacks that lie wholly on the thread's own stack are held, as all of that can be read at any
 * time, and in its outer 512 KiB; not those that may lie on three stacks side by side, as the
 * middle one may be gone by the next look (walk.h, gaps); and only those that are reached by slots
 * alone (step.h), of some 600 frames at most.
 *
 * Memory: 32 KiB at the first stack, up to 576 KiB; where that is full everything is forgotten. A
 * cache belongs to one thread at a time. A jump out of walk_cache_add leaves it usable: an entry is
 * found, and a part shared, only once it is whole.
 */
#ifndef MPROF_WALK_CACHE_H
#define MPROF_WALK_CACHE_H

#include "arch_x86_64.h"

#include <stddef.h>
#include <stdint.h>

#define WALK_CACHE_BLOCK 4 /* as walk_cache_equal has it */

/* Slots are compared by fours, without a branch in between. */
struct walk_cache_block {
    uint64_t word[WALK_CACHE_BLOCK];
    uint16_t at[WALK_CACHE_BLOCK]; /* words below the stack's end */
};

/* What a walk reads from one frame outwards. */
struct walk_cache_part {
    uint32_t outer; /* reference of the part that the walk reads next; 0 none */
    uint32_t blocks;
    struct walk_cache_block block[]; /* innermost first; the last one is filled up with copies */
};

struct walk_cache_stack {
    uintptr_t pc, sp, fp;
    uint32_t generation;
    uint32_t number; /* the spool's for this stack, as in struct memo_frame */
    uint32_t frames;
    int32_t fp_mask; /* 0: the walk does not depend on fp; else -1 */
    uint32_t next;   /* reference of the stack that was found after it, a guess */
    struct walk_cache_part inner;
};

struct walk_cache_way {
    uint32_t tag; /* of the key, 0 nothing */
    uint32_t ref; /* to a stack, or a branch; 0 nothing */
};

/* What is known by keys of one hash; no tag comes twice. */
#define WALK_CACHE_WAYS 4
struct walk_cache_bucket {
    struct walk_cache_way way[WALK_CACHE_WAYS];
};

/*
 * A reference to a stack, or a part, is its place in the arena, in bytes. A branch is all told by
 * its reference:
 *
 *   31..16                             15..1                       0
 *   its place, words below the end     another one for each        1
 */
#define WALK_CACHE_BRANCH 1u

static inline uint64_t walk_cache_branch_at(uint32_t ref)
{
    return ref >> 16;
}

struct walk_cache {
    struct walk_cache_bucket *buckets; /* NULL at first; the arena lies behind them */
    uint8_t *arena;
    uint32_t bucket_shift; /* there are 2^(64 - bucket_shift) */
    uint32_t arena_bytes, arena_used;
    uint32_t last;     /* reference of the stack that was found last */
    uint32_t branches; /* made so far */
};

struct memo;

#ifdef MPROF_TINY_TABLES /* everything collides, for tests */
#define WALK_CACHE_TAGS 3u
#else
#define WALK_CACHE_TAGS UINT32_MAX
#endif

static inline uint64_t walk_cache_hash(uint64_t a, uint64_t b)
{
    return (a ^ b << 32 ^ b >> 32) * 0x9e3779b97f4a7c15ull;
}

static inline uint64_t walk_cache_root(struct registers r)
{
    return walk_cache_hash(r.pc, r.sp);
}

static inline uint64_t walk_cache_key(uint32_t branch, uint64_t word)
{
    return walk_cache_hash(word, branch);
}

static inline uint32_t walk_cache_tag(uint64_t key)
{
    return ((uint32_t)(key ^ key >> 32) & WALK_CACHE_TAGS) | 1; /* low bits alone know half of it */
}

/* Words are counted from here inwards. */
static inline const uint64_t *walk_cache_end(uintptr_t stack_end)
{
    return (const uint64_t *)(stack_end & ~(uintptr_t)7);
}

static inline uint64_t walk_cache_word(const uint64_t *end, uint64_t at)
{
    return *(end - at);
}

/* The slot by that count. */
static inline uint64_t walk_cache_below(const uint64_t *end, uintptr_t slot)
{
    return ((uintptr_t)end - slot) / sizeof *end;
}

static inline struct walk_cache_bucket *walk_cache_bucket_of(const struct walk_cache *c,
                                                             uint64_t key)
{
    return &c->buckets[key >> c->bucket_shift];
}

/* What is known by this key: 0 nothing. Without a branch, as each way is as likely. */
static inline uint32_t walk_cache_ref(const struct walk_cache *c, uint64_t key)
{
    const struct walk_cache_way *way = walk_cache_bucket_of(c, key)->way;
    uint32_t tag = walk_cache_tag(key);
    uint32_t ref = way[0].tag == tag ? way[0].ref : 0;
    ref = way[1].tag == tag ? way[1].ref : ref;
    ref = way[2].tag == tag ? way[2].ref : ref;
    return way[3].tag == tag ? way[3].ref : ref;
}

static inline void *walk_cache_at(const struct walk_cache *c, uint32_t ref)
{
    return c->arena + ref;
}

static inline int walk_cache_equal_part(const struct walk_cache_part *p, const uint64_t *end)
{
    uint64_t differ = 0;
    for (const struct walk_cache_block *b = p->block; b < p->block + p->blocks; b++) {
        uint64_t first = walk_cache_word(end, b->at[0]) ^ b->word[0];
        uint64_t second = walk_cache_word(end, b->at[1]) ^ b->word[1];
        uint64_t third = walk_cache_word(end, b->at[2]) ^ b->word[2];
        uint64_t fourth = walk_cache_word(end, b->at[3]) ^ b->word[3];
        differ |= first | second | third | fourth;
    }
    return differ == 0;
}

/* Is every word of the stack what it was? */
static inline int walk_cache_equal(const struct walk_cache *c, const struct walk_cache_stack *k,
                                   const uint64_t *end)
{
    const struct walk_cache_part *p = &k->inner;
    while (__builtin_expect(walk_cache_equal_part(p, end), 1)) {
        if (!p->outer)
            return 1;
        p = walk_cache_at(c, p->outer);
    }
    return 0;
}

/* Would a walk from r read the same stack, if all words of k are on it? */
static inline int walk_cache_begins_at(const struct walk_cache_stack *k, const struct registers *r,
                                       uint32_t generation)
{
    return k->pc == r->pc && k->sp == r->sp && k->generation == generation &&
           ((k->fp ^ r->fp) & (uintptr_t)(intptr_t)k->fp_mask) == 0;
}

/* Is it the stack at r? */
static inline int walk_cache_is(const struct walk_cache *c, const struct walk_cache_stack *k,
                                const struct registers *r, uint32_t generation, const uint64_t *end)
{
    return walk_cache_begins_at(k, r, generation) &&
           __builtin_expect(walk_cache_equal(c, k, end), 1);
}

/* Looks in the trie: 0 where it is not known. */
static inline uint32_t walk_cache_look(const struct walk_cache *c, struct registers r,
                                       const uint64_t *end)
{
    uint32_t ref = walk_cache_ref(c, walk_cache_root(r));
    for (uint64_t inner = walk_cache_below(end, r.sp) + 1; ref & WALK_CACHE_BRANCH;) {
        uint64_t at = walk_cache_branch_at(ref);
        if (__builtin_expect(at >= inner, 0))
            return 0;
        inner = at;
        ref = walk_cache_ref(c, walk_cache_key(ref, walk_cache_word(end, at)));
    }
    return ref;
}

/* Where the thread's own stack can be read: all of [low, end). */
struct walk_cache_bounds {
    uintptr_t low, end;
};

/* Finds the stack at r: NULL where it is not known. On another stack than the thread's own nothing
 * is read. Programs repeat themselves: what came after the last stack before is tried first, and is
 * on its way from memory by now. */
static inline __attribute__((always_inline)) struct walk_cache_stack *
walk_cache_find(struct walk_cache *c, struct registers r, uint32_t generation,
                struct walk_cache_bounds own)
{
    const uint64_t *end = walk_cache_end(own.end);
    if (__builtin_expect(c->buckets == NULL || r.sp - own.low >= (uintptr_t)end - own.low, 0))
        return NULL;
    struct walk_cache_stack *last = walk_cache_at(c, c->last);
    uint32_t ref = last->next;
    struct walk_cache_stack *k = walk_cache_at(c, ref);
    if (!walk_cache_is(c, k, &r, generation, end)) {
        ref = walk_cache_look(c, r, end);
        k = walk_cache_at(c, ref);
        if (__builtin_expect(!walk_cache_is(c, k, &r, generation, end), 0))
            return NULL; /* also where ref is 0: that entry begins nowhere */
        last->next = ref;
    }
    c->last = ref;
    const char *next = walk_cache_at(c, k->next);
    __builtin_prefetch(next);
    __builtin_prefetch(next + 64);
    return k;
}

/* Has a stack much like the memo's, walked from r, been there before? From now on one has. */
int walk_cache_has_seen(struct memo *m, struct registers r);

/* The memo holds the stack as it was walked from r: it is known from now on. keep: its outermost
 * frames that it has in common with the stack before. Nothing happens where it cannot be held, or
 * there is no memory. */
void walk_cache_add(struct memo *m, struct registers r, uint32_t keep);

/* Is k the stack that the memo holds, as it was walked from sp? For the self-check. */
int walk_cache_agrees(const struct memo *m, uintptr_t sp, const struct walk_cache_stack *k);

/* Nothing is known any more: the thread has another stack, or an add was interrupted. */
void walk_cache_clear(struct memo *m);

/* The same, and the memory is given back. */
void walk_cache_release(struct memo *m);

/* The thread has ended: more than a new one begins with is given back. */
void walk_cache_shrink(struct memo *m);

#endif
