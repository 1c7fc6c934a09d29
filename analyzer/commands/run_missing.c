/* run_missing.c - see run_missing.h. */
#include "run_missing.h"
#include "quality.h"
#include "run_processes.h"
#include "run_summary.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>

#define WIDTH 79

/* Of `count`, of which one is named: ", and 2 more", "" where there are none. */
#define MORE_TEXT 64
static const char *and_more(char more[MORE_TEXT], size_t count, const char *behind)
{
    more[0] = '\0';
    if (count > 1)
        snprintf(more, MORE_TEXT, ", and %zu more%s", count - 1, behind);
    return more;
}

/* Is the process, as what it has become, in a recording, or just about to begin one? */
static int is_recorded(const struct gather *g, const struct gathered *before,
                       struct proc_identity process)
{
    return run_has_recording(g, before, process) || proc_alive(process);
}

/* Programs by exec that have no recording: "what 4711 became: ./static, and 2 more". */
static void print_unrecorded(const struct gather *g)
{
    const char *reason;
    size_t count = 0, refused = gather_refused(g, &reason); /* those are named already */
    struct gathered_exec first = {0};
    char line[512], more[MORE_TEXT];

    for (size_t i = 0; i < gather_count(g); i++) {
        const struct gathered *one = gather_get(g, i);
        for (size_t k = 0; k < one->exec_count; k++)
            if (!is_recorded(g, one, one->execs[k].process) && count++ == 0)
                first = one->execs[k];
    }
    if (count <= refused)
        return;
    char *path = text_clean(first.path);
    snprintf(line, sizeof line, "what process %d became: %s%s", first.process.pid,
             path[0] ? path : "unknown", and_more(more, count, ""));
    run_summary_line("not recorded", line);
    free(path);
}

/* Recordings of which something holds: the first, and how many there are. */
struct some {
    const struct gathered *first;
    size_t count;
};

static struct some find_some(const struct gather *g, int (*holds)(const struct gathered *))
{
    struct some some = {NULL, 0};

    for (size_t i = 0; i < gather_count(g); i++) {
        const struct gathered *one = gather_get(g, i);
        if (holds(one) && some.count++ == 0)
            some.first = one;
    }
    return some;
}

static int is_cut(const struct gathered *one)
{
    return one->cut;
}

static void print_cut(const struct gather *g)
{
    struct some cut = find_some(g, is_cut);
    char line[512], more[MORE_TEXT];

    if (cut.count == 0)
        return;
    char *name = text_clean(cut.first->name);
    snprintf(line, sizeof line, "%s: its spool was damaged while it was written%s", name,
             and_more(more, cut.count, ""));
    run_summary_line("cut", line);
    free(name);
}

static int has_only_maps(const struct gathered *one)
{
    return one->only_maps;
}

/* Programs whose figures say nothing of their heap: "of chromium, and 5 more, only .." */
static void print_without_heap(const struct gather *g)
{
    struct some without = find_some(g, has_only_maps);
    char line[512], more[MORE_TEXT];

    if (without.count == 0)
        return;
    char *program = text_clean(without.first->program);
    snprintf(line, sizeof line, "of %.128s%s %s", program, and_more(more, without.count, ","),
             QUALITY_ONLY_MAPPINGS);
    text_words("  no heap      ", line, WIDTH, stderr);
    free(program);
}

void run_missing_print(const struct gather *g)
{
    print_without_heap(g);
    print_unrecorded(g);
    print_cut(g);
}
