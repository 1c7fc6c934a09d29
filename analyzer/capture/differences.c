/* differences.c - the stacks of a self-check, put into words. */
#include "differences.h"
#include "xalloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_WORDS 3

/* Frames of a payload that nobody has checked. */
struct frames {
    const uint8_t *p, *end;
};

/* 0 where there is no whole frame. */
static int next_frame(struct frames *f, uint32_t *id, uint64_t *pc)
{
    if (f->end - f->p < 3)
        return 0;
    uint32_t number = f->p[0] | (uint32_t)f->p[1] << 8 | (uint32_t)f->p[2] << 16;
    if (number == SPOOL_FRAME_RAW && f->end - f->p < SPOOL_FRAME_MAX)
        return 0;
    f->p = spool_decode_frame(f->p, id, pc);
    return 1;
}

static uint64_t address_of(const struct locations *l, uint32_t id, uint64_t pc)
{
    struct spool_pc entry;

    if (id == SPOOL_FRAME_RAW)
        return pc;
    return spool_file_pc(l->file, id, &entry) ? entry.pc : 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "0x7f..  function < its caller, inlined (module)" */
static void print_frame(struct locations *l, uint32_t id, uint64_t pc, FILE *out)
{
    const struct image *image = l->image;
    uint32_t number = locations_find(l, id, pc);
    const struct location *location = &image->locations[number];

    if (id == SPOOL_FRAME_UNKNOWN) {
        fputs("what lies further out is unknown\n", out);
        return;
    }
    fprintf(out, "0x%012" PRIx64 " ", address_of(l, id, pc));
    const struct function *function = &image->functions[0];
    for (uint32_t i = 0; i < location->frame_count; i++) {
        function = &image->functions[image->frames[location->frame_first + i].function];
        fprintf(out, "%s %s", i ? " <" : "", function->name);
    }
    fprintf(out, " (%s)\n", last_part(function->module));
}

/* One line per frame. NULL where the payload does not hold that many. */
static const char *stack_text(struct locations *l, struct frames *f, uint32_t count, uint32_t left)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    uint32_t id, i;
    uint64_t pc;

    if (!out)
        return NULL;
    if (left)
        fprintf(out, "(%" PRIu32 " equal frames)\n", left);
    for (i = 0; i < count && next_frame(f, &id, &pc); i++)
        print_frame(l, id, pc, out);
    fclose(out);
    const char *kept = i == count ? arena_string(l->image->memory, text) : NULL;
    free(text);
    return kept;
}

void differences_take(struct process *process, struct locations *locations,
                      const struct spool_event *label, uint64_t ns)
{
    uint32_t head[HEAD_WORDS];

    if (label->size < sizeof head || process->difference_count == DIFFERENCES_KEPT)
        return;
    memcpy(head, label->payload, sizeof head);
    struct frames f = {label->payload + sizeof head, label->payload + label->size};
    struct difference d = {.ns = ns};
    d.ours = stack_text(locations, &f, head[0], head[2]);
    d.theirs = d.ours ? stack_text(locations, &f, head[1], head[2]) : NULL;
    if (!d.theirs)
        return;
    if (!process->differences)
        process->differences =
            arena_take(locations->image->memory, DIFFERENCES_KEPT * sizeof *process->differences);
    process->differences[process->difference_count++] = d;
}
