/* run_summary.c - see run_summary.h. */
#include "run_summary.h"
#include "command.h"
#include "quality.h"
#include "quality_sum.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define BEFORE_EXEC_RSS (1u << 20) /* more than a child touches between fork and exec */

struct roots {
    const struct gathered *first, *last; /* images of the root process, by time; NULL: none */
    size_t others;                       /* recordings of other processes */
};

static struct roots find_roots(const struct gather *g)
{
    struct roots roots = {0};

    for (size_t i = 0; g != NULL && i < gather_count(g); i++) {
        const struct gathered *one = gather_get(g, i);
        if (!one->is_root) {
            roots.others++;
            continue;
        }
        if (roots.first == NULL || one->start_ns < roots.first->start_ns)
            roots.first = one;
        if (roots.last == NULL || one->start_ns >= roots.last->start_ns)
            roots.last = one;
    }
    return roots;
}

static void print_line(const char *what, const char *text)
{
    fprintf(stderr, "  %-12s %s\n", what, text);
}

static void print_heading(const struct run_summary *s, const struct roots *roots)
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
    print_line("time", how);
    if (roots->first != roots->last && roots->last->has_figures) {
        char *became = text_clean(roots->last->program);
        print_line("became", became);
        free(became);
    }
    free(program);
}

static void print_resident(const struct run_summary *s, const struct gathered *root, size_t others)
{
    uint64_t bytes = root->totals.rss_peak_bytes;
    char text[UNITS_TEXT], line[2 * UNITS_TEXT];

    /* The kernel's own maximum misses nothing, but it is that of the largest process alone. */
    uint64_t max = s->supervised->max_rss_bytes;
    if (max > s->inherited_rss + BEFORE_EXEC_RSS && max > bytes)
        bytes = max;
    if (bytes == 0)
        return;
    snprintf(line, sizeof line, "%s%s", units_bytes(text, bytes),
             s->children_unknown || others + root->forked > 0 ? " (largest process)" : "");
    print_line("peak RSS", line);
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
    print_line("lost", line);
}

/* How many of them are counted in the figures above, which are those of one process. */
static void print_losers(const struct gaps *gaps, const struct quality *root)
{
    char number[UNITS_TEXT], count[UNITS_TEXT], line[4 * UNITS_TEXT];

    if (root->lost == gaps->sum.lost)
        snprintf(line, sizeof line, "all of them counted above");
    else
        snprintf(line, sizeof line, "in %s process%s, %s counted above",
                 units_count(number, gaps->losers), gaps->losers == 1 ? "" : "es",
                 root->lost ? units_count(count, root->lost) : "none");
    print_line("", line);
}

static void print_unplaced(const struct loss *loss)
{
    char a[UNITS_TEXT], b[UNITS_TEXT], line[4 * UNITS_TEXT];

    snprintf(line, sizeof line, "%s child%s without a place in the spool, %s events",
             units_count(a, loss->unplaced), loss->unplaced == 1 ? "" : "ren",
             units_count(b, loss->unplaced_events));
    print_line("", line);
}

static void print_gaps(const struct gaps *gaps, const struct quality *root)
{
    const struct loss *loss = &gaps->sum.loss;
    const char *events = gaps->sum.lost == 1 ? "event" : "events";
    char number[UNITS_TEXT], line[2 * UNITS_TEXT];

    units_count(number, gaps->sum.lost);
    if (gaps->sum.lost > 0) {
        print_loss_in_detail(loss, number, events);
        print_losers(gaps, root);
    } else {
        snprintf(line, sizeof line, "%s %s", number, events);
        print_line("lost", line);
    }
    if (loss->unplaced > 0)
        print_unplaced(loss);
    char *rest = quality_but_loss(&gaps->sum);
    if (rest != NULL)
        print_line("quality", rest);
    free(rest);
}

static void print_figures(const struct run_summary *s, const struct gathered *root, size_t others)
{
    const struct totals *t = &root->totals;
    char a[UNITS_TEXT], b[UNITS_TEXT], line[4 * UNITS_TEXT];

    snprintf(line, sizeof line, "%s, %s in all", units_count(a, t->allocations),
             units_bytes(b, t->allocated_bytes));
    print_line("allocations", line);
    if (t->failed) {
        snprintf(line, sizeof line, "%s allocation%s", units_count(a, t->failed),
                 t->failed == 1 ? "" : "s");
        print_line("failed", line);
    }
    snprintf(line, sizeof line, "%s at %s%s", units_bytes(a, t->peak_bytes),
             units_time(b, t->peak_ns), quality_bound(&root->quality, t->peak_ns));
    print_line("peak", line);
    print_resident(s, root, others);
    snprintf(line, sizeof line, "%s in %s block%s%s", units_bytes(a, t->live_at_end_bytes),
             units_count(b, t->live_at_end_blocks), t->live_at_end_blocks == 1 ? "" : "s",
             quality_bound(&root->quality, UINT64_MAX));
    print_line("live at end", line);
    struct gaps gaps = sum_gaps(s->gather);
    print_gaps(&gaps, &root->quality);
}

static char *path_of(const struct run_summary *s, const struct gathered *one)
{
    char *path = NULL;

    return asprintf(&path, "%s%s", s->folder, one->name) < 0 ? xstrdup(one->name) : path;
}

/* By themselves the commands take the newest recording, and that is the program's first image. */
static void print_names(const struct run_summary *s, const struct gathered *root, size_t others,
                        int named)
{
    char count[UNITS_TEXT];
    char *folder = text_clean(s->folder), *name = text_clean(root->name);
    char *path = path_of(s, root), *word = text_word(path);

    fprintf(stderr, "  %-12s %s%s%s", "recording", folder, name,
            root->state == GATHERED_DONE ? "" : ".spool");
    if (others > 0)
        fprintf(stderr, " and %s more", units_count(count, others));
    fputc('\n', stderr);
    if (named)
        fprintf(stderr, "  %-12s mprof-c plot %s, or report, leaks, peak\n", "look at it", word);
    else
        print_line("look at it", "mprof-c plot, or report, leaks, peak");
    free(word);
    free(path);
    free(folder);
    free(name);
}

void run_summary_print(const struct run_summary *s)
{
    struct roots roots = find_roots(s->gather);
    const struct gathered *root = roots.last;

    if (root != NULL && !root->has_figures && roots.first->has_figures)
        root = roots.first;
    print_heading(s, &roots);
    if (root == NULL || !root->has_figures)
        return;
    size_t others = gather_count(s->gather) - 1;
    print_figures(s, root, others);
    print_names(s, root, others, s->named || root != roots.first);
}

/* ---- what went wrong ---- */

static const char *why_failed(const struct gathered *one)
{
    switch ((enum collect_error)one->error) {
    case COLLECT_IO:
        return strerror(one->error_number);
    case COLLECT_TOO_NEW:
        return "the recorder is of a later version";
    case COLLECT_NOT_A_SPOOL:
    case COLLECT_DAMAGED:
    case COLLECT_EMPTY:
    case COLLECT_OK:
        break;
    }
    return "the recorder's output is damaged";
}

static void complain_failures(const struct run_summary *s)
{
    const struct gathered *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < gather_count(s->gather); i++) {
        const struct gathered *one = gather_get(s->gather, i);
        if (one->state != GATHERED_FAILED)
            continue;
        if (first == NULL)
            first = one;
        count++;
    }
    if (count == 1)
        complain("%s%s: cannot be completed: %s; the recording stays in %s.spool, and the next "
                 "command that reads it completes it",
                 s->folder, first->name, why_failed(first), first->name);
    else if (count > 1)
        complain("%s%s: cannot be completed: %s; this recording and %zu more stay in .spool files, "
                 "and the next command that reads one completes it",
                 s->folder, first->name, why_failed(first), count - 1);
}

static void complain_running(const struct run_summary *s)
{
    const struct gathered *first = NULL;
    size_t recordings = 0, processes = 0;

    for (size_t i = 0; i < gather_count(s->gather); i++) {
        const struct gathered *one = gather_get(s->gather, i);
        if (one->state != GATHERED_STAYS)
            continue;
        if (first == NULL)
            first = one;
        recordings++;
        processes += one->still_running;
    }
    if (recordings == 0)
        return;
    complain("%zu process%s still run%s and go%s on recording into %s%s.spool%s", processes,
             processes == 1 ? "" : "es", processes == 1 ? "s" : "", processes == 1 ? "es" : "",
             s->folder, first->name, recordings > 1 ? " and others" : "");
}

static void complain_reasons(const struct run_summary *s)
{
    for (size_t i = 0; i < gather_count(s->gather); i++) {
        const struct gathered *one = gather_get(s->gather, i);
        if (one->reason[0] != '\0') {
            complain("%s%s: not all of it could be recorded: %s", s->folder, one->name,
                     one->reason);
            return; /* the others of the tree most likely have the same */
        }
    }
}

/* Reports who has no recording at all: the root by its name, others by their number. */
static void complain_refused(const struct run_summary *s, int root_is_there)
{
    const char *reason;
    size_t refused = gather_refused(s->gather, &reason);

    if (!root_is_there && refused > 0)
        complain("%s: nothing was recorded: %s", s->program, reason);
    else if (!root_is_there && s->expected)
        complain("%s: nothing was recorded: the program never came to use the recorder, or could "
                 "not write to the folder of the recording",
                 s->program);
    if (!root_is_there && refused > 0)
        refused--;
    if (refused > 0)
        complain("%zu process%s of the family could not be recorded: %s", refused,
                 refused == 1 ? "" : "es", reason);
}

void run_summary_complain(const struct run_summary *s)
{
    struct roots roots = find_roots(s->gather);

    if (s->gather == NULL)
        return;
    complain_refused(s, roots.first != NULL);
    complain_failures(s);
    complain_running(s);
    complain_reasons(s);
}
