/* unmeasured.c - see unmeasured.h. */
#include "unmeasured.h"

static uint64_t last_end(const struct family *family)
{
    uint64_t last = 0;

    for (size_t k = 0; k < family->order_count; k++) {
        const struct relative *r = &family->relatives[family->order[k]];
        if (r->has_figures && (r->runs_on || r->end_ns > last))
            last = r->runs_on ? UINT64_MAX : r->end_ns;
    }
    return last;
}

/* A recording that is cut is a gap of its own. */
static int has_no_end(const struct relative *r)
{
    return r->has_figures && !r->runs_on && !r->cut && r->ending.kind == END_UNKNOWN;
}

static int lived_within(const struct family *family, size_t i, uint64_t begin_ns, uint64_t end_ns)
{
    const struct relative *r = &family->relatives[i];

    return family->kin[i].begin_ns < end_ns && (r->runs_on || r->end_ns >= begin_ns);
}

struct unmeasured unmeasured_within(const struct family *family, uint64_t begin_ns, uint64_t end_ns)
{
    struct unmeasured u = {0, 0, 0};
    uint64_t last = last_end(family);

    for (size_t k = 0; k < family->order_count; k++) {
        size_t i = family->order[k];
        const struct relative *r = &family->relatives[i];
        if (family->is_left[i] || !lived_within(family, i, begin_ns, end_ns))
            continue;
        u.unended += has_no_end(r) && r->end_ns < last;
        if (!r->has_figures || r->totals.rss_peak_bytes)
            continue;
        u.unsampled++;
        u.unknown += r->totals.rss_mark_bytes == 0;
    }
    return u;
}

struct unmeasured unmeasured_of(const struct family *family)
{
    return unmeasured_within(family, 0, UINT64_MAX);
}
