/* plot_pick.c - which functions a plot shows: see plot.h. */
#include "function_names.h"
#include "function_order.h"
#include "plot.h"
#include "plot_label.h"
#include "xalloc.h"
#include <stdlib.h>

#define MEMBERS_MAX 64  /* of a group: one bit each */
#define SAME_PLACE  50  /* brackets closer than range / SAME_PLACE are at one place */
#define SAME_PEAK   20  /* peaks that differ by no more than peak / SAME_PEAK are the same */
#define WORTH       50  /* beyond PLOT_FUNCTIONS_MIN an entry holds at least peak / WORTH */
#define MUCH        20  /* enough functions with names that hold peak / MUCH suffice */
#define MUCH_MORE   2   /* times as much */
#define LEAST       100 /* what holds less than peak / LEAST has no entry */

struct group { /* functions that share an entry; the first has the highest own peak */
    const struct function_usage *members[MEMBERS_MAX];
    size_t count;
};

/* ---- which functions count ---- */

enum place { PLACE_INSIDE = 1, PLACE_OUTSIDE = 2 };

static int is_main(const struct image *image, uint32_t function)
{
    return (image->functions[function].flags & FUNCTION_MAIN) != 0;
}

static void mark_location(const struct image *image, uint32_t location, unsigned char *places,
                          enum place place)
{
    const struct location *l = &image->locations[location];
    for (uint32_t i = 0; i < l->frame_count; i++)
        places[image->frames[l->frame_first + i].function] |= place;
}

static int location_has_main(const struct image *image, uint32_t location)
{
    const struct location *l = &image->locations[location];
    for (uint32_t i = 0; i < l->frame_count; i++)
        if (is_main(image, image->frames[l->frame_first + i].function))
            return 1;
    return 0;
}

/* For every function: was it seen within main, and was it seen outside of a main? */
static unsigned char *find_places(const struct image *image)
{
    unsigned char *places = xcalloc(image->function_count + 1, 1);
    unsigned char *has_main = xcalloc(image->stack_count + 1, 1);
    unsigned char *walked = xcalloc(image->stack_count + 1, 1);
    for (uint32_t i = 1; i < image->stack_count; i++) {
        const struct stack *stack = &image->stacks[i];
        int here = location_has_main(image, stack->location);
        has_main[i] = here || has_main[stack->parent];
        if (has_main[stack->parent])
            mark_location(image, stack->location, places, PLACE_INSIDE);
        for (uint32_t up = stack->parent; here && up != 0 && !walked[up];
             up = image->stacks[up].parent) {
            walked[up] = 1;
            if (!has_main[up])
                mark_location(image, image->stacks[up].location, places, PLACE_OUTSIDE);
        }
    }
    free(has_main);
    free(walked);
    return places;
}

static int in_window(const struct plot *plot, const struct span *span)
{
    int begins = span->begin_ns >= plot->begin_ns && span->begin_ns <= plot->end_ns;
    int ends = span->end_ns >= plot->begin_ns && span->end_ns <= plot->end_ns;
    return !plot->windowed || begins || ends;
}

static int is_skipped(const struct plot *plot, const char *name)
{
    for (size_t i = 0; i < plot->skipped_count; i++)
        if (function_is_called(name, plot->skipped[i]))
            return 1;
    return function_is_wrapper(name);
}

static uint64_t peak_of(const struct plot *plot)
{
    const struct plot_line *line = &plot->lines[0];
    return process_peak(&line->image->processes[0], line->series).bytes;
}

/* What the function held of the plot's series. */
static const struct series_usage *held(const struct plot *plot, const struct function_usage *usage)
{
    return function_series_of(usage, plot->lines[0].series);
}

/* Is it a hundredth of the program's peak, or more? */
static int holds_enough(const struct plot *plot, uint64_t own_peak)
{
    uint64_t peak = peak_of(plot);
    return own_peak > 0 && own_peak >= peak / LEAST + (peak % LEAST != 0);
}

static int counts(const struct plot *plot, const struct function_usage *usage,
                  const unsigned char *places)
{
    const struct function *f = &plot->lines[0].image->functions[usage->function];
    const struct series_usage *u = held(plot, usage);
    return u->span.valid && holds_enough(plot, u->inclusive.own_peak_bytes) &&
           !(f->flags & FUNCTION_START) && places[usage->function] != PLACE_OUTSIDE &&
           in_window(plot, &u->span) && !is_skipped(plot, f->name);
}

/* ---- groups ---- */

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* Two activations of one thread, one of which contains the other in time, are caller and callee. */
static int same_entry(const struct plot *plot, const struct function_usage *a,
                      const struct function_usage *b)
{
    const struct series_usage *x = held(plot, a), *y = held(plot, b);
    const struct span *s = &x->span, *t = &y->span;
    uint64_t near = (plot->end_ns - plot->begin_ns) / SAME_PLACE;
    uint64_t peak = x->inclusive.own_peak_bytes;
    int nested = (s->begin_ns <= t->begin_ns && s->end_ns >= t->end_ns) ||
                 (t->begin_ns <= s->begin_ns && t->end_ns >= s->end_ns);
    return s->thread == t->thread && nested && distance(s->begin_ns, t->begin_ns) <= near &&
           distance(s->end_ns, t->end_ns) <= near &&
           distance(peak, y->inclusive.own_peak_bytes) <= peak / SAME_PEAK;
}

static struct group *find_group(const struct plot *plot, struct group *groups, size_t count,
                                const struct function_usage *usage)
{
    for (size_t i = 0; i < count; i++)
        if (groups[i].count < MEMBERS_MAX && same_entry(plot, groups[i].members[0], usage))
            return &groups[i];
    return NULL;
}

static size_t make_groups(const struct plot *plot, const struct function_usage **order,
                          size_t order_count, struct group groups[PLOT_FUNCTIONS_MAX])
{
    uint64_t peak = peak_of(plot);
    size_t count = 0;
    int merge = order_count > PLOT_FUNCTIONS_MAX;
    for (size_t i = 0; i < order_count; i++) {
        struct group *group = merge ? find_group(plot, groups, count, order[i]) : NULL;
        if (!group && count == PLOT_FUNCTIONS_MAX)
            break;
        if (!group && count >= PLOT_FUNCTIONS_MIN &&
            held(plot, order[i])->inclusive.own_peak_bytes < peak / WORTH)
            break;
        if (!group) {
            group = &groups[count++];
            group->count = 0;
        }
        group->members[group->count++] = order[i];
    }
    return count;
}

static int is_named(const struct image *image, const struct function_usage *usage)
{
    return (image->functions[usage->function].flags & FUNCTION_RESOLVED) != 0;
}

/* What the last one holds of those with a name that suffice; 0 where there are too few. */
static uint64_t enough_named(const struct plot *plot, const struct function_usage **order,
                             size_t count)
{
    uint64_t much = peak_of(plot) / MUCH;
    size_t named = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t own = held(plot, order[i])->inclusive.own_peak_bytes;
        if (is_named(plot->lines[0].image, order[i]) && own >= much &&
            ++named == PLOT_FUNCTIONS_MIN)
            return own;
    }
    return 0;
}

/* Functions without a name say little: where enough others hold much, they count only if they hold
 * much more. */
static size_t prefer_named(const struct plot *plot, const struct function_usage **order,
                           size_t count)
{
    uint64_t enough = enough_named(plot, order, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (enough == 0 || is_named(plot->lines[0].image, order[i]) ||
            held(plot, order[i])->inclusive.own_peak_bytes / MUCH_MORE > enough)
            order[kept++] = order[i];
    return kept;
}

/* The group that hides most functions. */
static struct group *fullest_group(struct group *groups, size_t count)
{
    struct group *fullest = groups;
    for (size_t i = 1; i < count; i++)
        if (groups[i].count > fullest->count)
            fullest = &groups[i];
    return fullest;
}

/* Where its own peak belongs, behind those of the same. */
static void insert_group(const struct plot *plot, struct group *groups, size_t count,
                         const struct function_usage *usage)
{
    uint64_t own_peak = held(plot, usage)->inclusive.own_peak_bytes;
    size_t at = count;
    for (; at > 0; at--) {
        if (held(plot, groups[at - 1].members[0])->inclusive.own_peak_bytes >= own_peak)
            break;
        groups[at] = groups[at - 1];
    }
    groups[at].members[0] = usage;
    groups[at].count = 1;
}

/* Takes members out of groups again until there are enough entries. */
static size_t split_groups(const struct plot *plot, struct group groups[PLOT_FUNCTIONS_MAX],
                           size_t count)
{
    while (count > 0 && count < PLOT_FUNCTIONS_MIN) {
        struct group *fullest = fullest_group(groups, count);
        if (fullest->count == 1)
            break;
        insert_group(plot, groups, count++, fullest->members[--fullest->count]);
    }
    return count;
}

/* ---- labels ---- */

static uint64_t member_bits(const struct image *image, const struct group *group, uint32_t location)
{
    const struct location *l = &image->locations[location];
    uint64_t bits = 0;
    for (uint32_t i = 0; i < l->frame_count; i++)
        for (size_t m = 0; m < group->count; m++)
            if (group->members[m]->function == image->frames[l->frame_first + i].function)
                bits |= 1ull << m;
    return bits;
}

/* A stack with as many of the group's functions as any. */
static uint32_t fullest_stack(const struct image *image, const struct group *group)
{
    uint64_t *on_path = xcalloc(image->stack_count + 1, sizeof *on_path);
    uint64_t *by_location = xcalloc(image->location_count + 1, sizeof *by_location);
    uint32_t best = 0;
    int most = 0;
    for (uint32_t i = 0; i < image->location_count; i++)
        by_location[i] = member_bits(image, group, i);
    for (uint32_t i = 1; i < image->stack_count; i++) {
        const struct stack *stack = &image->stacks[i];
        on_path[i] = on_path[stack->parent] | by_location[stack->location];
        if (__builtin_popcountll(on_path[i]) > most) {
            most = __builtin_popcountll(on_path[i]);
            best = i;
        }
    }
    free(on_path);
    free(by_location);
    return best;
}

static int is_member(const struct group *group, uint32_t function)
{
    for (size_t m = 0; m < group->count; m++)
        if (group->members[m]->function == function)
            return 1;
    return 0;
}

/* The outermost and the innermost function of a group; of those with a name if there are any. */
static void find_ends(const struct image *image, const struct group *group, uint32_t *outermost,
                      uint32_t *innermost)
{
    uint32_t node = fullest_stack(image, group), inner = 0;
    int best = -1; /* 1 once a function with a name was met */
    const struct frame *frame;
    *outermost = *innermost = group->members[0]->function;
    while ((frame = stack_next_frame(image, &node, &inner)) != NULL) {
        if (!is_member(group, frame->function))
            continue;
        int named = (image->functions[frame->function].flags & FUNCTION_RESOLVED) != 0;
        if (named < best)
            continue;
        if (named > best)
            *innermost = frame->function;
        *outermost = frame->function;
        best = named;
    }
}

static struct plot_ends ends_of(const struct image *image, const struct group *group)
{
    uint32_t outer, inner;
    find_ends(image, group, &outer, &inner);
    return (struct plot_ends){&image->functions[outer], &image->functions[inner], group->count};
}

static struct plot_function function_of(const struct plot *plot, const struct group *group)
{
    const struct plot_line *line = &plot->lines[0];
    const struct function_usage *first = group->members[0];
    struct plot_function f = {.own_peak_bytes = held(plot, first)->inclusive.own_peak_bytes,
                              .activations = first->activations,
                              .span = held(plot, first)->span};
    if (line->mapped.count) {
        f.heap_bytes = first->heap.inclusive.own_peak_bytes;
        f.mapped_bytes = first->mapped.inclusive.own_peak_bytes;
    }
    return f;
}

/* How many of them a legend has room for. */
static size_t fit_rows(const struct plot_function *functions, size_t count)
{
    size_t rows = 0, fit = 0;
    for (; fit < count; fit++) {
        rows += plot_function_rows(&functions[fit]);
        if (rows > PLOT_FUNCTION_ROWS)
            break;
    }
    return fit;
}

/* The entries of the groups that have room. */
static struct plot_function *functions_of(const struct plot *plot, const struct group *groups,
                                          size_t *count, const struct plot_room *room)
{
    struct plot_function *functions = xcalloc(*count + 1, sizeof *functions);
    struct plot_ends ends[PLOT_FUNCTIONS_MAX];
    for (size_t i = 0; i < *count; i++)
        functions[i] = function_of(plot, &groups[i]);
    *count = fit_rows(functions, *count);
    for (size_t i = 0; i < *count; i++)
        ends[i] = ends_of(plot->lines[0].image, &groups[i]);
    plot_label(functions, ends, *count, room);
    return functions;
}

struct plot_function *plot_pick(const struct plot *plot, const struct plot_room *room,
                                size_t *count)
{
    const struct plot_line *line = &plot->lines[0];
    const struct image *image = line->image;
    size_t all, kept = 0;
    const struct function_usage **order =
        function_order(image, &image->processes[0], line->series, "peak", &all);
    unsigned char *places = find_places(image);
    for (size_t i = 0; i < all; i++)
        if (counts(plot, order[i], places))
            order[kept++] = order[i];
    kept = prefer_named(plot, order, kept);
    struct group *groups = xcalloc(PLOT_FUNCTIONS_MAX, sizeof *groups);
    *count = split_groups(plot, groups, make_groups(plot, order, kept, groups));
    struct plot_function *functions = functions_of(plot, groups, count, room);
    free(groups);
    free(places);
    free(order);
    return functions;
}

void plot_functions_free(struct plot_function *functions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(functions[i].label);
    free(functions);
}
