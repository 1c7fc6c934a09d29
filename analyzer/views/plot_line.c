/* plot_line.c - a line's points, levels and slope: see plot.h. */
#include "plot.h"
#include "together.h"
#include "xalloc.h"

#define POINTS_OF_CHANGES 8 /* of a bucket: two for each of its changes */

struct points {
    struct plot_point *list;
    size_t count;
};

/* A point that repeats the two before it is drawn by moving the last one. */
static void add(struct points *points, uint64_t ns, uint64_t bytes)
{
    struct plot_point point = {(double)ns / 1e9, (double)bytes};
    struct plot_point *last = points->list + points->count;
    if (points->count >= 2 && last[-1].bytes == point.bytes && last[-2].bytes == point.bytes)
        last[-1] = point;
    else if (points->count < 1 || last[-1].bytes != point.bytes ||
             last[-1].seconds != point.seconds)
        points->list[points->count++] = point;
}

struct plot_point *plot_line_points(struct line_of line, uint64_t begin_ns, uint64_t end_ns,
                                    size_t *count)
{
    struct points points = {xcalloc(POINTS_OF_CHANGES * line.count + 3, sizeof *points.list), 0};
    struct steps steps = {.buckets = line.buckets, .count = line.count};
    uint64_t ns, level, before = 0, last_ns = 0;
    while (steps_next(&steps, &ns, &level) && ns <= end_ns) {
        if (points.count == 0 && begin_ns < ns)
            add(&points, begin_ns, 0);
        if (points.count > 0) /* the level holds until the next change */
            add(&points, ns, before);
        add(&points, ns, level);
        before = level;
        last_ns = ns;
    }
    if (points.count > 0 && end_ns > last_ns)
        add(&points, end_ns, before);
    *count = points.count;
    return points.list;
}

const struct bucket *plot_highest(struct line_of line)
{
    const struct bucket *highest = NULL;
    for (size_t i = 0; i < line.count; i++)
        if (!highest || line.buckets[i].max_bytes > highest->max_bytes)
            highest = &line.buckets[i];
    return highest;
}

uint64_t plot_line_begin(const struct plot *plot, const struct plot_line *line)
{
    uint64_t begin = line->image->processes[0].begin_ns;
    return begin > plot->begin_ns ? begin : plot->begin_ns;
}

uint64_t plot_line_end(const struct plot *plot, const struct plot_line *line)
{
    uint64_t end = line->image->processes[0].end_ns;
    return end < plot->end_ns ? end : plot->end_ns;
}

int plot_line_is_shown(const struct plot *plot, const struct plot_line *line)
{
    struct steps steps = {.buckets = line->line.buckets, .count = line->line.count};
    uint64_t ns, level;
    return steps_next(&steps, &ns, &level) && ns <= plot_line_end(plot, line);
}

uint64_t plot_top(const struct plot *plot)
{
    uint64_t top = 0;
    for (size_t i = 0; i < plot->line_count; i++) {
        const struct bucket *highest = plot_highest(plot->lines[i].line);
        if (highest && highest->max_bytes > top)
            top = highest->max_bytes;
    }
    return top;
}

uint64_t plot_level_at(struct line_of line, uint64_t ns)
{
    struct steps steps = {.buckets = line.buckets, .count = line.count};
    uint64_t change_ns, level, then = 0;
    while (steps_next(&steps, &change_ns, &level) && change_ns <= ns)
        then = level;
    return then;
}

double plot_line_at(const struct plot_point *points, size_t count, double seconds)
{
    size_t low = 0, high = count; /* points[low] is at or before `seconds`, points[high] after */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (points[middle].seconds <= seconds)
            low = middle;
        else
            high = middle;
    }
    return count ? points[low].bytes : 0;
}

/*
 * Least squares over all moments: y = mean + slope * (t - middle), where slope is the integral of
 * (t - middle) * y over that of (t - middle) ^ 2, which is length ^ 3 / 12. The level is measured
 * from the first one, so that a level line has no slope at all.
 */
struct plot_slope plot_line_slope(const struct plot_point *points, size_t count)
{
    double first = count ? points[0].seconds : 0, base = count ? points[0].bytes : 0;
    double length = count ? points[count - 1].seconds - first : 0;
    double middle = first + length / 2, sum = 0, moment = 0;
    if (length <= 0)
        return (struct plot_slope){0, base};
    for (size_t i = 0; i + 1 < count; i++) {
        double from = points[i].seconds - middle, to = points[i + 1].seconds - middle;
        sum += (points[i].bytes - base) * (to - from);
        moment += (points[i].bytes - base) * (to * to - from * from) / 2;
    }
    double slope = moment / (length * length * length / 12);
    return (struct plot_slope){slope, base + sum / length - slope * middle};
}
