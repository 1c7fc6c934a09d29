/*
 * main.c - the table of the commands, in the order in which the help shows them.
 */
#include "command.h"

extern const struct command command_run, command_plot, command_peak, command_report, command_leaks,
    command_list, command_rm, command_clean, command_help;

static const struct command *const table[] = {
    &command_run,  &command_plot, &command_peak,  &command_report, &command_leaks,
    &command_list, &command_rm,   &command_clean, &command_help,   NULL};

int main(int argc, char **argv)
{
    return command_dispatch(table, argc, argv);
}
