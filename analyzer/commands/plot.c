/* plot - memory over time and the functions that held it, as a picture. */
#include "plot.h"
#include "choice.h"
#include "chosen.h"
#include "command.h"
#include "options.h"
#include "picture.h"
#include "plot_check.h"
#include "plot_family.h"
#include "plot_note.h"
#include "xalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct values {
    const char *output;
    const char *title;
    double window[2];
    int no_functions;
    struct texts skipped;
    int slope;
    int together, each;
    struct choosing which;
};

static const struct option options[] = {
    {'o', "output", OPTION_TEXT, "FILE", offsetof(struct values, output), NULL,
     "write the picture to FILE; its name ends in .png, .svg or .pdf"},
    {'t', "title", OPTION_TEXT, "TITLE", offsetof(struct values, title), NULL,
     "the title, instead of the command line"},
    {'w', "window", OPTION_RANGE, "A,B", offsetof(struct values, window), NULL,
     "only the seconds from A to B"},
    {'n', "no-function-ts", OPTION_FLAG, NULL, offsetof(struct values, no_functions), NULL,
     "no functions, only the lines"},
    {0, "skip", OPTION_TEXTS, "NAME", offsetof(struct values, skipped), NULL,
     "no bracket for the functions of this name, as for wrappers; NAME as with peak --func. May be "
     "given several times"},
    {'s', "slope", OPTION_FLAG, NULL, offsetof(struct values, slope), NULL,
     "add a least-squares line to each line that the legend names, and how much that rises a "
     "second"},
    {'C', "include-children", OPTION_FLAG, NULL, offsetof(struct values, together), NULL,
     "the memory of the program and of all processes that descend from it, summed"},
    {'M', "multiprocess", OPTION_FLAG, NULL, offsetof(struct values, each), NULL,
     "a line for each process of the tree; with -C their sum, too; without the resident set"},
    {0, "pid", OPTION_COUNT, "N", offsetof(struct values, which.pid), NULL,
     "only process N of the recording's tree"},
    SERIES_OPTIONS(struct values, which.series),
    {0}};

struct window { /* of a line */
    struct timeline line, mapped;
};

struct page { /* what is to be plotted, and what must be released */
    const struct values *values;
    struct plot plot;
    char **names;
    struct chosen *chosen; /* what is shown where there is no family */
    struct plot_line *lines;
    struct plot_line *shown; /* those of all lines that are in the window; NULL: there is none */
    struct window *windows;  /* empty where the summary's buckets are used */
    size_t count;            /* of operands, and of all arrays above */
    struct plot_family **families; /* NULL: one process */
};

static int is_windowed(const struct values *values)
{
    return values->window[1] > values->window[0];
}

static uint64_t to_ns(double seconds)
{
    return seconds <= 0 ? 0 : seconds > 1e9 ? (uint64_t)1e18 : (uint64_t)(seconds * 1e9);
}

/* ---- reading ---- */

/* The lines that were asked for, or those of a program that only starts others. */
static unsigned lines_wanted(const struct page *page, const char *operand)
{
    const struct values *values = page->values;
    if (values->together || values->each)
        return (values->together ? PLOT_TOGETHER : 0) | (values->each ? PLOT_EACH : 0);
    if (values->which.pid >= 0)
        return 0;
    return PLOT_LEADER | PLOT_TOGETHER | (page->count == 1 ? PLOT_BIGGEST : 0) |
           (choice_is_index(operand) ? 0 : PLOT_IMAGE);
}

/* One line is the tree's sum; several are all of the plot's lines. Where there is none,
 * plot_family_new has said what cannot be read. */
static int take_family(struct page *page, size_t i, struct plot_family *family)
{
    size_t count;
    const struct plot_line *first = plot_family_lines(family, &count);
    page->families[i] = family;
    if (count == 0)
        return -1;
    page->lines[i] = *first;
    if (plot_family_is_summed(family))
        page->plot.summed = plot_family_size(family);
    if (count == 1 && !page->values->each)
        return plot_check_contents(first);
    page->plot.is_family = 1;
    page->plot.lines = first;
    page->plot.line_count = count;
    return 0;
}

static struct plot_line line_of_chosen(const struct chosen *chosen, const char *name)
{
    const struct process *p = &chosen->image->processes[0];
    struct plot_line line = {.name = name,
                             .image = chosen->image,
                             .series = chosen->series,
                             .line = process_line(p, chosen->series)};
    if (line.series == SERIES_MEMORY && process_has_parts(p))
        line.mapped = process_line(p, SERIES_MAPPED);
    return line;
}

static int take_process(struct page *page, size_t i, const char *operand)
{
    struct chosen *chosen = &page->chosen[i];
    if (chosen_open(chosen, "plot", operand, &page->values->which, CHOSEN_UNTOLD | CHOSEN_HINTS) !=
        COMMAND_OK)
        return -1;
    free(page->names[i]);
    page->names[i] = xstrdup(chosen->name);
    page->lines[i] = line_of_chosen(chosen, page->names[i]);
    if (plot_check_contents(&page->lines[i]) != 0)
        return -1;
    choice_tell(chosen->holder, page->names[i]);
    return 0;
}

/* Why it is not the program itself that is drawn. */
static void tell_leader(const struct page *page)
{
    const struct plot *plot = &page->plot;
    printf("The program only starts others: drawn are %s and the biggest, %s.\n"
           "With --pid N one process is, with its functions, with -M each.\n",
           plot->lines[0].name, plot->lines[1].name);
}

/* Functions are drawn of one process alone. */
static int check_functions(const struct page *page, size_t i)
{
    const struct values *values = page->values;
    if (page->families[i] == NULL)
        return plot_check_skipped(page->names[i], page->lines[i].image, &values->skipped);
    if (!values->no_functions && values->skipped.count == 0)
        return 0;
    complain("%s: the program only starts others, and no functions are drawn of several "
             "processes, so %s does nothing; leave it out, or choose a process with --pid",
             page->names[i], values->no_functions ? "-n" : "--skip");
    return -1;
}

static int open_one(struct page *page, size_t i, const char *operand)
{
    unsigned lines = lines_wanted(page, operand);
    page->names[i] = choice_name(operand);
    if (!page->names[i])
        return -1;
    struct plot_family *family = NULL;
    if (lines && plot_family_new(&family, page->names[i], lines, &page->values->which.series) != 0)
        return -1;
    if (!operand)
        puts("Using last profile data.");
    if (!family)
        return take_process(page, i, operand);
    if (take_family(page, i, family) != 0)
        return -1;
    if (lines & PLOT_BIGGEST && page->plot.line_count > 1)
        tell_leader(page);
    return 0;
}

/* The last moment that any line has. */
static uint64_t last_moment(const struct page *page)
{
    uint64_t last = 1;
    for (size_t i = 0; i < page->plot.line_count; i++) {
        const struct plot_line *line = &page->plot.lines[i];
        uint64_t end = line->image->processes[0].end_ns;
        if (line->line.count && line->line.buckets[line->line.count - 1].begin_ns > end)
            end = line->line.buckets[line->line.count - 1].begin_ns;
        last = end > last ? end : last;
    }
    return last;
}

static int read_family_window(struct page *page, size_t i)
{
    size_t count;
    if (!plot_family_window(page->families[i], page->plot.begin_ns, page->plot.end_ns))
        return -1;
    const struct plot_line *first = plot_family_lines(page->families[i], &count);
    page->lines[i] = *first;
    if (page->plot.is_family)
        page->plot.lines = first;
    return 0;
}

static int read_series(struct page *page, size_t i, enum series series, struct timeline *window)
{
    const struct process *p = &page->lines[i].image->processes[0];
    int rc = recording_timeline(page->chosen[i].holder, p->serial, series, page->plot.begin_ns,
                                page->plot.end_ns, window);
    if (rc != RECORDING_OK)
        complain("%s: the window cannot be read: %s", page->lines[i].name, recording_strerror(rc));
    return rc == RECORDING_OK ? 0 : -1;
}

static int read_window(struct page *page, size_t i)
{
    struct plot_line *line = &page->lines[i];
    struct window *window = &page->windows[i];
    if (page->families[i])
        return read_family_window(page, i);
    if (read_series(page, i, line->series, &window->line) != 0)
        return -1;
    line->line = (struct line_of){window->line.buckets, window->line.count};
    if (line->mapped.count == 0)
        return 0;
    if (read_series(page, i, SERIES_MAPPED, &window->mapped) != 0)
        return -1;
    line->mapped = (struct line_of){window->mapped.buckets, window->mapped.count};
    return 0;
}

static int set_range(struct page *page)
{
    struct plot *plot = &page->plot;
    uint64_t last = last_moment(page);
    plot->end_ns = last;
    if (!is_windowed(page->values))
        return 0;
    plot->windowed = 1;
    plot->begin_ns = to_ns(page->values->window[0]);
    plot->end_ns = to_ns(page->values->window[1]);
    if (plot->begin_ns >= last || plot->end_ns <= plot->begin_ns) {
        complain("plot: nothing was recorded from %g to %g s, the recording goes from 0 to %.3f s",
                 page->values->window[0], page->values->window[1], (double)last / 1e9);
        return -1;
    }
    plot->end_ns = plot->end_ns > last ? last : plot->end_ns;
    for (size_t i = 0; i < page->count; i++)
        if (read_window(page, i) != 0)
            return -1;
    return 0;
}

/* ---- drawing ---- */

/* Lines that a window has nothing of would stand in the legend alone. */
static void keep_lines_in_window(struct page *page)
{
    struct plot *plot = &page->plot;
    size_t count = 0;
    page->shown = xcalloc(plot->line_count, sizeof *page->shown);
    for (size_t i = 0; i < plot->line_count; i++)
        if (plot_line_is_shown(plot, &plot->lines[i]))
            page->shown[count++] = plot->lines[i];
    if (count == 0)
        return;
    plot->is_several |= plot->line_count > 1;
    plot->lines = page->shown;
    plot->line_count = count;
}

static int draw(struct page *page, const struct picture *picture)
{
    struct plot *plot = &page->plot;
    if (plot->windowed)
        keep_lines_in_window(page);
    struct plot_function *functions = NULL;
    size_t count = 0;
    struct plot_room room = gnuplot_room(plot, picture);
    if (plot_is_single(plot) && !page->families[0] && !page->values->no_functions)
        functions = plot_pick(plot, &room, &count);
    char *note = plot_note(
        &(struct plot_noted){page->names, page->lines, page->families, page->count, count > 0});
    plot->functions = functions;
    plot->function_count = count;
    plot->note = note;
    int status = picture_draw(plot, picture, page->values->output);
    plot_functions_free(functions, count);
    free(note);
    return status;
}

static void release(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        plot_family_free(page->families[i]);
        chosen_close(&page->chosen[i]);
        free(page->names[i]);
        timeline_clear(&page->windows[i].line);
        timeline_clear(&page->windows[i].mapped);
    }
    free(page->chosen);
    free(page->names);
    free(page->windows);
    free(page->families);
    free(page->lines);
    free(page->shown);
}

/* Complains of options that would do nothing. Returns 0 where there are none. */
static int check_options(const struct values *values, size_t count)
{
    int several = values->together || values->each || count > 1;
    if (values->which.pid >= 0 && (values->each || values->together))
        complain("plot: --pid is one process, -C and -M are all of them; give one of both");
    else if (values->each && count > 1)
        complain("plot: -M draws the processes of one recording's tree; give one of them");
    else if (values->no_functions && values->skipped.count)
        complain(
            "plot: --skip chooses functions, and with -n none is drawn; leave one of both out");
    else if (several && (values->no_functions || values->skipped.count))
        complain(
            "plot: functions are drawn of one process alone, so %s does nothing with -C, -M or "
            "several recordings; leave it out",
            values->no_functions ? "-n" : "--skip");
    else
        return 0;
    return -1;
}

static struct page page_of(const struct values *values, size_t count)
{
    struct page page = {.values = values,
                        .count = count,
                        .families = xcalloc(count, sizeof *page.families),
                        .names = xcalloc(count, sizeof *page.names),
                        .chosen = xcalloc(count, sizeof *page.chosen),
                        .lines = xcalloc(count, sizeof *page.lines),
                        .windows = xcalloc(count, sizeof *page.windows)};
    page.plot = (struct plot){.title = values->title,
                              .lines = page.lines,
                              .line_count = count,
                              .slope = values->slope,
                              .skipped = values->skipped.list,
                              .skipped_count = values->skipped.count};
    return page;
}

static int show(const struct values *values, const struct operands *operands)
{
    struct picture picture;
    size_t count = operands->count ? (size_t)operands->count : 1;
    int failed = 0;
    if (check_options(values, count) != 0 ||
        series_check("plot", &values->which.series) != COMMAND_OK ||
        picture_choose(&picture, values->output) != 0)
        return COMMAND_USAGE;
    struct page page = page_of(values, count);
    for (size_t i = 0; i < count && !failed; i++)
        failed = open_one(&page, i, operands->names[i]) || check_functions(&page, i);
    int status = failed || set_range(&page) != 0 ? COMMAND_FAILED : draw(&page, &picture);
    release(&page);
    return status;
}

static int run(const struct invocation *call)
{
    struct values values = {.which = CHOOSING_NOTHING};
    struct operands operands;
    int rc = options_parse(call, &values, &operands);
    if (rc != OPTIONS_GO)
        return options_exit(rc);
    return show(&values, &operands);
}

static const struct example examples[] = {
    {"mprof-c plot -o memory.png", "the newest recording as a picture"},
    {"mprof-c plot -w 1.5,2 -o peak.svg build.mprof", "half a second of another one"},
    {"mprof-c plot --skip main --skip read_all", "brackets for other functions than these two"},
    {"mprof-c plot -C -o tree.png build.mprof", "the memory of a whole build"},
    {"mprof-c plot -M -o each.png build.mprof", "its processes, a line each"},
    {"mprof-c plot --heap -o heap.png build.mprof", "without what the program mapped itself"},
    {"mprof-c plot --pid 4711 -o one.png build.mprof", "one process of it, with its functions"},
    {"mprof-c plot -o both.pdf before.mprof after.mprof", "two in one picture, both from 0 s on"},
    {0}};

const struct command command_plot = {
    .name = "plot",
    .operands = "[FILE|INDEX...]",
    .operand_kind = OPERANDS_RECORDINGS,
    .operands_max = -1,
    .summary = "draw memory over time and the functions that held it",
    .description =
        "Draws memory over time (black) and the resident set, a red cross at the peak with "
        "its value and time, and the functions with the highest own peaks: a bracket opens where "
        "the activation that held the function's own peak began and closes where it ended, both at "
        "the memory of that moment. Memory is the heap and what the program mapped itself; where "
        "there is any of that, the area below the line shows the two parts, mapped memory below "
        "the heap, and the legend how much of the peak each was. --heap draws only the heap, "
        "--mapped only mapped memory. Where both of a function would stand at one place on the "
        "page, "
        "one rhomb stands for them. Brackets and rhombs that would lie over each other are moved "
        "up "
        "or down, at their times: then their height is no memory, and may be far from the line; "
        "the "
        "legend has each function's own peak. Below a function's own peak the legend says how long "
        "this "
        "activation "
        "was, and of how many. Functions that only pass through to another share its entry, "
        "\"outer > inner\". Wrappers of malloc (see WRAPPERS in mprof-c(1)) and functions that "
        "never held a hundredth of the peak have no bracket; functions without a name have one "
        "where "
        "fewer than six others hold a twentieth of the peak, or where they hold more than twice "
        "what the sixth of these does.\n\n"
        "Several recordings are drawn over each other, all from 0 s on, without functions and "
        "without the resident set: whose it is could not be seen. Lines beyond the thirteenth are "
        "in dashes; what the legend has no room for is grey, and counted there. With -w the legend "
        "names what has a line in the window, and says what that reaches there.\n\n"
        "An activation is a call as the stacks of allocations show it: it begins no later than "
        "its first allocation, its own or of what it calls, and ends no earlier than its last one; "
        "recursion is one activation. Not known is what lies between two allocations: calls that "
        "follow each other from the same line, with no allocation from elsewhere in between, count "
        "as one; a call without any allocation is not counted; and a signal handler that "
        "allocates counts the functions that it interrupts once more. Frees and unmappings say "
        "nothing unless they were recorded with their stacks (run --free-stacks): then brackets "
        "end "
        "at the last of these in the call, too, and one from elsewhere tells two calls apart. The "
        "function that a thread runs in ends with the thread's last event, whatever that is; "
        "what the first thread runs in, main as a rule, ends with the process.\n\n"
        "With -C the line is the memory of the program and of all recorded processes that descend "
        "from it: at any moment the sum of what those that are alive have allocated themselves. "
        "What a forked child inherited counts once, as its parent's; pages of the resident set "
        "that "
        "processes share count in each of them. The line is exact but for the order of changes "
        "within half a thousandth of a process's time (-w looks closer). "
        "With -M each process has its own line: the program itself and those that held most, 100 "
        "in all; the others are one line together, and how many these are is said. Without either, "
        "a program that only "
        "starts others (see report) is drawn as the sum of its tree and the process that held "
        "most; --pid N draws one process with its functions.\n\n"
        "The line of the resident set joins samples, into a window, too; it is drawn of one "
        "process or, with -C alone, of the tree. That of the tree begins with the first sample, "
        "and a process counts from its first one on, its last one until its end. Beside the line "
        "stands the kernel's high-water mark, which misses nothing, where it was read after the "
        "highest sample: beside that of a tree the largest process's, where that alone is "
        "more.\n\n"
        "Without -o the picture opens in a window where there is a display, else it is drawn in "
        "the terminal's text. The drawing is done by gnuplot.",
    .options = options,
    .examples = examples,
    .run = run,
};
