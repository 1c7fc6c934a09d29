/*
 * merged_tables.h - functions, objects, locations and stacks of several images made one table each.
 *
 * An entry of one image is looked up once: its number in the merged tables is remembered until the
 * next image's turn. Strings are copied. Part of merged.h. Single-threaded.
 */
#ifndef MPROF_MERGED_TABLES_H
#define MPROF_MERGED_TABLES_H

#include "intmap.h"
#include "summary.h"

struct interned {
    struct intmap numbers; /* hash -> index + 1; where hashes collide, the next number is tried */
    size_t count, capacity;
};

struct merged_tables {
    struct arena *memory; /* of the strings */
    struct interned functions, objects, locations, stacks;
    struct function *function_list;
    struct frame *frames;
    size_t frame_count, frame_capacity;
    struct object *object_list;
    struct location *location_list;
    struct stack *stack_list;

    const struct image *from; /* whose numbers the arrays below hold */
    /* index -> merged index + 1, 0 not known yet */
    uint64_t *function_of, *object_of, *location_of, *stack_of;
};

void merged_tables_begin(struct merged_tables *m, struct arena *memory);
void merged_tables_turn_to(struct merged_tables *m, const struct image *image);
void merged_tables_forget(struct merged_tables *m); /* the image may be freed then */

/* The merged numbers of a function and of a stack of the image whose turn it is. */
uint64_t merged_function(struct merged_tables *m, uint32_t function);
uint64_t merged_stack(struct merged_tables *m, uint32_t stack);

/* Copies the tables into an image of the same memory, and releases them. */
void merged_tables_give(struct merged_tables *m, struct image *image);

/* memcpy into the arena; NULL where there are no bytes. */
void *arena_copy(struct arena *memory, const void *list, size_t bytes);

#endif
