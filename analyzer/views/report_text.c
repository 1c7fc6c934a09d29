#include "family_view.h"
#include "function_order.h"
#include "gaps_view.h"
#include "quality.h"
#include "report_view.h"
#include "selfcheck_view.h"
#include "text.h"
#include "threads_view.h"
#include "units.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 79

static void print_ending(const struct image *image, const struct ending *ending, FILE *out)
{
    char *path;
    if (image->running) {
        fputs("still running", out);
        return;
    }
    switch (ending->kind) {
    case END_CODE:
        fprintf(out, "exit status %d", ending->value);
        break;
    case END_SIGNAL:
        fprintf(out, "ended by signal %d (%s)", ending->value,
                strsignal(ending->value) ? strsignal(ending->value) : "unknown");
        break;
    case END_EXEC:
        path = text_fit(ending->exec, 24, 1);
        fprintf(out, "became %s", path);
        free(path);
        break;
    case END_UNKNOWN:
        fputs("end not seen", out);
        break;
    }
}

void report_text_head(const struct image *image, const char *note, FILE *out)
{
    const struct process *p = &image->processes[0];
    char date[UNITS_TEXT], time[UNITS_TEXT];
    char *command = text_command(image->argv, image->argc);
    char *fit = text_fit(command[0] ? command : "(command line unknown)", WIDTH, 0);
    fprintf(out, "%s\n", fit);
    free(fit);
    free(command);
    fprintf(out, "pid %d, %s, %s, ", p->pid, units_date(date, image->epoch_ns),
            units_time(time, p->end_ns - p->begin_ns));
    print_ending(image, &p->ending, out);
    fprintf(out, "\n%s%s\n", note ? note : "", note ? "\n" : "");
}

static void print_totals(const struct image *image, FILE *out)
{
    const struct process *p = &image->processes[0];
    const struct totals *t = &p->totals;
    char a[UNITS_TEXT], b[UNITS_TEXT];
    fprintf(out, "  peak          %14s at %s%s\n", units_bytes(a, t->peak_bytes),
            units_time(b, t->peak_ns), quality_bound(&p->quality, t->peak_ns));
    fprintf(out, "  live at end   %14s in %s block%s%s\n", units_bytes(a, t->live_at_end_bytes),
            units_count(b, t->live_at_end_blocks), t->live_at_end_blocks == 1 ? "" : "s",
            quality_bound(&p->quality, UINT64_MAX));
    fprintf(out, "  allocated     %14s in %s allocation%s, %s", units_bytes(a, t->allocated_bytes),
            units_count(b, t->allocations), t->allocations == 1 ? "" : "s", "");
    fprintf(out, "%s free%s\n", units_count(a, t->frees), t->frees == 1 ? "" : "s");
    fprintf(out, "  temporary     %14s allocation%s", units_count(a, t->temporary),
            t->temporary == 1 ? "" : "s");
    if (t->allocations)
        fprintf(out, " (%.1f %%)", 100.0 * (double)t->temporary / (double)t->allocations);
    fputc('\n', out);
    if (t->maps)
        fprintf(out, "  mapped peak   %14s at %s\n", units_bytes(a, t->mapped_peak_bytes),
                units_time(b, t->mapped_peak_ns));
    if (t->rss_peak_bytes)
        fprintf(out, "  RSS peak      %14s\n", units_bytes(a, t->rss_peak_bytes));
    if (p->thread_count > 1)
        fprintf(out, "  threads       %14s\n", units_count(a, p->thread_count));
    char *quality = quality_of_all(&p->quality);
    if (quality)
        text_list("  quality       ", quality, WIDTH, out);
    free(quality);
    gaps_text(image, out);
    selfcheck_text_line(image, out);
}

static void print_usage(const char *label, const struct usage *u, int together, FILE *out)
{
    char peak[UNITS_TEXT], time[UNITS_TEXT], at_peak[UNITS_TEXT], count[UNITS_TEXT],
        bytes[UNITS_TEXT], temporary[UNITS_TEXT], live[UNITS_TEXT];
    fprintf(out, " %-4s%11s%11s%11s%10s%11s%9s%11s\n", label, units_bytes(peak, u->own_peak_bytes),
            u->own_peak_bytes ? units_time(time, u->own_peak_ns) : "-",
            together ? "-" : units_bytes(at_peak, u->at_peak_bytes),
            units_count_in(count, u->allocations, 9), units_bytes(bytes, u->allocated_bytes),
            units_count_in(temporary, u->temporary, 8), units_bytes(live, u->live_at_end_bytes));
}

/* "where" stands at the line's right end where the name leaves room for it. */
static void print_function(size_t rank, const struct report *report, const struct function_usage *u,
                           FILE *out)
{
    const struct image *image = report->image;
    int together = report->source == NULL;
    const struct function *f = &image->functions[u->function];
    char where[256], number[16] = "";
    const char *file = f->file[0] ? file_of_path(f->file) : file_of_path(f->module);
    if (f->file[0] && f->line)
        snprintf(number, sizeof number, ":%" PRIu32, f->line);
    snprintf(where, sizeof where, "%.200s%s", file, number);
    char *right = text_fit(f->flags & FUNCTION_RESOLVED ? where : "", 32, 1);
    char head[32];
    size_t used = (size_t)snprintf(head, sizeof head, "%2zu  ", rank);
    size_t room = WIDTH - used - text_width(right) - 2;
    char *full = text_clean(f->name);
    char *name = text_width(full) <= room ? text_fit(full, room, 0) : text_short_name(full, room);
    int gap = (int)(WIDTH - used - text_width(name) - text_width(right));
    if (right[0])
        fprintf(out, "%s%s%*s%s\n", head, name, gap, "", right);
    else
        fprintf(out, "%s%s\n", head, name);
    free(full);
    free(name);
    free(right);
    print_usage("incl", &u->inclusive, together, out);
    print_usage("self", &u->self, together, out);
}

static void print_functions(const struct report *report, const struct process *p, FILE *out)
{
    const struct function_usage **order = function_order(report->image, p, report->sort);
    size_t limit = report->count < 0 ? REPORT_FUNCTIONS : (size_t)report->count;
    size_t shown = 0, left = 0, starts = 0;
    fprintf(out, "\nfunctions, by %s\n", report->sort);
    fprintf(out, " %-4s%11s%11s%11s%10s%11s%9s%11s\n", "", "own peak", "at", "at peak", "allocs",
            "allocated", "tempor.", "live end");
    for (size_t i = 0; i < p->function_count; i++) {
        if (report->image->functions[order[i]->function].flags & FUNCTION_START)
            starts++;
        else if (shown >= limit)
            left++;
        else
            print_function(++shown, report, order[i], out);
    }
    if (left)
        fprintf(out, "and %zu more: -n %zu shows all\n", left, left + shown);
    if (starts)
        fputs("start frames (below main) are left out; --json has them\n", out);
    free(order);
}

void report_text(const struct report *report, FILE *out)
{
    const struct process *p = &report->image->processes[0];
    char *note = family_note(report->family, report->source == NULL);
    report_text_head(report->image, note, out);
    free(note);
    print_totals(report->image, out);
    if (p->function_count > 0 && report->count != 0)
        print_functions(report, p, out);
    threads_text(p, out);
    if (report->family->order_count > 1)
        family_text(report->family, out);
    selfcheck_text(report->image, out);
}
