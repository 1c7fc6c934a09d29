/* payload_parts.c - see payload_parts.h. */
#include "payload_parts.h"

#include <stddef.h>

void code_near(struct codec *c, uint64_t *value, uint64_t other)
{
    uint64_t code = zigzag(*value - other);
    code_u64(c, &code);
    *value = other + unzigzag(code);
}

/* ---- figures ---- */

static const size_t figures[] = {
    offsetof(struct usage, allocations),        offsetof(struct usage, allocated_bytes),
    offsetof(struct usage, own_peak_bytes),     offsetof(struct usage, own_peak_ns),
    offsetof(struct usage, at_peak_bytes),      offsetof(struct usage, live_at_end_bytes),
    offsetof(struct usage, live_at_end_blocks), offsetof(struct usage, temporary),
};
#define FIGURES (sizeof figures / sizeof *figures)

static uint64_t *figure(void *first, size_t i, size_t stride, size_t offset)
{
    return (uint64_t *)((char *)first + i * stride + offset);
}

static void code_figure(struct codec *c, struct usage *usage, size_t offset, size_t count,
                        size_t stride)
{
    code_column(c, usage, offset, count, stride, sizeof(uint64_t), COLUMN_PLAIN);
}

void code_usages(struct codec *c, struct usage *self, struct usage *inclusive, size_t count,
                 size_t stride)
{
    for (size_t k = 0; k < FIGURES; k++) {
        code_figure(c, self, figures[k], count, stride);
        for (size_t i = 0; i < count; i++)
            code_near(c, figure(inclusive, i, stride, figures[k]),
                      *figure(self, i, stride, figures[k]));
    }
}

void code_usage(struct codec *c, struct usage *usage, size_t count, size_t stride)
{
    for (size_t k = 0; k < FIGURES; k++)
        code_figure(c, usage, figures[k], count, stride);
}

/* ---- activations ---- */

static struct span *span_at(struct span *first, size_t i, size_t stride)
{
    return (struct span *)((char *)first + i * stride);
}

static uint64_t peak_ns(const struct usage *first, size_t i, size_t stride)
{
    return ((const struct usage *)((const char *)first + i * stride))->own_peak_ns;
}

void code_spans(struct codec *c, struct span *span, const struct usage *inclusive, size_t count,
                size_t stride)
{
    for (size_t i = 0; i < count; i++)
        code_u32(c, &span_at(span, i, stride)->valid);
    for (size_t i = 0; i < count; i++)
        code_u32(c, &span_at(span, i, stride)->thread);
    for (size_t i = 0; i < count; i++)
        code_near(c, &span_at(span, i, stride)->begin_ns, peak_ns(inclusive, i, stride));
    for (size_t i = 0; i < count; i++)
        code_near(c, &span_at(span, i, stride)->end_ns, peak_ns(inclusive, i, stride));
    for (size_t i = 0; i < count; i++)
        code_u64(c, &span_at(span, i, stride)->begin_level);
    for (size_t i = 0; i < count; i++)
        code_near(c, &span_at(span, i, stride)->end_level, span_at(span, i, stride)->begin_level);
}

/* ---- leaks ---- */

void code_leaks(struct codec *c, struct leak *l, size_t count)
{
    COLUMN(c, l, count, stack, COLUMN_DIFFERENCE);
    COLUMN(c, l, count, blocks, COLUMN_PLAIN);
    COLUMN(c, l, count, bytes, COLUMN_DIFFERENCE);
    COLUMN(c, l, count, first_ns, COLUMN_PLAIN);
    for (size_t i = 0; i < count; i++)
        code_near(c, &l[i].last_ns, l[i].first_ns);
}

/* ---- lines ---- */

static void code_buckets(struct codec *c, struct bucket *b, size_t count)
{
    COLUMN(c, b, count, begin_ns, COLUMN_DIFFERENCE);
    COLUMN(c, b, count, max_bytes, COLUMN_DIFFERENCE);
    for (size_t i = 0; i < count; i++)
        code_near(c, &b[i].max_ns, b[i].begin_ns);
    for (size_t i = 0; i < count; i++)
        code_near(c, &b[i].min_bytes, b[i].max_bytes);
    for (size_t i = 0; i < count; i++)
        code_near(c, &b[i].last_bytes, b[i].max_bytes);
}

/* Version 2 knows two more of a bucket's changes, and when it was the lowest. */
static void code_changes(struct codec *c, struct bucket *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        code_near(c, &b[i].first_bytes, b[i].max_bytes);
    for (size_t i = 0; i < count; i++)
        code_near(c, &b[i].min_ns, b[i].max_ns);
    for (size_t i = 0; i < count; i++)
        code_near(c, &b[i].last_ns, b[i].max_ns);
}

/* What version 1 does not know is taken to have been early: the line stays what it was until the
 * highest, and comes to the lowest and to its last level right then. */
static void complete_buckets(struct bucket *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int begins_highest = b[i].max_ns <= b[i].begin_ns || i == 0;
        b[i].first_bytes = begins_highest ? b[i].max_bytes : b[i - 1].last_bytes;
        b[i].min_ns = b[i].last_ns = b[i].max_ns > b[i].begin_ns ? b[i].max_ns : b[i].begin_ns;
    }
}

void code_line(struct codec *c, struct bucket *b, size_t count, uint32_t version)
{
    code_buckets(c, b, count);
    if (version >= 2)
        code_changes(c, b, count);
    else if (c->out == NULL)
        complete_buckets(b, count);
}
