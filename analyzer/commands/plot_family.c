/* plot_family.c - see plot_family.h. */
#include "choice.h"
#include "command.h"
#include "family_view.h"
#include "leader.h"
#include "plot_family_lines.h"
#include "quality_sum.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_WIDTH 24

/* ---- a line for each ---- */

struct bucket *plot_family_shift(const struct bucket *buckets, size_t count, uint64_t shift_ns)
{
    struct bucket *copy = xcalloc(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = buckets[i];
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

static void set_image(const struct plot_family *f, struct family_line *line)
{
    line->image = (struct image){.epoch_ns = f->lineage.epoch_ns,
                                 .processes = &line->process,
                                 .process_count = 1,
                                 .argv = f->asked->argv, /* one title for all */
                                 .argc = f->asked->argc};
}

int plot_family_has_parts(const struct plot_family *f, const struct process *p)
{
    return f->wanted == SERIES_MEMORY && process_has_parts(p);
}

/* Gives the line the process's buckets, those of its mapped part and its figures, in the tree's
 * time. */
static void set_figures(const struct plot_family *f, struct family_line *line,
                        const struct process *p, uint64_t shift_ns)
{
    struct line_of whole = process_line(p, f->wanted);
    line->buckets = plot_family_shift(whole.buckets, whole.count, shift_ns);
    line->bucket_count = whole.count;
    if (plot_family_has_parts(f, p)) {
        line->mapped = plot_family_shift(p->mapped, p->mapped_count, shift_ns);
        line->mapped_count = p->mapped_count;
    }
    line->process = (struct process){.pid = p->pid,
                                     .begin_ns = p->begin_ns + shift_ns,
                                     .end_ns = p->end_ns + shift_ns,
                                     .totals = p->totals,
                                     .quality = p->quality};
    line->process.totals.peak_ns += shift_ns;
    line->process.totals.mapped_peak_ns += shift_ns;
    line->process.totals.memory_peak_ns += shift_ns;
    if (p->quality.loss.since_ns)
        line->process.quality.loss.since_ns += shift_ns;
}

static void add_line(void *context, const struct lineage_visit *visit)
{
    struct plot_family *f = context;
    const struct family *family = &f->lineage.family;
    size_t relative = (size_t)(visit->relative - family->relatives);
    if (relative != family->self && process_peak(visit->process, f->wanted).bytes == 0) {
        f->empty += !family->is_left[relative];
        return;
    }
    struct family_line *line = xcalloc(1, sizeof *line);
    line->relative = relative;
    line->label = label_of(family, relative);
    set_figures(f, line, visit->process, visit->shift_ns);
    set_image(f, line);
    line->image.cut = visit->image->cut;
    line->image.running = visit->relative->runs_on;
    f->lines = xgrow(f->lines, &f->capacity, f->count + 1, sizeof *f->lines);
    f->lines[f->count++] = line;
}

static void free_line(struct family_line *line)
{
    free(line->buckets);
    free(line->mapped);
    free(line->label);
    free(line);
}

int plot_family_order(const struct plot_family *f, const struct family_line *const lines[2],
                      const uint64_t bytes[2])
{
    size_t root = f->lineage.family.self, a = lines[0]->relative, b = lines[1]->relative;
    if ((a == root) != (b == root))
        return a == root ? -1 : 1;
    return bytes[0] != bytes[1] ? (bytes[0] < bytes[1]) - (bytes[0] > bytes[1]) : (a > b) - (a < b);
}

static int by_peak(const void *left, const void *right, void *family)
{
    const struct plot_family *f = family;
    const struct family_line *lines[2] = {*(struct family_line *const *)left,
                                          *(struct family_line *const *)right};
    uint64_t bytes[2];
    for (int i = 0; i < 2; i++)
        bytes[i] = process_peak(&lines[i]->process, f->wanted).bytes;
    return plot_family_order(f, lines, bytes);
}

/* ---- the others ---- */

/* Makes the sum of the courses the others' line. */
void plot_family_set_others(struct plot_family *f, const struct course *courses, size_t count,
                            uint64_t from_ns)
{
    struct timeline sum = {0};
    together_line(courses, count, from_ns, &sum);
    free(f->others->buckets);
    f->others->buckets = sum.buckets;
    f->others->bucket_count = sum.count;
}

/* Whatever the series is, the others have just this one. */
static void measure_others(struct plot_family *f)
{
    struct totals *t = &f->others->process.totals;
    const struct bucket *highest =
        plot_highest((struct line_of){f->others->buckets, f->others->bucket_count});
    t->peak_bytes = t->mapped_peak_bytes = t->memory_peak_bytes = highest ? highest->max_bytes : 0;
    t->peak_ns = t->mapped_peak_ns = t->memory_peak_ns = highest ? highest->max_ns : 0;
    t->mapped_then_bytes = highest ? highest->max_mapped_bytes : 0;
}

/* What a process was before it became another image is no other process. */
static void name_others(struct plot_family *f, size_t first)
{
    const unsigned char *is_left = f->lineage.family.is_left;
    int length;
    for (size_t i = first; i < f->count; i++)
        is_left[f->lines[i]->relative] ? f->before_exec++ : f->other_count++;
    if (f->other_count)
        length = asprintf(&f->others->label, "%zu others together", f->other_count);
    else
        length = asprintf(&f->others->label, "%zu before exec together", f->before_exec);
    if (length < 0)
        f->others->label = xstrdup("others together");
}

/* Replaces the lines from `first` on by their sum. */
static void join_lines(struct plot_family *f, size_t first)
{
    size_t count = f->count - first;
    struct course *courses = xcalloc(count, sizeof *courses);
    struct family_line *others = f->others = xcalloc(1, sizeof *others);
    others->relative = KIN_NONE;
    set_image(f, others);
    others->process.begin_ns = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct family_line *line = f->lines[first + i];
        const struct process *p = &line->process;
        courses[i] = (struct course){.buckets = line->buckets,
                                     .count = line->bucket_count,
                                     .mapped = {line->mapped, line->mapped_count},
                                     .end_ns = p->end_ns,
                                     .runs_on = line->image.running};
        others->image.running |= line->image.running;
        quality_add(&others->process.quality, &p->quality, 0);
        others->process.begin_ns =
            p->begin_ns < others->process.begin_ns ? p->begin_ns : others->process.begin_ns;
        others->process.end_ns =
            p->end_ns > others->process.end_ns ? p->end_ns : others->process.end_ns;
    }
    plot_family_set_others(f, courses, count, 0);
    measure_others(f);
    free(courses);
    name_others(f, first);
}

/* In the order of their start; where a legend has no room for all, see plot_family_order. */
static void choose_lines(struct plot_family *f, size_t legend_room)
{
    if (f->count > legend_room)
        qsort_r(f->lines, f->count, sizeof(struct family_line *), by_peak, f);
    if (f->count <= PLOT_LINES_MAX)
        return;
    join_lines(f, PLOT_LINES_MAX);
    while (f->count > PLOT_LINES_MAX)
        free_line(f->lines[--f->count]);
}

static char *others_left_out(const struct plot_family *f)
{
    char *text = NULL, peak[UNITS_TEXT];
    int length;
    units_bytes(peak, process_peak(&f->others->process, f->wanted).bytes);
    if (f->other_count)
        length = asprintf(
            &text, "%zu of %zu processes have no line of their own, together they held %s at most",
            f->other_count, plot_family_size(f), peak);
    else
        length = asprintf(&text,
                          "%zu of %zu processes have no line for what they were before exec, "
                          "together that held %s at most",
                          f->before_exec, plot_family_size(f), peak);
    return length < 0 ? NULL : text;
}

char *plot_family_left_out(const struct plot_family *f)
{
    char *joined = f->others ? others_left_out(f) : NULL, *empty = NULL, *text = NULL;
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

/* ---- all lines ---- */

static struct plot_line shown_of(const struct plot_family *f, const struct family_line *line)
{
    return (struct plot_line){.name = line->label,
                              .image = &line->image,
                              .series = f->wanted,
                              .line = {line->buckets, line->bucket_count},
                              .mapped = {line->mapped, line->mapped_count}};
}

/* Of the sum: its window, or the whole. */
static struct line_of line_of_sum(const struct plot_family *f, const struct timeline *window,
                                  enum series series)
{
    if (f->windowed)
        return (struct line_of){window->buckets, window->count};
    return process_line(&f->sum->processes[0], series);
}

static struct plot_line shown_of_sum(const struct plot_family *f)
{
    struct plot_line line = {.name = f->sum_label, .image = f->sum, .series = f->wanted};
    line.line = line_of_sum(f, &f->sum_window, f->wanted);
    if (plot_family_has_parts(f, &f->sum->processes[0]))
        line.mapped = line_of_sum(f, &f->sum_mapped, SERIES_MAPPED);
    return line;
}

void plot_family_show(struct plot_family *f)
{
    size_t used = 0;
    free(f->shown);
    f->shown = xcalloc(f->count + 3, sizeof *f->shown);
    if (f->sum)
        f->shown[used++] = shown_of_sum(f);
    if (f->others)
        f->shown[used++] = shown_of(f, f->others);
    for (size_t i = 0; i < f->count; i++)
        f->shown[used++] = shown_of(f, f->lines[i]);
    f->shown_count = used;
}

static char *sum_label(const struct plot_family *f, const char *name, unsigned lines)
{
    char *label = NULL;
    size_t count = plot_family_size(f);
    int length = -1;
    if (lines & (PLOT_EACH | PLOT_BIGGEST))
        length = asprintf(&label, "all %zu together", count);
    else if (lines & PLOT_LEADER) /* nobody has asked for a sum */
        length = asprintf(&label, "%s, all %zu together", name, count);
    return length < 0 ? xstrdup(name) : label;
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
    plot_family_show(f);
}

/* Reads all figures; of a recording without a family only if that is asked for. */
static int is_wanted(struct plot_family *f, const char *name, unsigned lines, size_t *biggest)
{
    const struct family *family = &f->lineage.family;
    if (lines & PLOT_LEADER) {
        if (!leader_has_family(f->asked))
            return 0;
        lineage_read(&f->lineage, name, f->asked, LINEAGE_HEADS);
        if (family_size(family) < 2)
            return 0;
        lineage_free(&f->lineage);
    }
    lineage_read(&f->lineage, name, f->asked, LINEAGE_FIGURES);
    return leader_only_starts_by(family, f->wanted,
                                 lines & PLOT_IMAGE ? LEADER_IMAGE : LEADER_PROCESS, biggest) ||
           !(lines & PLOT_LEADER);
}

int plot_family_new(struct plot_family **out, const char *name, unsigned lines,
                    const struct series_choice *series)
{
    size_t biggest;
    struct recording *recording = choice_open(name);
    *out = NULL;
    if (!recording)
        return -1;
    struct plot_family *f = xcalloc(1, sizeof *f);
    f->recording = recording;
    f->asked = recording_image(recording);
    if (series_choose(series, name, &f->asked->processes[0], &f->wanted) != COMMAND_OK) {
        plot_family_free(f);
        return -1;
    }
    if (!is_wanted(f, name, lines, &biggest)) {
        plot_family_free(f);
        return 0;
    }
    lineage_tell(&f->lineage, name);
    read_lines(f, name, lines, biggest);
    *out = f;
    return 0;
}

const struct plot_line *plot_family_lines(const struct plot_family *f, size_t *count)
{
    *count = f->shown_count;
    return f->shown;
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
    timeline_clear(&f->sum_window);
    timeline_clear(&f->sum_mapped);
    free(f->sum_label);
    free(f->shown);
    lineage_free(&f->lineage);
    recording_close(f->recording);
    free(f);
}
