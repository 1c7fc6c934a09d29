/* help - the help of all commands or of one; also the sources of manual page and completion. */
#include "command.h"
#include "completion.h"
#include "manual.h"
#include "options.h"

struct values {
    int manual, library_manual, completion;
};

static const struct option options[] = {
    {0, "manual", OPTION_FLAG, NULL, offsetof(struct values, manual), NULL,
     "print the manual page mprof-c(1), as roff"},
    {0, "library-manual", OPTION_FLAG, NULL, offsetof(struct values, library_manual), NULL,
     "print the manual page libmprof(7), as roff"},
    {0, "completion", OPTION_FLAG, NULL, offsetof(struct values, completion), NULL,
     "print the completion for bash"},
    {0}};

static int run(const struct invocation *call)
{
    struct values values = {0};
    struct operands operands;
    int rc = options_parse(call, &values, &operands);
    if (rc != OPTIONS_GO)
        return options_exit(rc);
    if (values.manual + values.library_manual + values.completion + operands.count > 1) {
        complain("help: prints one thing at a time; give one option, or one command");
        return COMMAND_USAGE;
    }
    if (values.manual) {
        manual_program(call->table, stdout);
    } else if (values.library_manual) {
        manual_library(stdout);
    } else if (values.completion) {
        completion_bash(call->table, stdout);
    } else if (operands.count == 0) {
        options_overview(call->table, stdout);
    } else {
        const struct command *command = command_find(call->table, operands.names[0]);
        if (!command) {
            complain("help: '%s' is not a command; see mprof-c help", operands.names[0]);
            return COMMAND_USAGE;
        }
        options_help(command, stdout);
    }
    return COMMAND_OK;
}

const struct command command_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .operand_kind = OPERANDS_COMMAND,
    .operands_max = 1,
    .summary = "show help on a command",
    .description = "Shows the commands, or what one of them does and its options.",
    .options = options,
    .run = run,
};
