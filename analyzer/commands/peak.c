/* peak - the highest memory of recordings, or of a function in them. */
#include "addresses_view.h"
#include "chosen.h"
#include "command.h"
#include "family_view.h"
#include "function_names.h"
#include "function_order.h"
#include "json.h"
#include "options.h"
#include "quality.h"
#include "report_view.h"
#include "rss_words.h"
#include "text.h"
#include "totals_view.h"
#include "units.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct values {
    struct texts functions;
    int json;
    struct choosing which;
};

static const struct option options[] = {
    {0, "func", OPTION_TEXTS, "NAME", offsetof(struct values, functions), NULL,
     "the own peak of the functions of this name, with all they call. NAME is one as report prints "
     "it, also where an ellipsis (or \"...\") stands for a part; a C++ or Rust name may be given "
     "without parameters, template arguments and namespaces. May be given several times"},
    {0, "json", OPTION_FLAG, NULL, offsetof(struct values, json), NULL, "print JSON"},
    CHOOSING_OPTIONS(struct values, which),
    {0}};

static int is_wanted(const char *function, const struct texts *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (function_is_called(function, wanted->list[i]))
            return 1;
    return 0;
}

/* Does a function of this name hold memory of the series? */
static int has_function(const struct image *image, enum series series, const char *name)
{
    const struct process *p = &image->processes[0];
    for (size_t i = 0; i < p->function_count; i++)
        if (function_series(&p->functions[i], series)->inclusive.allocations &&
            function_is_called(image->functions[p->functions[i].function].name, name))
            return 1;
    return 0;
}

/* Complains of names that no function has; returns how many there are. */
static size_t complain_missing(const struct image *image, const char *file, enum series series,
                               const struct texts *wanted)
{
    size_t missing = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        if (has_function(image, series, wanted->list[i]))
            continue;
        complain("%s: no function '%s' holds %s in it; see mprof-c report", file, wanted->list[i],
                 series_words(series));
        missing++;
    }
    return missing;
}

static void put_own_peak(struct json *j, const char *part, const struct usage *u)
{
    char key[64];
    snprintf(key, sizeof key, "%sown_peak_bytes", part);
    json_number(j, key, u->own_peak_bytes);
    snprintf(key, sizeof key, "%sown_peak_time_s", part);
    json_seconds(j, key, u->own_peak_ns);
}

static void put_function(const struct image *image, const struct function_usage *u,
                         struct address begin, struct json *j)
{
    const struct function *f = &image->functions[u->function];
    json_object(j, NULL);
    json_string(j, "name", f->name);
    json_string(j, "module", f->module);
    json_string(j, "file", f->file);
    json_number(j, "line", f->line);
    address_json(j, image, begin);
    put_own_peak(j, "", &u->heap.inclusive);
    put_own_peak(j, "mapped_", &u->mapped.inclusive);
    put_own_peak(j, "memory_", &u->memory.inclusive);
    json_end_object(j);
}

static void print_own_part(const char *part, const struct usage *u)
{
    char bytes[UNITS_TEXT], time[UNITS_TEXT];
    if (u->own_peak_bytes)
        printf("  %s\t%s\tat %s\n", part, units_peak(bytes, u->own_peak_bytes),
               units_time(time, u->own_peak_ns));
}

/* What a function's memory consists of: the own peaks of its parts, each of its own moment. */
static void print_own_parts(const struct function_usage *u)
{
    if (u->mapped.inclusive.own_peak_bytes == 0)
        return;
    print_own_part("heap", &u->heap.inclusive);
    print_own_part("mapped", &u->mapped.inclusive);
}

/* Of functions with the same name (has_twin), also says where they are. clock: whose time it is. */
static void print_function(const char *file, const struct function *f, const struct usage *u,
                           const char *clock, const char *bound, int has_twin)
{
    char bytes[UNITS_TEXT], time[UNITS_TEXT];
    char *name = text_clean(f->name), *place = function_place(f), *clean = text_clean(place);
    printf("%s\t%s\tat %s%s\t%s%s%s%s\n", file, units_peak(bytes, u->own_peak_bytes),
           units_time(time, u->own_peak_ns), clock, name, bound, has_twin ? "\t" : "",
           has_twin ? clean : "");
    free(clean);
    free(place);
    free(name);
}

static int has_twin(const struct image *image, const struct function_usage *const *list,
                    size_t count, size_t of)
{
    for (size_t i = 0; i < count; i++)
        if (i != of && strcmp(image->functions[list[i]->function].name,
                              image->functions[list[of]->function].name) == 0)
            return 1;
    return 0;
}

/* Prints or puts what matches, the largest first. */
static void show_functions(const struct image *image, const char *file, enum series series,
                           const struct texts *wanted, const char *clock, struct json *j)
{
    const struct process *p = &image->processes[0];
    struct address *begins = function_addresses(image);
    size_t count, found = 0;
    const struct function_usage **order = function_order(image, p, series, "peak", &count);
    for (size_t i = 0; i < count; i++)
        if (is_wanted(image->functions[order[i]->function].name, wanted))
            order[found++] = order[i];
    for (size_t i = 0; i < found; i++) {
        const struct function *f = &image->functions[order[i]->function];
        const struct usage *u = &function_series_of(order[i], series)->inclusive;
        if (j) {
            put_function(image, order[i], begins[order[i]->function], j);
            continue;
        }
        print_function(file, f, u, clock, quality_bound(&p->quality, u->own_peak_ns),
                       has_twin(image, order, found, i));
        if (series == SERIES_MEMORY && process_has_parts(p))
            print_own_parts(order[i]);
    }
    free(begins);
    free(order);
}

/* Whose figures a function is looked for in, and whose uncertainty counts. */
static const struct image *counted(const struct chosen *chosen)
{
    return chosen->together ? chosen->together : chosen->image;
}

static void put_peaks(const struct totals *t, struct json *j)
{
    json_number(j, "peak_bytes", t->peak_bytes);
    json_seconds(j, "peak_time_s", t->peak_ns);
    json_number(j, "mapped_peak_bytes", t->mapped_peak_bytes);
    json_seconds(j, "mapped_peak_time_s", t->mapped_peak_ns);
    json_number(j, "memory_peak_bytes", t->memory_peak_bytes);
    json_seconds(j, "memory_peak_time_s", t->memory_peak_ns);
    json_number(j, "mapped_at_memory_peak_bytes", t->mapped_then_bytes);
    json_number(j, "rss_peak_bytes", t->rss_peak_bytes);
    json_number(j, "rss_high_water_bytes", totals_mark(t));
}

static void put_recording(const struct chosen *chosen, const struct texts *functions,
                          struct json *j)
{
    const struct image *image = chosen->image;
    json_object(j, NULL);
    json_string(j, "recording", chosen->name);
    put_peaks(&image->processes[0].totals, j);
    json_number(j, "lost", image->processes[0].quality.lost);
    json_number(j, "lost_bytes", image->processes[0].quality.lost_bytes);
    report_json_quality(j, &image->processes[0].quality);
    if (!chosen->source)
        family_gaps_json(j, &chosen->lineage.family);
    if (functions->count) {
        json_array(j, "functions");
        show_functions(image, chosen->name, chosen->series, functions, "", j);
        json_end_array(j);
    }
    json_end_object(j);
}

/* What is 0 of the peak is left out, and what is all of it, if that is the heap. */
static void print_parts(const struct totals *t)
{
    uint64_t heap = t->memory_peak_bytes - t->mapped_then_bytes;
    char bytes[UNITS_TEXT];
    if (t->mapped_then_bytes && heap)
        printf("  heap\t%s\n", units_peak(bytes, heap));
    if (t->mapped_then_bytes)
        printf("  mapped\t%s\n", units_peak(bytes, t->mapped_then_bytes));
}

/* Of memory, also what the two parts were at that moment. together: of several processes. */
static void print_peaks(const struct process *p, const char *name, const char *part,
                        enum series series, int together)
{
    const struct totals *t = &p->totals;
    struct peak_of peak = process_peak(p, series);
    char bytes[UNITS_TEXT], words[RSS_WORDS], left[TOTALS_LEFT];
    if (totals_left(p, left))
        printf("%s%s\tfigures are %s\n", name, part, totals_left(p, left));
    if (p->left == FIGURES_NONE)
        return;
    printf("%s%s\t%s%s\n", name, part, units_peak(bytes, peak.bytes),
           quality_peak_bound(p, peak.ns));
    if (series == SERIES_MEMORY && process_has_parts(p))
        print_parts(t);
    uint64_t rss = rss_peak(t, together ? p : NULL, words);
    if (rss)
        printf("  RSS\t%s\t%s\n", units_peak(bytes, rss), words);
}

/* The family of a program that only starts others: the sum, then the biggest. */
static void print_family(const struct chosen *chosen, const char *name)
{
    const struct family *family = &chosen->lineage.family;
    char part[256], *program = family_program(&family->relatives[chosen->shown]);
    snprintf(part, sizeof part, ", %zu processes together", family_size(family));
    print_peaks(&chosen->together->processes[0], name, part, chosen->series, 1);
    snprintf(part, sizeof part, ", biggest: %d %s", family->kin[chosen->shown].pid, program);
    print_peaks(&chosen->image->processes[0], name, part, chosen->series, 0);
    free(program);
    puts("  --pid N shows one of them, --tree all");
}

/* Times of one process are its recording's, which may not be the one that is named. */
static const char *clock_of(const struct chosen *chosen)
{
    const struct family *family = &chosen->lineage.family;
    return !chosen->together && chosen->source && family->count &&
                   family->relatives[chosen->shown].clock_ns
               ? " of its recording"
               : "";
}

static void complain_before(const struct chosen *chosen)
{
    const struct family *family = &chosen->lineage.family;
    char *before = !chosen->together && chosen->source && family->count
                       ? family_before(family, chosen->shown, chosen->wanted)
                       : NULL;
    if (before)
        complain("%s: %s", chosen->name, before);
    free(before);
}

static void print_recording(const struct chosen *chosen, const struct texts *functions)
{
    char *clean = text_clean(chosen->name);
    if (functions->count)
        show_functions(counted(chosen), clean, chosen->series, functions, clock_of(chosen), NULL);
    else if (chosen->together)
        print_family(chosen, clean);
    else
        print_peaks(&chosen->image->processes[0], clean, "", chosen->series, !chosen->source);
    if (!functions->count)
        complain_before(chosen);
    free(clean);
}

static int show(const char *operand, const struct values *values, struct json *j)
{
    struct chosen chosen;
    int how = j ? 0 : CHOSEN_LEADER | CHOSEN_HINTS;
    int status = chosen_open(&chosen, "peak", operand, &values->which, how);
    if (status != COMMAND_OK) {
        chosen_close(&chosen);
        return status;
    }
    if (!operand && !j)
        puts("Using last profile data.");
    const struct quality *unknown = &counted(&chosen)->processes[0].quality;
    const struct texts *functions = &values->functions;
    char *quality = functions->count ? quality_of_functions(unknown) : quality_of_figures(unknown);
    if (j)
        put_recording(&chosen, functions, j);
    else
        print_recording(&chosen, functions);
    if (quality)
        complain("%s: %s, so the peak is no exact one", chosen.name, quality);
    size_t missing = complain_missing(counted(&chosen), chosen.name, chosen.series, functions);
    free(quality);
    chosen_close(&chosen);
    return missing ? COMMAND_FAILED : COMMAND_OK;
}

static int run(const struct invocation *call)
{
    struct values values = {.which = CHOOSING_NOTHING};
    struct operands operands;
    struct json json, *j = NULL;
    int rc = options_parse(call, &values, &operands), status = COMMAND_OK;
    if (rc != OPTIONS_GO)
        return options_exit(rc);
    if (values.json && !values.functions.count && series_refused("peak", &values.which.series))
        return COMMAND_USAGE;
    if (values.json) {
        json_start(j = &json, stdout);
        json_array(j, "recordings");
    }
    for (int i = 0; (i < operands.count || i == 0) && status != COMMAND_USAGE; i++) {
        int one = show(operands.names[i], &values, j);
        status = one == COMMAND_OK ? status : one;
    }
    if (j) {
        json_end_array(j);
        json_finish(j);
    }
    return status;
}

static const struct example examples[] = {
    {"mprof-c peak", "the peaks of the newest recording"},
    {"mprof-c peak --func parse_file -2 -1", "how much parse_file held, in the last two"},
    {"mprof-c peak --func parse_file --func 'Box<int>::open'", "two functions"},
    {0}};

const struct command command_peak = {
    .name = "peak",
    .operands = "[FILE|INDEX...]",
    .operand_kind = OPERANDS_RECORDINGS,
    .operands_max = -1,
    .summary = "print the highest memory of recordings",
    .description =
        "Prints for each recording the highest live memory with its two parts, the heap and mapped "
        "memory (but for one that is 0; where nothing was mapped then all of it is heap), then "
        "that of the resident "
        "set (RSS): the kernel's high-water mark or, where that is not known, the highest sample; "
        "of several processes the samples' highest sum, or the largest one's mark where that alone "
        "is more; in MiB, or in bytes where it is less than one. Of a program that only starts "
        "others (see "
        "report) the sum of its tree comes first, then the process that held most, of the heap "
        "alone with --heap, of mapped memory with --mapped. Of a process that held more before it "
        "became another program by exec a sentence says so. The peak of "
        "memory is exact, not sampled; with --tree it is that of the line "
        "that plot -C draws, and a function's is that in the process where it was highest.",
    .options = options,
    .examples = examples,
    .run = run,
};
