/* payload_mapped.c - MAPPED: mapped memory, and memory, of a process. */
#include "payload_parts.h"
#include "payloads.h"

/* An entry's least bytes, all of its figures 0. */
#define FUNCTION_LEAST 36
#define THREAD_LEAST   12
#define LEAK_LEAST     5
#define BUCKET_LEAST   9
#define LINE_VERSION   2 /* its line keeps all that a bucket has */

static void code_mapped_totals(struct codec *c, struct totals *t)
{
    code_u64(c, &t->memory_peak_bytes);
    code_u64(c, &t->memory_peak_ns);
    code_u64(c, &t->mapped_then_bytes);
    code_u64(c, &t->reserved_peak_bytes);
    code_u64(c, &t->reserved_at_end_bytes);
    code_u64(c, &t->file_peak_bytes);
    code_u64(c, &t->file_at_end_bytes);
}

/* Only the peaks of memory are no sums. */
static void code_peaks(struct codec *c, struct usage *memory, const struct usage *heap)
{
    code_near(c, &memory->own_peak_bytes, heap->own_peak_bytes);
    code_near(c, &memory->own_peak_ns, heap->own_peak_ns);
    code_near(c, &memory->at_peak_bytes, heap->at_peak_bytes);
}

/* The lists may be NULL where they are empty. */
static void code_mapped_functions(struct codec *c, struct function_usage *f, size_t count)
{
    if (count == 0)
        return;
    code_usages(c, &f->mapped.self, &f->mapped.inclusive, count, sizeof *f);
    code_spans(c, &f->mapped.span, &f->mapped.inclusive, count, sizeof *f);
    for (size_t i = 0; i < count; i++)
        code_peaks(c, &f[i].memory.self, &f[i].heap.self);
    for (size_t i = 0; i < count; i++)
        code_peaks(c, &f[i].memory.inclusive, &f[i].heap.inclusive);
    code_spans(c, &f->memory.span, &f->memory.inclusive, count, sizeof *f);
    COLUMN(c, f, count, mapped_then.self_bytes, COLUMN_PLAIN);
    for (size_t i = 0; i < count; i++)
        code_near(c, &f[i].mapped_then.inclusive_bytes, f[i].mapped_then.self_bytes);
}

static void code_mapped_threads(struct codec *c, struct thread_usage *t, size_t count)
{
    if (count == 0)
        return;
    code_usage(c, &t->mapped, count, sizeof *t);
    for (size_t i = 0; i < count; i++)
        code_peaks(c, &t[i].memory, &t[i].heap);
    COLUMN(c, t, count, mapped_then_bytes, COLUMN_PLAIN);
}

static void add_up(struct process *p)
{
    for (size_t i = 0; i < p->function_count; i++) {
        struct function_usage *f = &p->functions[i];
        usage_add_up(&f->memory.self, &f->heap.self, &f->mapped.self);
        usage_add_up(&f->memory.inclusive, &f->heap.inclusive, &f->mapped.inclusive);
    }
    for (size_t i = 0; i < p->thread_usage_count; i++) {
        struct thread_usage *t = &p->threads[i];
        usage_add_up(&t->memory, &t->heap, &t->mapped);
    }
}

/* The number of entries must be that of the process's list, which is there already. */
static int code_same_count(struct codec *c, size_t count, size_t least)
{
    size_t told = count;
    code_count(c, &told, least);
    return told == count;
}

static int code_lists(struct codec *c, struct process *p, const struct image *image)
{
    if (!code_same_count(c, p->function_count, FUNCTION_LEAST))
        return 0;
    code_mapped_functions(c, p->functions, p->function_count);
    if (!code_same_count(c, p->thread_usage_count, THREAD_LEAST))
        return 0;
    code_mapped_threads(c, p->threads, p->thread_usage_count);
    CODE_ARRAY(c, image, p->mapped_leaks, p->mapped_leak_count, LEAK_LEAST);
    code_leaks(c, p->mapped_leaks, p->mapped_leak_count);
    CODE_ARRAY(c, image, p->memory, p->memory_count, BUCKET_LEAST);
    code_line(c, p->memory, p->memory_count, LINE_VERSION);
    COLUMN(c, p->memory, p->memory_count, max_mapped_bytes, COLUMN_DIFFERENCE);
    return 1;
}

static int fits_tables(const struct process *p, const struct image *image)
{
    for (size_t i = 0; i < p->mapped_leak_count; i++)
        if (p->mapped_leaks[i].stack >= image->stack_count)
            return 0;
    for (size_t i = 0; i < p->memory_count; i++)
        if (p->memory[i].max_mapped_bytes > p->memory[i].max_bytes)
            return 0;
    return p->memory_count <= TIMELINE_BUCKETS;
}

int code_mapped(struct codec *c, struct process *p, const struct image *image)
{
    code_mapped_totals(c, &p->totals);
    if (!code_lists(c, p, image))
        return 0;
    if (c->out == NULL)
        add_up(p);
    return c->out != NULL || (!c->in.bad && fits_tables(p, image));
}
