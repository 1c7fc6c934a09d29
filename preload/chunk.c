/* chunk.c - mapping, carving and losing. */
#include "chunk.h"
#include "init.h"
#include "sys.h"

#include <string.h>

struct spool_mapping spool;

#define POPULATE_STEP (128u << 10)
#ifndef WINDOWS_FROM              /* tests/schedules comes to windows sooner */
#define WINDOWS_FROM (256u << 10) /* carved by a process in chunks mapped by themselves */
#define DEEP_PART    4 /* a chunk is so many times as large as a deep stack, which begins it */
#endif
#define ANCHOR_EVERY (64ull << 20)
#define ANCHORS      1024
#define WINDOW       (64u << 10)
#define RETRY_NS     100000000u

static uint64_t carved_alone; /* bytes of this process's chunks that are mapped by themselves */

/* ---- anchors: pages of the file that stay mapped ---- */

struct anchor {
    uint8_t *page;
    uint64_t offset;
    uint32_t valid; /* stored last */
};

static struct anchor anchors[ANCHORS];
static uint32_t anchor_count;

/* Kernels before 5.14 cannot populate for writing: then the descriptor stays open (init_spool_fd)
 * and blocks are allocated through it. */
static int can_populate = 1;

static void anchor_add(uint8_t *page, uint64_t offset)
{
    uint32_t i = __atomic_fetch_add(&anchor_count, 1, __ATOMIC_RELAXED);
    if (i >= ANCHORS)
        return;
    anchors[i].page = page;
    anchors[i].offset = offset;
    __atomic_store_n(&anchors[i].valid, 1, __ATOMIC_RELEASE);
}

static const struct anchor *anchor_before(uint64_t offset)
{
    const struct anchor *best = NULL;
    uint32_t count = __atomic_load_n(&anchor_count, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < count && i < ANCHORS; i++)
        if (__atomic_load_n(&anchors[i].valid, __ATOMIC_ACQUIRE) && anchors[i].offset <= offset &&
            (!best || anchors[i].offset > best->offset))
            best = &anchors[i];
    return best;
}

/* p, mapped from `offset`, becomes an anchor where the last one is far away. */
static void add_anchor_if_far(uint8_t *p, uint64_t offset, uint64_t distance)
{
    uint8_t *page = distance > ANCHOR_EVERY ? sys_map_again(p, SPOOL_PAGE) : NULL;
    if (page)
        anchor_add(page, offset);
}

/* Maps [offset, offset + bytes) of the spool, not populated; NULL where the host's limits forbid
 * it. */
static uint8_t *map_part(uint64_t offset, size_t bytes)
{
    const struct anchor *a = anchor_before(offset);
    if (!a)
        return NULL;
    uint64_t distance = offset - a->offset;
    uint8_t *p = sys_map_again(a->page, distance + bytes);
    if (!p && sys_unlock(a->page, SPOOL_PAGE))
        p = sys_map_again(a->page, distance + bytes);
    if (!p)
        return NULL;
    if (distance)
        sys_unmap(p, distance);
    p += distance;
    add_anchor_if_far(p, offset, distance);
    return p;
}

/* The same for a window: at a multiple of its size. */
static uint8_t *map_aligned(uint64_t offset, size_t bytes)
{
    const struct anchor *a = anchor_before(offset);
    if (!a)
        return NULL;
    uint64_t distance = offset - a->offset;
    uint8_t *room = sys_reserve(distance + 2 * bytes);
    if (!room)
        return NULL;
    uint8_t *p = room + distance;
    p += -(uintptr_t)p & (bytes - 1);
    uint8_t *end = room + distance + 2 * bytes;
    if (!sys_map_again_at(a->page, distance + bytes, p - distance)) {
        sys_unmap(room, (size_t)(end - room));
        return NULL;
    }
    if (p > room)
        sys_unmap(room, (size_t)(p - room));
    if (p + bytes < end)
        sys_unmap(p + bytes, (size_t)(end - (p + bytes)));
    add_anchor_if_far(p, offset, distance);
    return p;
}

/* Gives the pages their place on the disk: 0, or -1 when it is full. */
static int populate(uint8_t *p, uint64_t offset, size_t bytes)
{
    if (can_populate)
        return sys_populate(p, bytes) == 0 ? 0 : -1;
    long fd = init_spool_fd();
    if (fd < 0)
        return -1;
    return SYS_CALL(SYS_fallocate, fd, 0, offset, bytes, 0, 0) == 0 ? 0 : -1;
}

/* ---- the tables ---- */

/* Windows of the tables that are mapped, by their number from the first table on. */
static uint8_t *windows[1024];

void *spool_entry(const struct spool_table *table, uint32_t i)
{
    if (i >= table->capacity)
        return NULL;
    uint64_t at = table->offset + (uint64_t)i * table->entry_bytes;
    uint64_t number = (at - spool.header->processes.offset) / WINDOW;
    uint64_t offset = spool.header->processes.offset + number * WINDOW;
    if (number >= sizeof windows / sizeof *windows)
        return NULL;
    uint8_t *window = __atomic_load_n(&windows[number], __ATOMIC_ACQUIRE);
    if (!window) {
        uint8_t *fresh = map_part(offset, WINDOW);
        if (!fresh)
            return NULL;
        if (populate(fresh, offset, WINDOW) < 0) {
            sys_unmap(fresh, WINDOW);
            return NULL;
        }
        if (__atomic_compare_exchange_n(&windows[number], &window, fresh, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            window = fresh;
        else
            sys_unmap(fresh, WINDOW);
    }
    return window + (at - offset);
}

/* ---- the start ---- */

/* Tables for a file that may grow to `cap`; all are multiples of a window. */
static void lay_out(struct spool_header *h, uint64_t cap)
{
    int small = cap < 256ull << 20;
    h->cap = cap;
    h->info_offset = 2 * SPOOL_PAGE;
    h->info_bytes = 6 * SPOOL_PAGE;
    uint64_t at = WINDOW;
    h->processes = (struct spool_table){at, sizeof(struct spool_process), small ? 1024 : 32768};
    at += (uint64_t)h->processes.entry_bytes * h->processes.capacity;
    h->modules = (struct spool_table){at, sizeof(struct spool_module), small ? 512 : 8192};
    at += (uint64_t)h->modules.entry_bytes * h->modules.capacity;
    h->pcs = (struct spool_table){at, sizeof(struct spool_pc), small ? 1u << 16 : 1u << 20};
    at += (uint64_t)h->pcs.entry_bytes * h->pcs.capacity;
    h->chunks_offset = at;
}

const char *spool_create(long fd, uint64_t cap)
{
    if (SYS_CALL(SYS_ftruncate, fd, cap, 0, 0, 0, 0) != 0)
        return "the spool could not be given its size";
    uint8_t *head = sys_map_shared((int)fd, 0, WINDOW);
    if (!head)
        return "the folder's file system has no shared mappings"; /* or the cap is too large for it
                                                                   */
    long populated = sys_advise(head, WINDOW, MADV_POPULATE_WRITE);
    if (populated == -22) /* EINVAL: the kernel does not know it */
        can_populate = 0;
    else if (populated != 0)
        return "there is no space left in the folder";
    if (!can_populate && SYS_CALL(SYS_fallocate, fd, 0, 0, WINDOW, 0, 0) != 0)
        return "there is no space left in the folder, or it cannot be reserved";
    spool.header = (struct spool_header *)head;
    spool.control = (struct spool_control *)(head + SPOOL_PAGE);
    anchor_add(head, 0);
    lay_out(spool.header, cap);
    spool.control->carved = spool.header->chunks_offset;
    spool.control->process_count = 1;
    spool.control->control_version = SPOOL_CONTROL_VERSION;
    spool.control->recording = 1;

    uint8_t *page = sys_map_again(head, spool.header->chunks_offset + SPOOL_PAGE);
    if (!page)
        return "the spool could not be mapped";
    sys_unmap(page, spool.header->chunks_offset);
    anchor_add(page + spool.header->chunks_offset, spool.header->chunks_offset);

    spool.process = spool_entry(&spool.header->processes, 0);
    return spool.process ? NULL : "there is no space left in the folder";
}

void spool_publish(void)
{
    spool.header->version = SPOOL_VERSION;
    __atomic_store_n(&spool.header->magic, SPOOL_MAGIC, __ATOMIC_RELEASE);
}

int spool_needs_fd(void)
{
    return !can_populate;
}

/* ---- chunks ---- */

void chunk_forget(struct stream *s)
{
    if (s->chunk && !s->slot.window) /* windows are gone already */
        sys_unmap(s->chunk, (size_t)(s->end - (uint8_t *)s->chunk));
    memset(s, 0, sizeof *s);
}

static void detach(void *pages, const uint8_t *end)
{
    if (pages)
        sys_pages_at(pages, (size_t)(end - (uint8_t *)pages));
}

void chunk_detach(struct stream *s)
{
    detach(s->chunk, s->end);
    detach(s->opening, s->opening_end);
}

/* A stream's place in the file: what chunk_close lets go of. */
struct place {
    struct spool_chunk *chunk;
    struct slot slot;
    uint8_t *end;
};

static struct place place_of(const struct stream *s)
{
    return (struct place){s->chunk, s->slot, s->end};
}

static void place_close(struct place *p)
{
    struct spool_chunk *c = p->chunk;
    if (!c)
        return;
    if (p->slot.window && slot_is_retired(&p->slot))
        c->flags &= ~(uint32_t)SPOOL_CHUNK_SLOT;
    POINT("closing");
    /* In this order: a chunk that is neither busy nor closed says that its stream is idle. */
    __atomic_store_n(&c->closed, SPOOL_CHUNK_CLOSED, __ATOMIC_RELEASE);
    POINT("closed");
    __atomic_store_n(&c->busy, 0, __ATOMIC_RELEASE);
    if (p->slot.window)
        slot_leave(&p->slot);
    else
        sys_unmap(c, (size_t)(p->end - (uint8_t *)c));
}

/* Forgotten first, then unmapped: a handler that interrupts this may jump away and never return. */
static void chunk_close(struct stream *s)
{
    struct place left = place_of(s);
    s->committed = s->limit = NULL;
    __atomic_store_n(&s->chunk, NULL, __ATOMIC_RELEASE);
    s->end = NULL;
    s->slot.window = NULL;
    place_close(&left);
}

/* Carves `bytes` of the file, at a multiple of `alignment`: its offset, or 0 past the cap. */
static uint64_t carve_aligned(size_t bytes, size_t alignment)
{
    uint64_t carved = __atomic_load_n(&spool.control->carved, __ATOMIC_RELAXED), at;
    do {
        at = (carved + alignment - 1) & ~(uint64_t)(alignment - 1);
        if (at + bytes > spool.header->cap)
            return 0;
    } while (!__atomic_compare_exchange_n(&spool.control->carved, &carved, at + bytes, 1,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return at;
}

static uint64_t carve(size_t bytes)
{
    return carve_aligned(bytes, SPOOL_PAGE);
}

/*
 * What was carved and found no room on the disk is carved again by the next try, or a disk that
 * stays full for a while would use up the cap. It goes back to `carved` where it is still the last
 * piece; else it is kept here, offset | log2(bytes).
 */
#define UNUSED_PIECES 32
static uint64_t unused[UNUSED_PIECES];

static uint64_t carve_unused(size_t bytes)
{
    uint64_t size = (uint64_t)__builtin_ctzll(bytes);
    for (uint32_t i = 0; i < UNUSED_PIECES; i++) {
        uint64_t piece = __atomic_load_n(&unused[i], __ATOMIC_RELAXED);
        if (piece && (piece & (SPOOL_PAGE - 1)) == size &&
            __atomic_compare_exchange_n(&unused[i], &piece, 0, 0, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return piece - size;
    }
    return 0;
}

static void give_back(uint64_t offset, size_t bytes)
{
    uint64_t end = offset + bytes, none = 0;
    if (!offset || __atomic_compare_exchange_n(&spool.control->carved, &end, offset, 0,
                                               __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    for (uint32_t i = 0; i < UNUSED_PIECES; i++, none = 0)
        if (__atomic_compare_exchange_n(&unused[i], &none,
                                        offset | (uint64_t)__builtin_ctzll(bytes), 0,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return;
}

uint8_t *spool_map_window(size_t bytes, uint64_t *offset)
{
    *offset = carve_unused(bytes);
    if (!*offset)
        *offset = carve_aligned(bytes, bytes);
    uint8_t *p = *offset ? map_aligned(*offset, bytes) : NULL;
    if (p) {
        sys_advise(p, bytes, MADV_HUGEPAGE);
        if (populate(p, *offset, bytes) == 0)
            return p;
        sys_unmap(p, bytes);
    }
    give_back(*offset, bytes);
    return NULL;
}

/* ---- room for a program that forbids itself calls of memory ---- */

#define ASIDE (4u << 20)

static struct {
    uint8_t *start; /* NULL: nothing is set aside */
    uint64_t offset, used;
} aside;

void spool_set_aside(void)
{
    if (aside.start)
        return;
    uint64_t offset = carve(ASIDE);
    uint8_t *p = offset ? map_part(offset, ASIDE) : NULL;
    if (!p)
        return;
    if (populate(p, offset, ASIDE) < 0) {
        sys_unmap(p, ASIDE);
        return;
    }
    aside.offset = offset;
    aside.used = 0;
    __atomic_store_n(&aside.start, p, __ATOMIC_RELEASE);
}

void spool_after_fork(void)
{
    aside.start = NULL;
    carved_alone = 0;
    memset(unused, 0, sizeof unused); /* the parent's */
    window_after_fork();
}

static uint8_t *take_from_aside(size_t bytes, uint64_t *offset)
{
    uint8_t *start = __atomic_load_n(&aside.start, __ATOMIC_ACQUIRE);
    uint64_t at = __atomic_load_n(&aside.used, __ATOMIC_RELAXED);
    do {
        if (!start || at + bytes > ASIDE)
            return NULL;
    } while (!__atomic_compare_exchange_n(&aside.used, &at, at + bytes, 1, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    *offset = aside.offset + at;
    return start + at;
}

/* ---- opening ---- */

/* Carves and maps `bytes` of the file, the first *ready of them populated (at least `need`). */
static uint8_t *chunk_pages(size_t bytes, size_t need, size_t *ready, uint64_t *offset)
{
    *ready = bytes;
    if (!sys_may(SYS_KIND_MEMORY))
        return take_from_aside(bytes, offset);
    *offset = carve_unused(bytes);
    if (!*offset)
        *offset = carve(bytes);
    need = (need + POPULATE_STEP - 1) / POPULATE_STEP * POPULATE_STEP;
    if (need < bytes)
        *ready = need;
    uint8_t *p = *offset ? map_part(*offset, bytes) : NULL;
    if (p && populate(p, *offset, *ready) == 0)
        return p;
    if (p)
        sys_unmap(p, bytes);
    give_back(*offset, bytes);
    return NULL;
}

/* The pages for a chunk of at least `need` bytes: in a window, once the process has filled so much
 * that one is worth while, or by themselves. Short-lived processes and threads stay small. */
static int find_place(const struct stream *s, size_t need, struct place *place, size_t *ready)
{
    size_t bytes = s->next_bytes ? s->next_bytes : SPOOL_CHUNK_MIN;
    uint64_t offset;
    place->slot.window = NULL;
    place->chunk = NULL;
    if (bytes == SLOT_BYTES && need <= SLOT_BYTES / DEEP_PART &&
        __atomic_load_n(&carved_alone, __ATOMIC_RELAXED) >= WINDOWS_FROM)
        place->chunk = slot_take(&place->slot);
    *ready = bytes;
    if (!place->chunk) {
        while (bytes < (need > SLOT_BYTES / DEEP_PART ? need * DEEP_PART : need))
            bytes *= 2;
        struct spool_chunk *c = (struct spool_chunk *)chunk_pages(bytes, need, ready, &offset);
        if (!c)
            return 0;
        c->offset = offset;
        c->bytes = bytes;
        memcpy(c->id8, spool.header->id, sizeof c->id8);
        __atomic_fetch_add(&carved_alone, bytes, __ATOMIC_RELAXED);
        place->chunk = c;
    }
    place->end = (uint8_t *)place->chunk + bytes;
    return 1;
}

/* Writes the header, all but what makes it visible. */
static void lay_out_chunk(struct stream *s, struct spool_chunk *c, uint32_t process, int in_slot)
{
    c->sequence = s->opening_sequence;
    c->process = process;
    c->stream = s->serial_plus_1 - 1;
    c->index = s->opening_index;
    c->flags = in_slot ? SPOOL_CHUNK_SLOT : 0;
    c->opened = init_now();
    c->commit = (uint64_t)c->sequence << 32;
    c->busy = 1;
}

/* From here on everybody sees it. */
static void show(struct stream *s, struct spool_chunk *c, enum spool_chunk_state state)
{
    POINT("laid out");
    __atomic_store_n(&c->closed, state, __ATOMIC_RELEASE);
    POINT("opened");
    __atomic_store_n(&c->mark, SPOOL_CHUNK_MARK, __ATOMIC_RELEASE);
    POINT("marked");
    s->next_index = s->opening_index + 1;
}

/* A handler has jumped out of chunk_open. The next chunk may have been seen or not: it becomes an
 * empty one, or its number would be missing in the stream for ever. */
static void show_what_was_opening(struct stream *s)
{
    struct spool_chunk *c = s->opening;
    if (!c || c == s->chunk)
        return;
    s->opening = NULL;
    lay_out_chunk(s, c, spool.process_serial, 0);
    c->busy = 0;
    show(s, c, SPOOL_CHUNK_CLOSED);
}

void chunk_abandon(struct stream *s)
{
    show_what_was_opening(s);
    chunk_close(s);
    s->next_bytes = SPOOL_CHUNK_MIN;
}

/* The stream goes on in another chunk; `old` is the one before. */
static void chunk_open_at(struct stream *s, const struct place *place, size_t ready)
{
    struct spool_chunk *c = place->chunk;
    size_t bytes = (size_t)(place->end - (uint8_t *)c);
    s->committed = s->limit = NULL;
    __atomic_store_n(&s->chunk, NULL, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* see chunk_close: a handler may jump away */
    s->end = place->end;
    s->sequence = c->sequence;
    s->slot = place->slot;
    __atomic_store_n(&s->chunk, c, __ATOMIC_RELEASE); /* from here on chunk_close unmaps it */
    s->committed = (uint8_t *)(c + 1);
    s->limit = (uint8_t *)c + ready;
    s->delta = (struct spool_delta){c->opened.ticks, 0};
    s->next_bytes = bytes < SLOT_BYTES ? (uint32_t)bytes * 4 : SLOT_BYTES;
    s->fresh = STREAM_NEW_CHUNK;
    s->depth = 0;
    s->opening = NULL;
}

static int chunk_open(struct stream *s, size_t need)
{
    uint32_t process = spool.process_serial;
    struct place place, old = place_of(s);
    size_t ready;
    if (!find_place(s, need + sizeof(struct spool_chunk), &place, &ready))
        return 0;
    POINT("placed");
    if (!s->serial_plus_1)
        s->serial_plus_1 = __atomic_add_fetch(&spool.control->stream_count, 1, __ATOMIC_RELAXED);
    s->opening_end = place.end;
    s->opening_sequence = place.chunk->sequence + 1;
    s->opening_index = s->next_index;
    __atomic_store_n(&s->opening, place.chunk, __ATOMIC_RELEASE);
    /* A handler forked, and the chunk is the parent's. So is the event that this is for: it goes
     * where nobody looks, like all that the stream was left with (chunk_detach). */
    if (process != spool.process_serial)
        detach(place.chunk, place.end);
    lay_out_chunk(s, place.chunk, process, place.slot.window != NULL);
    show(s, place.chunk, SPOOL_CHUNK_OPEN);
    chunk_open_at(s, &place, ready);
    place_close(&old);
    return 1;
}

/* More pages for the chunk at hand. */
static int chunk_extend(struct stream *s)
{
    uint8_t *from = s->limit - (uintptr_t)s->limit % SPOOL_PAGE; /* see below */
    size_t more = (size_t)(s->end - from);
    if (more > POPULATE_STEP)
        more = POPULATE_STEP;
    if (populate(from, s->chunk->offset + (uint64_t)(from - (uint8_t *)s->chunk), more) < 0)
        return 0;
    s->limit = from + more;
    return 1;
}

int chunk_reserve(struct stream *s, size_t bytes, size_t in_new)
{
    if (chunk_has_room(s, bytes))
        return 1;
    if (init_ticks() < s->retry)
        return 0;
    if (s->chunk && (size_t)(s->end - s->committed) >= bytes) {
        while ((size_t)(s->limit - s->committed) < bytes && chunk_extend(s))
            ;
        if ((size_t)(s->limit - s->committed) >= bytes)
            return 1;
    } else if (chunk_open(s, in_new)) {
        return 1;
    }
    /* Nothing more goes here until then, or the small free of a lost allocation would. */
    s->limit = s->committed;
    s->retry = init_ticks() + RETRY_NS;
    return 0;
}

/* ---- losing ---- */

static void count(uint64_t *counter, uint64_t more)
{
    __atomic_fetch_add(counter, more, __ATOMIC_RELAXED);
}

void spool_lost(enum spool_kind kind, uint64_t bytes)
{
    struct spool_process *p = spool.process;
    uint64_t never = 0;
    if (!p)
        return;
    __atomic_compare_exchange_n(&p->lost_since, &never, init_ticks(), 0, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    switch (kind) {
    case SPOOL_REALLOC_MOVED:
        count(&p->lost_frees, 1); /* fallthrough */
    case SPOOL_ALLOC:
        count(&p->lost_bytes, bytes);
        count(&p->lost_allocations, 1);
        break;
    case SPOOL_FREE:
    case SPOOL_REALLOC_FREED:
        count(&p->lost_frees, 1);
        break;
    case SPOOL_RANGE_MAP:
        count(&p->lost_maps, 1);
        count(&p->lost_mapped_bytes, bytes); /* fallthrough */
    default:
        count(&p->lost_other, 1);
        break;
    }
}

void spool_unplaced(void)
{
    spool.process = (struct spool_process *)((uint8_t *)spool.control + SPOOL_UNPLACED_OFFSET);
    __atomic_fetch_add(&spool.control->unplaced_processes, 1, __ATOMIC_RELAXED);
}
