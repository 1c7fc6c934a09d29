/* report_json.c - see report_view.h. */
#include "addresses_view.h"
#include "failed_view.h"
#include "family_view.h"
#include "function_order.h"
#include "gaps_view.h"
#include "report_view.h"
#include "selfcheck_view.h"
#include "threads_view.h"
#include <stdlib.h>
#include <string.h>

void report_json_head(struct json *j, const struct image *image)
{
    const struct process *p = &image->processes[0];
    json_array(j, "command");
    for (size_t i = 0; i < image->argc; i++)
        json_string(j, NULL, image->argv[i]);
    json_end_array(j);
    json_integer(j, "pid", p->pid);
    json_seconds(j, "start", image->epoch_ns);
    json_seconds(j, "begin_s", p->begin_ns);
    json_seconds(j, "duration_s", p->end_ns - p->begin_ns);
    ending_json(j, "exit", &p->ending);
    json_boolean(j, "cut", image->cut);
    json_string(j, "figures",
                p->left == FIGURES_WHOLE       ? "whole"
                : p->left == FIGURES_OF_EVENTS ? "of events"
                                               : "missing");
    json_boolean(j, "running", image->running);
}

void report_json_quality(struct json *j, const struct quality *q)
{
    json_object(j, "quality");
    json_number(j, "lost", q->lost);
    json_number(j, "lost_allocations", q->loss.allocations);
    json_number(j, "lost_frees", q->loss.frees);
    json_number(j, "lost_bytes", q->lost_bytes);
    json_seconds(j, "lost_since_s", q->loss.since_ns);
    json_number(j, "unplaced_children", q->loss.unplaced);
    json_number(j, "unplaced_events", q->loss.unplaced_events);
    json_number(j, "unmatched_frees", q->unmatched_frees);
    json_number(j, "implied_frees", q->implied_frees);
    json_number(j, "inherited", q->inherited);
    json_number(j, "truncated_stacks", q->truncated_stacks);
    json_number(j, "unresolved_frames", q->unresolved_frames);
    json_number(j, "nameless_modules", q->nameless_modules);
    json_number(j, "undebugged_modules", q->undebugged_modules);
    json_number(j, "shortened", q->shortened);
    json_number(j, "left_out", q->left_out);
    json_number(j, "selfcheck_compared", q->selfcheck_compared);
    json_number(j, "selfcheck_differences", q->selfcheck_differences);
    json_end_object(j);
}

void report_json_totals(struct json *j, const struct totals *t)
{
    json_object(j, "totals");
    json_number(j, "allocations", t->allocations);
    json_number(j, "frees", t->frees);
    json_number(j, "allocated_bytes", t->allocated_bytes);
    json_number(j, "peak_bytes", t->peak_bytes);
    json_seconds(j, "peak_time_s", t->peak_ns);
    json_number(j, "live_at_end_bytes", t->live_at_end_bytes);
    json_number(j, "live_at_end_blocks", t->live_at_end_blocks);
    json_number(j, "temporary", t->temporary);
    json_number(j, "mapped_peak_bytes", t->mapped_peak_bytes);
    json_seconds(j, "mapped_peak_time_s", t->mapped_peak_ns);
    json_number(j, "mapped_at_end_bytes", t->mapped_at_end_bytes);
    json_number(j, "memory_peak_bytes", t->memory_peak_bytes);
    json_seconds(j, "memory_peak_time_s", t->memory_peak_ns);
    json_number(j, "mapped_at_memory_peak_bytes", t->mapped_then_bytes);
    json_number(j, "maps", t->maps);
    json_number(j, "unmaps", t->unmaps);
    json_number(j, "reserved_peak_bytes", t->reserved_peak_bytes);
    json_number(j, "reserved_at_end_bytes", t->reserved_at_end_bytes);
    json_number(j, "file_peak_bytes", t->file_peak_bytes);
    json_number(j, "file_at_end_bytes", t->file_at_end_bytes);
    json_number(j, "rss_peak_bytes", t->rss_peak_bytes);
    json_number(j, "failed_allocations", t->failed);
    json_number(j, "rss_high_water_bytes", totals_mark(t));
    json_end_object(j);
}

void report_json_usage(struct json *j, const char *key, const struct usage *u, int together)
{
    json_object(j, key);
    json_number(j, "allocations", u->allocations);
    json_number(j, "allocated_bytes", u->allocated_bytes);
    json_number(j, "own_peak_bytes", u->own_peak_bytes);
    json_seconds(j, "own_peak_time_s", u->own_peak_ns);
    if (together)
        json_null(j, "at_peak_bytes");
    else
        json_number(j, "at_peak_bytes", u->at_peak_bytes);
    json_number(j, "live_at_end_bytes", u->live_at_end_bytes);
    json_number(j, "live_at_end_blocks", u->live_at_end_blocks);
    json_number(j, "temporary", u->temporary);
    json_end_object(j);
}

static void put_then(struct json *j, const char *key, uint64_t bytes, int together)
{
    if (together)
        json_null(j, key);
    else
        json_number(j, key, bytes);
}

/* When the activation was that held the own peak; null: not known. */
static void put_span(struct json *j, const char *key, const struct span *span)
{
    if (!span->valid) {
        json_null(j, key);
        return;
    }
    json_object(j, key);
    json_number(j, "thread", span->thread);
    json_seconds(j, "begin_s", span->begin_ns);
    json_seconds(j, "end_s", span->end_ns);
    json_end_object(j);
}

/* How many there were, and those that held the own peaks of the three series. */
static void put_activations(struct json *j, const struct function_usage *u)
{
    if (u->activations)
        json_number(j, "activations", u->activations);
    else
        json_null(j, "activations");
    put_span(j, "activation", &u->heap.span);
    put_span(j, "mapped_activation", &u->mapped.span);
    put_span(j, "memory_activation", &u->memory.span);
}

static void put_function(struct json *j, const struct report *report,
                         const struct function_usage *u, struct address begin)
{
    const struct function *f = &report->image->functions[u->function];
    int together = report->source == NULL;
    json_object(j, NULL);
    json_string(j, "name", f->name);
    json_string(j, "module", f->module);
    json_string(j, "file", f->file);
    json_number(j, "line", f->line);
    address_json(j, report->image, begin);
    report_json_usage(j, "self", &u->heap.self, together);
    report_json_usage(j, "inclusive", &u->heap.inclusive, together);
    report_json_usage(j, "mapped_self", &u->mapped.self, together);
    report_json_usage(j, "mapped_inclusive", &u->mapped.inclusive, together);
    report_json_usage(j, "memory_self", &u->memory.self, together);
    report_json_usage(j, "memory_inclusive", &u->memory.inclusive, together);
    put_then(j, "mapped_self_at_memory_peak_bytes", u->mapped_then.self_bytes, together);
    put_then(j, "mapped_inclusive_at_memory_peak_bytes", u->mapped_then.inclusive_bytes, together);
    put_activations(j, u);
    json_end_object(j);
}

static void put_forked(struct json *j, const struct process *p)
{
    json_string(j, "kind", "fork");
    json_number(j, "peak_bytes", p->totals.peak_bytes);
    json_number(j, "mapped_peak_bytes", p->totals.mapped_peak_bytes);
    json_number(j, "memory_peak_bytes", p->totals.memory_peak_bytes);
    json_number(j, "mapped_at_memory_peak_bytes", p->totals.mapped_then_bytes);
    report_json_totals(j, &p->totals);
    report_json_quality(j, &p->quality);
    threads_json(j, p);
    selfcheck_json(j, p);
}

/* The forked process that is relative i; NULL: it was exec'd, is recorded elsewhere, or
 * a damaged head names it and the recording does not hold it. */
static const struct process *forked_of(const struct report *report, size_t i)
{
    const struct family *f = report->family;
    const struct relative *r = &f->relatives[i], *self = &f->relatives[f->self];
    if (r->serial == 0 || strcmp(r->recording, self->recording) != 0)
        return NULL;
    return image_process(report->source, r->serial);
}

static void put_child(struct json *j, const struct family *f, size_t i,
                      const struct process *forked)
{
    json_object(j, NULL);
    json_integer(j, "pid", f->kin[i].pid);
    json_integer(j, "parent_pid", f->kin[i].parent_pid);
    json_string(j, "command", f->relatives[i].command);
    if (forked) {
        put_forked(j, forked);
    } else {
        json_string(j, "kind", "exec");
        json_string(j, "recording", f->relatives[i].recording);
    }
    json_end_object(j);
}

/* Forked ones of this recording with their figures, and the recordings of exec'd ones. */
static void put_children(struct json *j, const struct report *report)
{
    const struct family *f = report->family;
    json_array(j, "children");
    for (size_t i = 0; report->source && i < f->count; i++) {
        if (!f->in_tree[i] || i == f->self)
            continue;
        const struct process *forked = forked_of(report, i);
        if (forked || f->relatives[i].serial == 0)
            put_child(j, f, i, forked);
    }
    json_end_array(j);
}

void report_json(const struct report *report, FILE *out)
{
    const struct image *image = report->image;
    const struct process *p = &image->processes[0];
    struct json j;
    json_start(&j, out);
    report_json_head(&j, image);
    report_json_totals(&j, &p->totals);
    report_json_quality(&j, &p->quality);
    gaps_json(&j, image);
    json_array(&j, "functions");
    struct address *begins = function_addresses(image);
    size_t count;
    const struct function_usage **order =
        function_order(image, p, report->series, report->sort, &count);
    if (report->count >= 0 && (size_t)report->count < count)
        count = (size_t)report->count;
    for (size_t i = 0; i < count; i++)
        put_function(&j, report, order[i], begins[order[i]->function]);
    free(begins);
    free(order);
    json_end_array(&j);
    failed_json(&j, image);
    threads_json(&j, p);
    put_children(&j, report);
    if (!report->source)
        family_json(&j, report->family, image->epoch_ns);
    selfcheck_json(&j, p);
    json_finish(&j);
}
