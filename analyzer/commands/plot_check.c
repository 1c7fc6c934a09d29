/* plot_check.c - see plot_check.h. */
#include "plot_check.h"
#include "command.h"
#include "function_names.h"
#include "series_choice.h"

static int held_anything(const struct plot_line *line)
{
    const struct process *p = &line->image->processes[0];
    return process_line(p, line->series).count > 0 && process_peak(p, line->series).bytes > 0;
}

/* Of another series than what was asked for? */
static int complain_of_series(const struct plot_line *line)
{
    const struct process *p = &line->image->processes[0];
    if (line->series == SERIES_MEMORY || process_peak(p, SERIES_MEMORY).bytes == 0)
        return 0;
    complain("%s: the program never held any %s; leave --%s out to plot its %s", line->name,
             series_words(line->series), line->series == SERIES_HEAP ? "heap" : "mapped",
             line->series == SERIES_HEAP ? "mapped memory" : "heap");
    return 1;
}

int plot_check_contents(const struct plot_line *line)
{
    const struct totals *t = &line->image->processes[0].totals;
    if (held_anything(line))
        return 0;
    if (complain_of_series(line))
        return -1;
    if (line->image->cut)
        complain("%s: the recording is cut and no allocation is left of it, so there is nothing to "
                 "plot",
                 line->name);
    else if (line->image->running)
        complain("%s: the program is still running and has allocated nothing so far, so there is "
                 "nothing to plot",
                 line->name);
    else if (t->allocations == 0 && t->maps == 0)
        complain("%s: the recording has no allocation in it, so there is nothing to plot; a "
                 "statically linked program cannot be recorded, others may allocate nothing",
                 line->name);
    else
        complain("%s: the program never held any memory, so there is nothing to plot", line->name);
    return -1;
}

static int has_function(const struct image *image, const char *name)
{
    for (size_t i = 0; i < image->function_count; i++)
        if (function_is_called(image->functions[i].name, name))
            return 1;
    return 0;
}

int plot_check_skipped(const char *name, const struct image *image, const struct texts *skipped)
{
    int missing = 0;
    for (size_t i = 0; i < skipped->count; i++) {
        if (has_function(image, skipped->list[i]))
            continue;
        complain("%s: --skip: no function '%s' is in it; see mprof-c report", name,
                 skipped->list[i]);
        missing = -1;
    }
    return missing;
}
