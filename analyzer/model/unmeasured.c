/* unmeasured.c - see unmeasured.h. */
#include "unmeasured.h"

static int lived_within(const struct family *family, size_t i, uint64_t begin_ns, uint64_t end_ns)
{
    const struct relative *r = &family->relatives[i];

    return family->kin[i].begin_ns < end_ns && (r->runs_on || r->end_ns >= begin_ns);
}

struct unmeasured unmeasured_within(const struct family *family, uint64_t begin_ns, uint64_t end_ns)
{
    struct unmeasured u = {0, 0};

    for (size_t k = 0; k < family->order_count; k++) {
        size_t i = family->order[k];
        const struct relative *r = &family->relatives[i];
        if (family->is_left[i] || !r->has_figures || r->totals.rss_peak_bytes ||
            !lived_within(family, i, begin_ns, end_ns))
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
