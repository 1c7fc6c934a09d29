/* run_family.c - see run_family.h. */
#include "run_family.h"
#include "leader.h"
#include <stdio.h>
#include <stdlib.h>

/* What the gathered figures alone tell: most programs are spared reading anything. */
static int may_be_mere(const struct gather *g)
{
    uint64_t own = 0, held = 0;

    for (size_t i = 0; i < gather_count(g); i++) {
        const struct gathered *one = gather_get(g, i);
        uint64_t *of = one->is_root ? &own : &held;
        if (one->totals.memory_peak_bytes > *of)
            *of = one->totals.memory_peak_bytes;
        if (one->forked_peak_bytes > held)
            held = one->forked_peak_bytes;
    }
    return leader_is_mere(own, held);
}

/* The name of the program's first image; NULL where it has no complete recording. */
static char *name_of_root(const struct gather *g, const char *folder)
{
    const struct gathered *first = NULL;
    char *name = NULL;

    for (size_t i = 0; i < gather_count(g); i++) {
        const struct gathered *one = gather_get(g, i);
        if (one->is_root && (first == NULL || one->start_ns < first->start_ns))
            first = one;
    }
    if (first == NULL || first->state != GATHERED_DONE ||
        asprintf(&name, "%s%s", folder, first->name) < 0)
        return NULL;
    return name;
}

void run_family_open(struct run_family *f, const struct gather *g, const char *folder)
{
    *f = (struct run_family){0};
    char *name = may_be_mere(g) ? name_of_root(g, folder) : NULL;

    if (name != NULL && recording_open(&f->recording, name) == RECORDING_OK) {
        lineage_read(&f->lineage, name, recording_image(f->recording), LINEAGE_FIGURES);
        if (leader_only_starts(&f->lineage.family, &f->biggest))
            f->sum = lineage_merge(&f->lineage);
    }
    free(name);
}

void run_family_close(struct run_family *f)
{
    image_free(f->sum);
    if (f->recording != NULL)
        lineage_free(&f->lineage);
    recording_close(f->recording);
}
