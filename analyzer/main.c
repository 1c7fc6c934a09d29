/*
 * main.c - the table of the commands, in the order in which the help shows them.
 */
#include "command.h"
#include "own_environment.h"

extern const struct command command_run, command_plot, command_peak, command_report, command_leaks,
    command_list, command_rm, command_clean, command_help;

static const struct command *const table[] = {
    &command_run,  &command_plot, &command_peak,  &command_report, &command_leaks,
    &command_list, &command_rm,   &command_clean, &command_help,   NULL};

/* When preloaded into us, the recorder asks for this name and leaves us alone (preload/host.c). */
extern const char mprof_c_is_left_alone[];
const char mprof_c_is_left_alone[] = MPROF_VERSION;

int main(int argc, char **argv)
{
    own_environment_clear();
    return command_dispatch(table, argc, argv);
}
