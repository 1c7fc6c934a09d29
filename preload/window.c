/* window.c - windows and their slots. */
#include "window.h"
#include "chunk.h"
#include "init.h"
#include "points.h"
#include "sys.h"

#include <string.h>

#define SLOTS_MAX (WINDOW_BYTES / SLOT_BYTES)
#define ALL_SLOTS ((1ull << SLOTS_MAX) - 1) /* those of large slots leave most of these unused */
#define RETIRED   (1ull << 63)
#define MAKING    (1ull << 62)
#define OPEN      (1ull << 61)

struct window {
    uint8_t *base;
    uint64_t offset; /* in the file */
    uint64_t state;  /* held bits, and RETIRED, MAKING or OPEN */
    uint64_t filled; /* slots whose pages are all populated */
    uint64_t
        gone; /* slots that are unmapped, or will be at once: what lies there may be another's */
    uint32_t cursor; /* where the search for a free slot begins */
};

/*
 * A descriptor is used again only when all its slots are unmapped:
 *   state == NEVER or RETIRED   it is spare
 *   MAKING | ..                 one thread has claimed it and is making a window of it
 *   OPEN | held bits            slots may be taken
 *   RETIRED | held bits         the held slots are yet to be unmapped, one by one
 */
#define NEVER   0
#define WINDOWS 1024
static struct window windows[SLOT_KINDS][WINDOWS]; /* so a descriptor is never of another kind */
/* The newest windows of each kind: 1 + index, [0] the newest. Two where a collector frees slots
 * again. */
#define ACTIVE 2
static uint32_t newest[SLOT_KINDS][ACTIVE];
static uint64_t mapping; /* when somebody began to map one (ticks), 0 nobody */

/* NULL: there is none. */
static struct window *newest_of(enum slot_kind kind, uint32_t i)
{
    uint32_t index = __atomic_load_n(&newest[kind][i], __ATOMIC_ACQUIRE);
    return index ? &windows[kind][index - 1] : NULL;
}

static enum slot_kind kind_of(const struct window *w)
{
    return (enum slot_kind)((w - windows[0]) / WINDOWS);
}

static uint32_t bytes_of(const struct window *w)
{
    return slot_bytes(kind_of(w));
}

static uint32_t slots_of(enum slot_kind kind)
{
    return WINDOW_BYTES / slot_bytes(kind);
}

static struct spool_chunk *chunk_in(const struct window *w, uint32_t slot)
{
    return (struct spool_chunk *)(w->base + (size_t)slot * bytes_of(w));
}

/* ---- slots ---- */

/* The bits first: a child of this moment must not unmap what the program may have there by then. */
static void unmap_slots(struct window *w, uint32_t first, uint32_t count)
{
    __atomic_fetch_or(&w->gone, ((1ull << count) - 1) << first, __ATOMIC_RELEASE);
    sys_unmap(chunk_in(w, first), (size_t)count * bytes_of(w));
    POINT("gone");
}

static void let_go(struct window *w, uint32_t slot)
{
    uint8_t *place = (uint8_t *)chunk_in(w, slot);
    uint64_t bit = 1ull << slot;
    if (__atomic_load_n(&w->state, __ATOMIC_ACQUIRE) & RETIRED) {
        /* Unmaps first: without its bit the descriptor may be another window's. */
        unmap_slots(w, slot, 1);
        __atomic_fetch_and(&w->state, ~bit, __ATOMIC_RELEASE);
        return;
    }
    if (__atomic_fetch_and(&w->state, ~bit, __ATOMIC_ACQ_REL) & RETIRED)
        sys_unmap(place, bytes_of(w)); /* it retired between the two, and left this one to us */
}

/* 0 where somebody else holds it, or the window has retired. */
static int hold(struct window *w, uint32_t slot)
{
    uint64_t bit = 1ull << slot;
    uint64_t state = __atomic_load_n(&w->state, __ATOMIC_RELAXED);
    do {
        if (state & (bit | RETIRED))
            return 0;
    } while (!__atomic_compare_exchange_n(&w->state, &state, state | bit, 1, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return 1;
}

/* Holds the slot, and takes it if it is free. */
static struct spool_chunk *try_slot(struct window *w, uint32_t slot)
{
    if (!hold(w, slot))
        return NULL;
    struct spool_chunk *c = chunk_in(w, slot);
    uint32_t moved = SPOOL_CHUNK_MOVED;
    POINT("held");
    if (__atomic_compare_exchange_n(&c->closed, &moved, SPOOL_CHUNK_TAKEN, 0, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return c;
    let_go(w, slot);
    return NULL;
}

static int is_filled(const struct window *w, uint32_t slot)
{
    return __atomic_load_n(&w->filled, __ATOMIC_RELAXED) >> slot & 1;
}

/* Populates the pages of a slot that the caller holds, once: 0 where there is no room for them. */
static int fill_slot(struct window *w, uint32_t slot)
{
    if (is_filled(w, slot))
        return 1;
    POINT("filling");
    uint8_t *place = (uint8_t *)chunk_in(w, slot);
    if (spool_populate(place, w->offset + (uint64_t)slot * bytes_of(w), bytes_of(w)) < 0)
        return 0;
    __atomic_fetch_or(&w->filled, 1ull << slot, __ATOMIC_RELAXED);
    return 1;
}

static void give_back(struct window *w, uint32_t slot)
{
    __atomic_store_n(&chunk_in(w, slot)->closed, SPOOL_CHUNK_MOVED, __ATOMIC_RELEASE);
    let_go(w, slot);
}

/* Finds a free slot, one that is filled or one that is not yet. */
static struct spool_chunk *find_slot(enum slot_kind kind, int filled, struct slot *slot)
{
    for (uint32_t i = 0; i < ACTIVE; i++) {
        struct window *w = newest_of(kind, i);
        if (!w)
            continue;
        uint32_t start = __atomic_load_n(&w->cursor, __ATOMIC_RELAXED);
        for (uint32_t k = 0; k < slots_of(kind); k++) {
            uint32_t number = (start + k) % slots_of(kind);
            struct spool_chunk *c = is_filled(w, number) == filled ? try_slot(w, number) : NULL;
            if (!c)
                continue;
            __atomic_store_n(&w->cursor, number + 1, __ATOMIC_RELAXED);
            *slot = (struct slot){w, number};
            return c;
        }
    }
    return NULL;
}

int slot_is_retired(const struct slot *slot)
{
    return (__atomic_load_n(&slot->window->state, __ATOMIC_RELAXED) & RETIRED) != 0;
}

void slot_leave(struct slot *slot)
{
    struct slot left = *slot;
    slot->window = NULL;
    if (left.window)
        let_go(left.window, left.number);
}

/* ---- windows ---- */

static void retire(struct window *w)
{
    uint64_t held = __atomic_fetch_or(&w->state, RETIRED | ALL_SLOTS, __ATOMIC_ACQ_REL) & ALL_SLOTS;
    /* While all bits are set the descriptor cannot become spare. */
    uint32_t slots = slots_of(kind_of(w));
    for (uint32_t i = 0, n; i < slots; i += n) {
        for (n = 1; !(held >> i & 1) && i + n < slots && !(held >> (i + n) & 1);)
            n++;
        if (held >> i & 1)
            continue;
        for (uint32_t k = 0; k < n; k++) /* no collector need move these */
            chunk_in(w, i + k)->flags &= ~(uint32_t)SPOOL_CHUNK_SLOT;
        unmap_slots(w, i, n);
    }
    __atomic_fetch_and(&w->state, RETIRED | held, __ATOMIC_ACQ_REL);
}

/* Claims a descriptor that nobody uses. Two threads may do so at a time: window_more's lock counts
 * as lost when its holder stands still for long. */
static struct window *spare(enum slot_kind kind)
{
    static uint32_t next[SLOT_KINDS];
    uint32_t start = __atomic_load_n(&next[kind], __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < WINDOWS; i++) {
        struct window *w = &windows[kind][(start + i) % WINDOWS];
        uint64_t state = __atomic_load_n(&w->state, __ATOMIC_RELAXED);
        if ((state != NEVER && state != RETIRED) ||
            !__atomic_compare_exchange_n(&w->state, &state, MAKING | RETIRED | ALL_SLOTS, 0,
                                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            continue;
        __atomic_store_n(&next[kind], (uint32_t)(w - windows[kind]) + 1, __ATOMIC_RELAXED);
        return w;
    }
    return NULL;
}

/* Writes the headers of free slots: a reader finds no gap, whatever becomes of us. */
static void lay_out(struct window *w)
{
    for (uint32_t i = 0; i < slots_of(kind_of(w)); i++) {
        struct spool_chunk *c = chunk_in(w, i);
        c->offset = w->offset + (uint64_t)i * bytes_of(w);
        memcpy(c->id8, spool.header->id, sizeof c->id8);
        c->bytes = bytes_of(w);
        c->process = spool.process_serial;
        __atomic_store_n(&c->closed, SPOOL_CHUNK_MOVED, __ATOMIC_RELEASE);
        POINT("slot laid out");
        __atomic_store_n(&c->mark, SPOOL_CHUNK_MARK, __ATOMIC_RELEASE);
    }
}

/* Puts a window first among the newest; those that it displaces retire. Whoever takes a window out
 * of the list, by an exchange, is the only one to retire it. */
static void publish(struct window *w)
{
    enum slot_kind kind = kind_of(w);
    uint32_t *of_kind = newest[kind];
    uint32_t first =
        __atomic_exchange_n(&of_kind[0], (uint32_t)(w - windows[kind]) + 1, __ATOMIC_ACQ_REL);
    uint32_t retiring[ACTIVE] = {0, 0};
    if (__atomic_load_n(&spool.control->collector_pid, __ATOMIC_RELAXED) != 0) {
        retiring[0] = __atomic_exchange_n(&of_kind[1], first, __ATOMIC_ACQ_REL);
    } else {
        retiring[0] = first;
        retiring[1] = __atomic_exchange_n(&of_kind[1], 0, __ATOMIC_ACQ_REL);
    }
    for (uint32_t i = 0; i < ACTIVE; i++)
        if (retiring[i])
            retire(&windows[kind][retiring[i] - 1]);
}

static int window_new(enum slot_kind kind)
{
    uint32_t process = spool.process_serial;
    struct window *w = spare(kind);
    uint64_t offset;
    uint8_t *base = w ? spool_map_window(WINDOW_BYTES, slot_bytes(kind), &offset) : NULL;
    if (base) {
        w->base = base;
        w->offset = offset;
        w->filled = w->gone = 0;
        __atomic_store_n(&w->cursor, 0, __ATOMIC_RELAXED);
        lay_out(w);
    }
    if (process != spool.process_serial) { /* a handler forked: all windows are the parent's */
        if (base)
            sys_unmap(base, WINDOW_BYTES);
        return 0;
    }
    if (!w)
        return 0;
    POINT("window laid out");
    __atomic_store_n(&w->state, base ? OPEN : RETIRED, __ATOMIC_RELEASE);
    if (base)
        publish(w);
    return base != NULL;
}

/* One thread maps; others meanwhile take chunks of their own. The lock is held for a millisecond;
 * one held for long was left behind by a jump out of a handler. */
#define MAPPING_STALE 4000000000u

static int window_more(enum slot_kind kind)
{
    uint64_t since = __atomic_load_n(&mapping, __ATOMIC_RELAXED), now = init_ticks() | 1;
    if (!sys_may(SYS_KIND_MEMORY | SYS_KIND_WINDOW) || (since && now - since < MAPPING_STALE))
        return 0;
    if (!__atomic_compare_exchange_n(&mapping, &since, now, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return 0;
    int done = window_new(kind);
    __atomic_store_n(&mapping, 0, __ATOMIC_RELEASE);
    return done;
}

static void hold_and_fill(struct window *w, uint32_t slot)
{
    if (!hold(w, slot))
        return; /* what is taken is filled */
    fill_slot(w, slot);
    let_go(w, slot);
}

/* Where slots are used again, one is filled with each that is taken: on a full disk the process has
 * a whole window to go on with. */
static void fill_one_more(enum slot_kind kind)
{
    struct window *w = newest_of(kind, 0);
    if (!w || !__atomic_load_n(&spool.control->collector_pid, __ATOMIC_RELAXED))
        return;
    uint64_t unfilled = ~__atomic_load_n(&w->filled, __ATOMIC_RELAXED);
    uint32_t number = (uint32_t)__builtin_ctzll(unfilled);
    if (number < slots_of(kind))
        hold_and_fill(w, number);
}

/* Those that the collector has freed come first: their pages are there, whatever the disk has. */
struct spool_chunk *slot_take(enum slot_kind kind, struct slot *slot)
{
    struct spool_chunk *c = find_slot(kind, 1, slot);
    fill_one_more(kind);
    if (c)
        return c;
    c = find_slot(kind, 0, slot);
    if (!c && window_more(kind))
        c = find_slot(kind, 0, slot);
    if (!c || fill_slot(slot->window, slot->number))
        return c;
    give_back(slot->window, slot->number);
    slot->window = NULL;
    return NULL;
}

void window_fill(void)
{
    for (enum slot_kind kind = 0; kind < SLOT_KINDS; kind++)
        for (uint32_t i = 0; i < ACTIVE; i++) {
            struct window *w = newest_of(kind, i);
            for (uint32_t k = 0; w && k < slots_of(kind); k++)
                hold_and_fill(w, k);
        }
}

static void forget(struct window *w)
{
    if (w->state == RETIRED || w->state & MAKING)
        return; /* we lose a window in the making */
    for (uint32_t k = 0; k < slots_of(kind_of(w)); k++)
        if ((!(w->state & RETIRED) || w->state >> k & 1) && !(w->gone >> k & 1))
            sys_unmap(chunk_in(w, k), bytes_of(w));
}

void window_after_fork(void)
{
    for (struct window *w = windows[0]; w < windows[SLOT_KINDS]; w++)
        if (w->state != NEVER) { /* most were never used: a child need not have their pages */
            forget(w);
            memset(w, 0, sizeof *w);
        }
    memset(newest, 0, sizeof newest);
    mapping = 0;
}
