/* walk_nodes.c - the tables of nodes and of numbers. */
#include "walk_nodes.h"
#include "spool.h"
#include "sys.h"

#include <string.h>

/* ---- the tables ---- */

#define NODE_BITS_FIRST 8
#define NODE_BITS_MAX   12 /* 320 KiB, for threads with very many stacks */
#define NODE_STEP       2

/* The size of both tables. */
static size_t node_bytes(uint32_t bits)
{
    return (sizeof(struct node) + sizeof(struct named)) << bits;
}

int nodes_grow(struct memo *m)
{
    uint32_t bits = m->nodes ? m->node_bits + NODE_STEP : NODE_BITS_FIRST;
    if (bits > NODE_BITS_MAX)
        bits = NODE_BITS_MAX;
    m->misses = 0;
    struct node *fresh = bits > m->node_bits ? sys_pages(node_bytes(bits)) : NULL;
    if (!fresh)
        return m->nodes != NULL;
    struct node *old = m->nodes;
    size_t old_bytes = node_bytes(m->node_bits);
    m->nodes = fresh;
    m->named = (struct named *)(fresh + (1u << bits));
    m->node_bits = bits;
    if (old)
        sys_unmap(old, old_bytes);
    return 1;
}

void nodes_clear(struct memo *m)
{
    if (m->nodes)
        memset(m->nodes, 0, node_bytes(m->node_bits));
}

struct node *node_for(struct memo *m, const struct stepper *s, uint32_t generation)
{
    struct node *x = &m->nodes[node_place(m, s->r.pc, s->r.sp)];
    if (__builtin_expect(is_node_of(x, &s->r, generation), 1))
        return x;
    uint64_t rule = rule_find(s->r.pc, 0, generation);
    m->misses++;
    x->pc = s->r.pc;
    x->sp = s->r.sp;
    x->fp = s->r.fp;
    x->outer_sp = 0;
    x->rule = rule;
    x->uses_fp = (uint16_t)rule_uses_fp(rule);
    x->generation = generation;
    x->number = 0;
    return x;
}

/* ---- numbers ---- */

static inline struct named *named_place(const struct memo *m, uint64_t frame, uint32_t outer)
{
    return &m->named[(frame * 0x9e3779b97f4a7c15ull ^ outer * 0xc2b2ae3d27d4eb4full) >>
                     (64 - m->node_bits)];
}

static inline uint64_t named_frame(const struct memo_frame *f)
{
    return f->id == SPOOL_FRAME_RAW ? f->pc | 1ull << 63 : f->id;
}

static inline void tell_node(struct memo *m, const struct memo_frame *f)
{
    struct node *x = &m->nodes[f->node & ((1u << m->node_bits) - 1)];
    if (f->node != NODE_NONE && x->pc == f->pc && x->sp == f->sp) {
        x->number = f->number;
        x->outer = f->outer;
    }
}

#define NUMBERS_MAX 0xf0000000u

void walk_new_chunk(struct memo *m)
{
    if (m->next_number > NUMBERS_MAX) { /* after weeks: starts again from the beginning */
        nodes_clear(m);
        for (uint32_t i = 0; i < m->count; i++)
            memo_frames(m)[i].number = 0;
        m->next_number = 0;
    }
    if (m->next_number == 0)
        m->next_number = 1; /* 0 is no number */
    m->first_number = m->next_number;
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
        tell_node(m, &f[i]);
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
        tell_node(m, &f[i]);
    }
}
