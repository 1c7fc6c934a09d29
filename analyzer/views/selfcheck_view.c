/* selfcheck_view.c - see selfcheck_view.h. */
#include "selfcheck_view.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"
#include <stdlib.h>
#include <string.h>

#define WIDTH 79

/* Calls line(context, text) for each line of a stack. */
static void each_line(const char *stack, void (*line)(void *context, const char *text),
                      void *context)
{
    char *copy = xmalloc(strlen(stack) + 1), *rest = NULL;
    strcpy(copy, stack);
    for (char *l = strtok_r(copy, "\n", &rest); l; l = strtok_r(NULL, "\n", &rest))
        line(context, l);
    free(copy);
}

void selfcheck_text_line(const struct image *image, FILE *out)
{
    uint64_t compared = 0, differ = 0;
    char a[UNITS_TEXT], b[UNITS_TEXT];
    for (size_t i = 0; i < image->process_count; i++) {
        compared += image->processes[i].quality.selfcheck_compared;
        differ += image->processes[i].quality.selfcheck_differences;
    }
    if (compared)
        fprintf(out, "  self-check    %s stack%s compared, %s differ%s\n", units_count(a, compared),
                compared == 1 ? "" : "s", differ ? units_count(b, differ) : "none",
                differ <= 1 ? "s" : "");
}

static void print_line(void *context, const char *text)
{
    char *fit = text_fit(text, WIDTH - 4, 0);
    fprintf(context, "    %s\n", fit);
    free(fit);
}

static void print_difference(const struct process *p, const struct difference *d, FILE *out)
{
    char time[UNITS_TEXT];
    fprintf(out, "\nself-check: stacks that differ, pid %d at %s\n", p->pid,
            units_time(time, d->ns));
    fputs("  ours, innermost first\n", out);
    each_line(d->ours, print_line, out);
    fprintf(out, "  libunwind's%s\n",
            strcmp(d->ours, d->theirs) == 0 ? ": the stack pointers differ" : "");
    each_line(d->theirs, print_line, out);
}

void selfcheck_text(const struct image *image, FILE *out)
{
    for (size_t i = 0; i < image->process_count; i++)
        for (size_t k = 0; k < image->processes[i].difference_count; k++)
            print_difference(&image->processes[i], &image->processes[i].differences[k], out);
}

static void put_line(void *context, const char *text)
{
    json_string(context, NULL, text);
}

static void put_stack(struct json *j, const char *key, const char *stack)
{
    json_array(j, key);
    each_line(stack, put_line, j);
    json_end_array(j);
}

void selfcheck_json(struct json *j, const struct process *process)
{
    json_array(j, "selfcheck");
    for (size_t i = 0; i < process->difference_count; i++) {
        const struct difference *d = &process->differences[i];
        json_object(j, NULL);
        json_seconds(j, "time_s", d->ns);
        put_stack(j, "ours", d->ours);
        put_stack(j, "libunwind", d->theirs);
        json_end_object(j);
    }
    json_end_array(j);
}
