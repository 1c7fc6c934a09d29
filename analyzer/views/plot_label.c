/* plot_label.c - see plot_label.h. */
#include "plot_label.h"
#include "function_order.h"
#include "gnuplot_words.h"
#include "text.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MIN 16 /* columns: narrower ones say nothing */
#define PLACE_MAX 24 /* columns of a file and a line */
#define ARROW     " \xe2\x80\xba "

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Columns of each of two names of these widths, so that both fit: a short one leaves its room to
 * the other. */
static void share_columns(size_t columns, size_t *outer, size_t *inner)
{
    size_t half = columns / 2, rest = columns - half;
    if (*outer <= half) {
        *inner = least(*inner, columns - *outer);
    } else if (*inner <= rest) {
        *outer = least(*outer, columns - *inner);
    } else {
        *outer = half;
        *inner = rest;
    }
}

static size_t whole_width(const struct function *function)
{
    char *whole = text_short_name(function->name, SIZE_MAX);
    size_t width = text_width(whole);
    free(whole);
    return width;
}

static const char *between_of(const struct plot_ends *ends)
{
    return ends->members == 2 ? ARROW : ARROW TEXT_ELLIPSIS ARROW;
}

static char *label_in(const struct plot_ends *ends, size_t columns)
{
    if (ends->outer == ends->inner)
        return text_short_name(ends->outer->name, columns);
    size_t outer = whole_width(ends->outer), inner = whole_width(ends->inner);
    const char *between = between_of(ends);
    share_columns(columns - least(columns, text_width(between)), &outer, &inner);
    char *from = text_short_name(ends->outer->name, outer);
    char *to = text_short_name(ends->inner->name, inner);
    char *label = xmalloc(strlen(from) + strlen(between) + strlen(to) + 1);
    sprintf(label, "%s%s%s", from, between, to);
    free(from);
    free(to);
    return label;
}

/* The longest label that is no wider. */
static char *label_of(const struct plot_ends *ends, const struct plot_room *room, size_t width)
{
    size_t columns =
        whole_width(ends->outer) + text_width(between_of(ends)) + whole_width(ends->inner);
    char *label = label_in(ends, columns);
    while (room->width_of(label) > width && columns > LABEL_MIN) {
        free(label);
        label = label_in(ends, --columns);
    }
    return label;
}

/* What a row has room for in front of `behind` and of what the function held. */
static size_t width_left(const struct plot_room *room, const struct plot_function *f,
                         const char *behind)
{
    char held[GNUPLOT_PARTS_TEXT], *rest = NULL;
    gnuplot_held_text(f, held);
    if (asprintf(&rest, "%s  %s", behind, held) < 0)
        return 0;
    size_t used = room->width_of(rest);
    free(rest);
    return room->width - least(room->width, used);
}

/* With its place behind it. */
static char *placed_label(const struct plot_function *f, const struct plot_ends *ends,
                          const struct plot_room *room)
{
    char *place = function_place(ends->outer), *fit = text_fit(place, PLACE_MAX, 1);
    char *behind = NULL, *label = NULL, *both = NULL;
    if (asprintf(&behind, " (%s)", fit) < 0)
        behind = xstrdup("");
    label = label_of(ends, room, width_left(room, f, behind));
    if (asprintf(&both, "%s%s", label, behind) < 0)
        both = xstrdup(label);
    free(label);
    free(behind);
    free(fit);
    free(place);
    return both;
}

static void tell_twins_apart(struct plot_function *functions, const struct plot_ends *ends,
                             size_t count, const struct plot_room *room)
{
    unsigned char twins[PLOT_FUNCTIONS_MAX] = {0};
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(functions[i].label, functions[k].label) == 0)
                twins[i] = twins[k] = 1;
    for (size_t i = 0; i < count; i++) {
        if (!twins[i])
            continue;
        free(functions[i].label);
        functions[i].label = placed_label(&functions[i], &ends[i], room);
    }
}

void plot_label(struct plot_function *functions, const struct plot_ends *ends, size_t count,
                const struct plot_room *room)
{
    for (size_t i = 0; i < count; i++)
        functions[i].label = label_of(&ends[i], room, width_left(room, &functions[i], ""));
    tell_twins_apart(functions, ends, count, room);
}
