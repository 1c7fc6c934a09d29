/* unmeasured.c - see unmeasured.h. */
#include "unmeasured.h"

struct unmeasured unmeasured_of(const struct family *family)
{
    struct unmeasured u = {0, 0};

    for (size_t k = 0; k < family->order_count; k++) {
        size_t i = family->order[k];
        const struct relative *r = &family->relatives[i];
        if (family->is_left[i] || !r->has_figures || r->totals.rss_peak_bytes)
            continue;
        u.unsampled++;
        u.unknown += r->totals.rss_mark_bytes == 0;
    }
    return u;
}
