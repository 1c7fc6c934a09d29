/* merged.c - tables of several images made one, and the figures of their processes added. */
#include "merged.h"
#include "intmap.h"
#include "together.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* A table of the merged image: entries by the hash of what they are. */
struct interned {
    struct intmap numbers; /* hash -> index + 1; of equal hashes the next number is tried */
    size_t count, capacity;
};

struct merged {
    struct image *image; /* the result; the growing arrays are here until the end */
    struct process process;
    struct interned functions, locations, stacks;
    struct function *function_list;
    struct frame *frames;
    size_t frame_count, frame_capacity;
    struct location *location_list;
    struct stack *stack_list;
    struct function_usage *usages; /* by merged function; .function 0: not used so far */
    size_t usage_capacity;
    struct leak *leaks;
    size_t leak_count, leak_capacity;
    struct intmap leak_numbers;   /* merged stack -> index + 1 */
    struct course *heap, *mapped; /* copies of the buckets */
    size_t course_count, heap_capacity, mapped_capacity;

    const struct image *from;                       /* whose numbers the maps hold */
    uint64_t *function_of, *location_of, *stack_of; /* index -> merged index + 1, 0 not known yet */
};

/* ---- tables ---- */

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

/* The number + 1 of an entry with this hash that `is` the wanted one; else the place for it, 0. */
static uint64_t *find(struct merged *m, struct interned *table, uint64_t hash, const void *wanted,
                      int (*is)(const struct merged *m, size_t index, const void *wanted))
{
    for (;; hash++) {
        uint64_t *number = intmap_place(&table->numbers, hash);
        if (*number == 0 || is(m, *number - 1, wanted))
            return number;
    }
}

static int is_function(const struct merged *m, size_t index, const void *wanted)
{
    const struct function *a = &m->function_list[index], *b = wanted;
    return strcmp(a->name, b->name) == 0 && strcmp(a->module, b->module) == 0 &&
           strcmp(a->file, b->file) == 0;
}

static uint64_t merged_function(struct merged *m, uint32_t function)
{
    const struct function *f = &m->from->functions[function];
    if (m->function_of[function])
        return m->function_of[function] - 1;
    uint64_t hash = hash_text(hash_text(hash_text(HASH_START, f->module), f->name), f->file);
    uint64_t *number = find(m, &m->functions, hash, f, is_function);
    if (*number == 0) {
        struct arena *memory = m->image->memory;
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

struct place { /* a location of `from`, its functions merged */
    const struct frame *frames;
    uint32_t count, flags;
};

static int is_location(const struct merged *m, size_t index, const void *wanted)
{
    const struct location *a = &m->location_list[index];
    const struct place *b = wanted;
    int same = a->frame_count == b->count && a->flags == b->flags;
    for (uint32_t i = 0; same && i < b->count; i++) {
        const struct frame *f = &m->frames[a->frame_first + i], *g = &b->frames[i];
        same = f->function == g->function && f->line == g->line && strcmp(f->file, g->file) == 0;
    }
    return same;
}

static uint64_t hash_place(const struct place *place)
{
    uint64_t hash = hash_bytes(HASH_START, &place->flags, sizeof place->flags);
    for (uint32_t i = 0; i < place->count; i++) {
        const struct frame *f = &place->frames[i];
        hash = hash_bytes(hash, &f->function, sizeof f->function);
        hash = hash_text(hash_bytes(hash, &f->line, sizeof f->line), f->file);
    }
    return hash;
}

static void add_location(struct merged *m, const struct place *place)
{
    m->frames =
        xgrow(m->frames, &m->frame_capacity, m->frame_count + place->count + 1, sizeof *m->frames);
    m->location_list = xgrow(m->location_list, &m->locations.capacity, m->locations.count + 1,
                             sizeof *m->location_list);
    m->location_list[m->locations.count++] =
        (struct location){(uint32_t)m->frame_count, place->count, place->flags};
    for (uint32_t i = 0; i < place->count; i++) {
        struct frame *f = &m->frames[m->frame_count++];
        *f = place->frames[i];
        f->file = arena_string(m->image->memory, f->file);
    }
}

static uint64_t merged_location(struct merged *m, uint32_t location)
{
    const struct location *l = &m->from->locations[location];
    if (m->location_of[location])
        return m->location_of[location] - 1;
    struct frame *frames = xcalloc(l->frame_count + 1, sizeof *frames);
    for (uint32_t i = 0; i < l->frame_count; i++) {
        frames[i] = m->from->frames[l->frame_first + i];
        frames[i].function = (uint32_t)merged_function(m, frames[i].function);
    }
    struct place place = {frames, l->frame_count, l->flags};
    uint64_t *number = find(m, &m->locations, hash_place(&place), &place, is_location);
    if (*number == 0) {
        add_location(m, &place);
        *number = m->locations.count;
    }
    m->location_of[location] = *number;
    free(frames);
    return *number - 1;
}

static int is_stack(const struct merged *m, size_t index, const void *wanted)
{
    const struct stack *a = &m->stack_list[index], *b = wanted;
    return index > 0 && a->parent == b->parent && a->location == b->location;
}

static uint64_t add_stack(struct merged *m, uint64_t parent, uint32_t location)
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

/* Parents first: a stack may be deep. */
static uint64_t merged_stack(struct merged *m, uint32_t stack)
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

void merged_forget(struct merged *m)
{
    free(m->function_of);
    free(m->location_of);
    free(m->stack_of);
    m->function_of = m->location_of = m->stack_of = NULL;
    m->from = NULL;
}

static void turn_to(struct merged *m, const struct image *image)
{
    if (m->from == image)
        return;
    merged_forget(m);
    m->from = image;
    m->function_of = xcalloc(image->function_count + 1, sizeof *m->function_of);
    m->location_of = xcalloc(image->location_count + 1, sizeof *m->location_of);
    m->stack_of = xcalloc(image->stack_count + 1, sizeof *m->stack_of);
}

struct merged *merged_new(void)
{
    struct merged *m = xcalloc(1, sizeof *m);
    m->image = image_new();
    /* Location 0 and stack 0, which every image has. */
    add_location(m, &(struct place){NULL, 0, LOCATION_UNKNOWN});
    m->stack_list = xgrow(NULL, &m->stacks.capacity, 1, sizeof *m->stack_list);
    m->stacks.count = 1;
    return m;
}

/* ---- figures ---- */

static void add_usage(struct usage *to, const struct usage *from, uint64_t shift_ns)
{
    to->allocations += from->allocations;
    to->allocated_bytes += from->allocated_bytes;
    to->live_at_end_bytes += from->live_at_end_bytes;
    to->live_at_end_blocks += from->live_at_end_blocks;
    to->temporary += from->temporary;
    uint64_t ns = from->own_peak_ns + shift_ns;
    if (from->own_peak_bytes > to->own_peak_bytes ||
        (from->own_peak_bytes == to->own_peak_bytes && ns < to->own_peak_ns)) {
        to->own_peak_bytes = from->own_peak_bytes;
        to->own_peak_ns = ns;
    }
}

static void add_functions(struct merged *m, const struct process *p, uint64_t shift_ns)
{
    for (size_t i = 0; i < p->function_count; i++) {
        const struct function_usage *from = &p->functions[i];
        uint64_t number = merged_function(m, from->function);
        m->usages = xgrow(m->usages, &m->usage_capacity, number + 1, sizeof *m->usages);
        struct function_usage *to = &m->usages[number];
        if (to->function == 0)
            to->self.own_peak_ns = to->inclusive.own_peak_ns = UINT64_MAX; /* any time is earlier */
        to->function = 1;
        add_usage(&to->self, &from->self, shift_ns);
        add_usage(&to->inclusive, &from->inclusive, shift_ns);
    }
}

static void add_leaks(struct merged *m, const struct process *p, uint64_t shift_ns)
{
    for (size_t i = 0; i < p->leak_count; i++) {
        const struct leak *from = &p->leaks[i];
        uint64_t stack = merged_stack(m, from->stack);
        uint64_t *number = intmap_place(&m->leak_numbers, stack);
        if (*number == 0) {
            m->leaks = xgrow(m->leaks, &m->leak_capacity, m->leak_count + 1, sizeof *m->leaks);
            m->leaks[m->leak_count] =
                (struct leak){.stack = (uint32_t)stack, .first_ns = from->first_ns + shift_ns};
            *number = ++m->leak_count;
        }
        struct leak *to = &m->leaks[*number - 1];
        to->blocks += from->blocks;
        to->bytes += from->bytes;
        if (from->first_ns + shift_ns < to->first_ns)
            to->first_ns = from->first_ns + shift_ns;
        if (from->last_ns + shift_ns > to->last_ns)
            to->last_ns = from->last_ns + shift_ns;
    }
}

static void add_totals(struct totals *to, const struct totals *from)
{
    to->allocations += from->allocations;
    to->frees += from->frees;
    to->allocated_bytes += from->allocated_bytes;
    to->live_at_end_bytes += from->live_at_end_bytes;
    to->live_at_end_blocks += from->live_at_end_blocks;
    to->temporary += from->temporary;
    to->mapped_at_end_bytes += from->mapped_at_end_bytes;
    to->maps += from->maps;
    to->unmaps += from->unmaps;
}

static void add_quality(struct quality *to, const struct quality *from)
{
    to->lost += from->lost;
    to->lost_bytes += from->lost_bytes;
    to->unmatched_frees += from->unmatched_frees;
    to->implied_frees += from->implied_frees;
    to->inherited += from->inherited;
    to->inherited_bytes += from->inherited_bytes;
    to->truncated_stacks += from->truncated_stacks;
    to->unresolved_frames += from->unresolved_frames;
    to->selfcheck_compared += from->selfcheck_compared;
    to->selfcheck_differences += from->selfcheck_differences;
}

static const void *copied(struct arena *memory, const void *list, size_t bytes)
{
    return bytes ? memcpy(arena_take(memory, bytes), list, bytes) : NULL;
}

static void add_courses(struct merged *m, const struct process *p, uint64_t shift_ns, int runs_on)
{
    struct arena *memory = m->image->memory;
    struct course course = {.shift_ns = shift_ns, .end_ns = p->end_ns, .runs_on = runs_on};
    m->heap = xgrow(m->heap, &m->heap_capacity, m->course_count + 1, sizeof *m->heap);
    m->mapped = xgrow(m->mapped, &m->mapped_capacity, m->course_count + 1, sizeof *m->mapped);
    course.buckets = copied(memory, p->mapped, p->mapped_count * sizeof *p->mapped);
    course.count = p->mapped_count;
    m->mapped[m->course_count] = course;
    course.buckets = copied(memory, p->heap, p->heap_count * sizeof *p->heap);
    course.count = p->heap_count;
    course.samples = copied(memory, p->samples, p->sample_count * sizeof *p->samples);
    course.sample_count = p->sample_count;
    m->heap[m->course_count++] = course;
}

static void take_first(struct merged *m, const struct image *from, const struct process *p,
                       uint64_t shift_ns)
{
    struct image *image = m->image;
    struct arena *memory = image->memory;
    memcpy(image->id, from->id, sizeof image->id);
    memcpy(image->boot_id, from->boot_id, sizeof image->boot_id);
    image->tree = from->tree;
    image->argv = arena_take(memory, (from->argc + 1) * sizeof *image->argv);
    for (image->argc = 0; image->argc < from->argc; image->argc++)
        image->argv[image->argc] = arena_string(memory, from->argv[image->argc]);
    image->executable = arena_string(memory, from->executable);
    image->folder = arena_string(memory, from->folder);
    image->host = arena_string(memory, from->host);
    image->pid = p->pid;
    image->parent_pid = p->parent_pid;
    image->start_time = p->start_time;
    image->epoch_ns = from->epoch_ns - shift_ns;
    image->start_kind = from->start_kind;
    m->process.pid = p->pid;
    m->process.parent_pid = p->parent_pid;
    m->process.start_time = p->start_time;
    m->process.begin_ns = p->begin_ns + shift_ns;
    m->process.ending = p->ending;
    m->process.ending.exec = arena_string(memory, p->ending.exec ? p->ending.exec : "");
}

void merged_add(struct merged *m, const struct image *image, const struct process *process,
                uint64_t shift_ns, int runs_on)
{
    struct process *sum = &m->process;
    if (m->course_count == 0)
        take_first(m, image, process, shift_ns);
    turn_to(m, image);
    add_functions(m, process, shift_ns);
    add_leaks(m, process, shift_ns);
    add_totals(&sum->totals, &process->totals);
    add_quality(&sum->quality, &process->quality);
    add_courses(m, process, shift_ns, runs_on);
    sum->thread_count += process->thread_count;
    if (process->end_ns + shift_ns > sum->end_ns)
        sum->end_ns = process->end_ns + shift_ns;
    m->image->cut |= image->cut;
    m->image->running |= runs_on;
}

/* ---- the end ---- */

static const struct bucket *highest_of(const struct timeline *t)
{
    const struct bucket *highest = NULL;
    for (size_t i = 0; i < t->count; i++)
        if (!highest || t->buckets[i].max_bytes > highest->max_bytes)
            highest = &t->buckets[i];
    return highest;
}

/* Sums the courses; gives the buckets to the image and returns the highest point of their line. */
static struct bucket sum_up(struct merged *m, const struct course *courses, struct bucket **buckets,
                            size_t *count)
{
    struct timeline sum = {0};
    together_heap(courses, m->course_count, &sum);
    const struct bucket *highest = highest_of(&sum);
    struct bucket top = highest ? *highest : (struct bucket){0};
    *buckets =
        (struct bucket *)copied(m->image->memory, sum.buckets, sum.count * sizeof *sum.buckets);
    *count = sum.count;
    timeline_clear(&sum);
    return top;
}

static void sum_lines(struct merged *m)
{
    struct process *p = &m->process;
    struct samples samples = {0};
    struct bucket top = sum_up(m, m->heap, &p->heap, &p->heap_count);
    p->totals.peak_bytes = top.max_bytes;
    p->totals.peak_ns = top.max_ns;
    top = sum_up(m, m->mapped, &p->mapped, &p->mapped_count);
    p->totals.mapped_peak_bytes = top.max_bytes;
    p->totals.mapped_peak_ns = top.max_ns;
    together_samples(m->heap, m->course_count, &samples);
    p->samples = (struct sample *)copied(m->image->memory, samples.list,
                                         samples.count * sizeof *samples.list);
    p->sample_count = samples.count;
    p->totals.rss_peak_bytes = samples.highest;
    samples_clear(&samples);
}

static int biggest_first(const void *a, const void *b)
{
    const struct leak *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    if (x->blocks != y->blocks)
        return x->blocks < y->blocks ? 1 : -1;
    return (x->stack > y->stack) - (x->stack < y->stack);
}

static void give_usages(struct merged *m)
{
    struct process *p = &m->process;
    p->functions = arena_take(m->image->memory, (m->functions.count + 1) * sizeof *p->functions);
    for (uint32_t i = 0; i < m->functions.count && i < m->usage_capacity; i++) {
        if (m->usages[i].function == 0)
            continue; /* only on stacks of leaks */
        p->functions[p->function_count] = m->usages[i];
        p->functions[p->function_count++].function = i;
    }
}

static void give_tables(struct merged *m)
{
    struct image *image = m->image;
    struct arena *memory = image->memory;
#define GIVE(field, list, number)                                                                  \
    image->field = (void *)copied(memory, list, (number) * sizeof *(list))
    GIVE(functions, m->function_list, m->functions.count);
    GIVE(frames, m->frames, m->frame_count);
    GIVE(locations, m->location_list, m->locations.count);
    GIVE(stacks, m->stack_list, m->stacks.count);
#undef GIVE
    image->function_count = m->functions.count;
    image->frame_count = m->frame_count;
    image->location_count = m->locations.count;
    image->stack_count = m->stacks.count;
}

static void release(struct merged *m)
{
    intmap_clear(&m->functions.numbers);
    intmap_clear(&m->locations.numbers);
    intmap_clear(&m->stacks.numbers);
    intmap_clear(&m->leak_numbers);
    free(m->function_list);
    free(m->frames);
    free(m->location_list);
    free(m->stack_list);
    free(m->usages);
    free(m->leaks);
    free(m->heap);
    free(m->mapped);
    merged_forget(m);
    free(m);
}

struct image *merged_finish(struct merged *m)
{
    struct image *image = m->image;
    struct process *p = &m->process;
    if (m->leak_count)
        qsort(m->leaks, m->leak_count, sizeof *m->leaks, biggest_first);
    p->leaks = (struct leak *)copied(image->memory, m->leaks, m->leak_count * sizeof *m->leaks);
    p->leak_count = m->leak_count;
    sum_lines(m);
    give_usages(m);
    give_tables(m);
    image->processes = arena_take(image->memory, sizeof *image->processes);
    image->processes[0] = *p;
    image->process_count = 1;
    release(m);
    return image;
}
