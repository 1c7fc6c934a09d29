/*
 * gnuplot_words.h - the words in a picture.
 *
 * Single-threaded; pure functions except for the local time zone.
 */
#ifndef MPROF_GNUPLOT_WORDS_H
#define MPROF_GNUPLOT_WORDS_H

#include "gnuplot_resident.h"
#include "units.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* `text` in quotes, as gnuplot takes it literally. A new string, free() it. */
char *gnuplot_quote(const char *text);

void gnuplot_put_quoted(FILE *out, const char *text);

/* Of the y axis, in which the highest is best read; and of the axis of the resident set, in which
 * all that is said of it is. */
struct unit gnuplot_unit(const struct plot *plot);
struct unit gnuplot_resident_unit(const struct plot *plot, const struct resident *rss);

/* "memory", as on the axis. */
const char *gnuplot_series_name(enum series series);

/* How many processes of a sum the line of the resident set lacks. */
size_t gnuplot_unsampled(const struct plot *plot);

/* How good the functions' figures of a single line are: " (at least)", " (about)", "" exact. */
const char *gnuplot_bound(const struct plot *plot);

/* What a function held: "76.40 MiB", where all of it is one part of memory "76.40 MiB mapped"; and
 * below that, of what holds both, "up to 68.46 MiB heap, 59.66 MiB mapped", else "". */
#define GNUPLOT_PARTS_TEXT (2 * UNITS_TEXT + 32)
void gnuplot_held_text(const struct plot_function *f, char text[GNUPLOT_PARTS_TEXT]);
void gnuplot_both_text(const struct plot_function *f, char text[GNUPLOT_PARTS_TEXT]);

/* Does the plot show the two parts of memory? And the highest of each; 0 where it has none. */
int gnuplot_has_parts(const struct plot *plot);
struct parts {
    uint64_t heap, mapped;
};
struct parts gnuplot_parts(const struct plot *plot);

/* What a part is of what is highest, or, where it is nothing of that, the highest of its own:
 * "heap, 96.00 MiB of the peak", "mapped memory, up to 12.00 KiB". */
#define GNUPLOT_PART_TEXT (2 * UNITS_TEXT + 32)
void gnuplot_part_text(const struct plot *plot, enum series series, uint64_t highest,
                       char text[GNUPLOT_PART_TEXT]);

/* What a line reaches: its peak, or in a window the highest there, how much of that is mapped
 * memory, 0 where the line is not of memory, and when. "peak 3.20 MiB", "up to 3.20 MiB here";
 * without the word "3.20 MiB"; behind each how good the figure is (gnuplot_bound). */
struct reached {
    uint64_t bytes, mapped_bytes, ns;
};
#define GNUPLOT_REACHED_TEXT (UNITS_TEXT + 32)
struct reached gnuplot_reached(const struct plot *plot, const struct plot_line *line);
void gnuplot_reached_text(const struct plot *plot, const struct plot_line *line, int with_word,
                          char text[GNUPLOT_REACHED_TEXT]);

/* What several recordings are of: their command where it is one, else their programs, "git, gcc".
 * free() it. */
char *gnuplot_programs(const struct plot *plot);

/* "22 / 11 / 2026 - start at 03:36:49.855", as mprof writes it. */
void gnuplot_start_text(char *text, size_t bytes, uint64_t epoch_ns);

/* What is highest in the plot of this line, and when: "peak 3.2 MiB at 1.25 s". */
void gnuplot_highest_text(const struct plot *plot, const struct plot_line *line,
                          const struct bucket *highest, char *text, size_t bytes);

/* How long the activation was that holds the function's own peak, and of how many it is one:
 * "1.100 s, one of 3 activations". */
void gnuplot_activation_text(const struct plot_function *f, char *text, size_t bytes);

/* The kernel's high-water mark of the resident set, which belongs beside the line of samples: of
 * the whole time, and of one process or, beside a sum, of the largest one where that alone is more
 * than the samples. 0: there is none to show, or it was read before the highest sample. */
uint64_t gnuplot_high_water(const struct plot *plot);

/* "RSS high-water mark 9.07 MiB", "RSS of the largest alone 9.07 MiB" beside a sum, "" where there
 * is none to show. */
void gnuplot_high_water_text(const struct plot *plot, const struct resident *rss, char *text,
                             size_t bytes);

/* "RSS samples, up to 8.63 MiB", and where that is drawn, as the caller says. */
void gnuplot_resident_text(const struct plot *plot, const struct resident *rss, const char *where,
                           char *text, size_t bytes);

/* "slope -1.500 MiB/s", in the unit of the axis: four digits that count */
#define GNUPLOT_SLOPE_TEXT 48
void gnuplot_slope_text(struct plot_slope slope, struct unit unit, char text[GNUPLOT_SLOPE_TEXT]);

#endif
