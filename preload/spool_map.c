/* spool_map.c - mapping the spool's file, carving it up, and its tables. */
#include "spool_map.h"
#include "init.h"
#include "points.h"
#include "sys.h"

#include <string.h>

struct spool_mapping spool;

#define ANCHOR_EVERY (64ull << 20)
#define ANCHORS      1024
#define WINDOW       (64u << 10)

/* ---- anchors: pages of the file that stay mapped ---- */

struct anchor {
    uint8_t *page;
    uint64_t offset;
    uint32_t valid; /* stored last */
};

static struct anchor anchors[ANCHORS];
static uint32_t anchor_count;

/* Kernels before 5.14 cannot populate for writing: then the descriptor stays open (init_spool_fd)
 * and disk space is allocated through it. */
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

/* Makes p, mapped from `offset`, an anchor if the last one is far away. */
static void add_anchor_if_far(uint8_t *p, uint64_t offset, uint64_t distance)
{
    uint8_t *page = distance > ANCHOR_EVERY ? sys_map_again(p, SPOOL_PAGE) : NULL;
    if (page)
        anchor_add(page, offset);
}

/* Maps [offset, offset + bytes) of the spool, unpopulated; NULL if the host's limits forbid it. */
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

/* The same for a window, at a multiple of its size. */
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

int spool_populate(uint8_t *p, uint64_t offset, size_t bytes)
{
    if (can_populate)
        return sys_populate(p, bytes) == 0 ? 0 : -1;
    long fd = init_spool_fd();
    if (fd < 0)
        return -1;
    return SYS_CALL(SYS_fallocate, fd, 0, offset, bytes, 0, 0) == 0 ? 0 : -1;
}

/* ---- the tables ---- */

/* The mapped windows of the tables, numbered from the start of the first table. */
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
        if (spool_populate(fresh, offset, WINDOW) < 0) {
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

/* Lays out the tables for a file that may grow to `cap`; their sizes are multiples of a window. */
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
        return "the folder's file system has no shared mappings"; /* or the cap is too large */
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

/* ---- carving ---- */

/* Carves `bytes` of the file at a multiple of `alignment`: the offset, or 0 past the cap. */
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
 * A piece that was carved but found no disk space is carved again by the next try; else a disk that
 * stays full for a while would use up the cap. It goes back to `carved` if it is still the last
 * piece; else it is kept here, as offset | log2(bytes).
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

static int populate_headers(uint8_t *p, uint64_t offset, size_t bytes, size_t slot_bytes)
{
    for (size_t at = 0; at < bytes; at += slot_bytes)
        if (spool_populate(p + at, offset + at, SPOOL_PAGE) < 0)
            return 0;
    return 1;
}

uint8_t *spool_map_window(size_t bytes, size_t slot_bytes, uint64_t *offset)
{
    *offset = carve_unused(bytes);
    if (!*offset)
        *offset = carve_aligned(bytes, bytes);
    POINT("claimed");
    uint8_t *p = *offset ? map_aligned(*offset, bytes) : NULL;
    if (p) {
        sys_advise(p, bytes, MADV_HUGEPAGE);
        if (populate_headers(p, *offset, bytes, slot_bytes))
            return p;
        sys_unmap(p, bytes);
    }
    give_back(*offset, bytes);
    return NULL;
}

/* ---- room for a program that forbids itself memory calls ---- */

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
    if (spool_populate(p, offset, ASIDE) < 0) {
        sys_unmap(p, ASIDE);
        return;
    }
    aside.offset = offset;
    aside.used = 0;
    __atomic_store_n(&aside.start, p, __ATOMIC_RELEASE);
}

void spool_forget_room(void)
{
    aside.start = NULL;
    memset(unused, 0, sizeof unused); /* the parent's */
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

/* ---- pages for a chunk ---- */

uint8_t *spool_pages(size_t bytes, size_t need, size_t *ready, uint64_t *offset)
{
    *ready = bytes;
    if (!sys_may(SYS_KIND_MEMORY))
        return take_from_aside(bytes, offset);
    *offset = carve_unused(bytes);
    if (!*offset)
        *offset = carve(bytes);
    POINT("claimed");
    need = (need + SPOOL_POPULATE_STEP - 1) / SPOOL_POPULATE_STEP * SPOOL_POPULATE_STEP;
    if (need < bytes)
        *ready = need;
    uint8_t *p = *offset ? map_part(*offset, bytes) : NULL;
    if (p && spool_populate(p, *offset, *ready) == 0)
        return p;
    if (p)
        sys_unmap(p, bytes);
    give_back(*offset, bytes);
    return NULL;
}
