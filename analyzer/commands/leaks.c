/* leaks - what was still live at the end, by stack. */
#include "chosen.h"
#include "command.h"
#include "family_view.h"
#include "leaks_view.h"
#include "options.h"
#include "whereabouts.h"
#include <stdlib.h>

struct values {
    long count;
    int json;
    int addresses;
    struct choosing which;
};

static const struct option options[] = {
    {'n', "count", OPTION_COUNT, "N", offsetof(struct values, count), NULL,
     "show N stacks (without it 20, with --json all)"},
    {0, "json", OPTION_FLAG, NULL, offsetof(struct values, json), NULL,
     "print JSON, see the manual page for its keys"},
    ADDRESSES_OPTION(struct values, "each frame"),
    CHOOSING_OPTIONS(struct values, which),
    {0}};

static char *note_of(const struct chosen *chosen)
{
    const struct family *family = &chosen->lineage.family;
    if (family->count == 0)
        return NULL;
    if (!chosen->source)
        return family_sum_note(family, 1);
    return family_note(family, chosen->shown, chosen->wanted, chosen->together != NULL);
}

static void show(const struct chosen *chosen, const struct values *values)
{
    if (values->json) {
        leaks_json(chosen->image, chosen->source ? NULL : &chosen->lineage.family, values->count,
                   stdout);
        return;
    }
    char *note = note_of(chosen);
    leaks_text(chosen->image, chosen->series, chosen->source == NULL, note, values->count,
               values->addresses, stdout);
    names_foot(chosen->image, chosen->series, stdout);
    free(note);
}

static int run(const struct invocation *call)
{
    struct values values = {.count = -1, .which = CHOOSING_NOTHING};
    struct operands operands;
    struct chosen chosen;
    int rc = options_parse(call, &values, &operands);
    if (rc != OPTIONS_GO)
        return options_exit(rc);
    if (addresses_refused("leaks", values.json, values.count, values.addresses) ||
        (values.json && series_refused("leaks", &values.which.series)))
        return COMMAND_USAGE;
    int how = values.json ? 0 : CHOSEN_LEADER | CHOSEN_HINTS;
    int status = chosen_open(&chosen, "leaks", operands.names[0], &values.which, how);
    if (status == COMMAND_OK)
        show(&chosen, &values);
    chosen_close(&chosen);
    return status;
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
        "reach it is not known. Mapped memory that was never unmapped stands among the blocks, by "
        "the stack of the call that made it memory; where part of a mapping is gone, the pieces "
        "that are left count. Blocks that a forked child inherited are its parent's, and no "
        "leaks of the child. With --tree the sum is of what each process had at its own end, which "
        "may be more than all held at any moment. "
        "Of a program that only starts others (see report) the process that held most is "
        "shown; JSON is of the program itself, and always has both, blocks and mapped memory.",
    .options = options,
    .run = run,
};
