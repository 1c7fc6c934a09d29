/* plot_fixture.h - a plot of view_fixture's heap, and one with mapped memory, for the tests of
 * pictures. */
#ifndef PLOT_FIXTURE_H
#define PLOT_FIXTURE_H

#include "gnuplot.h"
#include "text.h"
#include "view_fixture.h"

static struct view_fixture fixture;
static struct plot_line line;
static struct bucket mapped[2];

static inline struct plot make_plot(void)
{
    line =
        (struct plot_line){"x.mprof", &fixture.image, SERIES_HEAP, {fixture.buckets, 5}, {NULL, 0}};
    return (struct plot){.lines = &line, .line_count = 1, .end_ns = fixture.process.end_ns};
}

/* The same line, of which 1 MiB is mapped from 1 s on, and 6 from 1.5 s on. */
static inline struct plot make_plot_of_memory(void)
{
    struct plot plot = make_plot();
    struct totals *t = &fixture.process.totals;
    mapped[0] = bucket_of(FIXTURE_SECOND, FIXTURE_MIB);
    mapped[1] = bucket_of(3 * FIXTURE_SECOND / 2, 6 * FIXTURE_MIB);
    t->mapped_peak_bytes = t->mapped_then_bytes = 6 * FIXTURE_MIB;
    t->memory_peak_bytes = 8 * FIXTURE_MIB;
    t->memory_peak_ns = 2 * FIXTURE_SECOND;
    fixture.buckets[1].max_mapped_bytes = FIXTURE_MIB;
    fixture.buckets[2].max_mapped_bytes = 6 * FIXTURE_MIB;
    line.series = SERIES_MEMORY;
    line.mapped = (struct line_of){mapped, 2};
    return plot;
}

/* Picks functions for rows of so many columns. */
static inline struct plot_function *pick(const struct plot *plot, size_t columns, size_t *count)
{
    struct plot_room room = {columns, text_width};
    return plot_pick(plot, &room, count);
}

static inline size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
}

static inline char *script_of(struct plot *plot, enum picture_kind kind, size_t *bytes)
{
    struct picture picture = {.kind = kind, .columns = 79, .lines = 24, .window = "qt"};
    char *script = NULL;
    FILE *out = open_memstream(&script, bytes);
    gnuplot_script(plot, &picture, out);
    fclose(out);
    return script;
}

static inline int set_up(void **state)
{
    (void)state;
    fixture_make(&fixture);
    return 0;
}

#endif
