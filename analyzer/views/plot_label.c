/* plot_label.c - see plot_label.h. */
#include "plot_label.h"
#include "function_order.h"
#include "gnuplot_words.h"
#include "text.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MIN 16  /* columns: narrower ones say nothing */
#define LABEL_MAX 160 /* no row has room for more; names may be of any length */
#define PLACE_MAX 24  /* columns of a file and a line */
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

/* An entry's names, no wider than a row; both are the outer one's where there is just one. */
struct names {
    char *outer, *inner;
    const char *between;
    int is_one;
};

static struct names names_of(const struct plot_ends *ends)
{
    return (struct names){.outer = text_short_name(ends->outer->name, LABEL_MAX),
                          .inner = text_short_name(ends->inner->name, LABEL_MAX),
                          .between = ends->members == 2 ? ARROW : ARROW TEXT_ELLIPSIS ARROW,
                          .is_one = ends->outer == ends->inner};
}

static char *label_in(const struct names *names, size_t columns)
{
    if (names->is_one)
        return text_short_name(names->outer, columns);
    size_t outer = text_width(names->outer), inner = text_width(names->inner);
    share_columns(columns - least(columns, text_width(names->between)), &outer, &inner);
    char *from = text_short_name(names->outer, outer);
    char *to = text_short_name(names->inner, inner);
    char *label = xmalloc(strlen(from) + strlen(names->between) + strlen(to) + 1);
    sprintf(label, "%s%s%s", from, names->between, to);
    free(from);
    free(to);
    return label;
}

/* The longest label that is no wider. */
static char *label_of(const struct plot_ends *ends, const struct plot_room *room, size_t width)
{
    struct names names = names_of(ends);
    size_t columns = LABEL_MAX;
    char *label = label_in(&names, columns);
    while (room->width_of(label) > width && columns > LABEL_MIN) {
        free(label);
        label = label_in(&names, --columns);
    }
    free(names.outer);
    free(names.inner);
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
