/* series_choice.c - see series_choice.h. */
#include "series_choice.h"
#include "command.h"

enum series series_wanted(const struct series_choice *choice)
{
    if (choice->heap)
        return SERIES_HEAP;
    return choice->mapped ? SERIES_MAPPED : SERIES_MEMORY;
}

const char *series_words(enum series series)
{
    if (series == SERIES_MEMORY)
        return "memory";
    return series == SERIES_HEAP ? "heap memory" : "mapped memory";
}

int series_check(const char *command, const struct series_choice *choice)
{
    if (!choice->heap || !choice->mapped)
        return COMMAND_OK;
    complain("%s: --heap shows only the heap and --mapped only mapped memory; give one of them, or "
             "none to see both",
             command);
    return COMMAND_USAGE;
}

int series_refused(const char *command, const struct series_choice *choice)
{
    if (!choice->heap && !choice->mapped)
        return 0;
    complain("%s: --json has the heap and mapped memory in any case; leave --%s out", command,
             choice->heap ? "heap" : "mapped");
    return 1;
}

int series_choose(const struct series_choice *choice, const char *recording,
                  const struct process *process, enum series *series)
{
    *series = series_wanted(choice);
    if (!process->series_unknown)
        return COMMAND_OK;
    if (*series != SERIES_MAPPED) {
        *series = SERIES_HEAP;
        return COMMAND_OK;
    }
    complain(
        "%s: does not say who had mapped what: an older version recorded or collected it, or its "
        "end is lost; record the program again to see it",
        recording);
    return COMMAND_FAILED;
}
