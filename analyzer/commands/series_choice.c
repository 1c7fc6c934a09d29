/* series_choice.c - see series_choice.h. */
#include "series_choice.h"
#include "command.h"

int series_check(const char *command, const struct series_choice *choice)
{
    if (!choice->heap || !choice->mapped)
        return COMMAND_OK;
    complain("%s: --heap shows only the heap and --mapped only mapped memory; give one of them, or "
             "none to see both",
             command);
    return COMMAND_USAGE;
}

int series_choose(const struct series_choice *choice, const char *recording,
                  const struct process *process, enum series *series)
{
    *series = choice->heap || process->series_unknown ? SERIES_HEAP : SERIES_MEMORY;
    if (!choice->mapped)
        return COMMAND_OK;
    *series = SERIES_MAPPED;
    if (!process->series_unknown)
        return COMMAND_OK;
    complain(
        "%s: was collected by an older version, which did not keep who had mapped what; record "
        "the program again to see it",
        recording);
    return COMMAND_FAILED;
}
