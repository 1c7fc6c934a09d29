/*
 * blocks.h - the live blocks that a process has allocated itself: which allocation each is, by
 * class in order of age, and a short name for the one that a free takes.
 *
 * A free mostly takes the class's youngest block, or a neighbour of the one freed last. So a block
 * is named by its place among its class's live blocks (enum block_place), and whoever follows the
 * same events finds it by that name: the collector names blocks while it writes a capture, a reader
 * finds them again. Where no place is near, the name is the block's birth: its number in the
 * stretch of events (a segment) that both sides begin with blocks_begin_segment.
 *
 *   births of a segment: the blocks that live at its beginning, by class and by age within it, are
 *   1 .. n; the segment's allocations are n + 1, n + 2 ..
 *   within a class, the younger block has the higher birth
 *
 * A block's owner, a number of the caller's, is kept beside the list, and only once there is one
 * other than 0: the blocks of a process with one thread cost nothing more.
 *
 * Block 0 is no block. One owner, one thread. A zeroed struct is empty.
 */
#ifndef MPROF_BLOCKS_H
#define MPROF_BLOCKS_H

#include "pages.h"
#include "tree.h"

struct block {
    uint64_t number; /* which allocation of the process, from 1; 0: one before reading began */
    uint64_t ns;     /* of the allocation, for those who need it */
    uint32_t class;
    uint32_t older, younger; /* in its class; of a vacant block, `younger` is the next vacant one */
    uint32_t birth;
};

/* All that one event of a block needs to know of its class, in one cache line. */
struct block_class {
    uint64_t size;
    struct charge charge;      /* of the class's stack; for the collector alone */
    uint32_t youngest, oldest; /* 0: none lives */
    uint32_t younger, older;   /* the neighbours of the block freed last, 0 none */
    uint32_t live;
    uint32_t is_known; /* size and charge are filled in */
    uint64_t allocations, temporary;
} __attribute__((aligned(64)));

struct blocks {
    struct block *list;     /* [0] is no block */
    size_t count, capacity; /* count: none from here on was ever used */
    uint32_t *owners;       /* by block; NULL: all 0 */
    size_t owner_capacity;  /* blocks from here on have owner 0 */
    uint32_t vacant;
    struct pages classes; /* struct block_class, by class */
    uint64_t allocations; /* so far */
    uint32_t births;      /* in this segment */
    uint32_t last_birth;  /* of the block freed last, 0 none in this segment */
    uint32_t *by_birth;   /* birth -> block; only after blocks_follow_births */
    size_t birth_capacity;
    int follows_births;
};

enum block_place {
    BLOCK_YOUNGEST = 0,
    BLOCK_YOUNGER = 1, /* the younger neighbour of its class's block that was freed last */
    BLOCK_OLDER = 2,
    BLOCK_OLDEST = 3,
    BLOCK_NEAR = 4,           /* close in age to the block of any class that was freed last */
    BLOCK_NEAR_OLDER = 5,     /* the next older one */
    BLOCK_BIRTH = 6,          /* by its birth */
    BLOCK_YOUNGER_MORE = 8,   /* + k: k places younger than BLOCK_YOUNGER, 1 .. BLOCK_STEPS - 1 */
    BLOCK_OLDER_MORE = 16,    /* + k: k places older than BLOCK_OLDER */
    BLOCK_YOUNGEST_MORE = 24, /* + k: k places older than BLOCK_YOUNGEST */
    BLOCK_PLACES = 32,
};
#define BLOCKS_MAX       (1u << 31) /* a block's index stays below: live.h uses the highest bit */
#define BLOCK_STEPS      8u
#define BLOCK_NEAR_STEPS 8u /* how far to look for BLOCK_NEAR */

struct block_name {
    uint32_t place; /* enum block_place */
    uint32_t birth; /* where place is BLOCK_BIRTH */
};

/* Calls visit for each class with a live block, in order of class. */
void blocks_each_class(struct blocks *b,
                       void (*visit)(void *context, uint32_t class, struct block_class *c),
                       void *context);

/* From now on BLOCK_BIRTH finds blocks; call it before the first block. */
void blocks_follow_births(struct blocks *b);

/* Begins a segment: gives births anew, and forgets which blocks were freed last. */
void blocks_begin_segment(struct blocks *b);

static inline struct block_class *blocks_class(struct blocks *b, uint32_t class)
{
    return pages_place(&b->classes, class, sizeof(struct block_class));
}

uint32_t blocks_more(struct blocks *b); /* makes a vacant block where there is none */
void blocks_note_birth(struct blocks *b, uint32_t block);

/* Adds an allocation: the class's new youngest block. */
static inline uint32_t blocks_add(struct blocks *b, uint32_t class, struct block_class *c,
                                  uint64_t ns)
{
    uint32_t i = b->vacant ? b->vacant : blocks_more(b);
    struct block *block = &b->list[i];

    b->vacant = block->younger;
    *block = (struct block){++b->allocations, ns, class, c->youngest, 0, ++b->births};
    if (c->youngest)
        b->list[c->youngest].younger = i;
    else
        c->oldest = i;
    c->youngest = i;
    c->live++;
    c->allocations++;
    if (b->follows_births)
        blocks_note_birth(b, i);
    return i;
}

void blocks_more_owners(struct blocks *b);

/* Sets the block's owner. */
static inline void blocks_own(struct blocks *b, uint32_t block, uint32_t owner)
{
    if (__builtin_expect(block >= b->owner_capacity, 1)) {
        if (__builtin_expect(owner == 0, 1))
            return;
        blocks_more_owners(b);
    }
    b->owners[block] = owner;
}

static inline uint32_t blocks_owner(const struct blocks *b, uint32_t block)
{
    return block < b->owner_capacity ? b->owners[block] : 0;
}

/* Adds a block of which only the class is known: it was allocated before reading began. */
void blocks_add_unknown(struct blocks *b, uint32_t class);

struct block_name blocks_name_slow(const struct blocks *b, const struct block_class *c,
                                   uint32_t block);

/* The name of a live block of class c. */
static inline struct block_name blocks_name(const struct blocks *b, const struct block_class *c,
                                            uint32_t block)
{
    if (__builtin_expect(c->youngest == block, 1))
        return (struct block_name){BLOCK_YOUNGEST, 0};
    return blocks_name_slow(b, c, block);
}

/* The block of this name, 0 where there is none. */
uint32_t blocks_find(const struct blocks *b, const struct block_class *c, struct block_name name);

/* Frees block i, of class c. */
static inline void blocks_remove(struct blocks *b, struct block_class *c, uint32_t i)
{
    struct block *block = &b->list[i];
    uint32_t older = block->older, younger = block->younger;

    if (younger)
        b->list[younger].older = older;
    else
        c->youngest = older;
    if (older)
        b->list[older].younger = younger;
    else
        c->oldest = younger;
    c->younger = younger;
    c->older = older;
    c->live--;
    b->last_birth = block->birth;
    block->class = 0;
    block->younger = b->vacant;
    b->vacant = i;
}

void blocks_clear(struct blocks *b); /* releases its memory */

#endif
