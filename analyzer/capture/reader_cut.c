/* reader_cut.c - reads a capture without its end, or with a damaged table, block by block. */
#include "reader_parts.h"

#include <stdlib.h>
#include <string.h>

#include "rebuild.h"
#include "xalloc.h"

/* Takes in a whole, undamaged block. Returns 0 where its payload makes no sense. */
static int scan_payload(struct reader *r, const struct capture_block *head,
                        struct index_entry *entry)
{
    int type = head->type;
    if (type == BLOCK_PROCESSES) {
        struct codec c = reader_codec(r);
        code_count(&c, &r->listed, 5);
    }
    /* The list of processes comes before any block of a process. */
    if (head->process >= CAPTURE_PROCESS_MAX || (head->process && head->process >= r->listed))
        return 0;
    if (type == BLOCK_HEAD)
        return reader_add_head(r);
    if (reader_is_table(head->type) || type == BLOCK_CLASSES)
        return tables_read(&r->tables, (enum capture_block_type)type, &r->payload);
    if (type != BLOCK_EVENTS)
        return 1;
    struct segment_reader segment;
    int good = segment_open(&segment, &r->payload, reader_names_blocks(r), NULL);
    entry->events = segment.head.events;
    entry->first_tick = segment.head.first_tick;
    entry->last_tick = segment.head.last_tick;
    segment_reader_free(&segment);
    return good;
}

static int scan_blocks(struct reader *r)
{
    uint64_t offset = sizeof r->header;
    struct capture_block head;
    int rc;
    while ((rc = block_fetch(&r->input, offset, &head, &r->stored)) > 0) {
        struct index_entry entry = {.type = head.type, .process = head.process, .offset = offset};
        if (head.type == BLOCK_INDEX || !block_unpack(&r->input, &head, &r->stored, &r->payload) ||
            !scan_payload(r, &head, &entry))
            break;
        r->index = xgrow(r->index, &r->index_capacity, r->index_count + 1, sizeof *r->index);
        r->index[r->index_count++] = entry;
        offset += sizeof head + head.stored_bytes;
    }
    return rc < 0 ? RECORDING_IO : RECORDING_OK;
}

/* The last list of processes in the file, if it makes sense. */
static void find_process_list(struct reader *r)
{
    struct image *image = r->image;
    for (size_t i = r->index_count; i-- > 0;) {
        const struct index_entry *e = &r->index[i];
        if (e->type != BLOCK_PROCESSES)
            continue;
        if (reader_block(r, e->offset, BLOCK_PROCESSES, e->process, &r->payload) <= 0)
            return;
        struct codec c = reader_codec(r);
        size_t count = 0;
        code_count(&c, &count, 5);
        struct process *list = xcalloc(count + 1, sizeof *list);
        code_process_list(&c, list, count);
        for (uint32_t k = 0; k < count && !c.in.bad; k++)
            if (list[k].serial == k && k < image->process_count) {
                image->processes[k] = list[k];
                image->processes[k].ending.exec = "";
            }
        free(list);
        return;
    }
}

/* Lists the processes that the file mentions. */
static void list_processes(struct reader *r)
{
    struct image *image = r->image;
    size_t count = 1;
    for (size_t i = 0; i < r->index_count; i++)
        if (r->index[i].process >= count)
            count = r->index[i].process + (size_t)1;
    reader_begin_processes(r, count);
    image->processes[0].pid = image->pid;
    image->processes[0].parent_pid = image->parent_pid;
    image->processes[0].start_time = image->start_time;
    find_process_list(r);
}

/* Reads the process's block of a type that occurs once; 0 where the file lacks it. */
static int find_once(struct reader *r, uint32_t type, uint32_t serial)
{
    for (size_t i = 0; i < r->index_count; i++)
        if (r->index[i].type == type && r->index[i].process == serial)
            return reader_block(r, r->index[i].offset, type, serial, &r->payload) > 0;
    return 0;
}

static int find_summary(struct reader *r, uint32_t serial)
{
    if (!find_once(r, BLOCK_SUMMARY, serial) || !reader_get_summary(r, serial))
        return 0;
    if (find_once(r, BLOCK_LOST, serial))
        reader_get_lost(r, serial);
    if (find_once(r, BLOCK_BOUNDS, serial))
        reader_get_bounds(r, serial);
    if (find_once(r, BLOCK_SELFCHECK, serial))
        reader_get_selfcheck(r, serial);
    if (find_once(r, BLOCK_THREADS, serial))
        reader_get_threads(r, serial);
    if (find_once(r, BLOCK_MAPPED, serial))
        reader_get_mapped(r, serial);
    if (find_once(r, BLOCK_FAILED, serial))
        reader_get_failed(r, serial);
    return 1;
}

/* Adds the loss where LOST is all that is left of the summary. Calls that map stay unknown: the
 * lost ones alone would pass for all. */
static void find_lost(struct reader *r, struct process *p)
{
    if (find_once(r, BLOCK_LOST, p->serial) && reader_get_lost(r, p->serial))
        process_add_loss(p);
    p->totals.maps = 0;
}

/* The same with failed allocations, which the events do not tell of. */
static void find_failed(struct reader *r, struct process *p)
{
    if (!find_once(r, BLOCK_FAILED, p->serial) || !reader_get_failed(r, p->serial))
        return;
    for (size_t i = 0; i < p->failure_count; i++)
        p->totals.failed += p->failures[i].count;
}

static void find_samples(struct reader *r, struct process *p)
{
    struct sample *samples = NULL;
    size_t total = 0, capacity = 0;
    for (size_t i = 0; i < r->index_count; i++) {
        const struct index_entry *e = &r->index[i];
        if (e->type != BLOCK_SAMPLES || e->process != p->serial ||
            reader_block(r, e->offset, e->type, e->process, &r->payload) <= 0)
            continue;
        struct codec c = reader_codec(r);
        size_t count = 0;
        code_count(&c, &count, 2);
        samples = xgrow(samples, &capacity, total + count + 1, sizeof *samples);
        code_samples(&c, samples + total, count);
        total += c.in.bad ? 0 : count;
    }
    p->samples = arena_take(r->image->memory, (total + 1) * sizeof *samples);
    if (total > 0)
        memcpy(p->samples, samples, total * sizeof *samples);
    p->sample_count = total;
    for (size_t i = 0; i < total; i++)
        if (samples[i].rss_bytes > p->totals.rss_peak_bytes)
            p->totals.rss_peak_bytes = samples[i].rss_bytes;
    free(samples);
}

int reader_read_cut(struct reader *r)
{
    r->image->cut = 1;
    int rc = scan_blocks(r);
    if (rc != RECORDING_OK)
        return rc;
    r->classes_read = 1;
    tables_give(&r->tables, r->image);
    if (r->image->function_count == 0) { /* the model's "unknown" */
        r->image->functions[0] = (struct function){"??", "", "", 0, 0};
        r->image->function_count = 1;
    }
    list_processes(r);
    if (find_once(r, BLOCK_MODULES, 0))
        reader_get_modules(r);
    if (find_once(r, BLOCK_FAMILY, 0))
        reader_get_family(r);
    for (uint32_t i = 0; i < r->image->process_count; i++) {
        if (find_summary(r, i))
            continue;
        rebuild_process(r, &r->image->processes[i]);
        find_lost(r, &r->image->processes[i]);
        find_failed(r, &r->image->processes[i]);
        find_samples(r, &r->image->processes[i]);
    }
    image_settle_series(r->image);
    image_count_gaps(r->image);
    return RECORDING_OK;
}
