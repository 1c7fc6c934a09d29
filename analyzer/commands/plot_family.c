/* plot_family.c - see plot_family.h. */
#include "plot_family.h"
#include "command.h"
#include "family_view.h"
#include "lineage.h"
#include "quality_sum.h"
#include "text.h"
#include "together.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_WIDTH 24

struct line { /* of one process, in the tree's time */
    size_t relative;
    struct image image; /* with nothing in it but the process */
    struct process process;
    struct bucket *heap;
    char *label;
};

struct plot_family {
    struct lineage lineage;
    const struct image *asked; /* the caller's */
    struct image *sum;         /* NULL: not wanted */
    struct bucket *sum_heap;   /* of a window; NULL: the summary's */
    struct line **lines;
    size_t count, capacity;
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

static void add_line(void *context, const struct lineage_visit *visit)
{
    struct plot_family *f = context;
    const struct family *family = &f->lineage.family;
    const struct process *p = visit->process;
    size_t relative = (size_t)(visit->relative - family->relatives);
    if (relative != family->self && (p->totals.peak_bytes == 0 || family->is_left[relative]))
        return;
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
    line->image = (struct image){.epoch_ns = f->lineage.epoch_ns,
                                 .processes = &line->process,
                                 .process_count = 1,
                                 .argv = f->asked->argv, /* one title for all */
                                 .argc = f->asked->argc,
                                 .cut = visit->image->cut,
                                 .running = visit->relative->runs_on};
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

/* In the order of their start; where a legend has no room for all, the highest first. */
static void choose_lines(struct plot_family *f, size_t legend_room)
{
    if (f->count > legend_room)
        qsort(f->lines, f->count, sizeof(struct line *), highest_first);
    while (f->count > PLOT_LINES_MAX)
        free_line(f->lines[--f->count]);
}

/* ---- the series ---- */

static void set_series(struct plot_family *f)
{
    size_t used = 0;
    free(f->series);
    f->series = xcalloc(f->count + 2, sizeof *f->series);
    if (f->sum) {
        struct process *p = &f->sum->processes[0];
        f->series[used++] = (struct plot_series){f->sum_label, f->sum, p->heap, p->heap_count};
    }
    for (size_t i = 0; i < f->count; i++) {
        struct line *line = f->lines[i];
        f->series[used++] =
            (struct plot_series){line->label, &line->image, line->heap, line->process.heap_count};
    }
    f->series_count = used;
}

struct plot_family *plot_family_new(const char *name, const struct image *image, int together,
                                    int each)
{
    struct plot_family *f = xcalloc(1, sizeof *f);
    f->asked = image;
    lineage_read(&f->lineage, name, image, LINEAGE_FIGURES);
    lineage_tell(&f->lineage, name);
    if (together) {
        f->sum = lineage_merge(&f->lineage);
        if (!each)
            f->sum_label = xstrdup(name);
        else if (asprintf(&f->sum_label, "all %zu together", plot_family_size(f)) < 0)
            f->sum_label = NULL;
    }
    if (each) {
        lineage_visit(&f->lineage, add_line, f);
        choose_lines(f, PLOT_LEGEND_LINES);
    }
    set_series(f);
    return f;
}

const struct plot_series *plot_family_series(const struct plot_family *f, size_t *count)
{
    *count = f->series_count;
    return f->series;
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
    image_free(f->sum);
    free(f->sum_heap);
    free(f->sum_label);
    free(f->series);
    lineage_free(&f->lineage);
    free(f);
}

/* ---- a window ---- */

struct window {
    struct plot_family *family;
    uint64_t begin_ns, end_ns;
    struct course *courses;
    size_t count, capacity;
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
    w->courses = xgrow(w->courses, &w->capacity, w->count + 1, sizeof *w->courses);
    w->courses[w->count++] =
        (struct course){.buckets = read.buckets,
                        .count = read.count,
                        .shift_ns = visit->shift_ns,
                        .end_ns = visit->process->end_ns,
                        .runs_on = visit->relative->runs_on || read.count == 0};
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
    for (size_t i = 0; i < w.count; i++)
        free((void *)w.courses[i].buckets);
    free(w.courses);
    set_series(f);
    return taken;
}
