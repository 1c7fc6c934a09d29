/* plot_line.c - a series as a line, and the line's slope: see plot.h. */
#include "plot.h"
#include "together.h"

#define SLOPE_SAMPLES 2000

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
    struct steps steps;
    uint64_t ns, level, before = 0;
    steps_begin(&steps, series->heap, series->heap_count, end_ns);
    while (steps_next(&steps, &ns, &level)) {
        if (steps.part == 1 && steps.next > 0) /* it rises to the maximum there, not on the way */
            add(&line, ns, steps.before);
        add(&line, ns, level);
    }
    if (series->heap_count > 0)
        before = series->heap[series->heap_count - 1].last_bytes;
    if (series->heap_count > 0 && end_ns > series->heap[series->heap_count - 1].begin_ns)
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

struct plot_slope plot_line_slope(const struct plot_point *points, size_t count)
{
    struct plot_slope slope = {0, 0};
    if (count == 0)
        return slope;
    double first = points[0].seconds, length = points[count - 1].seconds - first;
    double t_mean = first + length / 2, y_mean = 0, ty = 0, tt = 0;
    for (int i = 0; i < SLOPE_SAMPLES; i++) {
        double t = first + length * (i + 0.5) / SLOPE_SAMPLES;
        double y = plot_line_at(points, count, t);
        y_mean += y / SLOPE_SAMPLES;
        ty += (t - t_mean) * y;
        tt += (t - t_mean) * (t - t_mean);
    }
    slope.bytes_per_second = tt > 0 ? ty / tt : 0;
    slope.bytes_at_zero = y_mean - slope.bytes_per_second * t_mean;
    return slope;
}
