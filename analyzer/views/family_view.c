/* family_view.c - see family_view.h. */
#include "family_view.h"
#include "lives.h"
#include "report_view.h"
#include "text.h"
#include "units.h"
#include "unmeasured.h"
#include "xalloc.h"
#include <stdlib.h>
#include <string.h>

#define WIDTH         79
#define INDENT_MAX    12
#define NAME_WIDTH    25 /* of a recording */
#define NAME_SHORT    12 /* the same beside the two parts of memory */
#define PEAK_WIDTH    11
#define PROGRAM_WIDTH 40

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

char *family_program(const struct relative *relative)
{
    char *command = family_command(relative, PROGRAM_WIDTH);
    command[strcspn(command, " ")] = '\0';
    return command;
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

/* Which relatives have a row. */
struct rows {
    unsigned char *has;
    int lack_figures; /* only heads were read of some */
    int repeat_pids;  /* some became what has another row */
};

/* Does relative i need the row of the one it comes from? To stand below it, or as that held more
 * before it became this. */
static int needs_starter(const struct family *f, size_t i, enum series series)
{
    const struct totals *own = &f->relatives[i].totals;
    if (f->kin[i].starter == KIN_NONE || f->kin[i].kind != KIN_BECAME)
        return f->kin[i].starter != KIN_NONE;
    return totals_peak(&f->relatives[f->kin[i].starter].totals, series).bytes >
           totals_peak(own, series).bytes;
}

static void note_rows(const struct family *f, struct rows *rows)
{
    for (size_t k = 0; k < f->order_count; k++) {
        size_t i = f->order[k];
        rows->lack_figures |= rows->has[i] && !f->relatives[i].has_figures;
        rows->repeat_pids |= rows->has[i] && f->is_left[i];
    }
}

/* What a process was before it became another program has a row if that is a recording of its own;
 * a fork that only led to an exec mostly has none. free() rows.has. */
static struct rows choose_rows(const struct family *f, enum series series)
{
    struct rows rows = {.has = xcalloc(f->count + 1, 1)};
    for (size_t k = 0; k < f->order_count; k++) {
        size_t i = f->order[k];
        rows.has[i] |= !f->is_left[i] || f->relatives[i].serial == 0;
        if (needs_starter(f, i, series))
            rows.has[f->kin[i].starter] = 1;
    }
    note_rows(f, &rows);
    return rows;
}

/* Those that stand no more are counted as processes, each once. */
static void print_rows(const struct family *f, const struct rows *rows,
                       const struct columns *columns, FILE *out)
{
    size_t shown = 0, left = 0;
    for (size_t k = 0; k < f->order_count; k++) {
        size_t i = f->order[k];
        if (rows->has[i] && shown < FAMILY_SHOWN) {
            print_relative(f, i, columns, out);
            shown++;
        } else {
            left += !f->is_left[i];
        }
    }
    if (left)
        fprintf(out, "  and %zu more: --json names all\n", left);
}

void family_text(const struct family *family, enum series series, FILE *out)
{
    struct columns columns = columns_of(family, series);
    struct rows rows = choose_rows(family, series);
    fputs("\nprocesses, each below the one that started it; with --pid one of them\n", out);
    if (rows.repeat_pids)
        fputs("(the same pid again is what the process became by exec)\n", out);
    if (rows.lack_figures)
        fputs("(peaks that are missing here are in report --tree)\n", out);
    print_titles(&columns, out);
    print_rows(family, &rows, &columns, out);
    free(rows.has);
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
    text = add_gap(text, family->missing, "process without a recording",
                   "processes without a recording");
    return add_gap(text, unmeasured_of(family).unended, "process whose end nobody saw",
                   "processes whose end nobody saw");
}

/* The lines that were written, without the end of the last; NULL: none. */
static char *end_note(FILE *out, char **note, const size_t *bytes)
{
    if (fclose(out) == 0 && *bytes > 0) {
        (*note)[*bytes - 1] = '\0';
        return *note;
    }
    free(*note);
    return NULL;
}

char *family_sum_note(const struct family *family, int with_functions)
{
    size_t size = family_size(family), bytes;
    char *note = NULL, *gaps = family_gaps(family);
    FILE *out = open_memstream(&note, &bytes);
    if (out && size == 1)
        fputs("one process alone\n", out);
    else if (out)
        fprintf(out, "%zu processes together%s\n", size,
                with_functions ? "; peaks of functions are those in one of them" : "");
    if (out && gaps)
        text_list("not whole: ", gaps, WIDTH, out);
    free(gaps);
    return out ? end_note(out, &note, &bytes) : NULL;
}

char *family_before(const struct family *family, size_t shown, enum series series)
{
    size_t before = lives_bigger_before(family, shown, series);
    char *text = NULL, held[UNITS_TEXT];
    if (before == KIN_NONE)
        return NULL;
    const struct relative *r = &family->relatives[before];
    char *program = family_program(r), *word = text_word(r->recording);
    if (asprintf(&text,
                 "before it became this it was %s, which held %s; mprof-c report --tree %s "
                 "has both",
                 program, units_bytes(held, totals_peak(&r->totals, series).bytes), word) < 0)
        text = NULL;
    free(program);
    free(word);
    return text;
}

static void print_starter(const struct family *family, size_t shown, FILE *out)
{
    const struct kin *kin = &family->kin[shown];
    size_t starter = kinship_starter(family->kin, shown);
    if (starter != KIN_NONE)
        fprintf(out,
                kin->kind == KIN_FORK ? "process %d, forked by %d; without what it inherited\n"
                                      : "process %d, started by %d\n",
                kin->pid, family->kin[starter].pid);
}

static void print_clock(const struct relative *r, FILE *out)
{
    char begin[UNITS_TEXT];
    if (r->clock_ns)
        fprintf(out, "times are since its recording began, at %s of the tree\n",
                units_time(begin, r->clock_ns));
}

static void print_before(const struct family *family, size_t shown, enum series series, FILE *out)
{
    char *before = family_before(family, shown, series);
    if (before)
        text_words("", before, WIDTH, out);
    free(before);
}

char *family_note(const struct family *family, size_t shown, enum series series, int is_biggest)
{
    char *note = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&note, &bytes);
    if (!out)
        return NULL;
    print_starter(family, shown, out);
    print_clock(&family->relatives[shown], out);
    print_before(family, shown, series, out);
    if (is_biggest)
        fprintf(out, "the biggest of %zu processes; --pid N shows another, --tree all\n",
                family_size(family));
    return end_note(out, &note, &bytes);
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
    json_number(j, "unended_processes", u.unended);
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
