/* merged.c - the figures of several processes added. */
#include "merged.h"
#include "merged_tables.h"
#include "quality_sum.h"
#include "together.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

struct merged {
    struct image *image; /* the result */
    struct process process;
    struct merged_tables tables;
    struct function_usage *usages; /* by merged function; .function 0: not used so far */
    size_t usage_capacity;
    struct leak *leaks;
    size_t leak_count, leak_capacity;
    struct intmap leak_numbers;   /* merged stack -> index + 1 */
    struct course *heap, *mapped; /* copies of the buckets */
    size_t course_count, heap_capacity, mapped_capacity;
    struct module_gap *gaps;
    size_t gap_count, gap_capacity;
};

struct merged *merged_new(void)
{
    struct merged *m = xcalloc(1, sizeof *m);
    m->image = image_new();
    merged_tables_begin(&m->tables, m->image->memory);
    return m;
}

void merged_forget(struct merged *m)
{
    merged_tables_forget(&m->tables);
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
        uint64_t number = merged_function(&m->tables, from->function);
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
        uint64_t stack = merged_stack(&m->tables, from->stack);
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

static void add_courses(struct merged *m, const struct process *p, uint64_t shift_ns, int runs_on)
{
    struct arena *memory = m->image->memory;
    struct course course = {.shift_ns = shift_ns, .end_ns = p->end_ns, .runs_on = runs_on};
    m->heap = xgrow(m->heap, &m->heap_capacity, m->course_count + 1, sizeof *m->heap);
    m->mapped = xgrow(m->mapped, &m->mapped_capacity, m->course_count + 1, sizeof *m->mapped);
    course.buckets = arena_copy(memory, p->mapped, p->mapped_count * sizeof *p->mapped);
    course.count = p->mapped_count;
    m->mapped[m->course_count] = course;
    course.buckets = arena_copy(memory, p->heap, p->heap_count * sizeof *p->heap);
    course.count = p->heap_count;
    course.samples = arena_copy(memory, p->samples, p->sample_count * sizeof *p->samples);
    course.sample_count = p->sample_count;
    m->heap[m->course_count++] = course;
}

static void keep_texts(struct arena *memory, struct module_gap *gap)
{
    gap->module = arena_string(memory, gap->module);
    gap->reason = arena_string(memory, gap->reason);
}

static void add_gaps(struct merged *m, const struct image *from)
{
    m->gaps = xgrow(m->gaps, &m->gap_capacity, m->gap_count + from->gap_count + 1, sizeof *m->gaps);
    for (size_t i = 0; i < from->gap_count; i++) {
        size_t before = m->gap_count;
        gaps_add(m->gaps, &m->gap_count, from->gaps[i]);
        if (m->gap_count > before)
            keep_texts(m->image->memory, &m->gaps[before]);
    }
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
    merged_tables_turn_to(&m->tables, image);
    add_functions(m, process, shift_ns);
    add_leaks(m, process, shift_ns);
    add_totals(&sum->totals, &process->totals);
    quality_add(&sum->quality, &process->quality, shift_ns);
    add_courses(m, process, shift_ns, runs_on);
    add_gaps(m, image);
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
    together_heap(courses, m->course_count, 0, &sum);
    const struct bucket *highest = highest_of(&sum);
    struct bucket top = highest ? *highest : (struct bucket){0};
    *buckets = arena_copy(m->image->memory, sum.buckets, sum.count * sizeof *sum.buckets);
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
    p->samples = arena_copy(m->image->memory, samples.list, samples.count * sizeof *samples.list);
    p->sample_count = samples.count;
    p->totals.rss_peak_bytes = samples.highest;
    samples_clear(&samples);
}

static void give_usages(struct merged *m)
{
    struct process *p = &m->process;
    p->functions =
        arena_take(m->image->memory, (m->tables.functions.count + 1) * sizeof *p->functions);
    for (uint32_t i = 0; i < m->tables.functions.count && i < m->usage_capacity; i++) {
        if (m->usages[i].function == 0)
            continue; /* only on stacks of leaks */
        p->functions[p->function_count] = m->usages[i];
        p->functions[p->function_count++].function = i;
    }
}

static void release(struct merged *m)
{
    intmap_clear(&m->leak_numbers);
    free(m->usages);
    free(m->leaks);
    free(m->heap);
    free(m->mapped);
    free(m->gaps);
    free(m);
}

struct image *merged_finish(struct merged *m)
{
    struct image *image = m->image;
    struct process *p = &m->process;
    if (m->leak_count)
        qsort(m->leaks, m->leak_count, sizeof *m->leaks, leaks_biggest_first);
    p->leaks = arena_copy(image->memory, m->leaks, m->leak_count * sizeof *m->leaks);
    p->leak_count = m->leak_count;
    image->gaps = arena_copy(image->memory, m->gaps, m->gap_count * sizeof *m->gaps);
    image->gap_count = m->gap_count;
    sum_lines(m);
    give_usages(m);
    merged_tables_give(&m->tables, image);
    image->processes = arena_take(image->memory, sizeof *image->processes);
    image->processes[0] = *p;
    image->process_count = 1;
    image_count_gaps(image); /* a gap of several processes counts once */
    release(m);
    return image;
}
