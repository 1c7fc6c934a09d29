/* run_processes.c - see run_processes.h. */
#include "run_processes.h"

uint64_t run_held_by(const struct gathered *one)
{
    return one->has_figures ? one->totals.memory_peak_bytes : 0;
}

struct roots run_roots(const struct gather *g)
{
    struct roots roots = {0};

    for (size_t i = 0; g != NULL && i < gather_count(g); i++) {
        const struct gathered *one = gather_get(g, i);
        if (!one->is_root)
            continue;
        if (roots.first == NULL || one->start_ns < roots.first->start_ns)
            roots.first = one;
        if (roots.last == NULL || one->start_ns >= roots.last->start_ns)
            roots.last = one;
        if (roots.biggest == NULL || run_held_by(one) > run_held_by(roots.biggest))
            roots.biggest = one;
    }
    return roots;
}

int run_has_recording(const struct gather *g, const struct gathered *before,
                      struct proc_identity process)
{
    for (size_t i = 0; i < gather_count(g); i++) {
        const struct gathered *one = gather_get(g, i);
        if (one != before && one->start_ns >= before->start_ns && one->process.pid == process.pid &&
            one->process.start_time == process.start_time)
            return 1;
    }
    return 0;
}

size_t run_count_processes(const struct gather *g)
{
    size_t count = 0;

    for (size_t i = 0; i < gather_count(g); i++) {
        const struct gathered *one = gather_get(g, i);
        count += one->has_figures ? one->process_count : 1;
        for (size_t k = 0; k < one->exec_count; k++)
            count -= (size_t)run_has_recording(g, one, one->execs[k].process);
    }
    return count;
}
