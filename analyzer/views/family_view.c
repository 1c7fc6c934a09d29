/* family_view.c - see family_view.h. */
#include "family_view.h"
#include "report_view.h"
#include "text.h"
#include "units.h"
#include "unmeasured.h"
#include <stdlib.h>
#include <string.h>

#define WIDTH      79
#define INDENT_MAX 12
#define NAME_WIDTH 25 /* of a recording */
#define NAME_SHORT 12 /* the same beside the two parts of memory */
#define PEAK_WIDTH 11

size_t family_size(const struct family *family)
{
    size_t size = 0;
    for (size_t i = 0; i < family->order_count; i++)
        size += !family->is_left[family->order[i]];
    return size;
}

static const char *kind_name(enum kin_kind kind)
{
    switch (kind) {
    case KIN_FORK:
        return "fork";
    case KIN_EXEC:
        return "exec";
    case KIN_BECAME:
        return "became";
    case KIN_FIRST:
        break;
    }
    return "first";
}

/* ---- text ---- */

/* A program with blanks in its path stands in quotes, and its name does, too. */
char *family_command(const struct relative *relative, size_t width)
{
    const char *command = relative->command, *quote = command[0] == '\'' ? "'" : "";
    const char *base = command + strlen(quote), *end = base + strcspn(base, quote[0] ? quote : " ");
    for (const char *p = base; p < end; p++)
        if (*p == '/' && p + 1 < end)
            base = p + 1;
    char *whole = NULL, *fit;
    if (asprintf(&whole, "%s%s", quote, base) < 0)
        whole = NULL;
    fit = text_fit_command(whole && whole[0] ? whole : "?", width);
    free(whole);
    return fit;
}

/* The columns behind the commands. */
struct columns {
    enum series series;
    int with_parts; /* the peak's two, as somebody has mapped memory */
    int figures;    /* width of all of them */
    size_t name;    /* width */
};

static struct columns columns_of(const struct family *family, enum series series)
{
    struct columns c = {series, 0, PEAK_WIDTH, NAME_WIDTH};
    for (size_t i = 0; i < family->order_count && series == SERIES_MEMORY; i++) {
        const struct relative *r = &family->relatives[family->order[i]];
        c.with_parts |= r->has_figures && totals_have_parts(&r->totals, r->series_unknown);
    }
    if (c.with_parts) {
        c.figures = 3 * PEAK_WIDTH;
        c.name = NAME_SHORT;
    }
    return c;
}

static void print_titles(const struct columns *c, FILE *out)
{
    if (c->with_parts)
        fprintf(out, "%*s%*s%*s  recording\n", WIDTH - (int)c->name - 2 - 2 * PEAK_WIDTH, "peak",
                PEAK_WIDTH, "heap", PEAK_WIDTH, "mapped");
}

/* In an older capture nobody knows the part of mapped memory. */
static void print_figures(const struct relative *r, const struct columns *c, FILE *out)
{
    const struct totals *t = &r->totals;
    char peak[UNITS_TEXT] = "", heap[UNITS_TEXT] = "", mapped[UNITS_TEXT] = "";
    if (r->has_figures) {
        units_bytes_in(peak, totals_peak(t, c->series).bytes, PEAK_WIDTH - 1);
        units_bytes_in(heap, t->memory_peak_bytes - t->mapped_then_bytes, PEAK_WIDTH - 1);
        units_bytes_in(mapped, t->mapped_then_bytes, PEAK_WIDTH - 1);
    }
    fprintf(out, "%*s", PEAK_WIDTH, peak);
    if (c->with_parts)
        fprintf(out, "%*s%*s", PEAK_WIDTH, heap, PEAK_WIDTH, r->series_unknown ? "-" : mapped);
}

/* Names are cut to their ends: in mprofile_20261122033648_4711.mprof.2 the pid says most. */
static void print_relative(const struct family *family, size_t i, const struct columns *c,
                           FILE *out)
{
    const struct kin *kin = &family->kin[i];
    const struct relative *r = &family->relatives[i];
    unsigned depth_of_self = family->kin[family->self].depth;
    unsigned depth = kin->depth > depth_of_self ? kin->depth - depth_of_self : 0;
    char head[64];
    char *name = text_fit(kin->kind == KIN_FORK ? "forked" : r->recording, c->name, 1);
    int used = snprintf(head, sizeof head, "  %*s%d ",
                        (int)(2 * depth > INDENT_MAX ? INDENT_MAX : 2 * depth), "", kin->pid);
    int room = WIDTH - used - c->figures - (int)c->name - 3;
    char *command = family_command(r, (size_t)room);
    fprintf(out, "%s%s%*s ", head, command, room - (int)text_width(command), "");
    print_figures(r, c, out);
    fprintf(out, "  %s\n", name);
    free(command);
    free(name);
}

/* Were only heads read of some that are shown? */
static int lacks_figures(const struct family *family)
{
    for (size_t i = 0; i < family->order_count; i++) {
        size_t self = family->order[i];
        if (!family->relatives[self].has_figures && !family->is_left[self])
            return 1;
    }
    return 0;
}

void family_text(const struct family *family, enum series series, FILE *out)
{
    struct columns columns = columns_of(family, series);
    size_t shown = 0, left = 0;
    fputs("\nprocesses, each below the one that started it; with --pid one of them\n", out);
    if (lacks_figures(family))
        fputs("(peaks that are missing here are in report --tree)\n", out);
    print_titles(&columns, out);
    for (size_t i = 0; i < family->order_count; i++) {
        size_t self = family->order[i];
        if (family->is_left[self])
            continue;
        if (shown < FAMILY_SHOWN)
            print_relative(family, self, &columns, out);
        shown < FAMILY_SHOWN ? shown++ : left++;
    }
    if (left)
        fprintf(out, "  and %zu more: --json names all\n", left);
}

static char *add_gap(char *text, size_t count, const char *one, const char *many)
{
    char *longer = NULL;
    if (count == 0)
        return text;
    if (asprintf(&longer, "%s%s%zu %s", text ? text : "", text ? ", " : "", count,
                 count == 1 ? one : many) < 0)
        return text;
    free(text);
    return longer;
}

char *family_gaps(const struct family *family)
{
    char *text = add_gap(NULL, family->cut, "cut recording", "cut recordings");
    text = add_gap(text, family->unread, "unreadable recording", "unreadable recordings");
    return add_gap(text, family->missing, "process without a recording",
                   "processes without a recording");
}

char *family_sum_note(const struct family *family, int with_functions)
{
    size_t size = family_size(family), bytes;
    char *note = NULL, *gaps = family_gaps(family);
    FILE *out = open_memstream(&note, &bytes);
    if (out) {
        if (size == 1)
            fputs("one process alone\n", out);
        else
            fprintf(out, "%zu processes together%s\n", size,
                    with_functions ? "; peaks of functions are those in one of them" : "");
        if (gaps)
            text_list("not whole: ", gaps, WIDTH, out);
        if (fclose(out) == 0)
            note[bytes - 1] = '\0'; /* the last line's end */
    }
    free(gaps);
    return note;
}

char *family_note(const struct family *family, size_t shown)
{
    const struct kin *kin = &family->kin[shown];
    size_t starter = kinship_starter(family->kin, shown);
    char *note = NULL;
    if (starter != KIN_NONE &&
        asprintf(&note,
                 kin->kind == KIN_FORK ? "process %d, forked by %d; without what it inherited"
                                       : "process %d, started by %d",
                 kin->pid, family->kin[starter].pid) < 0)
        return NULL;
    return note;
}

char *family_biggest_note(const struct family *family, size_t shown)
{
    char *note = NULL, *one = family_note(family, shown);
    if (asprintf(&note, "%s\nthe biggest of %zu processes; --pid N shows another, --tree all",
                 one ? one : "", family_size(family)) < 0)
        note = NULL;
    free(one);
    return note;
}

/* ---- JSON ---- */

void ending_json(struct json *j, const char *key, const struct ending *ending)
{
    if (ending->kind == END_UNKNOWN) {
        json_null(j, key);
        return;
    }
    json_object(j, key);
    if (ending->kind == END_CODE)
        json_integer(j, "code", ending->value);
    else if (ending->kind == END_EXITED)
        json_null(j, "code");
    else if (ending->kind == END_SIGNAL)
        json_integer(j, "signal", ending->value);
    else
        json_string(j, "exec", ending->exec);
    json_end_object(j);
}

void family_starter_json(struct json *j, const struct family *family, size_t i)
{
    size_t starter = kinship_starter(family->kin, i);
    if (starter == KIN_NONE)
        json_null(j, "starter");
    else
        json_integer(j, "starter", family->kin[starter].pid);
}

void family_gaps_json(struct json *j, const struct family *family)
{
    json_object(j, "gaps");
    json_number(j, "cut_recordings", family->cut);
    json_number(j, "unreadable_recordings", family->unread);
    json_number(j, "unrecorded_processes", family->missing);
    struct unmeasured u = unmeasured_of(family);
    json_number(j, "unsampled_processes", u.unsampled);
    json_number(j, "unmeasured_processes", u.unknown);
    json_end_object(j);
}

void family_json(struct json *j, const struct family *family, uint64_t epoch_ns)
{
    family_gaps_json(j, family);
    json_array(j, "processes");
    for (size_t i = 0; i < family->order_count; i++) {
        size_t self = family->order[i];
        const struct kin *kin = &family->kin[self];
        const struct relative *r = &family->relatives[self];
        json_object(j, NULL);
        json_integer(j, "pid", kin->pid);
        json_string(j, "kind", kind_name(kin->kind));
        family_starter_json(j, family, self);
        json_string(j, "command", r->command);
        json_string(j, "recording", r->recording);
        json_seconds(j, "begin_s", kin->begin_ns > epoch_ns ? kin->begin_ns - epoch_ns : 0);
        if (r->has_figures) {
            json_seconds(j, "end_s", r->end_ns > epoch_ns ? r->end_ns - epoch_ns : 0);
            ending_json(j, "exit", &r->ending);
            json_boolean(j, "running", r->runs_on);
            report_json_totals(j, &r->totals);
            report_json_quality(j, &r->quality);
        }
        json_end_object(j);
    }
    json_end_array(j);
}
