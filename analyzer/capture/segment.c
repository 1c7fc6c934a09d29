/* segment.c - see segment.h. */
#include "segment.h"

#include <stdlib.h>

#include "capture_format.h"
#include "xalloc.h"

/* The kinds' numbers are in the file (after TOKEN_ESCAPE). */
_Static_assert(EVENT_ALLOC == 0 && EVENT_FREE == 1 && EVENT_FREE_TEMPORARY == 2 &&
                   EVENT_REALLOC_FREE == 3 && EVENT_FREE_IMPLIED == 4 &&
                   EVENT_FREE_INHERITED == 5 && EVENT_FREE_UNMATCHED == 6 && EVENT_MAP == 7 &&
                   EVENT_UNMAP == 8,
               "format");

static void drop(uint64_t *live, uint64_t bytes)
{
    *live -= bytes < *live ? bytes : *live;
}

static inline void apply(struct heap_level *level, const struct event *e)
{
    switch (e->kind) {
    case EVENT_ALLOC:
        level->heap += e->bytes;
        break;
    case EVENT_FREE:
    case EVENT_FREE_TEMPORARY:
    case EVENT_REALLOC_FREE:
    case EVENT_FREE_IMPLIED:
        drop(&level->heap, e->bytes);
        break;
    case EVENT_MAP:
        level->mapped += e->bytes;
        break;
    case EVENT_UNMAP:
        drop(&level->mapped, e->bytes);
        break;
    case EVENT_FREE_INHERITED:
    case EVENT_FREE_UNMATCHED:
        break;
    }
}

void heap_level_apply(struct heap_level *level, const struct event *e)
{
    apply(level, e);
}

/* Writing */

static size_t slot_of(const struct segment_writer *s, uint32_t serial)
{
    size_t i = serial * 0x9e3779b1u & (s->slot_count - 1);
    while (s->slots[i] != 0 && s->threads[s->slots[i] - 1].serial != serial)
        i = (i + 1) & (s->slot_count - 1);
    return i;
}

/* Keeps the hash at most half full. */
static void grow_slots(struct segment_writer *s)
{
    if (s->thread_count * 2 < s->slot_count)
        return;
    free(s->slots);
    s->slot_count = s->slot_count ? s->slot_count * 2 : 16;
    s->slots = xcalloc(s->slot_count, sizeof *s->slots);
    for (size_t i = 0; i < s->thread_count; i++)
        s->slots[slot_of(s, s->threads[i].serial)] = (uint32_t)i + 1;
}

static struct segment_thread *find_thread(struct segment_writer *s, uint32_t serial)
{
    grow_slots(s);
    size_t slot = slot_of(s, serial);
    if (s->slots[slot] != 0)
        return &s->threads[s->slots[slot] - 1];
    s->threads = xgrow(s->threads, &s->thread_capacity, s->thread_count + 1, sizeof *s->threads);
    struct segment_thread *t = &s->threads[s->thread_count++];
    t->serial = serial;
    t->last_class = 0;
    t->tokens.size = 0; /* its memory may be left from an earlier segment */
    s->slots[slot] = (uint32_t)s->thread_count;
    return t;
}

static void end_run(struct segment_writer *s)
{
    if (s->head.events == s->run_begin)
        return;
    bytes_number(&s->run_threads, (uint64_t)(s->current - s->threads));
    bytes_number(&s->run_lengths, s->head.events - s->run_begin);
    s->run_begin = s->head.events;
}

static void change_thread(struct segment_writer *s, uint32_t serial)
{
    end_run(s);
    s->current = find_thread(s, serial);
}

static void change_tick(struct segment_writer *s, uint64_t ns)
{
    uint64_t tick = ns / CAPTURE_TICK_NS;
    if (s->head.events == 0) {
        s->head.first_tick = tick;
    } else {
        bytes_number(&s->tick_counts, s->head.events - s->tick_begin);
        bytes_number(&s->tick_steps, tick - s->head.last_tick);
    }
    s->head.last_tick = tick;
    s->tick_begin = s->head.events;
    s->tick_end_ns = (tick + 1) * CAPTURE_TICK_NS;
}

static inline void put_token(struct bytes *out, const struct event *e, uint32_t last,
                             uint32_t highest)
{
    uint64_t difference = zigzag((uint64_t)e->class - last);
    if (e->kind == EVENT_ALLOC && e->class == highest + 1) {
        bytes_number(out, TOKEN_NEW_CLASS);
    } else if (e->kind == EVENT_ALLOC) {
        bytes_number(out, TOKEN_FIRST + 2 * difference);
    } else if (e->kind == EVENT_FREE) {
        bytes_number(out, TOKEN_FIRST + 1 + 2 * difference);
    } else if (e->kind == EVENT_FREE_TEMPORARY && difference == 0) {
        bytes_number(out, TOKEN_TEMPORARY);
    } else {
        bytes_number(out, TOKEN_ESCAPE);
        bytes_number(out, (uint64_t)e->kind);
        bytes_number(out, difference);
        if (e->kind == EVENT_UNMAP)
            bytes_number(out, e->bytes);
    }
}

static void put_name(struct segment_writer *s, struct block_name name)
{
    if (name.place == BLOCK_YOUNGEST) {
        s->block_run++;
        return;
    }
    bytes_number(&s->block_runs, s->block_run);
    bytes_number(&s->block_places, name.place);
    s->block_run = 0;
    if (name.place == BLOCK_BIRTH) {
        bytes_number(&s->block_births, zigzag((uint64_t)name.birth - s->last_birth));
        s->last_birth = name.birth;
    }
}

void segment_add(struct segment_writer *s, const struct event *e)
{
    if (s->current == NULL || s->current->serial != e->thread)
        change_thread(s, e->thread);
    if (e->ns >= s->tick_end_ns || s->head.events == 0)
        change_tick(s, e->ns);
    struct segment_thread *t = s->current;
    put_token(&t->tokens, e, t->last_class, s->highest_class);
    t->last_class = e->class;
    if (e->class > s->highest_class)
        s->highest_class = e->class;
    apply(&s->level, e);
    if (e->kind == EVENT_ALLOC)
        s->allocations++;
    else if (s->names_blocks && event_frees(e->kind))
        put_name(s, e->name);
    s->head.events++;
}

size_t segment_bytes(const struct segment_writer *s)
{
    size_t tokens = 0;
    for (size_t i = 0; i < s->thread_count; i++)
        tokens += s->threads[i].tokens.size;
    return tokens + s->run_threads.size + s->run_lengths.size + s->tick_counts.size +
           s->tick_steps.size + s->block_runs.size + s->block_places.size + s->block_births.size +
           s->thread_count * 2 * VARINT_MAX;
}

static void put_column(struct bytes *payload, struct bytes *column)
{
    bytes_number(payload, column->size);
    bytes_append(payload, column->data, column->size);
    column->size = 0;
}

static void put_threads(struct segment_writer *s, struct bytes *payload)
{
    bytes_number(payload, s->thread_count);
    for (size_t i = 0; i < s->thread_count; i++) {
        bytes_number(payload, s->threads[i].serial);
        bytes_number(payload, s->threads[i].tokens.size);
    }
    for (size_t i = 0; i < s->thread_count; i++)
        bytes_append(payload, s->threads[i].tokens.data, s->threads[i].tokens.size);
}

void segment_finish(struct segment_writer *s, struct bytes *payload)
{
    end_run(s);
    bytes_number(&s->tick_counts, s->head.events - s->tick_begin);
    payload->size = 0;
    bytes_number(payload, s->head.events);
    bytes_number(payload, s->head.first_tick);
    bytes_number(payload, s->head.last_tick);
    bytes_number(payload, s->head.highest_class);
    bytes_number(payload, s->head.level.heap);
    bytes_number(payload, s->head.level.mapped);
    if (s->names_blocks)
        bytes_number(payload, s->head.allocations);
    put_column(payload, &s->run_threads);
    put_column(payload, &s->run_lengths);
    put_column(payload, &s->tick_counts);
    put_column(payload, &s->tick_steps);
    if (s->names_blocks) {
        put_column(payload, &s->block_runs);
        put_column(payload, &s->block_places);
        put_column(payload, &s->block_births);
    }
    put_threads(s, payload);

    s->head = (struct segment_head){
        .highest_class = s->highest_class, .level = s->level, .allocations = s->allocations};
    for (size_t i = 0; i < s->slot_count; i++)
        s->slots[i] = 0;
    s->thread_count = 0;
    s->current = NULL;
    s->run_begin = s->tick_begin = s->tick_end_ns = 0;
    s->block_run = 0;
    s->last_birth = 0;
}

void segment_free(struct segment_writer *s)
{
    for (size_t i = 0; i < s->thread_capacity; i++)
        bytes_free(&s->threads[i].tokens);
    free(s->threads);
    free(s->slots);
    bytes_free(&s->run_threads);
    bytes_free(&s->run_lengths);
    bytes_free(&s->tick_counts);
    bytes_free(&s->tick_steps);
    bytes_free(&s->block_runs);
    bytes_free(&s->block_places);
    bytes_free(&s->block_births);
}

/* Reading: the same order, the same names */

static struct cursor get_column(struct cursor *c)
{
    return cursor_part(c, cursor_number(c));
}

static uint32_t get_u32(struct cursor *c)
{
    uint64_t value = cursor_number(c);
    if (value > UINT32_MAX)
        c->bad = 1;
    return (uint32_t)value;
}

static void get_threads(struct segment_reader *r, struct cursor *c)
{
    uint64_t count = cursor_number(c);
    if (c->bad || count > (uint64_t)(c->end - c->at) / 2) { /* two numbers each */
        c->bad = 1;
        return;
    }
    r->thread_count = count;
    r->threads = xcalloc(count + 1, sizeof *r->threads);
    uint64_t *sizes = xcalloc(count + 1, sizeof *sizes);
    for (size_t i = 0; i < count; i++) {
        r->threads[i].serial = get_u32(c);
        sizes[i] = cursor_number(c);
    }
    for (size_t i = 0; i < count; i++)
        r->threads[i].left = cursor_part(c, sizes[i]);
    free(sizes);
}

/* Reads how many more frees take the youngest block; all do where no other name follows. */
static void next_block_run(struct segment_reader *r)
{
    r->block_run = UINT64_MAX;
    if (r->block_runs.at < r->block_runs.end)
        r->block_run = cursor_number(&r->block_runs);
}

int segment_open(struct segment_reader *r, const struct bytes *payload, int names_blocks,
                 struct blocks *blocks)
{
    struct cursor c = {payload->data, payload->data + payload->size, 0};
    *r = (struct segment_reader){0};
    r->head.events = cursor_number(&c);
    r->head.first_tick = cursor_number(&c);
    r->head.last_tick = cursor_number(&c);
    r->head.highest_class = get_u32(&c);
    r->head.level.heap = cursor_number(&c);
    r->head.level.mapped = cursor_number(&c);
    if (names_blocks)
        r->head.allocations = cursor_number(&c);
    r->run_threads = get_column(&c);
    r->run_lengths = get_column(&c);
    r->tick_counts = get_column(&c);
    r->tick_steps = get_column(&c);
    if (names_blocks) {
        r->block_runs = get_column(&c);
        r->block_places = get_column(&c);
        r->block_births = get_column(&c);
        r->blocks = blocks;
        next_block_run(r);
    }
    if (r->blocks)
        r->blocks->allocations = r->head.allocations;
    get_threads(r, &c);
    r->highest_class = r->head.highest_class;
    r->left = r->head.events;
    r->tick = r->head.first_tick;
    r->tick_events = cursor_number(&r->tick_counts);
    return !c.bad && r->head.events <= payload->size; /* an event is at least a byte */
}

static int next_run(struct segment_reader *r)
{
    uint64_t thread = cursor_number(&r->run_threads);
    r->run = cursor_number(&r->run_lengths);
    if (r->run_threads.bad || r->run_lengths.bad || thread >= r->thread_count || r->run == 0)
        return 0;
    r->current = &r->threads[thread];
    return 1;
}

static int next_tick(struct segment_reader *r)
{
    r->tick += cursor_number(&r->tick_steps);
    r->tick_events = cursor_number(&r->tick_counts);
    return !r->tick_steps.bad && !r->tick_counts.bad && r->tick_events > 0;
}

/* Kind, class, and the bytes of an unmap. */
static int get_token(struct segment_thread *t, uint32_t highest, struct event *e)
{
    uint64_t token = cursor_number(&t->left);
    uint64_t class = t->last_class;
    if (token >= TOKEN_FIRST) {
        token -= TOKEN_FIRST;
        e->kind = token & 1 ? EVENT_FREE : EVENT_ALLOC;
        class += unzigzag(token >> 1);
    } else if (token == TOKEN_NEW_CLASS) {
        e->kind = EVENT_ALLOC;
        class = (uint64_t)highest + 1;
    } else if (token == TOKEN_TEMPORARY) {
        e->kind = EVENT_FREE_TEMPORARY;
    } else {
        uint64_t kind = cursor_number(&t->left);
        if (kind > EVENT_UNMAP)
            return 0;
        e->kind = (enum event_kind)kind;
        class += unzigzag(cursor_number(&t->left));
        if (kind == EVENT_UNMAP)
            e->bytes = cursor_number(&t->left);
    }
    if (t->left.bad || class > UINT32_MAX)
        return 0;
    e->class = (uint32_t) class;
    return 1;
}

static struct block_name get_name(struct segment_reader *r)
{
    struct block_name name = {BLOCK_YOUNGEST, 0};
    if (r->block_run > 0) {
        r->block_run--;
        return name;
    }
    uint64_t place = cursor_number(&r->block_places);
    name.place = place < BLOCK_PLACES ? (uint32_t)place : BLOCK_PLACES;
    if (name.place == BLOCK_BIRTH) {
        name.birth = r->last_birth + (uint32_t)unzigzag(cursor_number(&r->block_births));
        r->last_birth = name.birth;
    }
    next_block_run(r);
    return name;
}

/* Finds the block that the event is about. Returns 0 where what the file says cannot be. */
static int follow_blocks(struct segment_reader *r, struct event *e)
{
    struct blocks *b = r->blocks;
    if (e->kind != EVENT_ALLOC && !event_frees(e->kind))
        return 1;
    if (e->class == 0)
        return 0;
    struct block_class *class = blocks_class(b, e->class);
    if (e->kind == EVENT_ALLOC) {
        blocks_own(b, blocks_add(b, e->class, class, 0), e->thread);
        e->block = b->allocations;
        return 1;
    }
    uint32_t block = blocks_find(b, class, get_name(r));
    if (block == 0 || r->block_places.bad || r->block_births.bad)
        return 0;
    e->block = b->list[block].number;
    e->owner = blocks_owner(b, block);
    blocks_remove(b, class, block);
    return 1;
}

int segment_next(struct segment_reader *r, const struct event_class *classes, size_t class_count,
                 uint64_t tick_ns, struct event *e)
{
    if (r->left == 0)
        return 0;
    if (r->run == 0 && !next_run(r))
        return -1;
    if (r->tick_events == 0 && !next_tick(r))
        return -1;
    struct segment_thread *t = r->current;
    if (!get_token(t, r->highest_class, e) || e->class >= class_count)
        return -1;
    e->thread = t->serial;
    e->ns = r->tick * tick_ns;
    e->block = 0;
    e->owner = 0;
    if (r->blocks && !follow_blocks(r, e))
        return -1;
    if (e->kind != EVENT_UNMAP)
        e->bytes = classes[e->class].size;
    t->last_class = e->class;
    if (e->class > r->highest_class)
        r->highest_class = e->class;
    r->run--;
    r->tick_events--;
    r->left--;
    return 1;
}

void segment_reader_free(struct segment_reader *r)
{
    free(r->threads);
    *r = (struct segment_reader){0};
}
