/* walk_numbers.c - the table of numbers. */
#include "walk_numbers.h"
#include "spool.h"
#include "sys.h"

#include <string.h>

#define NAMED_BITS_FIRST 8
#define NAMED_BITS_MAX   13 /* 128 KiB, for threads with very many stacks */
#define NAMED_STEP       1

static size_t table_bytes(uint32_t bits)
{
    return sizeof(struct named) << bits;
}

static inline struct named *named_place(const struct memo *m, uint64_t frame, uint32_t outer)
{
    return &m->named[(frame * 0x9e3779b97f4a7c15ull ^ outer * 0xc2b2ae3d27d4eb4full) >>
                     (64 - m->named_bits)];
}

static int numbers_make(struct memo *m, uint32_t bits)
{
    struct named *fresh = sys_pages(table_bytes(bits));
    if (!fresh)
        return 0;
    if (!m->named) /* a handler may jump out in between: the bits never say more than there is */
        m->named_bits = bits;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&m->named, fresh, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    m->named_bits = bits;
    return 1;
}

int numbers_begin(struct memo *m)
{
    return m->named || numbers_make(m, NAMED_BITS_FIRST);
}

void numbers_clear(struct memo *m)
{
    if (m->named)
        memset(m->named, 0, table_bytes(m->named_bits));
}

/* The chunk has given out more numbers than there are places. */
static __attribute__((noinline)) void numbers_grow(struct memo *m)
{
    struct named *old = m->named;
    uint32_t bits = m->named_bits;
    if (!numbers_make(m, bits + NAMED_STEP))
        return;
    for (const struct named *n = old; n < old + (1u << bits); n++)
        if (n->number >= m->first_number)
            *named_place(m, n->frame, n->outer) = *n;
    sys_unmap(old, table_bytes(bits));
}

static inline int is_crowded(const struct memo *m)
{
    return (m->next_number - m->first_number) >> m->named_bits && m->named_bits < NAMED_BITS_MAX;
}

static inline uint64_t named_frame(const struct memo_frame *f)
{
    return f->id == SPOOL_FRAME_RAW ? f->pc | 1ull << 63 : f->id;
}

#define NUMBERS_MAX 0xf0000000u

/* After weeks: starts again from the beginning. */
static __attribute__((noinline)) void renumber(struct memo *m)
{
    numbers_clear(m);
    walk_cache_clear(m);
    for (uint32_t i = 0; i < m->count; i++)
        memo_frames(m)[i].number = 0;
    m->next_number = 0;
}

uint32_t walk_new_chunk(struct memo *m)
{
    uint32_t given = m->next_number - m->first_number;
    if (m->next_number > NUMBERS_MAX)
        renumber(m);
    if (m->next_number == 0)
        m->next_number = 1; /* 0 is no number */
    m->first_number = m->next_number;
    return given;
}

uint32_t walk_find_numbers(struct memo *m, uint32_t from)
{
    struct memo_frame *f = memo_frames(m);
    uint32_t outer = from ? f[from - 1].number : 0, i = from;
    for (; i < m->count; outer = f[i++].number) {
        if (__builtin_expect(f[i].outer == outer && f[i].number >= m->first_number, 1))
            continue;
        uint64_t frame = named_frame(&f[i]);
        const struct named *n = named_place(m, frame, outer);
        if (n->frame != frame || n->outer != outer || n->number < m->first_number)
            break;
        f[i].outer = outer;
        f[i].number = n->number;
    }
    return i;
}

void walk_give_numbers(struct memo *m, uint32_t from)
{
    struct memo_frame *f = memo_frames(m);
    uint32_t outer = from ? f[from - 1].number : 0;
    for (uint32_t i = from; i < m->count; outer = f[i++].number) {
        uint64_t frame = named_frame(&f[i]);
        f[i].outer = outer;
        f[i].number = m->next_number++;
        *named_place(m, frame, outer) = (struct named){frame, outer, f[i].number};
    }
    if (__builtin_expect(is_crowded(m), 0))
        numbers_grow(m);
}
