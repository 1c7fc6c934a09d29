/* bounded.c - see bounded.h. */
#include "bounded.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

static int highest_first(const void *a, const void *b)
{
    const struct function_usage *x = a, *y = b;
    uint64_t high_x = x->memory.inclusive.own_peak_bytes,
             high_y = y->memory.inclusive.own_peak_bytes;
    if (high_x != high_y)
        return high_x > high_y ? -1 : 1;
    return x->function < y->function ? -1 : x->function > y->function;
}

static int by_function(const void *a, const void *b)
{
    const struct function_usage *x = a, *y = b;
    return x->function < y->function ? -1 : x->function > y->function;
}

static void *copy_of(const void *list, size_t count, size_t entry_bytes)
{
    void *copy = xmalloc(count * entry_bytes);
    memcpy(copy, list, count * entry_bytes);
    return copy;
}

static void bound_functions(struct bounded *b, size_t entries)
{
    struct process *p = &b->process;
    if (p->function_count <= entries)
        return;
    b->functions = copy_of(p->functions, p->function_count, sizeof *p->functions);
    qsort(b->functions, p->function_count, sizeof *b->functions, highest_first);
    qsort(b->functions, entries, sizeof *b->functions, by_function);
    p->functions = b->functions;
    p->function_count = entries;
}

/* Keeps the higher one of each two neighbours. */
static size_t halve(struct sample *samples, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i += 2) {
        size_t higher = i + 1 < count && samples[i + 1].rss_bytes > samples[i].rss_bytes;
        samples[kept++] = samples[i + higher];
    }
    return kept;
}

static void bound_samples(struct bounded *b, size_t entries)
{
    struct process *p = &b->process;
    if (p->sample_count <= entries)
        return;
    b->samples = copy_of(p->samples, p->sample_count, sizeof *p->samples);
    p->samples = b->samples;
    while (p->sample_count > entries)
        p->sample_count = halve(b->samples, p->sample_count);
}

/* Of the lists in SUMMARY and MAPPED, as the latter holds more of each function. */
static size_t entries_of(const struct process *process, size_t entries)
{
    return process_has_mappings(process) ? (entries + 1) / 2 : entries;
}

void bounded_open(struct bounded *b, const struct process *process, size_t entries)
{
    entries = entries_of(process, entries);
    *b = (struct bounded){.process = *process};
    bound_functions(b, entries);
    bound_samples(b, entries);
    if (b->process.leak_count > entries) /* the biggest come first */
        b->process.leak_count = entries;
    if (b->process.mapped_leak_count > entries)
        b->process.mapped_leak_count = entries;
}

void bounded_close(struct bounded *b)
{
    free(b->functions);
    free(b->samples);
}

static uint64_t beyond(size_t count, size_t entries)
{
    return count > entries ? count - entries : 0;
}

uint64_t bounded_left_out(const struct process *process, size_t entries)
{
    uint64_t failures = beyond(process->failure_count, entries); /* FAILED is their own block */
    entries = entries_of(process, entries);
    uint64_t functions = beyond(process->function_count, entries);
    uint64_t leaks =
        beyond(process->leak_count, entries) + beyond(process->mapped_leak_count, entries);
    size_t samples = process->sample_count;
    while (samples > entries)
        samples = (samples + 1) / 2;
    return functions + leaks + failures + (process->sample_count - samples);
}
