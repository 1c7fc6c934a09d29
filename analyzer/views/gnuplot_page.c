/* gnuplot_page.c - the page around the lines: see gnuplot_drawing.h. */
#include "gnuplot_drawing.h"
#include "gnuplot_width.h"
#include "gnuplot_words.h"
#include "text.h"
#include <math.h>
#include <stdlib.h>

#define TITLE_WIDTH 90
#define ROWS_WIDE   18 /* more rows of a legend stand closer */
#define ROW_SPACING 1.25
#define SVG_SPACING 0.8 /* gnuplot takes a row to be that much higher in SVG */
/* Shares of the page's width: the axes, what lies left of them, and what lies between them and the
 * legend, without and with an axis on the right. */
#define AXES        0.6
#define LEFT        0.07
#define BESIDE      0.005
#define BESIDE_AXIS 0.051
/* Hundredths of the font's size that a row of the legend has behind its sample. */
#define ROOM           2660
#define ROOM_WITH_AXIS 2260
/* And what the axes are wide, in hundredths of the font's size. */
#define AXES_ROOM 5600

#define TEXT_INDENT 5 /* columns of " [a] " */

#define PEAK_COLOUR "#e00000"
#define GRID_COLOUR "#b8b8b8"

void gnuplot_put_terminal(const struct drawing *d)
{
    switch (d->picture->kind) {
    case PICTURE_PNG: /* builds without cairo have libgd's png */
        fputs("if (strstrt(GPVAL_TERMINALS, 'pngcairo')) set terminal pngcairo size 1260,540 "
              "noenhanced background '#ffffff' font 'Sans,10' linewidth 1.2; else set terminal png "
              "size 1260,540 noenhanced background '#ffffff' font 'Sans,9.5'\n",
              d->out);
        break;
    case PICTURE_SVG:
        fputs("set terminal svg size 1260,540 noenhanced background '#ffffff' font 'Sans,13' "
              "linewidth 1.2\n",
              d->out);
        break;
    case PICTURE_PDF:
        fputs("set terminal pdfcairo size 12.6in,5.4in noenhanced background '#ffffff' font "
              "'Sans,10' fontscale 0.68 linewidth 1.2\n",
              d->out);
        break;
    case PICTURE_WINDOW:
        fprintf(d->out, "set terminal %s size 1260,540 noenhanced persist title ",
                d->picture->window);
        gnuplot_put_quoted(d->out, "mprof-c plot");
        fputc('\n', d->out);
        break;
    case PICTURE_TEXT:
        fprintf(d->out, "set terminal dumb noenhanced size %d,%d\n", d->picture->columns,
                d->picture->lines);
        break;
    }
}

/* Between the rows of the legend, so that all of them fit on the page: gnuplot leaves out those
 * that do not. */
static double row_spacing(const struct drawing *d)
{
    double spacing = d->picture->kind == PICTURE_SVG ? ROW_SPACING * SVG_SPACING : ROW_SPACING;
    return d->rows > ROWS_WIDE ? spacing * ROWS_WIDE / (double)d->rows : spacing;
}

static void put_axis_names(const struct drawing *d)
{
    /* In SVG gnuplot puts it further to the left, off the page. */
    const char *offset = d->picture->kind == PICTURE_SVG ? " offset 1.5,0" : "";
    fprintf(d->out, "set xlabel 'time (in seconds)'\nset ylabel '%s used (in %s)'%s\n",
            gnuplot_series_name(d->plot->lines[0].series), d->unit.name, offset);
}

static void put_axes(const struct drawing *d)
{
    FILE *out = d->out;
    double right = LEFT + AXES;
    fprintf(out, "set lmargin at screen %g\nset rmargin at screen %g\n", LEFT, right);
    fputs("set tmargin at screen 0.88\nset bmargin at screen 0.13\n", out);
    /* An area would hide a grid behind it. */
    fprintf(out, "set grid %s linetype 1 linewidth 0.8 linecolor rgb '" GRID_COLOUR "'\n",
            gnuplot_has_parts(d->plot) ? "front" : "layerdefault");
    fputs("set border 31 linewidth 0.8\nset tics out nomirror\nset tics front\n", out);
    put_axis_names(d);
    fprintf(out, "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n", d->x0, d->x1,
            d->y0 / d->unit.bytes, d->y1 / d->unit.bytes);
    if (d->rss.own_axis) {
        double top = (double)d->rss.highest * 1.35 / d->rss_unit.bytes;
        fprintf(out, "set y2tics out textcolor rgb '" RSS_COLOUR "'\nset format y2 '%%g %s'\n",
                d->rss_unit.name);
        fprintf(out, "set y2range [%.9g:%.9g]\n", top * d->y0 / d->y1, top);
    }
    fprintf(out,
            "set key at screen %g,0.5 left center Left reverse vertical maxcols 1 samplen 2 "
            "width 0 spacing %.4g nobox noautotitle\n",
            right + (d->rss.own_axis ? BESIDE_AXIS : BESIDE), row_spacing(d));
}

void gnuplot_put_title(const struct drawing *d)
{
    const struct image *image = d->plot->lines[0].image;
    char *command = NULL;
    if (!d->plot->title)
        command = plot_is_single(d->plot) || d->plot->is_family
                      ? text_command(image->argv, image->argc)
                      : gnuplot_programs(d->plot);
    size_t width = TITLE_WIDTH;
    if (d->picture->kind == PICTURE_TEXT && d->picture->columns < TITLE_WIDTH + BESIDE_TEXT)
        width = (size_t)d->picture->columns - BESIDE_TEXT;
    char *title = d->plot->title ? text_fit(d->plot->title, width, 0)
                                 : text_fit_command(command ? command : "", width);
    fputs("set title ", d->out);
    gnuplot_put_quoted(d->out, title);
    fputs(" offset 0,1\n", d->out);
    free(title);
    free(command);
}

/* The highest of several lines, which is the sum where there is one. */
static const struct plot_line *highest_line(const struct plot *plot)
{
    const struct plot_line *line = plot->lines;
    for (size_t i = 1; i < plot->line_count; i++) {
        const struct bucket *a = plot_highest(line->line), *b = plot_highest(plot->lines[i].line);
        if (b && (!a || b->max_bytes > a->max_bytes))
            line = &plot->lines[i];
    }
    return line;
}

/* Where the middle of a text stands that belongs to `at`, as a share of the axes' width: over the
 * axes, where it meets neither the page's edge nor the legend. */
static double middle_of(double at, const char *text)
{
    double half = (double)gnuplot_width(text) / AXES_ROOM / 2;
    return half > 0.5 ? 0.5 : fmin(fmax(at, half), 1 - half);
}

/* The red cross at the highest point shown, with its value and time. */
static void put_peak(const struct drawing *d)
{
    const struct plot_line *line = highest_line(d->plot);
    const struct bucket *highest = plot_highest(line->line);
    if (!highest)
        return;
    double x = (double)highest->max_ns / 1e9, y = (double)highest->max_bytes / d->unit.bytes;
    char text[128], label[256];
    int whose = d->plot->is_family && !d->plot->summed;
    gnuplot_highest_text(d->plot, line, highest, text, sizeof text);
    snprintf(label, sizeof label, "%.100s%s%s", whose ? line->name : "", whose ? ": " : "", text);
    const char *style = "nohead front dashtype (9,5) linewidth 1.5 linecolor rgb '" PEAK_COLOUR "'";
    fprintf(d->out, "set arrow from %.9g,graph 0 to %.9g,graph 1 %s\n", x, x, style);
    fprintf(d->out, "set arrow from graph 0,first %.9g to graph 1,first %.9g %s\n", y, y, style);
    /* Above the axes, where no line and no bracket can hide it. */
    fputs("set label ", d->out);
    gnuplot_put_quoted(d->out, label);
    fprintf(d->out, " at graph %.9g,graph 1.03 center textcolor rgb '" PEAK_COLOUR "'\n",
            middle_of((x - d->x0) / (d->x1 - d->x0), label));
}

static void put_note(const struct drawing *d)
{
    if (!d->plot->note)
        return;
    char *note = text_fit(d->plot->note, 150, 0);
    fputs("set label ", d->out);
    gnuplot_put_quoted(d->out, note);
    fprintf(d->out, " at screen %g,0.018 left textcolor rgb '" PEAK_COLOUR "'\n", LEFT);
    free(note);
}

void gnuplot_put_page(const struct drawing *d)
{
    gnuplot_put_terminal(d);
    put_axes(d);
    gnuplot_put_title(d);
    if (plot_is_single(d->plot) || d->plot->is_family)
        put_peak(d);
    put_note(d);
}

struct plot_room gnuplot_room(const struct plot *plot, const struct picture *picture)
{
    if (picture->kind == PICTURE_TEXT)
        return (struct plot_room){(size_t)picture->columns - TEXT_INDENT, text_width};
    struct resident rss = resident_of(plot);
    size_t room = rss.own_axis ? ROOM_WITH_AXIS : ROOM;
    resident_release(&rss);
    return (struct plot_room){room, gnuplot_width};
}
