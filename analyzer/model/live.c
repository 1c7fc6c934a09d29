/* live.c - live blocks by address: pages of slots, copied on write after a fork. */
#include "live.h"
#include "intmap.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/*
 * An address becomes a key by turning its lowest four bits to the top: malloc's addresses,
 * multiples of 16, lie close together in a page of keys, and any other address still has a key of
 * its own.
 *
 *   page number = key / SLOTS, slot = key % SLOTS
 */
#define SLOT_BITS 12
#define SLOTS     (1u << SLOT_BITS)

struct page {
    uint32_t references; /* tables that share it; changed only at 1 */
    uint32_t used;       /* slots with a block: class != 0 */
    uint64_t number;
    struct block *slots; /* SLOTS of them */
};

struct live_table {
    struct intmap pages; /* page number -> struct page * */
    size_t empty;        /* pages with used == 0 that became so, about; bounds what they cost */
};

static uint64_t key_of(uint64_t address)
{
    return address >> 4 | address << 60;
}

static uint64_t address_of(uint64_t key)
{
    return key << 4 | key >> 60;
}

static struct page *page_new(uint64_t number)
{
    struct page *page = xcalloc(1, sizeof *page);
    page->references = 1;
    page->number = number;
    page->slots = xcalloc(SLOTS, sizeof *page->slots);
    return page;
}

static void page_release(struct page *page)
{
    if (--page->references > 0)
        return;
    free(page->slots);
    free(page);
}

static struct page *page_copy(struct page *shared)
{
    struct page *page = xmalloc(sizeof *page);
    *page = *shared;
    page->references = 1;
    page->slots = xmalloc(SLOTS * sizeof *page->slots);
    memcpy(page->slots, shared->slots, SLOTS * sizeof *page->slots);
    page_release(shared);
    return page;
}

static struct page *page_find(const struct live_table *table, uint64_t key)
{
    return (struct page *)(uintptr_t)intmap_get(&table->pages, key >> SLOT_BITS);
}

static void page_store(struct live_table *table, struct page *page)
{
    *intmap_place(&table->pages, page->number) = (uintptr_t)page;
}

struct live_table *live_new(void)
{
    return xcalloc(1, sizeof(struct live_table));
}

static void each_page(const struct live_table *table,
                      void (*visit)(struct live_table *to, struct page *page),
                      struct live_table *to)
{
    for (size_t i = 0; table->pages.bits && i < (size_t)1 << table->pages.bits; i++)
        if (table->pages.slots[i].value)
            visit(to, (struct page *)(uintptr_t)table->pages.slots[i].value);
}

static void share_page(struct live_table *to, struct page *page)
{
    if (page->used == 0)
        return;
    page->references++;
    page_store(to, page);
}

struct live_table *live_fork(struct live_table *parent)
{
    struct live_table *table = live_new();
    each_page(parent, share_page, table);
    return table;
}

static void drop_page(struct live_table *to, struct page *page)
{
    (void)to;
    page_release(page);
}

void live_free(struct live_table *table)
{
    if (!table)
        return;
    each_page(table, drop_page, NULL);
    intmap_clear(&table->pages);
    free(table);
}

static void keep_or_drop(struct live_table *to, struct page *page)
{
    if (page->used > 0)
        page_store(to, page);
    else
        page_release(page);
}

/* Releases the empty pages; the map is built anew without them. */
static void sweep(struct live_table *table)
{
    struct live_table kept = {0};

    each_page(table, keep_or_drop, &kept);
    intmap_clear(&table->pages);
    *table = kept;
}

const struct block *live_find(const struct live_table *table, uint64_t address)
{
    uint64_t key = key_of(address);
    const struct page *page = page_find(table, key);

    if (!page || page->slots[key % SLOTS].class == 0)
        return NULL;
    return &page->slots[key % SLOTS];
}

void live_insert(struct live_table *table, uint64_t address, struct block block)
{
    uint64_t key = key_of(address);
    struct page *page = page_find(table, key);

    if (!page || page->references > 1) {
        page = page ? page_copy(page) : page_new(key >> SLOT_BITS);
        page_store(table, page);
    }
    page->slots[key % SLOTS] = block;
    page->used++;
}

int live_remove(struct live_table *table, uint64_t address, struct block *block)
{
    uint64_t key = key_of(address);
    struct page *page = page_find(table, key);

    if (!page || page->slots[key % SLOTS].class == 0)
        return 0;
    if (page->references > 1) {
        page = page_copy(page);
        page_store(table, page);
    }
    *block = page->slots[key % SLOTS];
    page->slots[key % SLOTS] = (struct block){0};
    if (--page->used == 0 && ++table->empty > 64 + table->pages.count / 2)
        sweep(table);
    return 1;
}

struct visitor {
    void (*visit)(void *context, uint64_t address, const struct block *block);
    void *context;
};

static void visit_page(const struct page *page, const struct visitor *visitor)
{
    for (uint64_t slot = 0; page->used && slot < SLOTS; slot++)
        if (page->slots[slot].class != 0)
            visitor->visit(visitor->context, address_of(page->number << SLOT_BITS | slot),
                           &page->slots[slot]);
}

void live_walk(const struct live_table *table,
               void (*visit)(void *context, uint64_t address, const struct block *block),
               void *context)
{
    struct visitor visitor = {visit, context};

    for (size_t i = 0; table->pages.bits && i < (size_t)1 << table->pages.bits; i++)
        if (table->pages.slots[i].value)
            visit_page((struct page *)(uintptr_t)table->pages.slots[i].value, &visitor);
}
