/* tables.c - see tables.h. */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#define FRAMES_MAX 4096 /* logical frames of a location */

/* The fields of each table: one list for both directions. */

static void code_functions(struct codec *c, struct function *f, size_t count)
{
    STRING_COLUMN(c, f, count, name);
    STRING_COLUMN(c, f, count, module);
    STRING_COLUMN(c, f, count, file);
    COLUMN(c, f, count, line, COLUMN_DIFFERENCE);
    COLUMN(c, f, count, flags, COLUMN_PLAIN);
}

static void code_frames(struct codec *c, struct frame *f, size_t count)
{
    COLUMN(c, f, count, function, COLUMN_NEW);
    COLUMN(c, f, count, line, COLUMN_DIFFERENCE);
    STRING_COLUMN(c, f, count, file);
}

static void code_objects(struct codec *c, struct object *o, size_t count)
{
    STRING_COLUMN(c, o, count, path);
    STRING_COLUMN(c, o, count, build_id);
}

/* Where a location's function begins is stored as 1 + the distance from there; 0 is unknown. */
static void code_begins(struct codec *c, struct location *l, size_t count)
{
    for (size_t i = 0; i < count && !c->in.bad; i++) {
        uint64_t distance = l[i].begin ? l[i].offset - l[i].begin + 1 : 0;
        code_u64(c, &distance);
        if (c->out != NULL)
            continue;
        c->in.bad |= distance > 0 && distance - 1 > l[i].offset;
        l[i].begin = distance ? l[i].offset - (distance - 1) : 0;
    }
}

/* Version 1 does not know where a location lies. */
static void code_locations(struct codec *c, struct location *l, size_t count, uint32_t version)
{
    COLUMN(c, l, count, frame_first, COLUMN_DIFFERENCE);
    COLUMN(c, l, count, frame_count, COLUMN_PLAIN);
    COLUMN(c, l, count, flags, COLUMN_PLAIN);
    if (version < 2)
        return;
    COLUMN(c, l, count, object, COLUMN_NEW);
    COLUMN(c, l, count, offset, COLUMN_DIFFERENCE);
    code_begins(c, l, count);
}

/* A stack's parent is stored as its distance, mostly 1; `index` is the first stack's number. */
static void code_stacks(struct codec *c, struct stack *s, uint64_t index, size_t count)
{
    for (size_t i = 0; i < count && !c->in.bad; i++) {
        uint32_t distance = (uint32_t)(index + i - s[i].parent);
        code_u32(c, &distance);
        s[i].parent = (uint32_t)(index + i - distance);
    }
    COLUMN(c, s, count, location, COLUMN_PLAIN);
}

static void code_classes(struct codec *c, struct event_class *k, size_t count)
{
    COLUMN(c, k, count, stack, COLUMN_NEW);
    COLUMN(c, k, count, size, COLUMN_PLAIN);
}

/* Writing. The codec takes what it writes as non-const, but leaves it alone. */

void tables_put(struct bytes *payload, enum capture_block_type type, struct string_table *strings,
                const void *array, size_t first, uint64_t index, size_t count)
{
    struct codec c = {.out = payload, .strings = strings};
    payload->size = 0;
    bytes_number(payload, index);
    bytes_number(payload, count);
    if (type == BLOCK_FUNCTIONS)
        code_functions(&c, (struct function *)array + first, count);
    else if (type == BLOCK_FRAMES)
        code_frames(&c, (struct frame *)array + first, count);
    else if (type == BLOCK_LOCATIONS)
        code_locations(&c, (struct location *)array + first, count, CAPTURE_VERSION);
    else if (type == BLOCK_OBJECTS)
        code_objects(&c, (struct object *)array + first, count);
    else if (type == BLOCK_STACKS)
        code_stacks(&c, (struct stack *)array + first, index, count);
    else if (type == BLOCK_CLASSES)
        code_classes(&c, (struct event_class *)array + first, count);
}

/* How many texts from `first` on fit into `bytes`; at least one. */
static size_t count_fitting(const struct string_table *strings, size_t first, size_t bytes)
{
    size_t end = first, used = 0;
    while (end < strings->count && (used += strlen(strings->texts[end]) + 1) <= bytes)
        end++;
    return end > first ? end - first : 1;
}

size_t tables_put_strings(struct bytes *payload, const struct string_table *strings, size_t first,
                          size_t bytes)
{
    size_t count = count_fitting(strings, first, bytes);
    payload->size = 0;
    bytes_number(payload, first);
    bytes_number(payload, count);
    for (size_t i = first; i < first + count; i++)
        bytes_append(payload, strings->texts[i], strlen(strings->texts[i]) + 1);
    return count;
}

/* Reading */

/* Room for `more` entries after those there. */
#define GROW(t, table, entry, more)                                                                \
    ((t)->table = xgrow((t)->table, &(t)->entry##_capacity, (t)->entry##_count + (more) + 1,       \
                        sizeof *(t)->table))

static int read_strings(struct tables *t, struct cursor *in, size_t count)
{
    /* The texts are kept as they lie in the payload, each with its final NUL. */
    size_t size = (size_t)(in->end - in->at);
    char *text = arena_take(t->memory, size + 1);
    memcpy(text, in->at, size);
    const char *end = text + size;
    for (size_t i = 0; i < count; i++) {
        const char *nul = memchr(text, 0, (size_t)(end - text));
        if (nul == NULL)
            return 0;
        string_append(&t->strings, text);
        text += nul - text + 1;
    }
    return 1;
}

static int read_functions(struct tables *t, struct codec *c, size_t count)
{
    GROW(t, functions, function, count);
    code_functions(c, t->functions + t->function_count, count);
    t->function_count += c->in.bad ? 0 : count;
    return !c->in.bad;
}

static int read_frames(struct tables *t, struct codec *c, size_t count)
{
    GROW(t, frames, frame, count);
    struct frame *f = t->frames + t->frame_count;
    code_frames(c, f, count);
    for (size_t i = 0; i < count && !c->in.bad; i++)
        c->in.bad = f[i].function >= t->function_count;
    t->frame_count += c->in.bad ? 0 : count;
    return !c->in.bad;
}

static int read_objects(struct tables *t, struct codec *c, size_t count)
{
    GROW(t, objects, object, count);
    code_objects(c, t->objects + t->object_count, count);
    t->object_count += c->in.bad ? 0 : count;
    return !c->in.bad;
}

static int read_locations(struct tables *t, struct codec *c, size_t count)
{
    GROW(t, locations, location, count);
    struct location *l = t->locations + t->location_count;
    code_locations(c, l, count, t->version);
    for (size_t i = 0; i < count && !c->in.bad; i++)
        c->in.bad = l[i].frame_count > FRAMES_MAX ||
                    (uint64_t)l[i].frame_first + l[i].frame_count > t->frame_count ||
                    (l[i].object > 0 && l[i].object >= t->object_count);
    t->location_count += c->in.bad ? 0 : count;
    return !c->in.bad;
}

static int read_stacks(struct tables *t, struct codec *c, size_t count)
{
    GROW(t, stacks, stack, count);
    struct stack *s = t->stacks + t->stack_count;
    code_stacks(c, s, t->stack_count, count);
    for (size_t i = 0; i < count && !c->in.bad; i++) {
        size_t index = t->stack_count + i;
        int empty = index == 0 && s[i].parent == 0;
        c->in.bad = (s[i].parent >= index && !empty) ||
                    (s[i].location >= t->location_count && !(empty && s[i].location == 0));
    }
    t->stack_count += c->in.bad ? 0 : count;
    return !c->in.bad;
}

static int read_classes(struct tables *t, struct codec *c, size_t count)
{
    GROW(t, classes, class, count);
    struct event_class *k = t->classes + t->class_count;
    code_classes(c, k, count);
    for (size_t i = 0; i < count && !c->in.bad; i++)
        c->in.bad = k[i].stack >= t->stack_count;
    t->class_count += c->in.bad ? 0 : count;
    return !c->in.bad;
}

int tables_read(struct tables *t, enum capture_block_type type, const struct bytes *payload)
{
    struct codec c = {.in = {payload->data, payload->data + payload->size, 0},
                      .strings = &t->strings};
    uint64_t first = cursor_number(&c.in);
    size_t count = 0;
    code_count(&c, &count, 1);
    if (c.in.bad || first > CAPTURE_TABLE_MAX || count > CAPTURE_TABLE_MAX - first)
        return 0;
    switch ((int)type) {
    case BLOCK_STRINGS:
        return first == t->strings.count && read_strings(t, &c.in, count);
    case BLOCK_FUNCTIONS:
        return first == t->function_count && read_functions(t, &c, count);
    case BLOCK_FRAMES:
        return first == t->frame_count && read_frames(t, &c, count);
    case BLOCK_OBJECTS:
        return first == t->object_count && read_objects(t, &c, count);
    case BLOCK_LOCATIONS:
        return first == t->location_count && read_locations(t, &c, count);
    case BLOCK_STACKS:
        return first == t->stack_count && read_stacks(t, &c, count);
    case BLOCK_CLASSES:
        return first == t->class_count && read_classes(t, &c, count);
    }
    return 0;
}

static void *copy(struct arena *memory, const void *table, size_t count, size_t entry_bytes)
{
    void *kept = arena_take(memory, (count + 1) * entry_bytes);
    if (count > 0)
        memcpy(kept, table, count * entry_bytes);
    return kept;
}

void tables_give(struct tables *t, struct image *image)
{
    image->functions = copy(image->memory, t->functions, t->function_count, sizeof *t->functions);
    image->function_count = t->function_count;
    image->frames = copy(image->memory, t->frames, t->frame_count, sizeof *t->frames);
    image->frame_count = t->frame_count;
    image->objects = copy(image->memory, t->objects, t->object_count, sizeof *t->objects);
    image->object_count = t->object_count;
    image->locations = copy(image->memory, t->locations, t->location_count, sizeof *t->locations);
    image->location_count = t->location_count;
    image->stacks = copy(image->memory, t->stacks, t->stack_count, sizeof *t->stacks);
    image->stack_count = t->stack_count;
    free(t->functions);
    free(t->frames);
    free(t->objects);
    free(t->locations);
    free(t->stacks);
    t->functions = NULL;
    t->frames = NULL;
    t->objects = NULL;
    t->locations = NULL;
    t->stacks = NULL;
}

void tables_free(struct tables *t)
{
    string_table_free(&t->strings);
    free(t->functions);
    free(t->frames);
    free(t->objects);
    free(t->locations);
    free(t->stacks);
    free(t->classes);
    *t = (struct tables){0};
}
