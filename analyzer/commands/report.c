/* report - totals and functions of a recording. */
#include "choice.h"
#include "command.h"
#include "folder.h"
#include "function_order.h"
#include "options.h"
#include "report_view.h"
#include "xalloc.h"
#include <stdlib.h>
#include <string.h>

struct values {
    long count;
    const char *sort;
    int json;
};

static const struct option options[] = {
    {'n', "count", OPTION_COUNT, "N", offsetof(struct values, count), NULL,
     "show N functions (without it 20, with --json all)"},
    {'s', "sort", OPTION_CHOICE, "KEY", offsetof(struct values, sort), FUNCTION_ORDER_KEYS,
     "sort by KEY, peak without it; self is the function's own peak without what it calls"},
    {0, "json", OPTION_FLAG, NULL, offsetof(struct values, json), NULL,
     "print JSON, see the manual page for its keys"},
    {0}};

/* The recordings in the same folder that belong to this one; names belong to the folder. */
static struct recorded_child *find_children(const struct folder *folder, const char *name,
                                            size_t *count)
{
    const struct folder_entry *self = folder_named(folder, name);
    struct recorded_child *children = xcalloc(folder->count + 1, sizeof *children);
    *count = 0;
    for (size_t i = 0; self && i < folder->count; i++) {
        const struct folder_entry *entry = &folder->entries[i];
        if (entry == self || &folder->entries[entry->root] != self)
            continue;
        children[*count].name = entry->name;
        children[(*count)++].pid = entry->identity.pid;
    }
    return children;
}

static void show(const char *name, const struct image *image, const struct values *values)
{
    struct folder folder;
    struct report report = {.image = image, .sort = values->sort, .count = values->count};
    char *path = folder_of_file(name);
    folder_read(&folder, path); /* a folder that cannot be read has no children to name */
    struct recorded_child *children = find_children(&folder, name, &report.child_count);
    report.children = children;
    if (values->json)
        report_json(&report, stdout);
    else
        report_text(&report, stdout);
    free(children);
    folder_free(&folder);
    free(path);
}

static int run(const struct invocation *call)
{
    struct values values = {.count = -1, .sort = "peak"};
    struct operands operands;
    int rc = options_parse(call, &values, &operands);
    if (rc != OPTIONS_GO)
        return options_exit(rc);
    char *name = choice_name(operands.names[0]);
    struct recording *recording = name ? choice_open(name) : NULL;
    if (recording) {
        choice_tell(recording, name);
        show(name, recording_image(recording), &values);
    }
    recording_close(recording);
    free(name);
    return recording ? COMMAND_OK : COMMAND_FAILED;
}

static const struct example examples[] = {
    {"mprof-c report", "the newest recording"},
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
        "the recording does not know is counted under quality. Of a program with several threads a "
        "table shows by their names what each of them allocated, whoever freed it. Recorded "
        "children are named at the foot.",
    .options = options,
    .examples = examples,
    .run = run,
};
