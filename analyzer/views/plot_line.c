/* plot_line.c - a series as a line, and the line's slope: see plot.h. */
#include "plot.h"
#include "together.h"

struct line {
    struct plot_point *points;
    size_t count;
};

/* A point that repeats the two before it is drawn by moving the last one. */
static void add(struct line *line, uint64_t ns, uint64_t bytes)
{
    struct plot_point point = {(double)ns / 1e9, (double)bytes};
    struct plot_point *last = line->points + line->count;
    if (line->count >= 2 && last[-1].bytes == point.bytes && last[-2].bytes == point.bytes)
        last[-1] = point;
    else if (line->count < 1 || last[-1].bytes != point.bytes || last[-1].seconds != point.seconds)
        line->points[line->count++] = point;
}

size_t plot_line(const struct plot_series *series, uint64_t end_ns, struct plot_point *points)
{
    struct line line = {points, 0};
    struct steps steps = {.buckets = series->heap, .count = series->heap_count};
    uint64_t ns, level, before = 0, last_ns = 0;
    while (steps_next(&steps, &ns, &level) && ns <= end_ns) {
        if (line.count > 0) /* the level holds until the next change */
            add(&line, ns, before);
        add(&line, ns, level);
        before = level;
        last_ns = ns;
    }
    if (line.count > 0 && end_ns > last_ns)
        add(&line, end_ns, before);
    return line.count;
}

const struct bucket *plot_highest(const struct plot_series *series)
{
    const struct bucket *highest = NULL;
    for (size_t i = 0; i < series->heap_count; i++)
        if (!highest || series->heap[i].max_bytes > highest->max_bytes)
            highest = &series->heap[i];
    return highest;
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
