/* string_pool.c - see string_pool.h. */
#include "string_pool.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCK_BYTES = 64 * 1024, FIRST_SLOTS = 1024, ROOM_FOR_LIBDW = 8 << 20 };

struct block {
    struct block *next;
    size_t bytes, used;
    _Alignas(max_align_t) unsigned char data[];
};

/* slots: open addressing with linear probing; a power of two, at most half full. */
struct string_pool {
    struct block *blocks;
    const char **slots;
    size_t slot_count, used;
};

static void *or_die(void *memory)
{
    if (memory)
        return memory;
    fputs("mprof-c: not enough memory for the program's symbols; free some and try again\n",
          stderr);
    exit(1);
}

void symbol_memory_probe(void)
{
    void *room =
        mmap(NULL, ROOM_FOR_LIBDW, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    munmap(or_die(room == MAP_FAILED ? NULL : room), ROOM_FOR_LIBDW);
}

void *symbol_array_resize(void *array, size_t items, size_t item_bytes)
{
    return or_die(reallocarray(array, items ? items : 1, item_bytes));
}

void *symbol_array_grow(void *array, size_t used, size_t *capacity, size_t item_bytes)
{
    if (used < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 16;
    return symbol_array_resize(array, *capacity, item_bytes);
}

struct string_pool *string_pool_new(void)
{
    struct string_pool *pool = or_die(calloc(1, sizeof *pool));
    pool->slot_count = FIRST_SLOTS;
    pool->slots = or_die(calloc(pool->slot_count, sizeof *pool->slots));
    return pool;
}

void string_pool_free(struct string_pool *pool)
{
    if (!pool)
        return;
    while (pool->blocks) {
        struct block *next = pool->blocks->next;
        free(pool->blocks);
        pool->blocks = next;
    }
    free(pool->slots);
    free(pool);
}

void *string_pool_take(struct string_pool *pool, size_t bytes)
{
    struct block *block = pool->blocks;
    bytes = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!block || block->bytes - block->used < bytes) {
        size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        block = or_die(malloc(sizeof *block + room));
        *block = (struct block){.next = pool->blocks, .bytes = room};
        pool->blocks = block;
    }
    void *memory = block->data + block->used;
    block->used += bytes;
    return memory;
}

static uint64_t hash_text(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
    return hash ^ hash >> 32;
}

/* The slot that holds `text`, or the empty one where it belongs. */
static const char **find_slot(const char **slots, size_t slot_count, const char *text)
{
    size_t at = hash_text(text, strlen(text)) & (slot_count - 1);
    while (slots[at] && strcmp(slots[at], text) != 0)
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static void double_slots(struct string_pool *pool)
{
    size_t bigger = pool->slot_count * 2;
    const char **slots = or_die(calloc(bigger, sizeof *slots));
    for (size_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i])
            *find_slot(slots, bigger, pool->slots[i]) = pool->slots[i];
    free(pool->slots);
    pool->slots = slots;
    pool->slot_count = bigger;
}

const char *string_pool_keep(struct string_pool *pool, const char *text)
{
    const char **slot = find_slot(pool->slots, pool->slot_count, text);
    if (*slot)
        return *slot;
    size_t bytes = strlen(text) + 1;
    *slot = memcpy(string_pool_take(pool, bytes), text, bytes);
    const char *kept = *slot;
    if (++pool->used * 2 > pool->slot_count)
        double_slots(pool);
    return kept;
}
