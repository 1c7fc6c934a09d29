/* plot_family_window.c - the lines of a family anew, of a window: see plot_family.h. */
#include "command.h"
#include "plot_family_lines.h"
#include "recording.h"
#include "unmeasured.h"
#include "xalloc.h"
#include <stdlib.h>

struct courses {
    struct course *list;
    size_t count, capacity;
};

struct stretch {
    struct plot_family *family;
    uint64_t begin_ns, end_ns;
    struct courses all, others; /* others: of those without a line; the buckets are all's */
};

static void add_course(struct courses *courses, struct course course)
{
    courses->list =
        xgrow(courses->list, &courses->capacity, courses->count + 1, sizeof *courses->list);
    courses->list[courses->count++] = course;
}

static void free_courses(struct courses *courses, int with_buckets)
{
    for (size_t i = 0; with_buckets && i < courses->count; i++) {
        free((void *)courses->list[i].buckets);
        free((void *)courses->list[i].mapped.buckets);
    }
    free(courses->list);
}

static struct family_line *line_of_relative(const struct plot_family *f,
                                            const struct relative *relative)
{
    for (size_t i = 0; i < f->count; i++)
        if (&f->lineage.family.relatives[f->lines[i]->relative] == relative)
            return f->lines[i];
    return NULL;
}

/* Reads the part of the process's line that lies in the window, which is in the tree's time; none
 * where the process was not alive. */
static struct timeline read_line(const struct stretch *w, const struct lineage_visit *visit,
                                 enum series series)
{
    const struct process *p = visit->process;
    struct timeline line = {0};
    uint64_t begin = w->begin_ns > visit->shift_ns ? w->begin_ns - visit->shift_ns : 0;
    uint64_t end = w->end_ns > visit->shift_ns ? w->end_ns - visit->shift_ns : 0;
    begin = begin < p->begin_ns ? p->begin_ns : begin;
    if (!visit->relative->runs_on && end > p->end_ns + 1)
        end = p->end_ns + 1;
    int rc = recording_timeline(visit->recording, p->serial, series, begin, end, &line);
    if (rc != RECORDING_OK) {
        complain("%s: the window cannot be read: %s; process %d is left out",
                 visit->relative->recording, recording_strerror(rc), p->pid);
        timeline_clear(&line);
    }
    return line;
}

static struct course read_course(const struct stretch *w, const struct lineage_visit *visit)
{
    const struct plot_family *f = w->family;
    struct timeline line = read_line(w, visit, f->wanted), mapped = {0};
    if (plot_family_has_parts(f, visit->process))
        mapped = read_line(w, visit, SERIES_MAPPED);
    return (struct course){.buckets = line.buckets,
                           .count = line.count,
                           .mapped = {mapped.buckets, mapped.count},
                           .shift_ns = visit->shift_ns,
                           .end_ns = visit->process->end_ns,
                           .runs_on = visit->relative->runs_on || line.count == 0};
}

static void set_window(struct family_line *line, const struct course *course)
{
    free(line->buckets);
    line->buckets = plot_family_shift(course->buckets, course->count, course->shift_ns);
    line->bucket_count = course->count;
    free(line->mapped);
    line->mapped =
        plot_family_shift(course->mapped.buckets, course->mapped.count, course->shift_ns);
    line->mapped_count = course->mapped.count;
}

static void add_window(void *context, const struct lineage_visit *visit)
{
    struct stretch *w = context;
    struct course course = read_course(w, visit);
    struct family_line *line = line_of_relative(w->family, visit->relative);
    add_course(&w->all, course);
    if (line)
        set_window(line, &course);
    else
        add_course(&w->others, course);
}

/* The mapped parts of the courses, as courses. */
static void add_mapped(struct courses *to, const struct courses *of)
{
    for (size_t i = 0; i < of->count; i++) {
        struct course course = of->list[i];
        course.buckets = course.mapped.buckets;
        course.count = course.mapped.count;
        course.mapped = (struct line_of){NULL, 0};
        course.runs_on |= course.count == 0;
        add_course(to, course);
    }
}

static void sum_window(const struct courses *courses, uint64_t begin_ns, struct timeline *sum)
{
    timeline_clear(sum);
    together_line(courses->list, courses->count, begin_ns, sum);
}

/* Whom the sum's resident set lacks here; the line of the set itself is cut where it is drawn. */
static void count_unsampled(struct plot_family *f, const struct stretch *w)
{
    uint64_t epoch = f->lineage.epoch_ns, end_ns;
    if (__builtin_add_overflow(epoch, w->end_ns, &end_ns))
        end_ns = UINT64_MAX;
    f->sum->processes[0].unsampled =
        unmeasured_within(&f->lineage.family, epoch + w->begin_ns, end_ns).unsampled;
}

static void set_sum_window(struct plot_family *f, const struct stretch *w)
{
    struct courses mapped = {0};
    add_mapped(&mapped, &w->all);
    sum_window(&w->all, w->begin_ns, &f->sum_window);
    sum_window(&mapped, w->begin_ns, &f->sum_mapped);
    free_courses(&mapped, 0);
    count_unsampled(f, w);
}

static uint64_t highest_of(const struct family_line *line)
{
    const struct bucket *highest =
        plot_highest((struct line_of){line->buckets, line->bucket_count});
    return highest ? highest->max_bytes : 0;
}

static int by_highest_here(const void *left, const void *right, void *family)
{
    const struct family_line *lines[2] = {*(struct family_line *const *)left,
                                          *(struct family_line *const *)right};
    uint64_t bytes[2] = {highest_of(lines[0]), highest_of(lines[1])};
    return plot_family_order(family, lines, bytes);
}

static void sort_lines(struct plot_family *f)
{
    if (f->count > PLOT_LEGEND_LINES)
        qsort_r(f->lines, f->count, sizeof *f->lines, by_highest_here, f);
}

size_t plot_family_window(struct plot_family *f, uint64_t begin_ns, uint64_t end_ns)
{
    struct stretch w = {.family = f, .begin_ns = begin_ns, .end_ns = end_ns};
    size_t taken = lineage_visit(&f->lineage, add_window, &w);
    if (f->sum)
        set_sum_window(f, &w);
    if (f->others)
        plot_family_set_others(f, w.others.list, w.others.count, begin_ns);
    free_courses(&w.all, 1);
    free_courses(&w.others, 0);
    f->windowed = 1;
    sort_lines(f);
    plot_family_show(f);
    return taken;
}
