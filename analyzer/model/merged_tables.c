/* merged_tables.c - entries found by the hash of what they are. */
#include "merged_tables.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
    for (const unsigned char *p = data; bytes > 0; p++, bytes--)
        hash = (hash ^ *p) * 0x100000001b3ull;
    return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text) + 1);
}

#define HASH_START 0xcbf29ce484222325ull

/* The slot of the entry with this hash that `is` the wanted one: its number + 1, 0 if none is. */
static uint64_t *find(struct merged_tables *m, struct interned *table, uint64_t hash,
                      const void *wanted,
                      int (*is)(const struct merged_tables *m, size_t index, const void *wanted))
{
    for (;; hash++) {
        uint64_t *number = intmap_place(&table->numbers, hash);
        if (*number == 0 || is(m, *number - 1, wanted))
            return number;
    }
}

static int is_function(const struct merged_tables *m, size_t index, const void *wanted)
{
    const struct function *a = &m->function_list[index], *b = wanted;
    return strcmp(a->name, b->name) == 0 && strcmp(a->module, b->module) == 0 &&
           strcmp(a->file, b->file) == 0 && a->line == b->line;
}

uint64_t merged_function(struct merged_tables *m, uint32_t function)
{
    const struct function *f = &m->from->functions[function];
    if (m->function_of[function])
        return m->function_of[function] - 1;
    uint64_t hash = hash_bytes(HASH_START, &f->line, sizeof f->line);
    hash = hash_text(hash_text(hash_text(hash, f->module), f->name), f->file);
    uint64_t *number = find(m, &m->functions, hash, f, is_function);
    if (*number == 0) {
        struct arena *memory = m->memory;
        m->function_list = xgrow(m->function_list, &m->functions.capacity, m->functions.count + 1,
                                 sizeof *m->function_list);
        m->function_list[m->functions.count] =
            (struct function){arena_string(memory, f->name), arena_string(memory, f->module),
                              arena_string(memory, f->file), f->line, f->flags};
        *number = ++m->functions.count;
    }
    m->function_of[function] = *number;
    return *number - 1;
}

static int is_object(const struct merged_tables *m, size_t index, const void *wanted)
{
    const struct object *a = &m->object_list[index], *b = wanted;
    return strcmp(a->path, b->path) == 0 && strcmp(a->build_id, b->build_id) == 0;
}

static void add_object(struct merged_tables *m, const struct object *o)
{
    m->object_list =
        xgrow(m->object_list, &m->objects.capacity, m->objects.count + 1, sizeof *m->object_list);
    m->object_list[m->objects.count++] =
        (struct object){arena_string(m->memory, o->path), arena_string(m->memory, o->build_id)};
}

static uint64_t merged_object(struct merged_tables *m, uint32_t object)
{
    if (object == 0) /* unknown; images of version 1 have no other */
        return 0;
    if (m->object_of[object])
        return m->object_of[object] - 1;
    const struct object *o = &m->from->objects[object];
    uint64_t hash = hash_text(hash_text(HASH_START, o->path), o->build_id);
    uint64_t *number = find(m, &m->objects, hash, o, is_object);
    if (*number == 0) {
        add_object(m, o);
        *number = m->objects.count;
    }
    m->object_of[object] = *number;
    return *number - 1;
}

struct place { /* a location of `from`, its functions and its object merged */
    const struct frame *frames;
    struct location location;
};

/* Is it the same place of the same object? */
static int is_address(const struct location *a, const struct location *b)
{
    return a->object == b->object && a->offset == b->offset && a->begin == b->begin;
}

static int is_location(const struct merged_tables *m, size_t index, const void *wanted)
{
    const struct location *a = &m->location_list[index];
    const struct place *place = wanted;
    const struct location *b = &place->location;
    int same = a->frame_count == b->frame_count && a->flags == b->flags && is_address(a, b);
    for (uint32_t i = 0; same && i < b->frame_count; i++) {
        const struct frame *f = &m->frames[a->frame_first + i], *g = &place->frames[i];
        same = f->function == g->function && f->line == g->line && strcmp(f->file, g->file) == 0;
    }
    return same;
}

static uint64_t hash_place(const struct place *place)
{
    const struct location *l = &place->location;
    uint64_t hash = hash_bytes(HASH_START, &l->flags, sizeof l->flags);
    hash = hash_bytes(hash, &l->offset, sizeof l->offset);
    for (uint32_t i = 0; i < l->frame_count; i++) {
        const struct frame *f = &place->frames[i];
        hash = hash_bytes(hash, &f->function, sizeof f->function);
        hash = hash_text(hash_bytes(hash, &f->line, sizeof f->line), f->file);
    }
    return hash;
}

static void add_location(struct merged_tables *m, const struct place *place)
{
    uint32_t count = place->location.frame_count;
    m->frames = xgrow(m->frames, &m->frame_capacity, m->frame_count + count + 1, sizeof *m->frames);
    m->location_list = xgrow(m->location_list, &m->locations.capacity, m->locations.count + 1,
                             sizeof *m->location_list);
    struct location *added = &m->location_list[m->locations.count++];
    *added = place->location;
    added->frame_first = (uint32_t)m->frame_count;
    for (uint32_t i = 0; i < count; i++) {
        struct frame *f = &m->frames[m->frame_count++];
        *f = place->frames[i];
        f->file = arena_string(m->memory, f->file);
    }
}

static uint64_t merged_location(struct merged_tables *m, uint32_t location)
{
    const struct location *l = &m->from->locations[location];
    if (m->location_of[location])
        return m->location_of[location] - 1;
    struct frame *frames = xcalloc(l->frame_count + 1, sizeof *frames);
    for (uint32_t i = 0; i < l->frame_count; i++) {
        frames[i] = m->from->frames[l->frame_first + i];
        frames[i].function = (uint32_t)merged_function(m, frames[i].function);
    }
    struct place place = {frames, *l};
    place.location.object = (uint32_t)merged_object(m, l->object);
    uint64_t *number = find(m, &m->locations, hash_place(&place), &place, is_location);
    if (*number == 0) {
        add_location(m, &place);
        *number = m->locations.count;
    }
    m->location_of[location] = *number;
    free(frames);
    return *number - 1;
}

static int is_stack(const struct merged_tables *m, size_t index, const void *wanted)
{
    const struct stack *a = &m->stack_list[index], *b = wanted;
    return index > 0 && a->parent == b->parent && a->location == b->location;
}

static uint64_t add_stack(struct merged_tables *m, uint64_t parent, uint32_t location)
{
    struct stack stack = {(uint32_t)parent, (uint32_t)merged_location(m, location)};
    uint64_t hash = hash_bytes(HASH_START, &stack, sizeof stack);
    uint64_t *number = find(m, &m->stacks, hash, &stack, is_stack);
    if (*number == 0) {
        m->stack_list =
            xgrow(m->stack_list, &m->stacks.capacity, m->stacks.count + 1, sizeof *m->stack_list);
        m->stack_list[m->stacks.count] = stack;
        *number = ++m->stacks.count;
    }
    return *number;
}

/* Parents first, and without recursion: a stack may be deep. */
uint64_t merged_stack(struct merged_tables *m, uint32_t stack)
{
    uint32_t depth = 0, *path = NULL;
    size_t capacity = 0;
    for (; stack != 0 && stack < m->from->stack_count && !m->stack_of[stack];
         stack = m->from->stacks[stack].parent) {
        path = xgrow(path, &capacity, depth + 1, sizeof *path);
        path[depth++] = stack;
    }
    uint64_t merged = stack && stack < m->from->stack_count ? m->stack_of[stack] - 1 : 0;
    while (depth-- > 0) {
        m->stack_of[path[depth]] = add_stack(m, merged, m->from->stacks[path[depth]].location);
        merged = m->stack_of[path[depth]] - 1;
    }
    free(path);
    return merged;
}

void merged_tables_forget(struct merged_tables *m)
{
    free(m->function_of);
    free(m->object_of);
    free(m->location_of);
    free(m->stack_of);
    m->function_of = m->object_of = m->location_of = m->stack_of = NULL;
    m->from = NULL;
}

void merged_tables_turn_to(struct merged_tables *m, const struct image *image)
{
    if (m->from == image)
        return;
    merged_tables_forget(m);
    m->from = image;
    m->function_of = xcalloc(image->function_count + 1, sizeof *m->function_of);
    m->object_of = xcalloc(image->object_count + 1, sizeof *m->object_of);
    m->location_of = xcalloc(image->location_count + 1, sizeof *m->location_of);
    m->stack_of = xcalloc(image->stack_count + 1, sizeof *m->stack_of);
}

void merged_tables_begin(struct merged_tables *m, struct arena *memory)
{
    *m = (struct merged_tables){.memory = memory};
    /* Object 0, location 0 and stack 0, which every image has. */
    add_object(m, &(struct object){"", ""});
    add_location(m, &(struct place){.location = {.flags = LOCATION_UNKNOWN}});
    m->stack_list = xgrow(NULL, &m->stacks.capacity, 1, sizeof *m->stack_list);
    m->stacks.count = 1;
}

void *arena_copy(struct arena *memory, const void *list, size_t bytes)
{
    return bytes ? memcpy(arena_take(memory, bytes), list, bytes) : NULL;
}

void merged_tables_give(struct merged_tables *m, struct image *image)
{
#define GIVE(field, list, number)                                                                  \
    image->field = arena_copy(m->memory, list, (number) * sizeof *(list))
    GIVE(functions, m->function_list, m->functions.count);
    GIVE(frames, m->frames, m->frame_count);
    GIVE(objects, m->object_list, m->objects.count);
    GIVE(locations, m->location_list, m->locations.count);
    GIVE(stacks, m->stack_list, m->stacks.count);
#undef GIVE
    image->function_count = m->functions.count;
    image->frame_count = m->frame_count;
    image->object_count = m->objects.count;
    image->location_count = m->locations.count;
    image->stack_count = m->stacks.count;
    intmap_clear(&m->functions.numbers);
    intmap_clear(&m->objects.numbers);
    intmap_clear(&m->locations.numbers);
    intmap_clear(&m->stacks.numbers);
    free(m->function_list);
    free(m->frames);
    free(m->object_list);
    free(m->location_list);
    free(m->stack_list);
    merged_tables_forget(m);
}
