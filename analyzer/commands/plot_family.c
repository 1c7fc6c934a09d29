/* plot_family.c - see plot_family.h. */
#include "plot_family.h"
#include "choice.h"
#include "command.h"
#include "family_view.h"
#include "leader.h"
#include "lineage.h"
#include "quality_sum.h"
#include "text.h"
#include "together.h"
#include "units.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_WIDTH 24

struct line {           /* of one process, or of several, in the tree's time */
    size_t relative;    /* KIN_NONE: of several */
    struct image image; /* with nothing in it but the process */
    struct process process;
    struct bucket *heap;
    char *label;
};

struct plot_family {
    struct recording *recording; /* the one asked for */
    struct lineage lineage;
    const struct image *asked;
    struct image *sum;       /* NULL: not wanted */
    struct bucket *sum_heap; /* of a window; NULL: the summary's */
    struct line **lines;
    size_t count, capacity;
    struct line *others; /* the sum of those beyond PLOT_LINES_MAX; NULL: there are none */
    size_t other_count;
    size_t empty; /* processes that held nothing */
    struct plot_series *series;
    size_t series_count;
    char *sum_label;
};

/* ---- a line for each ---- */

static struct bucket *shifted(const struct bucket *heap, size_t count, uint64_t shift_ns)
{
    struct bucket *copy = xcalloc(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = heap[i];
        copy[i].begin_ns += shift_ns;
        copy[i].max_ns += shift_ns;
        copy[i].min_ns += shift_ns;
        copy[i].last_ns += shift_ns;
    }
    return copy;
}

/* "child 4711 sqlite3", as mprof names them, and what it is. */
static char *label_of(const struct family *f, size_t i)
{
    const struct relative *r = &f->relatives[i];
    char *command = family_command(r, 256), *label = NULL, *fit;
    command[strcspn(command, " ")] = 0;
    if (asprintf(&label, f->kin[i].pid == f->kin[f->self].pid ? "%d %s" : "child %d %s",
                 f->kin[i].pid, command) < 0)
        return command;
    fit = text_fit(label, LABEL_WIDTH, 0);
    free(command);
    free(label);
    return fit;
}

static void set_image(const struct plot_family *f, struct line *line)
{
    line->image = (struct image){.epoch_ns = f->lineage.epoch_ns,
                                 .processes = &line->process,
                                 .process_count = 1,
                                 .argv = f->asked->argv, /* one title for all */
                                 .argc = f->asked->argc};
}

static void add_line(void *context, const struct lineage_visit *visit)
{
    struct plot_family *f = context;
    const struct family *family = &f->lineage.family;
    const struct process *p = visit->process;
    size_t relative = (size_t)(visit->relative - family->relatives);
    if (relative != family->self && p->totals.peak_bytes == 0) {
        f->empty += !family->is_left[relative];
        return;
    }
    struct line *line = xcalloc(1, sizeof *line);
    line->relative = relative;
    line->heap = shifted(p->heap, p->heap_count, visit->shift_ns);
    line->label = label_of(family, relative);
    line->process = (struct process){.pid = p->pid,
                                     .begin_ns = p->begin_ns + visit->shift_ns,
                                     .end_ns = p->end_ns + visit->shift_ns,
                                     .totals = p->totals,
                                     .quality = p->quality,
                                     .heap = line->heap,
                                     .heap_count = p->heap_count};
    line->process.totals.peak_ns += visit->shift_ns;
    set_image(f, line);
    line->image.cut = visit->image->cut;
    line->image.running = visit->relative->runs_on;
    f->lines = xgrow(f->lines, &f->capacity, f->count + 1, sizeof *f->lines);
    f->lines[f->count++] = line;
}

static void free_line(struct line *line)
{
    free(line->heap);
    free(line->label);
    free(line);
}

static int highest_first(const void *left, const void *right)
{
    const struct line *a = *(struct line *const *)left, *b = *(struct line *const *)right;
    uint64_t x = a->process.totals.peak_bytes, y = b->process.totals.peak_bytes;
    return x != y ? (x < y) - (x > y) : (a->relative > b->relative) - (a->relative < b->relative);
}

/* ---- the others ---- */

/* Makes the sum of the courses the others' line. */
static void set_others(struct plot_family *f, const struct course *courses, size_t count,
                       uint64_t from_ns)
{
    struct process *p = &f->others->process;
    struct timeline sum = {0};
    together_heap(courses, count, from_ns, &sum);
    free(f->others->heap);
    p->heap = f->others->heap = sum.buckets;
    p->heap_count = sum.count;
}

static void measure_others(struct plot_family *f)
{
    struct process *p = &f->others->process;
    struct plot_series series = {NULL, &f->others->image, p->heap, p->heap_count};
    const struct bucket *highest = plot_highest(&series);
    p->totals.peak_bytes = highest ? highest->max_bytes : 0;
    p->totals.peak_ns = highest ? highest->max_ns : 0;
}

/* Replaces the lines from `first` on by their sum. */
static void join_lines(struct plot_family *f, size_t first)
{
    size_t count = f->count - first;
    struct course *courses = xcalloc(count, sizeof *courses);
    struct line *others = f->others = xcalloc(1, sizeof *others);
    others->relative = KIN_NONE;
    set_image(f, others);
    for (size_t i = 0; i < count; i++) {
        const struct line *line = f->lines[first + i];
        const struct process *p = &line->process;
        courses[i] = (struct course){.buckets = p->heap,
                                     .count = p->heap_count,
                                     .end_ns = p->end_ns,
                                     .runs_on = line->image.running};
        others->image.running |= line->image.running;
        others->process.end_ns =
            p->end_ns > others->process.end_ns ? p->end_ns : others->process.end_ns;
    }
    set_others(f, courses, count, 0);
    measure_others(f);
    free(courses);
    f->other_count = count;
    if (asprintf(&others->label, "%zu others together", count) < 0)
        others->label = xstrdup("others together");
}

/* In the order of their start; where a legend has no room for all, the highest first. */
static void choose_lines(struct plot_family *f, size_t legend_room)
{
    if (f->count > legend_room)
        qsort(f->lines, f->count, sizeof(struct line *), highest_first);
    if (f->count <= PLOT_LINES_MAX)
        return;
    join_lines(f, PLOT_LINES_MAX);
    while (f->count > PLOT_LINES_MAX)
        free_line(f->lines[--f->count]);
}

char *plot_family_left_out(const struct plot_family *f)
{
    char *joined = NULL, *empty = NULL, *text = NULL, peak[UNITS_TEXT];
    if (f->others &&
        asprintf(&joined,
                 "%zu of %zu processes have no line of their own, together they held %s at most",
                 f->other_count, plot_family_size(f),
                 units_bytes(peak, f->others->process.totals.peak_bytes)) < 0)
        joined = NULL;
    if (f->empty &&
        asprintf(&empty, "%zu process%s held nothing", f->empty, f->empty == 1 ? "" : "es") < 0)
        empty = NULL;
    if (!joined || !empty)
        return joined ? joined : empty;
    if (asprintf(&text, "%s, %s", joined, empty) < 0)
        text = NULL;
    free(joined);
    free(empty);
    return text;
}

/* ---- the series ---- */

static struct plot_series series_of(const struct line *line)
{
    return (struct plot_series){line->label, &line->image, line->heap, line->process.heap_count};
}

static void set_series(struct plot_family *f)
{
    size_t used = 0;
    free(f->series);
    f->series = xcalloc(f->count + 3, sizeof *f->series);
    if (f->sum) {
        struct process *p = &f->sum->processes[0];
        f->series[used++] = (struct plot_series){f->sum_label, f->sum, p->heap, p->heap_count};
    }
    if (f->others)
        f->series[used++] = series_of(f->others);
    for (size_t i = 0; i < f->count; i++)
        f->series[used++] = series_of(f->lines[i]);
    f->series_count = used;
}

static char *sum_label(const struct plot_family *f, const char *name, unsigned lines)
{
    char *label;
    if (lines & (PLOT_EACH | PLOT_BIGGEST) &&
        asprintf(&label, "all %zu together", plot_family_size(f)) >= 0)
        return label;
    return xstrdup(name);
}

static void read_lines(struct plot_family *f, const char *name, unsigned lines, size_t biggest)
{
    if (lines & PLOT_TOGETHER)
        f->sum = lineage_merge(&f->lineage);
    f->sum_label = sum_label(f, name, lines);
    if (lines & PLOT_EACH)
        lineage_visit(&f->lineage, add_line, f);
    else if (lines & PLOT_BIGGEST)
        lineage_visit_one(&f->lineage, biggest, add_line, f);
    choose_lines(f, PLOT_LEGEND_LINES);
    set_series(f);
}

/* Reads all figures; of a recording without a family only if that is asked for. */
static int is_wanted(struct plot_family *f, const char *name, unsigned lines, size_t *biggest)
{
    const struct family *family = &f->lineage.family;
    if (lines & PLOT_LEADER) {
        if (!leader_has_family(f->asked))
            return 0;
        lineage_read(&f->lineage, name, f->asked, LINEAGE_HEADS);
        if (family_size(family) + family->more < 2)
            return 0;
        lineage_free(&f->lineage);
    }
    lineage_read(&f->lineage, name, f->asked, LINEAGE_FIGURES);
    return leader_only_starts(family, biggest) || !(lines & PLOT_LEADER);
}

int plot_family_new(struct plot_family **out, const char *name, unsigned lines)
{
    size_t biggest;
    struct recording *recording = choice_open(name);
    *out = NULL;
    if (!recording)
        return -1;
    struct plot_family *f = xcalloc(1, sizeof *f);
    f->recording = recording;
    f->asked = recording_image(recording);
    if (!is_wanted(f, name, lines, &biggest)) {
        plot_family_free(f);
        return 0;
    }
    lineage_tell(&f->lineage, name);
    read_lines(f, name, lines, biggest);
    *out = f;
    return 0;
}

const struct plot_series *plot_family_series(const struct plot_family *f, size_t *count)
{
    *count = f->series_count;
    return f->series;
}

int plot_family_is_summed(const struct plot_family *f)
{
    return f->sum != NULL;
}

size_t plot_family_size(const struct plot_family *f)
{
    return family_size(&f->lineage.family);
}

struct quality plot_family_quality(const struct plot_family *f)
{
    const struct family *family = &f->lineage.family;
    struct quality sum = {0};
    for (size_t i = 0; i < family->order_count; i++)
        quality_add(&sum, &family->relatives[family->order[i]].quality, 0);
    return sum;
}

int plot_family_runs_on(const struct plot_family *f)
{
    const struct family *family = &f->lineage.family;
    int any = 0;
    for (size_t i = 0; i < family->order_count; i++)
        any |= family->relatives[family->order[i]].runs_on;
    return any;
}

char *plot_family_gaps(const struct plot_family *f)
{
    return family_gaps(&f->lineage.family);
}

void plot_family_free(struct plot_family *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++)
        free_line(f->lines[i]);
    free(f->lines);
    if (f->others)
        free_line(f->others);
    image_free(f->sum);
    free(f->sum_heap);
    free(f->sum_label);
    free(f->series);
    lineage_free(&f->lineage);
    recording_close(f->recording);
    free(f);
}

/* ---- a window ---- */

struct window {
    struct plot_family *family;
    uint64_t begin_ns, end_ns;
    struct course *courses, *others; /* of all, and of those without a line */
    size_t count, capacity, other_count, other_capacity;
};

static struct line *line_of(const struct plot_family *f, const struct relative *relative)
{
    for (size_t i = 0; i < f->count; i++)
        if (&f->lineage.family.relatives[f->lines[i]->relative] == relative)
            return f->lines[i];
    return NULL;
}

/* Reads the part of the process's line that lies in the window, which is in the tree's time; none
 * where the process was not alive. */
static void read_window(const struct window *w, const struct lineage_visit *visit,
                        struct timeline *line)
{
    const struct process *p = visit->process;
    uint64_t begin = w->begin_ns > visit->shift_ns ? w->begin_ns - visit->shift_ns : 0;
    uint64_t end = w->end_ns > visit->shift_ns ? w->end_ns - visit->shift_ns : 0;
    begin = begin < p->begin_ns ? p->begin_ns : begin;
    if (!visit->relative->runs_on && end > p->end_ns + 1)
        end = p->end_ns + 1;
    int rc = recording_timeline(visit->recording, p->serial, SERIES_HEAP, begin, end, line);
    if (rc == RECORDING_OK)
        return;
    complain("%s: the window cannot be read: %s; process %d is left out",
             visit->relative->recording, recording_strerror(rc), p->pid);
    timeline_clear(line);
}

static void add_window(void *context, const struct lineage_visit *visit)
{
    struct window *w = context;
    struct timeline read = {0};
    read_window(w, visit, &read);
    struct line *line = line_of(w->family, visit->relative);
    if (line) {
        free(line->heap);
        line->heap = shifted(read.buckets, read.count, visit->shift_ns);
        line->process.heap = line->heap;
        line->process.heap_count = read.count;
    }
    struct course course = {.buckets = read.buckets,
                            .count = read.count,
                            .shift_ns = visit->shift_ns,
                            .end_ns = visit->process->end_ns,
                            .runs_on = visit->relative->runs_on || read.count == 0};
    w->courses = xgrow(w->courses, &w->capacity, w->count + 1, sizeof *w->courses);
    w->courses[w->count++] = course;
    if (line)
        return;
    w->others = xgrow(w->others, &w->other_capacity, w->other_count + 1, sizeof *w->others);
    w->others[w->other_count++] = course;
}

size_t plot_family_window(struct plot_family *f, uint64_t begin_ns, uint64_t end_ns)
{
    struct window w = {.family = f, .begin_ns = begin_ns, .end_ns = end_ns};
    struct timeline sum = {0};
    size_t taken = lineage_visit(&f->lineage, add_window, &w);
    if (f->sum) {
        together_heap(w.courses, w.count, begin_ns, &sum);
        f->sum_heap = sum.buckets;
        f->sum->processes[0].heap = sum.buckets;
        f->sum->processes[0].heap_count = sum.count;
    }
    if (f->others)
        set_others(f, w.others, w.other_count, begin_ns);
    for (size_t i = 0; i < w.count; i++)
        free((void *)w.courses[i].buckets);
    free(w.courses);
    free(w.others);
    set_series(f);
    return taken;
}
