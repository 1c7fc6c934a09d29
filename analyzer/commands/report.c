/* report - totals and functions of a recording. */
#include "chosen.h"
#include "command.h"
#include "function_order.h"
#include "options.h"
#include "report_view.h"
#include "whereabouts.h"
#include <stdlib.h>
#include <string.h>

struct values {
    long count;
    const char *sort;
    int json;
    int addresses;
    struct choosing which;
};

static const struct option options[] = {
    {'n', "count", OPTION_COUNT, "N", offsetof(struct values, count), NULL,
     "show N functions (without it 20, with --json all)"},
    {'s', "sort", OPTION_CHOICE, "KEY", offsetof(struct values, sort), FUNCTION_ORDER_KEYS,
     "sort by KEY, peak without it; self is the function's own peak without what it calls"},
    {0, "json", OPTION_FLAG, NULL, offsetof(struct values, json), NULL,
     "print JSON, see the manual page for its keys"},
    ADDRESSES_OPTION(struct values, "each function"),
    CHOOSING_OPTIONS(struct values, which),
    {0}};

/* Complains of a --sort that would do nothing. Returns 0 where there is none. */
static int sort_refused(const struct values *values)
{
    if (values->sort && values->count == 0)
        complain("report: --sort orders functions, and with -n 0 none is shown; leave one of both "
                 "out");
    else if (values->sort && strcmp(values->sort, "at-peak") == 0 && values->which.tree)
        complain("report: what functions held at the peak of several processes is not known, so "
                 "--tree cannot be sorted by at-peak; choose another key");
    else
        return 0;
    return 1;
}

/* Is there an option that would do nothing beside the others? In JSON a series only chooses
 * functions. */
static int is_refused(const struct values *values)
{
    return sort_refused(values) ||
           addresses_refused("report", values->json, values->count, values->addresses) ||
           (values->json && values->count == 0 && series_refused("report", &values->which.series));
}

static void show(const struct report *report, int json)
{
    if (json) {
        report_json(report, stdout);
        return;
    }
    report_text(report, stdout);
    names_foot(report->image, report->series, stdout);
}

static int run(const struct invocation *call)
{
    struct values values = {.count = -1, .which = CHOOSING_NOTHING};
    struct operands operands;
    struct chosen chosen;
    int rc = options_parse(call, &values, &operands);
    if (rc != OPTIONS_GO)
        return options_exit(rc);
    if (is_refused(&values))
        return COMMAND_USAGE;
    int how = values.json ? CHOSEN_FAMILY : CHOSEN_FAMILY | CHOSEN_LEADER | CHOSEN_HINTS;
    int status = chosen_open(&chosen, "report", operands.names[0], &values.which, how);
    struct report report = {.image = chosen.image,
                            .series = chosen.wanted,
                            .sort = values.sort ? values.sort : "peak",
                            .count = values.count,
                            .family = &chosen.lineage.family,
                            .source = chosen.source,
                            .together = chosen.together,
                            .shown = chosen.shown,
                            .addresses = values.addresses};
    if (status == COMMAND_OK)
        show(&report, values.json);
    chosen_close(&chosen);
    return status;
}

static const struct example examples[] = {
    {"mprof-c report", "the newest recording"},
    {"mprof-c report --pid 4711 build.mprof", "one process of the tree that build.mprof is of"},
    {"mprof-c report --tree -s bytes build.mprof", "who allocated most in the whole build"},
    {"mprof-c report --sort live -n 5 build.mprof", "the five functions that hold most at the end"},
    {0}};

const struct command command_report = {
    .name = "report",
    .operands = "[FILE|INDEX]",
    .operand_kind = OPERANDS_RECORDINGS,
    .operands_max = 1,
    .summary = "show totals and functions of a recording",
    .description =
        "Shows what a recording's program allocated in all, and the functions that did it: for "
        "each one its inclusive figures (incl: blocks with the function anywhere on their stack) "
        "and its self figures (blocks allocated by the function itself). The own peak is the "
        "highest that the function's live bytes ever were, exactly, with its time; at peak is what "
        "it held at the moment of the program's peak; temporary blocks were freed before the "
        "thread did anything else with its heap. All bytes are those the program asked for. What "
        "the recording does not know is counted under quality. Mapped memory, which the program "
        "has mapped itself and made writable, is counted beside the heap: in lines of its own "
        "(imap, smap) and, where a function has both, with what they were together; the peak is "
        "that of both together, with its two parts but for one that is 0. Reservations that were "
        "never writable, or "
        "have lost all access, and mapped files, also private ones, are no memory in "
        "this sense; their sizes are among the totals. What mremap moves is its caller's from then "
        "on, and counts as a mapping and an unmapping, as does what is mapped over something else "
        "(see libmprof(7)). Of a program with "
        "several threads a table shows by their names what each of them allocated, whoever freed "
        "it; of one that has mapped memory what it held together, then heap and mapped. The "
        "processes of its tree are named at the foot, each below the one that started it, with its "
        "peak as "
        "far as it is known, and once more as what it became by exec; where one of these has "
        "mapped memory, with the peak's two parts. "
        "RSS is the kernel's high-water mark, as it was at the last sample, at an exit "
        "and before an exec, or the highest sample where that is not known. How a process ended "
        "is seen by mprof-c run alone, of the program that it started; of others, and of a "
        "program that preloads the library, the recorder sees that they come to their exit, also "
        "by _exit or quick_exit (\"exited, status not seen\"). \"End not seen\" are those that "
        "were killed, aborted, or made the system call themselves.\n\n"
        "Where the program that was started only starts others (a shell, make, a compiler's "
        "driver: another process of its tree held at least four times as much memory), the totals "
        "of all of them together come first, and then the report of the process that held most; "
        "with --heap and --mapped that goes by the heap or by mapped memory alone. Of a file that "
        "is "
        "judged by the image in it, whatever its process became by exec. Times are since the "
        "beginning of the recording that holds "
        "the process; where that is not the first one of the tree, a line says when it began. "
        "JSON is always that of the program itself, or of what --pid or --tree ask for; it has the "
        "heap and mapped memory in any case, and --heap and --mapped only choose its functions, "
        "those that have some, and their order. With "
        "an index, and without anything, a program that replaced itself by exec is shown as "
        "what it became last.\n\n"
        "With --tree the figures are those of all these processes together, wherever they are "
        "recorded: functions are the same where module, name, file and line are. The tree's peak "
        "is that of the line that plot -C draws, of heap and mapped memory at the same moment; "
        "the own peak of a function is that in the process where it was highest, and what it held "
        "at the tree's peak is not known. What was live at the end is that of each process at its "
        "own end, summed: it may be more than they held at any moment. Quality is summed, too; "
        "recordings that are cut or "
        "cannot be read, and processes that are in none, are named.",
    .options = options,
    .examples = examples,
    .run = run,
};
