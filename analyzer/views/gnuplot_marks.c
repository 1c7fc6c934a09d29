/* gnuplot_marks.c - see gnuplot_marks.h. */
#include "gnuplot_marks.h"
#include <math.h>

#define SMALLER 0.8 /* what becomes of the height where there is no room */
#define ROUNDS  16

/* One bracket, or the two of a function, as a box. */
struct box {
    double left, right, low, high;
};

/* What has been placed so far. */
struct placing {
    const struct bracket_area *area;
    struct box boxes[BRACKETS_MAX];
    size_t count;
};

static struct box box_of(const struct bracket *b)
{
    return (struct box){b->left, b->right, b->bytes - b->half, b->bytes + b->half};
}

static struct box box_of_both(const struct bracket *pair)
{
    struct box a = box_of(&pair[0]), b = box_of(&pair[1]);
    return (struct box){fmin(a.left, b.left), fmax(a.right, b.right), fmin(a.low, b.low),
                        fmax(a.high, b.high)};
}

static int share_columns(const struct box *a, const struct box *b, double beside)
{
    return a->left <= b->right + beside && b->left <= a->right + beside;
}

static int share_lines(const struct box *a, const struct box *b, double gap)
{
    return a->low < b->high + gap && b->low < a->high + gap;
}

static struct box moved(struct box box, double by)
{
    box.low += by;
    box.high += by;
    return box;
}

/* By how much to move a box so that it lies within the axes. */
static double into_axes(const struct bracket_area *area, const struct box *box)
{
    if (box->low < area->y0)
        return area->y0 - box->low;
    return box->high > area->y1 ? area->y1 - box->high : 0;
}

static int is_free(const struct placing *p, struct box box)
{
    double slack = p->area->gap / 1000; /* for rounding: a place that just fits is free */
    if (box.low < p->area->y0 - slack || box.high > p->area->y1 + slack)
        return 0;
    for (size_t i = 0; i < p->count; i++)
        if (share_columns(&p->boxes[i], &box, p->area->beside) &&
            share_lines(&p->boxes[i], &box, p->area->gap - slack))
            return 0;
    return 1;
}

/* Tries a place; keeps the nearest free one in *best. */
static void consider(const struct placing *p, const struct box *box, double by, double *best)
{
    if (fabs(by) < fabs(*best) && is_free(p, moved(*box, by)))
        *best = by;
}

/* By how much to move the box up or down so that it meets no other; INFINITY: there is no room. The
 * nearest free place is its own, or beside one that is taken. */
static double find_place(const struct placing *p, const struct box *box)
{
    double best = INFINITY;
    consider(p, box, into_axes(p->area, box), &best);
    for (size_t i = 0; i < p->count; i++) {
        if (!share_columns(&p->boxes[i], box, p->area->beside))
            continue;
        consider(p, box, p->boxes[i].high + p->area->gap - box->low, &best);
        consider(p, box, p->boxes[i].low - p->area->gap - box->high, &best);
    }
    return best;
}

/* Places `count` brackets as one. Returns 0 where there is no room; then they stay in the axes. */
static int place(struct placing *p, struct bracket *brackets, size_t count)
{
    struct box box = count == 2 ? box_of_both(brackets) : box_of(brackets);
    double by = find_place(p, &box);
    int found = isfinite(by);
    if (!found)
        by = into_axes(p->area, &box);
    for (size_t i = 0; i < count; i++)
        brackets[i].bytes += by;
    p->boxes[p->count++] = moved(box, by);
    return found;
}

/* Would a reader see but one place? */
static int is_one_place(const struct bracket_area *area, const struct bracket *pair)
{
    return pair[0].is_shown && pair[1].is_shown &&
           fabs(pair[1].seconds - pair[0].seconds) < area->arm &&
           fabs(pair[1].bytes - pair[0].bytes) < 2 * area->half;
}

/* Makes a mark of the first, for both. */
static void make_mark(const struct bracket_area *area, struct bracket *pair)
{
    struct bracket *mark = &pair[0];
    double width = 2 * area->mark_arm;
    mark->is_mark = 1;
    mark->seconds = (pair[0].seconds + pair[1].seconds) / 2;
    mark->bytes = (pair[0].bytes + pair[1].bytes) / 2;
    mark->half *= area->mark_half / area->half;
    mark->left = fmax(area->x0, fmin(mark->seconds - area->mark_arm, area->x1 - width));
    mark->right = mark->left + width;
    pair[1].is_shown = 0;
}

static int place_function(struct placing *p, struct bracket *pair)
{
    if (is_one_place(p->area, pair))
        make_mark(p->area, pair);
    struct box begin = box_of(&pair[0]), end = box_of(&pair[1]);
    if (pair[0].is_shown && pair[1].is_shown && share_columns(&begin, &end, 0) &&
        share_lines(&begin, &end, 0))
        return place(p, pair, 2);
    int found = 1;
    for (size_t i = 0; i < 2; i++)
        if (pair[i].is_shown)
            found &= place(p, &pair[i], 1);
    return found;
}

/* A bracket where it belongs. */
static struct bracket bracket_at(const struct bracket_area *area, double half, uint64_t ns,
                                 uint64_t bytes, int opens)
{
    double x = (double)ns / 1e9;
    double left = opens ? fmin(x, area->x1 - area->arm) : fmax(x - area->arm, area->x0);
    return (struct bracket){.is_shown = x >= area->x0 && x <= area->x1,
                            .seconds = x,
                            .bytes = (double)bytes,
                            .left = left,
                            .right = left + area->arm,
                            .half = half};
}

/* Returns 0 where brackets of this height find no room. */
static int place_all(const struct plot *plot, const struct bracket_area *area, double half,
                     struct bracket *brackets)
{
    struct placing placing = {.area = area};
    int found = 1;
    for (size_t i = 0; i < plot->function_count; i++) {
        const struct span *s = &plot->functions[i].span;
        struct bracket *pair = &brackets[2 * i];
        pair[0] = bracket_at(area, half, s->begin_ns, s->begin_level, 1);
        pair[1] = bracket_at(area, half, s->end_ns, s->end_level, 0);
        found &= place_function(&placing, pair);
    }
    return found;
}

void brackets_place(const struct plot *plot, const struct bracket_area *area,
                    struct bracket brackets[BRACKETS_MAX])
{
    double half = area->half;
    for (int round = 0; round < ROUNDS && !place_all(plot, area, half, brackets); round++)
        half *= SMALLER;
}

/* ---- the script ---- */

/* gnuplot's PNG and PDF put a spike on a line's first point: so nothing begins at the tip of an
 * arm, but where another line lies over it. */

/* The whole stem, from `from` on, and one arm. */
static void put_arm(const struct bracket *b, double from, double to, double tip, FILE *out)
{
    fprintf(out, "%.9g %.9g\n%.9g %.9g\n", b->seconds, from, b->seconds, to);
    fprintf(out, "%.9g %.9g\n\n", tip, to);
}

/* tip: where its arms end. */
static void put_bracket(const struct bracket *b, double tip, double unit, FILE *out)
{
    double high = (b->bytes + b->half) / unit, low = (b->bytes - b->half) / unit;
    if (!b->is_shown)
        return;
    put_arm(b, low, high, tip, out);
    put_arm(b, high, low, tip, out);
}

/* A rhomb, whose first side is drawn twice. */
static void put_mark(const struct bracket *b, double unit, FILE *out)
{
    double middle = (b->left + b->right) / 2, level = b->bytes / unit;
    double high = (b->bytes + b->half) / unit, low = (b->bytes - b->half) / unit;
    fprintf(out, "%.9g %.9g\n%.9g %.9g\n", b->left, level, middle, high);
    fprintf(out, "%.9g %.9g\n%.9g %.9g\n", b->right, level, middle, low);
    fprintf(out, "%.9g %.9g\n%.9g %.9g\n\n", b->left, level, middle, high);
}

void brackets_data(const struct bracket *brackets, size_t functions, double unit, FILE *out)
{
    for (size_t i = 0; i < functions; i++) {
        const struct bracket *begin = &brackets[2 * i], *end = begin + 1;
        fprintf(out, "$function%zu << EOD\n", i);
        if (begin->is_mark)
            put_mark(begin, unit, out);
        else
            put_bracket(begin, begin->right, unit, out);
        put_bracket(end, end->left, unit, out);
        fputs("EOD\n", out);
    }
}

void brackets_letters(const struct bracket *brackets, size_t functions, double unit, FILE *out)
{
    for (size_t i = 0; i < functions; i++) {
        const struct bracket *begin = &brackets[2 * i], *end = begin + 1;
        int letter = 'a' + (int)i;
        if (begin->is_shown)
            fprintf(out, "set label '[%c%s' at %.9g,%.9g left front\n", letter,
                    begin->is_mark ? "]" : "", begin->left, begin->bytes / unit);
        if (end->is_shown)
            fprintf(out, "set label '%c]' at %.9g,%.9g right front\n", letter, end->right,
                    end->bytes / unit);
    }
}
