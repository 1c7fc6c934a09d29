/*
 * string_pool.h - memory of a symbolizer: strings kept once, blocks that live as long as it does.
 *
 * Ownership: all that a pool hands out belongs to the pool and is freed by string_pool_free.
 * Threads: one. Failure: without memory the process ends with one sentence on stderr; nothing here
 * returns NULL.
 */
#ifndef MPROF_STRING_POOL_H
#define MPROF_STRING_POOL_H

#include <stddef.h>

struct string_pool;

struct string_pool *string_pool_new(void);
void string_pool_free(struct string_pool *pool);

/* The one copy of `text` in this pool: equal texts give equal pointers. */
const char *string_pool_keep(struct string_pool *pool, const char *text);

/* Uninitialised memory, aligned for any type. */
void *string_pool_take(struct string_pool *pool, size_t bytes);

/* Ends the program, in words, where memory is short: libdw does not always look whether it got any,
 * and crashes. To be called before it opens an object. */
void symbol_memory_probe(void);

/* realloc for arrays of this folder: room for `items` of `item_bytes` each; free() it. */
void *symbol_array_resize(void *array, size_t items, size_t item_bytes);

/* Makes room for one more item: doubles *capacity when `used` has reached it. */
void *symbol_array_grow(void *array, size_t used, size_t *capacity, size_t item_bytes);

#endif
