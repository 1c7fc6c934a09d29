/* gathered.c - see gathered.h. */
#include "gathered.h"
#include "quality_sum.h"
#include "xalloc.h"
#include <stdlib.h>
#include <string.h>

static void take_first(struct gathered *g, const struct image *image)
{
    const struct process *first = &image->processes[0];
    const char *program = image->argc > 0 ? image->argv[0] : image->executable;
    const char *slash = strrchr(program, '/');

    g->program = xstrdup(slash != NULL ? slash + 1 : program);
    g->ending = first->ending;
    g->ending.exec = ""; /* the text belongs to the image */
    g->totals = first->totals;
    g->quality = first->quality;
}

static void take_exec(struct gathered *g, const struct process *p)
{
    g->execs = xrealloc(g->execs, (g->exec_count + 1) * sizeof *g->execs);
    g->execs[g->exec_count++] =
        (struct gathered_exec){{p->pid, p->start_time}, xstrdup(p->ending.exec)};
}

void gathered_take_figures(struct gathered *g, const struct image *image)
{
    if (image->process_count == 0)
        return;
    take_first(g, image);
    for (size_t i = 0; i < image->process_count; i++) {
        const struct process *p = &image->processes[i];
        if (i > 0 && p->totals.memory_peak_bytes > g->forked_peak_bytes)
            g->forked_peak_bytes = p->totals.memory_peak_bytes;
        quality_add(&g->all, &p->quality, 0);
        g->losers += p->quality.lost > 0;
        g->process_count += (size_t)process_was_born(p);
        if (p->ending.kind == END_EXEC)
            take_exec(g, p);
    }
    g->only_maps = image_has_only_mappings(image);
    g->cut = image->cut;
    g->has_figures = 1;
}

void gathered_clear(struct gathered *g)
{
    for (size_t i = 0; i < g->exec_count; i++)
        free(g->execs[i].path);
    free(g->execs);
    free(g->name);
    free(g->program);
}
