/* payloads.c - see payloads.h. */
#include "payloads.h"
#include "payload_parts.h"

static void code_totals(struct codec *c, struct totals *t, uint32_t version)
{
    code_u64(c, &t->allocations);
    code_u64(c, &t->frees);
    code_u64(c, &t->allocated_bytes);
    code_u64(c, &t->peak_bytes);
    code_u64(c, &t->peak_ns);
    code_u64(c, &t->live_at_end_bytes);
    code_u64(c, &t->live_at_end_blocks);
    code_u64(c, &t->temporary);
    code_u64(c, &t->mapped_peak_bytes);
    code_u64(c, &t->mapped_peak_ns);
    code_u64(c, &t->mapped_at_end_bytes);
    code_u64(c, &t->maps);
    code_u64(c, &t->unmaps);
    code_u64(c, &t->rss_peak_bytes);
    if (version < 2)
        return;
    code_u64(c, &t->failed);
    code_u64(c, &t->rss_mark_bytes);
}

static void code_quality(struct codec *c, struct quality *q)
{
    code_u64(c, &q->lost);
    code_u64(c, &q->lost_bytes);
    code_u64(c, &q->unmatched_frees);
    code_u64(c, &q->implied_frees);
    code_u64(c, &q->inherited);
    code_u64(c, &q->inherited_bytes);
    code_u64(c, &q->truncated_stacks);
    code_u64(c, &q->unresolved_frames);
}

static void code_ending(struct codec *c, struct ending *e)
{
    uint32_t kind = e->kind;
    code_u32(c, &kind);
    if (kind > END_EXITED)
        c->in.bad = 1;
    e->kind = (enum end_kind)kind;
    code_int(c, &e->value);
    code_string(c, &e->exec);
}

static void code_identity(struct codec *c, struct process *p)
{
    code_u32(c, &p->serial);
    code_u32(c, &p->parent);
    code_int(c, &p->pid);
    code_int(c, &p->parent_pid);
    code_u64(c, &p->start_time);
}

/* f may be NULL where there is none. */
static void code_functions(struct codec *c, struct function_usage *f, size_t count,
                           uint32_t version)
{
    if (count == 0)
        return;
    COLUMN(c, f, count, function, COLUMN_DIFFERENCE);
    code_usages(c, &f->heap.self, &f->heap.inclusive, count, sizeof *f);
    code_spans(c, &f->heap.span, &f->heap.inclusive, count, sizeof *f);
    if (version >= 2)
        COLUMN(c, f, count, activations, COLUMN_PLAIN);
}

void code_samples(struct codec *c, struct sample *samples, size_t count)
{
    COLUMN(c, samples, count, ns, COLUMN_DIFFERENCE);
    COLUMN(c, samples, count, rss_bytes, COLUMN_DIFFERENCE);
}

static void code_arrays(struct codec *c, struct process *p, const struct image *image,
                        uint32_t version)
{
    CODE_ARRAY(c, image, p->functions, p->function_count, 23);
    code_functions(c, p->functions, p->function_count, version);
    CODE_ARRAY(c, image, p->leaks, p->leak_count, 5);
    code_leaks(c, p->leaks, p->leak_count);
    CODE_ARRAY(c, image, p->heap, p->heap_count, 5);
    code_line(c, p->heap, p->heap_count, version);
    CODE_ARRAY(c, image, p->mapped, p->mapped_count, 5);
    code_line(c, p->mapped, p->mapped_count, version);
    CODE_ARRAY(c, image, p->samples, p->sample_count, 2);
    code_samples(c, p->samples, p->sample_count);
}

static int fits_tables(const struct process *p, const struct image *image)
{
    for (size_t i = 0; i < p->function_count; i++)
        if (p->functions[i].function >= image->function_count)
            return 0;
    for (size_t i = 0; i < p->leak_count; i++)
        if (p->leaks[i].stack >= image->stack_count)
            return 0;
    return p->heap_count <= TIMELINE_BUCKETS && p->mapped_count <= TIMELINE_BUCKETS;
}

int code_process(struct codec *c, struct process *p, const struct image *image, uint32_t version)
{
    code_identity(c, p);
    code_u64(c, &p->begin_ns);
    code_u64(c, &p->end_ns);
    code_u32(c, &p->thread_count);
    code_ending(c, &p->ending);
    code_totals(c, &p->totals, version);
    code_quality(c, &p->quality);
    code_arrays(c, p, image, version);
    return c->out != NULL || (!c->in.bad && fits_tables(p, image));
}

int code_lost(struct codec *c, struct process *p)
{
    struct loss *loss = &p->quality.loss;
    code_u64(c, &loss->allocations);
    code_u64(c, &loss->frees);
    code_u64(c, &loss->bytes);
    code_u64(c, &loss->others);
    code_u64(c, &loss->maps);
    code_u64(c, &loss->mapped_bytes);
    code_u64(c, &loss->since_ns);
    code_u64(c, &loss->unplaced);
    code_u64(c, &loss->unplaced_events);
    return !c->in.bad;
}

int code_bounds(struct codec *c, struct process *p)
{
    code_u64(c, &p->quality.shortened);
    code_u64(c, &p->quality.left_out);
    return !c->in.bad;
}

int code_modules(struct codec *c, struct image *image)
{
    CODE_ARRAY(c, image, image->gaps, image->gap_count, 3);
    STRING_COLUMN(c, image->gaps, image->gap_count, module);
    COLUMN(c, image->gaps, image->gap_count, names, COLUMN_PLAIN);
    STRING_COLUMN(c, image->gaps, image->gap_count, reason);
    if (c->in.bad)
        image->gap_count = 0;
    return !c->in.bad;
}

int code_family(struct codec *c, struct image *image)
{
    code_u64(c, &image->beside);
    image->knows_family = !c->in.bad;
    return !c->in.bad;
}

int code_selfcheck(struct codec *c, struct process *p, const struct image *image)
{
    code_u64(c, &p->quality.selfcheck_compared);
    code_u64(c, &p->quality.selfcheck_differences);
    CODE_ARRAY(c, image, p->differences, p->difference_count, 3);
    struct difference *d = p->differences;
    COLUMN(c, d, p->difference_count, ns, COLUMN_DIFFERENCE);
    STRING_COLUMN(c, d, p->difference_count, ours);
    STRING_COLUMN(c, d, p->difference_count, theirs);
    if (c->in.bad)
        p->difference_count = 0;
    return !c->in.bad;
}

int code_threads(struct codec *c, struct process *p, const struct image *image)
{
    CODE_ARRAY(c, image, p->threads, p->thread_usage_count, 14);
    struct thread_usage *t = p->threads;
    size_t count = p->thread_usage_count;
    COLUMN(c, t, count, serial, COLUMN_DIFFERENCE);
    COLUMN(c, t, count, threads, COLUMN_PLAIN);
    COLUMN(c, t, count, tid, COLUMN_DIFFERENCE);
    STRING_COLUMN(c, t, count, name);
    COLUMN(c, t, count, begin_ns, COLUMN_DIFFERENCE);
    for (size_t i = 0; i < count; i++)
        code_near(c, &t[i].end_ns, t[i].begin_ns);
    if (count > 0)
        code_usage(c, &t->heap, count, sizeof *t);
    for (size_t i = 0; i < count && c->out == NULL; i++)
        t[i].memory = t[i].heap;
    if (c->in.bad)
        p->thread_usage_count = 0;
    return !c->in.bad;
}

static int failures_fit(const struct process *p, const struct image *image)
{
    for (size_t i = 0; i < p->failure_count; i++)
        if (p->failures[i].stack >= image->stack_count)
            return 0;
    return 1;
}

int code_failed(struct codec *c, struct process *p, const struct image *image)
{
    CODE_ARRAY(c, image, p->failures, p->failure_count, 6);
    struct failure *f = p->failures;
    size_t count = p->failure_count;
    COLUMN(c, f, count, stack, COLUMN_DIFFERENCE);
    COLUMN(c, f, count, count, COLUMN_PLAIN);
    COLUMN(c, f, count, bytes, COLUMN_PLAIN);
    for (size_t i = 0; i < count; i++)
        code_near(c, &f[i].largest_bytes, f[i].bytes);
    COLUMN(c, f, count, first_ns, COLUMN_PLAIN);
    for (size_t i = 0; i < count; i++)
        code_near(c, &f[i].last_ns, f[i].first_ns);
    int good = !c->in.bad && failures_fit(p, image);
    if (!good)
        p->failure_count = 0;
    return good;
}

void code_process_list(struct codec *c, struct process *processes, size_t count)
{
    for (size_t i = 0; i < count && !c->in.bad; i++)
        code_identity(c, &processes[i]);
}

void code_checkpoint(struct codec *c, struct checkpoint_entry *entries, size_t count)
{
    COLUMN(c, entries, count, class, COLUMN_DIFFERENCE);
    COLUMN(c, entries, count, blocks, COLUMN_PLAIN);
}

void code_live_blocks(struct codec *c, struct live_block *blocks, size_t count)
{
    COLUMN(c, blocks, count, address, COLUMN_DIFFERENCE);
    COLUMN(c, blocks, count, tick, COLUMN_DIFFERENCE);
    COLUMN(c, blocks, count, class, COLUMN_PLAIN);
}

void code_positions(struct codec *c, struct stream_position *positions, size_t count)
{
    COLUMN(c, positions, count, stream, COLUMN_DIFFERENCE);
    COLUMN(c, positions, count, chunk_index, COLUMN_PLAIN);
    COLUMN(c, positions, count, chunk_sequence, COLUMN_PLAIN);
    COLUMN(c, positions, count, bytes, COLUMN_PLAIN);
}

void code_head(struct codec *c, struct image *image)
{
    code_string(c, &image->executable);
    code_string(c, &image->folder);
    code_string(c, &image->host);
    code_count(c, &image->argc, 1);
    if (c->out == NULL)
        image->argv = arena_take(image->memory, (image->argc + 1) * sizeof *image->argv);
    for (size_t i = 0; i < image->argc && !c->in.bad; i++)
        code_string(c, (const char **)&image->argv[i]);
    if (c->in.bad)
        image->argc = 0;
}

void code_state(struct codec *c, struct image *image)
{
    uint32_t state = (image->cut ? 1 : 0) | (image->running ? 2 : 0);
    code_u32(c, &state);
    image->cut = state & 1;
    image->running = state >> 1 & 1;
}

void code_index(struct codec *c, struct index_entry *entries, size_t count)
{
    COLUMN(c, entries, count, type, COLUMN_PLAIN);
    COLUMN(c, entries, count, process, COLUMN_PLAIN);
    COLUMN(c, entries, count, offset, COLUMN_DIFFERENCE);
    COLUMN(c, entries, count, events, COLUMN_PLAIN);
    COLUMN(c, entries, count, first_tick, COLUMN_PLAIN);
    COLUMN(c, entries, count, last_tick, COLUMN_PLAIN);
}
