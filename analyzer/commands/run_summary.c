/* run_summary.c - see run_summary.h. */
#include "run_summary.h"
#include "command.h"
#include "family_view.h"
#include "quality.h"
#include "quality_sum.h"
#include "rss_words.h"
#include "run_family.h"
#include "run_missing.h"
#include "run_processes.h"
#include "text.h"
#include "totals_view.h"
#include "units.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

void run_summary_line(const char *what, const char *text)
{
    fprintf(stderr, "  %-12s %s\n", what, text);
}

static void print_heading(const struct run_summary *s)
{
    const struct supervised *end = s->supervised;
    char wall[UNITS_TEXT], cpu[UNITS_TEXT], how[128];
    const char *slash = strrchr(s->program, '/');
    char *program = text_clean(slash != NULL ? slash + 1 : s->program);

    if (end->timed_out)
        snprintf(how, sizeof how, "was stopped at its time limit");
    else if (WIFSIGNALED(end->status))
        snprintf(how, sizeof how, "died of signal %d (%s)", WTERMSIG(end->status),
                 strsignal(WTERMSIG(end->status)));
    else
        snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(end->status));
    fprintf(stderr, "%s %s\n", program, how);
    snprintf(how, sizeof how, "%s wall, %s CPU", units_time(wall, end->wall_ns),
             units_time(cpu, end->cpu_ns));
    run_summary_line("time", how);
    free(program);
}

/* clock: the times below are that image's own. */
static void print_became(const struct roots *roots, int clock)
{
    char begin[UNITS_TEXT], line[512], *became;

    if (roots->first == roots->last || !roots->last->has_figures)
        return;
    became = text_clean(roots->last->program);
    snprintf(line, sizeof line, clock ? "%s at %s; times below are since then" : "%s at %s", became,
             units_time(begin, roots->last->start_ns - roots->first->start_ns));
    run_summary_line("became", line);
    free(became);
}

/* sum: the process that is a whole family; NULL where the totals are those of one. */
static void print_resident(const struct totals *t, const struct process *sum)
{
    char text[UNITS_TEXT], line[UNITS_TEXT + RSS_WORDS + 4], words[RSS_WORDS];

    uint64_t rss = rss_peak(t, sum, words);
    if (rss == 0)
        return;
    snprintf(line, sizeof line, "%s (%s)", units_bytes(text, rss), words);
    run_summary_line("peak RSS", line);
}

/* What the whole family does not know. */
struct gaps {
    struct quality sum;
    size_t losers; /* processes that lost an event */
};

static struct gaps sum_gaps(const struct gather *g)
{
    struct gaps gaps = {0};

    for (size_t i = 0; i < gather_count(g); i++) {
        const struct gathered *one = gather_get(g, i);
        quality_add(&gaps.sum, &one->all, 0);
        gaps.losers += one->losers;
    }
    return gaps;
}

static void print_loss_in_detail(const struct loss *loss, const char *number, const char *events)
{
    char a[UNITS_TEXT], b[UNITS_TEXT], c[UNITS_TEXT], d[UNITS_TEXT], line[10 * UNITS_TEXT];
    int n = snprintf(line, sizeof line, "%s %s: %s allocation%s of %s, %s free%s", number, events,
                     units_count(a, loss->allocations), loss->allocations == 1 ? "" : "s",
                     units_bytes(b, loss->bytes), units_count(c, loss->frees),
                     loss->frees == 1 ? "" : "s");

    if (loss->others > 0)
        snprintf(line + n, sizeof line - (size_t)n, ", %s other%s", units_count(d, loss->others),
                 loss->others == 1 ? "" : "s");
    run_summary_line("lost", line);
}

/* How many of them are counted in the figures above, which may be those of one process. */
static void print_losers(const struct gaps *gaps, const struct quality *shown)
{
    char number[UNITS_TEXT], count[UNITS_TEXT], line[4 * UNITS_TEXT];

    if (shown->lost == gaps->sum.lost)
        snprintf(line, sizeof line, "all of them counted above");
    else
        snprintf(line, sizeof line, "in %s process%s, %s counted above",
                 units_count(number, gaps->losers), gaps->losers == 1 ? "" : "es",
                 shown->lost ? units_count(count, shown->lost) : "none");
    run_summary_line("", line);
}

static void print_unplaced(const struct loss *loss)
{
    char a[UNITS_TEXT], b[UNITS_TEXT], line[4 * UNITS_TEXT];

    snprintf(line, sizeof line, "%s child%s without a place in the spool, %s events",
             units_count(a, loss->unplaced), loss->unplaced == 1 ? "" : "ren",
             units_count(b, loss->unplaced_events));
    run_summary_line("", line);
}

/* That of all processes; says so where that is not the quality of the figures above. */
static void print_quality(const struct quality *all, const struct quality *shown)
{
    char *rest = quality_but_loss(all), *own = quality_but_loss(shown);

    if (rest != NULL && own != NULL && strcmp(rest, own) == 0)
        run_summary_line("quality", rest);
    else if (rest != NULL)
        fprintf(stderr, "  %-12s of all processes: %s\n", "quality", rest);
    free(rest);
    free(own);
}

static void print_gaps(const struct gaps *gaps, const struct quality *shown)
{
    const struct loss *loss = &gaps->sum.loss;
    const char *events = gaps->sum.lost == 1 ? "event" : "events";
    char number[UNITS_TEXT], line[2 * UNITS_TEXT];

    units_count(number, gaps->sum.lost);
    if (gaps->sum.lost > 0) {
        print_loss_in_detail(loss, number, events);
        print_losers(gaps, shown);
    } else {
        snprintf(line, sizeof line, "%s %s", number, events);
        run_summary_line("lost", line);
    }
    if (loss->unplaced > 0)
        print_unplaced(loss);
    print_quality(&gaps->sum, shown);
}

/* Of what mappings are that are no memory, "" where some are: its line says how much those hold. */
static const char *kinds_without_memory(const struct totals *t)
{
    if (t->mapped_peak_bytes)
        return "";
    if (t->file_peak_bytes)
        return t->reserved_peak_bytes ? " of files and reserved space" : " of files";
    return t->reserved_peak_bytes ? " of reserved space" : "";
}

/* What the program did: allocations, and the calls that map and unmap. */
static void print_counts(const struct totals *t)
{
    char a[UNITS_TEXT], b[UNITS_TEXT], line[4 * UNITS_TEXT];

    snprintf(line, sizeof line, "%s, %s in all", units_count(a, t->allocations),
             units_bytes(b, t->allocated_bytes));
    run_summary_line("allocations", line);
    if (t->failed) {
        snprintf(line, sizeof line, "%s allocation%s", units_count(a, t->failed),
                 t->failed == 1 ? "" : "s");
        run_summary_line("failed", line);
    }
    if (t->maps) {
        snprintf(line, sizeof line, "%s%s, %s unmapping%s", units_count(a, t->maps),
                 kinds_without_memory(t), units_count(b, t->unmaps), t->unmaps == 1 ? "" : "s");
        run_summary_line("mappings", line);
    }
}

/* "= 41.83 MiB heap + 838.31 MiB mapped", of a peak of memory, some of which was mapped. */
static void print_parts(const struct totals *t)
{
    char parts[TOTALS_PARTS], line[TOTALS_PARTS + 2];

    if (totals_parts(parts, t->memory_peak_bytes, t->mapped_then_bytes)[0] == '\0')
        return;
    snprintf(line, sizeof line, "= %s", parts);
    run_summary_line("", line);
}

/* A program that has mapped nothing has only a heap. */
static void print_peak(const struct totals *t, const char *bound, int has_parts)
{
    char a[UNITS_TEXT], b[UNITS_TEXT], line[4 * UNITS_TEXT];

    snprintf(line, sizeof line, "%s at %s%s", units_bytes(a, t->memory_peak_bytes),
             units_time(b, t->memory_peak_ns), bound);
    run_summary_line("peak", line);
    if (has_parts)
        print_parts(t);
}

static void print_left(const struct totals *t, const struct quality *quality, int has_parts,
                       const char *whose_end)
{
    const char *bound = quality_bound(quality, UINT64_MAX);
    char a[UNITS_TEXT], b[UNITS_TEXT], line[6 * UNITS_TEXT];

    snprintf(line, sizeof line, "%s in %s block%s%s%s", units_bytes(a, t->live_at_end_bytes),
             units_count(b, t->live_at_end_blocks), t->live_at_end_blocks == 1 ? "" : "s", bound,
             has_parts ? "" : whose_end);
    run_summary_line("live at end", line);
    if (!has_parts || t->mapped_at_end_bytes == 0)
        return;
    snprintf(line, sizeof line, "and %s mapped%s%s", units_bytes(a, t->mapped_at_end_bytes), bound,
             whose_end);
    run_summary_line("", line);
}

/* Of one process, or of a family's sum. */
static void print_figures(const struct totals *t, const struct quality *quality, int has_parts,
                          const struct process *sum)
{
    uint64_t ns = t->memory_peak_ns;
    print_counts(t);
    print_peak(t, sum ? quality_peak_bound(sum, ns) : quality_bound(quality, ns), has_parts);
    print_resident(t, sum);
    print_left(t, quality, has_parts, sum != NULL ? TOTALS_OWN_ENDS : "");
}

/* "4720 cc1plus, peak 880.14 MiB at 1.2 s", of what parts, and its resident set. */
static void print_biggest(const struct run_family *family)
{
    const struct relative *r = &family->lineage.family.relatives[family->biggest];
    char a[UNITS_TEXT], b[UNITS_TEXT], line[512], words[RSS_WORDS];
    char *program = family_program(r);

    snprintf(line, sizeof line,
             r->clock_ns ? "%d %s, peak %s at %s of the tree" : "%d %s, peak %s at %s",
             family->lineage.family.kin[family->biggest].pid, program,
             units_bytes(a, r->totals.memory_peak_bytes), units_time(b, r->totals.memory_peak_ns));
    run_summary_line("biggest", line);
    if (totals_have_parts(&r->totals, r->series_unknown))
        print_parts(&r->totals);
    free(program);
    uint64_t rss = rss_peak(&r->totals, NULL, words);
    if (rss == 0)
        return;
    snprintf(line, sizeof line, "its peak RSS %s (%s)", units_bytes(a, rss), words);
    run_summary_line("", line);
}

/* The family first, then the biggest of it. */
static void print_family(const struct run_family *family)
{
    const struct process *sum = &family->sum->processes[0];
    char number[UNITS_TEXT], line[2 * UNITS_TEXT];

    snprintf(line, sizeof line, "%s processes",
             units_count(number, family_size(&family->lineage.family)));
    run_summary_line("together", line);
    print_figures(&sum->totals, &sum->quality, process_has_parts(sum), sum);
    print_biggest(family);
}

static char *path_of(const struct run_summary *s, const struct gathered *one)
{
    char *path = NULL;

    return asprintf(&path, "%s%s", s->folder, one->name) < 0 ? xstrdup(one->name) : path;
}

/* Which options show more than one image of one process. The last image's file, where that is
 * named, has only what came after it. */
static void print_options(const struct run_summary *s, const struct roots *roots,
                          const struct gathered *root)
{
    char *path, *word;

    if (!s->named || root == roots->first) {
        run_summary_line("",
                         "with --pid N one process; with --tree, or plot -C and -M, all of them");
        return;
    }
    path = path_of(s, roots->first);
    word = text_word(path);
    fprintf(stderr, "  %-12s and %s, with --tree, or plot -C and -M, for all of them\n", "", word);
    free(word);
    free(path);
}

/* is_tree: there is more than this one image. */
static void print_names(const struct run_summary *s, const struct roots *roots,
                        const struct gathered *root, int is_tree)
{
    char count[UNITS_TEXT];
    size_t others = gather_count(s->gather) - 1;
    char *folder = text_clean(s->folder), *name = text_clean(root->name);
    char *path = path_of(s, root), *word = text_word(path);

    fprintf(stderr, "  %-12s %s%s%s", "recording", folder, name,
            root->state == GATHERED_LOST   ? ", which is gone"
            : root->state == GATHERED_DONE ? ""
                                           : ".spool");
    if (others > 0)
        fprintf(stderr, " and %s more", units_count(count, others));
    fputc('\n', stderr);
    if (root->state == GATHERED_LOST)
        is_tree = 0;
    else if (s->named)
        fprintf(stderr, "  %-12s mprof-c plot %s, or report, leaks, peak\n", "look at it", word);
    else
        run_summary_line("look at it", "mprof-c plot, or report, leaks, peak");
    free(word);
    free(path);
    if (is_tree)
        print_options(s, roots, root);
    free(folder);
    free(name);
}

/* ---- what is shown ---- */

/* Whose figures follow, where they are those of one process among several. */
static void print_alone(const struct gathered *root, size_t processes)
{
    char count[UNITS_TEXT], line[512], *program;

    if (processes < 2)
        return;
    program = text_clean(root->program);
    snprintf(line, sizeof line, "%s alone, of %s processes; --tree sums all", program,
             units_count(count, processes));
    run_summary_line("figures of", line);
    free(program);
}

/* What the same process was before, where it held more as that. */
static void print_before(const struct gathered *root, const struct gathered *biggest)
{
    char bytes[UNITS_TEXT], line[512], *program;

    if (run_held_by(biggest) <= run_held_by(root))
        return;
    program = text_clean(biggest->program);
    snprintf(line, sizeof line, "%s, which held %s; --tree has both", program,
             units_bytes(bytes, run_held_by(biggest)));
    run_summary_line("before", line);
    free(program);
}

/* Returns whether there is more to be seen. */
static int print_one(const struct run_summary *s, const struct roots *roots,
                     const struct gathered *root)
{
    size_t processes = run_count_processes(s->gather);

    print_became(roots, root == roots->last);
    print_before(root, roots->biggest);
    print_alone(root, processes);
    print_figures(&root->totals, &root->quality, totals_have_parts(&root->totals, 0), NULL);
    return processes > 1 || run_held_by(roots->biggest) > run_held_by(root);
}

/* By themselves the commands show what the program became last; a file is named as it is, and a
 * family by its first. */
static void print_shown(const struct run_summary *s, const struct roots *roots,
                        const struct gathered *root)
{
    struct run_family family;
    const struct quality *shown = &root->quality;
    int is_tree = 1;

    run_family_open(&family, s->gather, s->folder);
    if (family.sum != NULL) {
        shown = &family.sum->processes[0].quality;
        print_became(roots, 0);
        print_family(&family);
    } else {
        is_tree = print_one(s, roots, root);
    }
    struct gaps gaps = sum_gaps(s->gather);
    print_gaps(&gaps, shown);
    run_missing_print(s->gather);
    print_names(s, roots, family.sum != NULL ? roots->first : root, is_tree);
    run_family_close(&family);
}

void run_summary_print(const struct run_summary *s)
{
    struct roots roots = run_roots(s->gather);
    const struct gathered *root = roots.last;

    if (root != NULL && !root->has_figures && roots.first->has_figures)
        root = roots.first;
    print_heading(s);
    if (root == NULL || !root->has_figures)
        return;
    print_shown(s, &roots, root);
}
