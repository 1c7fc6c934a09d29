/* gnuplot_resident.c - see gnuplot_resident.h. */
#include "gnuplot_resident.h"
#include "xalloc.h"
#include <math.h>
#include <stdlib.h>

#define OWN_SCALE   2.5 /* times the line of memory */
#define POINTS_MOST 3   /* of a sample, even where a damaged file has them in disorder */

static void add(struct resident *r, uint64_t ns, double bytes)
{
    r->points[r->count++] = (struct plot_point){(double)ns / 1e9, bytes};
    r->highest = bytes > (double)r->highest ? (uint64_t)llround(bytes) : r->highest;
}

/* Where the line from sample to sample crosses a moment between them. */
static void add_between(struct resident *r, const struct sample *a, const struct sample *b,
                        uint64_t ns)
{
    double share = (double)(ns - a->ns) / (double)(b->ns - a->ns);
    double from = (double)a->rss_bytes, to = (double)b->rss_bytes;
    add(r, ns, from + share * (to - from));
}

/* Adds the part of the line that ends in sample i and lies in the range. */
static void add_part(struct resident *r, const struct process *p, size_t i, const struct plot *plot)
{
    const struct sample *end = &p->samples[i], *begin = i ? end - 1 : end;
    if (begin->ns < plot->begin_ns && end->ns > plot->begin_ns)
        add_between(r, begin, end, plot->begin_ns);
    if (begin->ns < plot->end_ns && end->ns > plot->end_ns)
        add_between(r, begin, end, plot->end_ns);
    if (end->ns < plot->begin_ns || end->ns > plot->end_ns)
        return;
    r->samples = r->sample_count++ ? r->samples : end;
    add(r, end->ns, (double)end->rss_bytes);
}

struct resident resident_of(const struct plot *plot)
{
    const struct process *p = &plot->lines[0].image->processes[0];
    struct resident r = {0};
    if (!plot_is_single(plot) || p->sample_count == 0)
        return r;
    r.points = xcalloc(POINTS_MOST * p->sample_count, sizeof *r.points);
    for (size_t i = 0; i < p->sample_count; i++)
        add_part(&r, p, i, plot);
    r.own_axis = (double)r.highest > OWN_SCALE * (double)plot_top(plot);
    if (r.count == 0)
        resident_release(&r);
    return r;
}

void resident_release(struct resident *r)
{
    free(r->points);
    *r = (struct resident){0};
}
