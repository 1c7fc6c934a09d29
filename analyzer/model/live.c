/* live.c - live blocks by address: pages of numbers, copied on write after a fork. */
#include "live.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static uint64_t address_of(uint64_t key)
{
    return key << 4 | key >> 60;
}

/* What a number in the page means to any other table than its owner. */
static uint32_t inherited(const struct live_page *page, uint32_t number)
{
    if (number == 0 || number & LIVE_INHERITED || !page->owner)
        return number;
    return LIVE_INHERITED | page->owner->blocks->list[number].class;
}

/* Detaches the page from its owner: its numbers become inherited ones. */
static void disown(struct live_page *page)
{
    if (page->owner)
        for (uint32_t i = 0; i < LIVE_SLOTS; i++)
            page->slots[i] = inherited(page, page->slots[i]);
    page->owner = NULL;
}

static void page_store(struct live_table *table, struct live_page *page)
{
    *intmap_place(&table->pages, page->number) = (uintptr_t)page;
}

static struct live_page *page_new(struct live_table *table, uint64_t number)
{
    struct live_page *page = xcalloc(1, sizeof *page);
    page->references = 1;
    page->number = number;
    page->owner = table;
    page_store(table, page);
    return page;
}

/* Gives the table its own copy of a shared page. The owner's page keeps its numbers. */
static struct live_page *page_copy(struct live_table *table, struct live_page *shared)
{
    struct live_page *page = xmalloc(sizeof *page);
    *page = *shared;
    page->references = 1;
    shared->references--;
    disown(shared->owner == table ? shared : page);
    page->owner = table;
    page_store(table, page);
    return page;
}

/* Releases the table's reference to a page. */
static void page_release(struct live_table *table, struct live_page *page)
{
    if (--page->references == 0)
        free(page);
    else if (page->owner == table)
        disown(page);
}

struct live_page *live_find_page(struct live_table *table, uint64_t address, int make)
{
    uint64_t number = live_key(address) >> LIVE_SLOT_BITS;
    struct live_page *page = (struct live_page *)(uintptr_t)intmap_get(&table->pages, number);

    if (!page && !make)
        return NULL;
    if (!page)
        page = page_new(table, number);
    else if (page->references > 1)
        page = page_copy(table, page);
    else if (page->owner != table)
        disown(page);
    page->owner = table;
    return table->cache[number % LIVE_CACHE] = page;
}

struct live_table *live_new(struct blocks *blocks)
{
    struct live_table *table = xcalloc(1, sizeof *table);
    table->blocks = blocks;
    return table;
}

static void each_page(const struct live_table *table,
                      void (*visit)(struct live_table *to, struct live_page *page),
                      struct live_table *to)
{
    for (size_t i = 0; table->pages.bits && i < (size_t)1 << table->pages.bits; i++)
        if (table->pages.slots[i].value)
            visit(to, (struct live_page *)(uintptr_t)table->pages.slots[i].value);
}

static void share_page(struct live_table *to, struct live_page *page)
{
    if (page->used == 0)
        return;
    page->references++;
    page_store(to, page);
}

struct live_table *live_fork(struct live_table *parent, struct blocks *blocks)
{
    struct live_table *table = live_new(blocks);
    each_page(parent, share_page, table);
    memset(parent->cache, 0, sizeof parent->cache); /* it must not change them in place any more */
    return table;
}

static void drop_page(struct live_table *table, struct live_page *page)
{
    page_release(table, page);
}

void live_free(struct live_table *table)
{
    if (!table)
        return;
    each_page(table, drop_page, table);
    intmap_clear(&table->pages);
    free(table);
}

/* Now and then: releases the empty pages and builds the map anew without them. */
void live_emptied(struct live_table *table)
{
    struct intmap all = table->pages;

    if (++table->empty <= 64 + all.count / 2)
        return;
    memset(&table->pages, 0, sizeof table->pages);
    for (size_t i = 0; i < (size_t)1 << all.bits; i++) {
        struct live_page *page = (struct live_page *)(uintptr_t)all.slots[i].value;
        if (page && page->used > 0)
            page_store(table, page);
        else if (page)
            page_release(table, page);
    }
    intmap_clear(&all);
    table->empty = 0;
    memset(table->cache, 0, sizeof table->cache);
}

void live_walk(const struct live_table *table,
               void (*visit)(void *context, uint64_t address, uint32_t number), void *context)
{
    for (size_t i = 0; table && table->pages.bits && i < (size_t)1 << table->pages.bits; i++) {
        const struct live_page *page =
            (const struct live_page *)(uintptr_t)table->pages.slots[i].value;
        if (!page)
            continue;
        for (uint64_t slot = 0; page->used && slot < LIVE_SLOTS; slot++) {
            uint32_t number = page->slots[slot];
            if (number && page->owner != table)
                number = inherited(page, number);
            if (number)
                visit(context, address_of(page->number << LIVE_SLOT_BITS | slot), number);
        }
    }
}
