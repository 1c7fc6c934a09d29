/* leaks - what was still live at the end, by stack. */
#include "choice.h"
#include "command.h"
#include "leaks_view.h"
#include "options.h"
#include <stdlib.h>

struct values {
    long count;
    int json;
};

static const struct option options[] = {
    {'n', "count", OPTION_COUNT, "N", offsetof(struct values, count), NULL,
     "show N stacks (without it 20, with --json all)"},
    {0, "json", OPTION_FLAG, NULL, offsetof(struct values, json), NULL,
     "print JSON, see the manual page for its keys"},
    {0}};

static int run(const struct invocation *call)
{
    struct values values = {.count = -1};
    struct operands operands;
    int rc = options_parse(call, &values, &operands);
    if (rc != OPTIONS_GO)
        return options_exit(rc);
    char *name = choice_name(operands.names[0]);
    struct recording *recording = name ? choice_open(name) : NULL;
    if (recording)
        choice_tell(recording, name);
    free(name);
    if (!recording)
        return COMMAND_FAILED;
    if (values.json)
        leaks_json(recording_image(recording), values.count, stdout);
    else
        leaks_text(recording_image(recording), values.count, stdout);
    recording_close(recording);
    return COMMAND_OK;
}

const struct command command_leaks = {
    .name = "leaks",
    .operands = "[FILE|INDEX]",
    .operand_kind = OPERANDS_RECORDINGS,
    .operands_max = 1,
    .summary = "show what was never freed, by stack",
    .description =
        "Shows the blocks that were still live when the program ended, gathered by the stack that "
        "allocated them, the biggest first: how much, in how many blocks, when the first and the "
        "last of them were allocated, and the whole stack, innermost function first. A block "
        "counts as leaked when nobody freed it before the exit; whether the program could still "
        "reach it is not known.",
    .options = options,
    .run = run,
};
