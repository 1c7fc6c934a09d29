/* leaks_view.c - see leaks_view.h. */
#include "leaks_view.h"
#include "addresses_view.h"
#include "family_view.h"
#include "function_order.h"
#include "gaps_view.h"
#include "quality.h"
#include "report_view.h"
#include "text.h"
#include "totals_view.h"
#include "units.h"
#include "xalloc.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 79

struct leak_lists {
    const struct leak *heap, *mapped;
    size_t heap_count, mapped_count;
};

/* "file:line" or, without a line, the module; at most 32 columns. */
static char *place_of(const struct image *image, const struct location *location,
                      const struct frame *frame)
{
    char *where = NULL;
    if (!frame->file[0] || !frame->line)
        where = frame_module(image, location, frame);
    else if (asprintf(&where, "%s:%" PRIu32, file_of_path(frame->file), frame->line) < 0)
        where = xstrdup("");
    char *place = text_fit(where, 32, 1);
    free(where);
    return place;
}

/* "function  file:line" or "function+0x1c4  module" within the width. */
static void print_frame(const struct image *image, const struct location *location,
                        const struct frame *frame, FILE *out)
{
    char site[SITE_TEXT], *place = place_of(image, location, frame);
    frame_site(site, image, location, frame);
    size_t room = WIDTH - 6 - text_width(place) - strlen(site);
    char *full = text_clean(image->functions[frame->function].name);
    char *name = text_width(full) <= room ? text_fit(full, room, 0) : text_short_name(full, room);
    fprintf(out, "    %s%s%s%s\n", name, site, place[0] ? "  " : "", place);
    free(name);
    free(full);
    free(place);
}

/* An address stands once for all that is inlined there. */
void leaks_text_stack(const struct image *image, uint32_t stack, const struct addresses *addresses)
{
    uint32_t node = stack, inner = 0;
    const struct frame *frame;
    size_t frames = 0;
    for (; (frame = stack_next_frame(image, &node, &inner)) != NULL; frames++) {
        const struct location *location = stack_location(image, node);
        print_frame(image, location, frame, addresses->out);
        if (frame_is_physical(image, location, frame))
            addresses_line(addresses, (struct address){location->object, location->offset});
    }
    if (frames == 0)
        fputs("    (no stack was recorded)\n", addresses->out);
}

static void print_leak(const struct image *image, const struct leak *leak, int is_mapped,
                       const struct addresses *addresses)
{
    FILE *out = addresses->out;
    const char *unit = is_mapped ? "mapped piece" : "block",
               *verb = is_mapped ? "mapped" : "allocated";
    char bytes[UNITS_TEXT], blocks[UNITS_TEXT], first[UNITS_TEXT], last[UNITS_TEXT];
    fprintf(out, "\n%s in %s %s%s, ", units_bytes(bytes, leak->bytes),
            units_count(blocks, leak->blocks), unit, leak->blocks == 1 ? "" : "s");
    if (leak->first_ns == leak->last_ns)
        fprintf(out, "%s at %s\n", verb, units_time(first, leak->first_ns));
    else
        fprintf(out, "%s from %s to %s\n", verb, units_time(first, leak->first_ns),
                units_time(last, leak->last_ns));
    leaks_text_stack(image, leak->stack, addresses);
}

/* ---- the list: blocks and mapped memory together, the biggest first ---- */

/* The lists that the series shows. */
static struct leak_lists lists_of(const struct process *p, enum series series)
{
    return (struct leak_lists){
        .heap = p->leaks,
        .mapped = p->mapped_leaks,
        .heap_count = series == SERIES_MAPPED ? 0 : p->leak_count,
        .mapped_count = series == SERIES_HEAP ? 0 : p->mapped_leak_count,
    };
}

/* Takes the next one off the lists. */
static const struct leak *next_leak(struct leak_lists *l, int *is_mapped)
{
    *is_mapped = l->heap_count == 0 || (l->mapped_count && l->mapped->bytes > l->heap->bytes);
    if (*is_mapped) {
        l->mapped_count--;
        return l->mapped++;
    }
    l->heap_count--;
    return l->heap++;
}

static void print_leaks(const struct image *image, struct leak_lists lists, size_t shown,
                        int with_addresses, FILE *out)
{
    size_t left = lists.heap_count + lists.mapped_count - shown;
    struct addresses addresses;
    int is_mapped;
    addresses_begin(&addresses, image, with_addresses, out);
    for (size_t i = 0; i < shown; i++) {
        const struct leak *leak = next_leak(&lists, &is_mapped);
        print_leak(image, leak, is_mapped, &addresses);
    }
    if (left)
        fprintf(out, "\nand %zu more stacks: -n %zu shows all\n", left, left + shown);
    addresses_end(&addresses);
}

static const char *moment_of(const struct image *image, int is_sum)
{
    if (is_sum)
        return "each one's own end";
    if (image->running)
        return "this moment";
    return image->processes[0].ending.kind == END_EXEC ? "exec" : "exit";
}

static void print_heap_sum(const struct image *image, int is_sum, size_t stack_count, FILE *out)
{
    const struct process *p = &image->processes[0];
    char bytes[UNITS_TEXT], blocks[UNITS_TEXT], stacks[UNITS_TEXT], head[48], sum[160];
    snprintf(head, sizeof head, "live at %s: ", moment_of(image, is_sum));
    snprintf(sum, sizeof sum, "%s in %s block%s of %s stack%s%s",
             units_bytes(bytes, p->totals.live_at_end_bytes),
             units_count(blocks, p->totals.live_at_end_blocks),
             p->totals.live_at_end_blocks == 1 ? "" : "s", units_count(stacks, stack_count),
             stack_count == 1 ? "" : "s", quality_bound(&p->quality, UINT64_MAX));
    text_list(head, sum, WIDTH, out);
}

static void print_mapped_sum(const struct image *image, int is_sum, size_t stack_count, FILE *out)
{
    const struct process *p = &image->processes[0];
    char bytes[UNITS_TEXT], stacks[UNITS_TEXT];
    fprintf(out, "mapped at %s: %s of %s stack%s%s\n", moment_of(image, is_sum),
            units_bytes(bytes, p->totals.mapped_at_end_bytes), units_count(stacks, stack_count),
            stack_count == 1 ? "" : "s", quality_bound(&p->quality, UINT64_MAX));
}

/* Of both, only what there is; where there is nothing at all, that no block was left. */
static void print_sums(const struct image *image, enum series series, int is_sum,
                       struct leak_lists lists, FILE *out)
{
    int has_mapped = lists.mapped_count > 0;
    int has_heap = lists.heap_count > 0 || image->processes[0].totals.live_at_end_blocks > 0;
    if (series == SERIES_HEAP || (series == SERIES_MEMORY && (has_heap || !has_mapped)))
        print_heap_sum(image, is_sum, lists.heap_count, out);
    if (series == SERIES_MAPPED || has_mapped)
        print_mapped_sum(image, is_sum, lists.mapped_count, out);
}

void leaks_text(const struct image *image, enum series series, int is_sum, const char *note,
                long count, int addresses, FILE *out)
{
    const struct process *p = &image->processes[0];
    struct leak_lists lists = lists_of(p, series);
    char left[TOTALS_LEFT];
    size_t all = lists.heap_count + lists.mapped_count;
    size_t shown = count < 0 ? LEAKS_STACKS : (size_t)count;
    if (shown > all)
        shown = all;
    report_text_head(image, note, out);
    if (totals_left(p, left))
        fprintf(out, "figures: %s\n", totals_left(p, left));
    if (p->left != FIGURES_NONE)
        print_sums(image, series, is_sum, lists, out);
    char *quality = quality_of_all(&p->quality);
    if (quality)
        text_list("quality: ", quality, WIDTH, out);
    free(quality);
    gaps_text(image, out);
    if (p->ending.kind == END_EXEC)
        fputs("the process became another program by exec: these blocks are no leaks\n", out);
    print_leaks(image, lists, shown, addresses, out);
}

void leaks_json_stack(struct json *j, const struct image *image, uint32_t stack)
{
    uint32_t node = stack, inner = 0;
    const struct frame *frame;
    json_array(j, "stack");
    while ((frame = stack_next_frame(image, &node, &inner)) != NULL) {
        const struct function *f = &image->functions[frame->function];
        const struct location *location = stack_location(image, node);
        json_object(j, NULL);
        json_string(j, "function", f->name);
        json_string(j, "module", f->module);
        json_string(j, "file", frame->file);
        json_number(j, "line", frame->line);
        address_json(j, image, (struct address){location->object, location->offset});
        json_end_object(j);
    }
    json_end_array(j);
}

static void put_leaks(struct json *j, const char *key, const struct image *image,
                      const struct leak *leaks, size_t leak_count, long count)
{
    json_array(j, key);
    for (size_t i = 0; i < leak_count && (count < 0 || i < (size_t)count); i++) {
        json_object(j, NULL);
        json_number(j, "bytes", leaks[i].bytes);
        json_number(j, "blocks", leaks[i].blocks);
        json_seconds(j, "first_time_s", leaks[i].first_ns);
        json_seconds(j, "last_time_s", leaks[i].last_ns);
        leaks_json_stack(j, image, leaks[i].stack);
        json_end_object(j);
    }
    json_end_array(j);
}

void leaks_json(const struct image *image, const struct family *together, long count, FILE *out)
{
    const struct process *p = &image->processes[0];
    struct json j;
    json_start(&j, out);
    report_json_head(&j, image);
    json_number(&j, "live_at_end_bytes", p->totals.live_at_end_bytes);
    json_number(&j, "live_at_end_blocks", p->totals.live_at_end_blocks);
    json_number(&j, "mapped_at_end_bytes", p->totals.mapped_at_end_bytes);
    report_json_quality(&j, &p->quality);
    gaps_json(&j, image);
    put_leaks(&j, "leaks", image, p->leaks, p->leak_count, count);
    put_leaks(&j, "mapped_leaks", image, p->mapped_leaks, p->mapped_leak_count, count);
    if (together)
        family_json(&j, together, image->epoch_ns);
    json_finish(&j);
}
