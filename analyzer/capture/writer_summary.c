/* writer_summary.c - the blocks of a capture that say what its processes did, and what is missing.
 */
#include "bounded.h"
#include "writer_parts.h"

/* ---- of a process ---- */

static void put_mapped(struct writer *w, struct process *bounded)
{
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    if (!process_has_mappings(bounded) || w->image->kinds_untold)
        return;
    w->payload.size = 0;
    code_mapped(&c, bounded, w->image);
    writer_put_block(w, BLOCK_MAPPED, bounded->serial, &w->payload);
}

static void put_summary(struct writer *w, const struct process *process)
{
    struct bounded bounded;
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    w->payload.size = 0;
    bounded_open(&bounded, process, writer_part_of(w, SIZE_MAX, CAPTURE_LIST_MAX));
    code_process(&c, &bounded.process, w->image, CAPTURE_VERSION);
    writer_put_strings(w);
    writer_put_block(w, BLOCK_SUMMARY, process->serial, &w->payload);
    put_mapped(w, &bounded.process);
    bounded_close(&bounded);
}

/* What belongs to no process in particular is counted at the first one. */
static void put_bounds(struct writer *w, const struct process *process)
{
    struct process copy = *process;
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    copy.quality.left_out +=
        bounded_left_out(process, writer_part_of(w, SIZE_MAX, CAPTURE_LIST_MAX));
    if (process->serial == 0) {
        copy.quality.shortened += w->image->shortened + w->strings.shortened_count;
        copy.quality.left_out += w->image->left_out;
    }
    if (copy.quality.shortened == 0 && copy.quality.left_out == 0)
        return;
    w->payload.size = 0;
    code_bounds(&c, &copy);
    writer_put_block(w, BLOCK_BOUNDS, process->serial, &w->payload);
}

static void put_lost(struct writer *w, const struct process *process)
{
    struct process copy = *process;
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    if (process->quality.lost == 0 && process->quality.loss.unplaced == 0)
        return;
    w->payload.size = 0;
    code_lost(&c, &copy);
    writer_put_block(w, BLOCK_LOST, process->serial, &w->payload);
}

/* Writes a list of the process in a block of its own. */
static void put_list(struct writer *w, enum capture_block_type type, const struct process *process,
                     int (*code)(struct codec *, struct process *, const struct image *))
{
    struct process copy = *process;
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    w->payload.size = 0;
    copy.failure_count = writer_part_of(w, copy.failure_count, CAPTURE_LIST_MAX);
    code(&c, &copy, w->image);
    writer_put_strings(w);
    writer_put_block(w, type, process->serial, &w->payload);
}

/* ---- of the image ---- */

static void put_modules(struct writer *w)
{
    struct image copy = *w->image;
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    if (copy.gap_count == 0)
        return;
    copy.gap_count = writer_part_of(w, copy.gap_count, CAPTURE_LIST_MAX);
    w->payload.size = 0;
    code_modules(&c, &copy);
    writer_put_strings(w);
    writer_put_block(w, BLOCK_MODULES, 0, &w->payload);
}

static void put_family(struct writer *w)
{
    struct image copy = *w->image;
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    if (!copy.knows_family)
        return;
    w->payload.size = 0;
    code_family(&c, &copy);
    writer_put_block(w, BLOCK_FAMILY, 0, &w->payload);
}

/* ---- all ---- */

/* Writes the parts of a process whose texts may be shortened, before process 0's BOUNDS count
 * those. */
static void put_details(struct writer *w, const struct process *process)
{
    put_lost(w, process);
    if (process->quality.selfcheck_compared)
        put_list(w, BLOCK_SELFCHECK, process, code_selfcheck);
    if (process->thread_usage_count)
        put_list(w, BLOCK_THREADS, process, code_threads);
    if (process->failure_count)
        put_list(w, BLOCK_FAILED, process, code_failed);
    string_number(&w->strings, process->ending.exec);
}

void writer_put_summaries(struct writer *w)
{
    const struct image *i = w->image;
    put_modules(w);
    put_family(w);
    for (size_t k = 0; k < i->process_count; k++)
        put_details(w, &i->processes[k]);
    for (size_t k = 0; k < i->process_count; k++) {
        put_bounds(w, &i->processes[k]);
        put_summary(w, &i->processes[k]);
    }
}
