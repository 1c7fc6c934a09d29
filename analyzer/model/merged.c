/* merged.c - the figures of several processes added. */
#include "merged.h"
#include "failures.h"
#include "merged_tables.h"
#include "quality_sum.h"
#include "together.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

struct leak_list {
    struct leak *list;
    size_t count, capacity;
    struct intmap numbers; /* merged stack -> index + 1 */
};

struct owner { /* of a course */
    int32_t pid;
    uint64_t start_time;
};

struct merged {
    struct image *image; /* the result */
    struct process process;
    struct merged_tables tables;
    struct function_usage *usages; /* by merged function; .function 0: not used so far */
    size_t usage_capacity;
    struct leak_list leaks, mapped_leaks;
    struct failures failures;             /* by merged stack */
    struct course *courses[SERIES_COUNT]; /* by series; copies of the buckets */
    struct owner *owners;                 /* of the courses */
    struct intmap threaded;               /* processes that have threads in the sum */
    size_t course_count, course_capacity[SERIES_COUNT], owner_capacity;
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

/* Any time is earlier than the one that a peak of nothing begins with. */
static void begin_usage(struct function_usage *usage)
{
    for (enum series k = 0; k < SERIES_COUNT; k++) {
        struct series_usage *series = function_series(usage, k);
        series->self.own_peak_ns = series->inclusive.own_peak_ns = UINT64_MAX;
    }
}

static void add_series(struct series_usage *to, struct function_usage *from, enum series series,
                       uint64_t shift_ns)
{
    add_usage(&to->self, &function_series(from, series)->self, shift_ns);
    add_usage(&to->inclusive, &function_series(from, series)->inclusive, shift_ns);
}

static void add_functions(struct merged *m, const struct process *p, uint64_t shift_ns)
{
    for (size_t i = 0; i < p->function_count; i++) {
        const struct function_usage *from = &p->functions[i];
        uint64_t number = merged_function(&m->tables, from->function);
        m->usages = xgrow(m->usages, &m->usage_capacity, number + 1, sizeof *m->usages);
        struct function_usage *to = &m->usages[number];
        if (to->function == 0)
            begin_usage(to);
        to->function = 1;
        for (enum series k = 0; k < SERIES_COUNT; k++)
            add_series(function_series(to, k), &p->functions[i], k, shift_ns);
        to->activations += p->functions[i].activations;
    }
}

static void add_leaks(struct merged *m, struct leak_list *leaks, const struct leak *list,
                      size_t count, uint64_t shift_ns)
{
    for (size_t i = 0; i < count; i++) {
        const struct leak *from = &list[i];
        uint64_t stack = merged_stack(&m->tables, from->stack);
        uint64_t *number = intmap_place(&leaks->numbers, stack);
        if (*number == 0) {
            leaks->list = xgrow(leaks->list, &leaks->capacity, leaks->count + 1, sizeof *list);
            leaks->list[leaks->count] =
                (struct leak){.stack = (uint32_t)stack, .first_ns = from->first_ns + shift_ns};
            *number = ++leaks->count;
        }
        struct leak *to = &leaks->list[*number - 1];
        to->blocks += from->blocks;
        to->bytes += from->bytes;
        if (from->first_ns + shift_ns < to->first_ns)
            to->first_ns = from->first_ns + shift_ns;
        if (from->last_ns + shift_ns > to->last_ns)
            to->last_ns = from->last_ns + shift_ns;
    }
}

static void add_failures(struct merged *m, const struct process *p, uint64_t shift_ns)
{
    for (size_t i = 0; i < p->failure_count; i++) {
        struct failure more = p->failures[i];
        more.stack = (uint32_t)merged_stack(&m->tables, more.stack);
        more.first_ns += shift_ns;
        more.last_ns += shift_ns;
        failures_add(&m->failures, &more);
    }
}

/* The highest of reservations and files, too: see merged.h. */
static void add_totals(struct totals *to, const struct totals *from)
{
    to->allocations += from->allocations;
    to->frees += from->frees;
    to->allocated_bytes += from->allocated_bytes;
    to->live_at_end_bytes += from->live_at_end_bytes;
    to->live_at_end_blocks += from->live_at_end_blocks;
    to->temporary += from->temporary;
    to->mapped_at_end_bytes += from->mapped_at_end_bytes;
    to->reserved_peak_bytes += from->reserved_peak_bytes;
    to->reserved_at_end_bytes += from->reserved_at_end_bytes;
    to->file_peak_bytes += from->file_peak_bytes;
    to->file_at_end_bytes += from->file_at_end_bytes;
    to->maps += from->maps;
    to->unmaps += from->unmaps;
    to->failed += from->failed;
    if (from->rss_mark_bytes > to->rss_mark_bytes)
        to->rss_mark_bytes = from->rss_mark_bytes;
}

/* Has the process, as the image that it was before, samples? They hold until its own begin: in
 * between nobody looked. */
static void continue_samples(struct merged *m, const struct process *p, uint64_t shift_ns)
{
    if (p->sample_count == 0 || p->pid == 0 || p->start_time == 0)
        return;
    uint64_t first_ns = p->samples[0].ns + shift_ns;
    for (size_t i = m->course_count; i-- > 0;) {
        struct course *before = &m->courses[SERIES_HEAP][i];
        if (before->sample_count == 0 || m->owners[i].pid != p->pid ||
            m->owners[i].start_time != p->start_time)
            continue;
        if (!before->runs_on && first_ns > before->end_ns + before->shift_ns)
            before->samples_end_ns = first_ns - before->shift_ns;
        return;
    }
}

/* The mapped line of the process that is being added. */
static struct line_of mapped_course(const struct merged *m)
{
    const struct course *mapped = &m->courses[SERIES_MAPPED][m->course_count];
    return (struct line_of){mapped->buckets, mapped->count};
}

static void add_courses(struct merged *m, const struct process *p, uint64_t shift_ns, int runs_on)
{
    struct arena *memory = m->image->memory;
    struct course course = {.shift_ns = shift_ns, .end_ns = p->end_ns, .runs_on = runs_on};
    continue_samples(m, p, shift_ns);
    m->owners = xgrow(m->owners, &m->owner_capacity, m->course_count + 1, sizeof *m->owners);
    m->owners[m->course_count] = (struct owner){p->pid, p->start_time};
    course.samples = arena_copy(memory, p->samples, p->sample_count * sizeof *p->samples);
    course.sample_count = p->sample_count;
    for (enum series k = 0; k < SERIES_COUNT; k++) {
        struct line_of line = process_line(p, k);
        m->courses[k] = xgrow(m->courses[k], &m->course_capacity[k], m->course_count + 1,
                              sizeof *m->courses[k]);
        course.buckets = arena_copy(memory, line.buckets, line.count * sizeof *line.buckets);
        course.count = line.count;
        if (k == SERIES_MEMORY)
            course.mapped = mapped_course(m);
        m->courses[k][m->course_count] = course;
    }
    m->course_count++;
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

/* What a process became by exec goes on with the thread that called it, which counts once. */
static uint32_t new_threads(struct merged *m, const struct process *p)
{
    if (p->thread_count == 0 || p->pid == 0 || p->start_time == 0)
        return p->thread_count;
    uint64_t *has_threads =
        intmap_place(&m->threaded, (uint64_t)(uint32_t)p->pid << 40 ^ p->start_time);
    uint32_t known = *has_threads != 0;
    *has_threads = 1;
    return p->thread_count - known;
}

void merged_add(struct merged *m, const struct image *image, const struct process *process,
                uint64_t shift_ns, int runs_on)
{
    struct process *sum = &m->process;
    if (m->course_count == 0)
        take_first(m, image, process, shift_ns);
    merged_tables_turn_to(&m->tables, image);
    add_functions(m, process, shift_ns);
    add_leaks(m, &m->leaks, process->leaks, process->leak_count, shift_ns);
    add_leaks(m, &m->mapped_leaks, process->mapped_leaks, process->mapped_leak_count, shift_ns);
    add_failures(m, process, shift_ns);
    add_totals(&sum->totals, &process->totals);
    quality_add(&sum->quality, &process->quality, shift_ns);
    add_courses(m, process, shift_ns, runs_on);
    add_gaps(m, image);
    sum->thread_count += new_threads(m, process);
    sum->series_unknown |= process->series_unknown;
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
    together_line(courses, m->course_count, 0, &sum);
    const struct bucket *highest = highest_of(&sum);
    struct bucket top = highest ? *highest : (struct bucket){0};
    *buckets = arena_copy(m->image->memory, sum.buckets, sum.count * sizeof *sum.buckets);
    *count = sum.count;
    timeline_clear(&sum);
    return top;
}

/* After the heap's line and the functions: without all of its parts, memory is the heap. */
static void sum_memory(struct merged *m)
{
    struct process *p = &m->process;
    if (p->series_unknown) {
        process_memory_is_heap(p);
        return;
    }
    struct bucket top = sum_up(m, m->courses[SERIES_MEMORY], &p->memory, &p->memory_count);
    p->totals.memory_peak_bytes = top.max_bytes;
    p->totals.memory_peak_ns = top.max_ns;
    p->totals.mapped_then_bytes = top.max_mapped_bytes;
}

static void sum_lines(struct merged *m)
{
    struct process *p = &m->process;
    struct samples samples = {0};
    struct bucket top = sum_up(m, m->courses[SERIES_HEAP], &p->heap, &p->heap_count);
    p->totals.peak_bytes = top.max_bytes;
    p->totals.peak_ns = top.max_ns;
    top = sum_up(m, m->courses[SERIES_MAPPED], &p->mapped, &p->mapped_count);
    p->totals.mapped_peak_bytes = top.max_bytes;
    p->totals.mapped_peak_ns = top.max_ns;
    together_samples(m->courses[SERIES_HEAP], m->course_count, &samples);
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

static struct leak *give_leaks(struct merged *m, struct leak_list *leaks, size_t *count)
{
    if (leaks->count)
        qsort(leaks->list, leaks->count, sizeof *leaks->list, leaks_biggest_first);
    *count = leaks->count;
    return arena_copy(m->image->memory, leaks->list, leaks->count * sizeof *leaks->list);
}

static void release(struct merged *m)
{
    intmap_clear(&m->leaks.numbers);
    intmap_clear(&m->mapped_leaks.numbers);
    failures_clear(&m->failures);
    intmap_clear(&m->threaded);
    free(m->usages);
    free(m->leaks.list);
    free(m->mapped_leaks.list);
    for (enum series k = 0; k < SERIES_COUNT; k++)
        free(m->courses[k]);
    free(m->owners);
    free(m->gaps);
    free(m);
}

struct image *merged_finish(struct merged *m)
{
    struct image *image = m->image;
    struct process *p = &m->process;
    p->leaks = give_leaks(m, &m->leaks, &p->leak_count);
    p->mapped_leaks = give_leaks(m, &m->mapped_leaks, &p->mapped_leak_count);
    failures_fill(&m->failures, image->memory, p);
    image->gaps = arena_copy(image->memory, m->gaps, m->gap_count * sizeof *m->gaps);
    image->gap_count = m->gap_count;
    sum_lines(m);
    give_usages(m);
    sum_memory(m);
    merged_tables_give(&m->tables, image);
    image->processes = arena_take(image->memory, sizeof *image->processes);
    image->processes[0] = *p;
    image->process_count = 1;
    image_count_gaps(image); /* a gap of several processes counts once */
    release(m);
    return image;
}
