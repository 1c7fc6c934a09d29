/* leaks_view.c - see leaks_view.h. */
#include "leaks_view.h"
#include "family_view.h"
#include "function_order.h"
#include "gaps_view.h"
#include "quality.h"
#include "report_view.h"
#include "text.h"
#include "units.h"
#include <inttypes.h>
#include <stdlib.h>

#define WIDTH 79

/* "function  file:line" within the width: the place takes at most 32 columns, the name the rest. */
static void print_frame(const struct image *image, const struct frame *frame, FILE *out)
{
    const struct function *f = &image->functions[frame->function];
    char where[256] = "";
    if (frame->file[0] && frame->line)
        snprintf(where, sizeof where, "%.200s:%" PRIu32, file_of_path(frame->file), frame->line);
    else if (f->flags & FUNCTION_RESOLVED)
        snprintf(where, sizeof where, "%.200s", file_of_path(f->module));
    char *place = text_fit(where, 32, 1);
    size_t room = WIDTH - 6 - text_width(place);
    char *full = text_clean(f->name);
    char *name = text_width(full) <= room ? text_fit(full, room, 0) : text_short_name(full, room);
    fprintf(out, "    %s%s%s\n", name, place[0] ? "  " : "", place);
    free(name);
    free(full);
    free(place);
}

static void print_leak(const struct image *image, const struct leak *leak, FILE *out)
{
    char bytes[UNITS_TEXT], blocks[UNITS_TEXT], first[UNITS_TEXT], last[UNITS_TEXT];
    fprintf(out, "\n%s in %s block%s, ", units_bytes(bytes, leak->bytes),
            units_count(blocks, leak->blocks), leak->blocks == 1 ? "" : "s");
    if (leak->first_ns == leak->last_ns)
        fprintf(out, "allocated at %s\n", units_time(first, leak->first_ns));
    else
        fprintf(out, "allocated from %s to %s\n", units_time(first, leak->first_ns),
                units_time(last, leak->last_ns));
    uint32_t node = leak->stack, inner = 0;
    const struct frame *frame;
    size_t frames = 0;
    for (; (frame = stack_next_frame(image, &node, &inner)) != NULL; frames++)
        print_frame(image, frame, out);
    if (frames == 0)
        fputs("    (no stack was recorded)\n", out);
}

void leaks_text(const struct image *image, const char *note, long count, FILE *out)
{
    const struct process *p = &image->processes[0];
    size_t shown = count < 0 ? LEAKS_STACKS : (size_t)count;
    char bytes[UNITS_TEXT], blocks[UNITS_TEXT], stacks[UNITS_TEXT];
    if (shown > p->leak_count)
        shown = p->leak_count;
    report_text_head(image, note, out);
    fprintf(out, "live at %s: %s in %s block%s of %s stack%s%s\n",
            image->running               ? "this moment"
            : p->ending.kind == END_EXEC ? "exec"
                                         : "exit",
            units_bytes(bytes, p->totals.live_at_end_bytes),
            units_count(blocks, p->totals.live_at_end_blocks),
            p->totals.live_at_end_blocks == 1 ? "" : "s", units_count(stacks, p->leak_count),
            p->leak_count == 1 ? "" : "s", quality_bound(&p->quality, UINT64_MAX));
    char *quality = quality_of_all(&p->quality);
    if (quality)
        text_list("quality: ", quality, WIDTH, out);
    free(quality);
    gaps_text(image, out);
    if (p->ending.kind == END_EXEC)
        fputs("the process became another program by exec: these blocks are no leaks\n", out);
    for (size_t i = 0; i < shown; i++)
        print_leak(image, &p->leaks[i], out);
    if (shown < p->leak_count)
        fprintf(out, "\nand %zu more stacks: -n %zu shows all\n", p->leak_count - shown,
                p->leak_count);
}

static void put_stack(struct json *j, const struct image *image, uint32_t stack)
{
    uint32_t node = stack, inner = 0;
    const struct frame *frame;
    json_array(j, "stack");
    while ((frame = stack_next_frame(image, &node, &inner)) != NULL) {
        const struct function *f = &image->functions[frame->function];
        json_object(j, NULL);
        json_string(j, "function", f->name);
        json_string(j, "module", f->module);
        json_string(j, "file", frame->file);
        json_number(j, "line", frame->line);
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
    report_json_quality(&j, &p->quality);
    gaps_json(&j, image);
    json_array(&j, "leaks");
    for (size_t i = 0; i < p->leak_count && (count < 0 || i < (size_t)count); i++) {
        const struct leak *leak = &p->leaks[i];
        json_object(&j, NULL);
        json_number(&j, "bytes", leak->bytes);
        json_number(&j, "blocks", leak->blocks);
        json_seconds(&j, "first_time_s", leak->first_ns);
        json_seconds(&j, "last_time_s", leak->last_ns);
        put_stack(&j, image, leak->stack);
        json_end_object(&j);
    }
    json_end_array(&j);
    if (together)
        family_json(&j, together, image->epoch_ns);
    json_finish(&j);
}
