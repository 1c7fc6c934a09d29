/* failed_view.c - see failed_view.h. */
#include "failed_view.h"
#include "addresses_view.h"
#include "leaks_view.h"
#include "units.h"

#define STACKS_SHOWN 5

static const char *requested(char text[UNITS_TEXT], uint64_t bytes)
{
    return bytes == UINT64_MAX ? "16 EiB or more" : units_bytes(text, bytes);
}

static uint64_t largest_of(const struct process *p)
{
    uint64_t largest = 0;
    for (size_t i = 0; i < p->failure_count; i++)
        if (p->failures[i].largest_bytes > largest)
            largest = p->failures[i].largest_bytes;
    return largest;
}

void failed_text_line(const struct image *image, FILE *out)
{
    const struct process *p = &image->processes[0];
    uint64_t failed = p->totals.failed, largest = largest_of(p);
    char count[UNITS_TEXT], bytes[UNITS_TEXT];
    if (failed == 0)
        return;
    fprintf(out, "  failed        %14s allocation%s", units_count(count, failed),
            failed == 1 ? "" : "s");
    if (largest)
        fprintf(out, "%s of %s", failed == 1 ? "" : ", the largest", requested(bytes, largest));
    fputc('\n', out);
}

static void print_failure(const struct image *image, const struct failure *f, FILE *out)
{
    char bytes[UNITS_TEXT], count[UNITS_TEXT], first[UNITS_TEXT], last[UNITS_TEXT];
    struct addresses none;
    fprintf(out, "\n%s asked for in %s allocation%s ", requested(bytes, f->bytes),
            units_count(count, f->count), f->count == 1 ? "" : "s");
    units_time(first, f->first_ns);
    if (f->count == 1)
        fprintf(out, "at %s\n", first);
    else
        fprintf(out, "from %s to %s\n", first, units_time(last, f->last_ns));
    addresses_begin(&none, image, 0, out);
    leaks_text_stack(image, f->stack, &none);
    addresses_end(&none);
}

void failed_text(const struct image *image, FILE *out)
{
    const struct process *p = &image->processes[0];
    if (p->failure_count == 0)
        return;
    fputs("\nallocations that failed, by stack\n", out);
    for (size_t i = 0; i < p->failure_count && i < STACKS_SHOWN; i++)
        print_failure(image, &p->failures[i], out);
    if (p->failure_count > STACKS_SHOWN)
        fprintf(out, "\nand %zu more: --json has all\n", p->failure_count - STACKS_SHOWN);
}

void failed_json(struct json *j, const struct image *image)
{
    const struct process *p = &image->processes[0];
    json_array(j, "failed");
    for (size_t i = 0; i < p->failure_count; i++) {
        const struct failure *f = &p->failures[i];
        json_object(j, NULL);
        json_number(j, "count", f->count);
        json_number(j, "bytes", f->bytes);
        json_number(j, "largest_bytes", f->largest_bytes);
        json_seconds(j, "first_time_s", f->first_ns);
        json_seconds(j, "last_time_s", f->last_ns);
        leaks_json_stack(j, image, f->stack);
        json_end_object(j);
    }
    json_end_array(j);
}
