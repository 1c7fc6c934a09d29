/* function_order.c - see function_order.h. */
#include "function_order.h"
#include "xalloc.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct keyed {
    uint64_t key; /* larger first */
    const struct function_usage *usage;
    const struct series_usage *series;
    const char *name;
};

static uint64_t key_of(const struct series_usage *u, const char *key)
{
    if (strcmp(key, "self") == 0)
        return u->self.own_peak_bytes;
    if (strcmp(key, "at-peak") == 0)
        return u->inclusive.at_peak_bytes;
    if (strcmp(key, "allocations") == 0)
        return u->inclusive.allocations;
    if (strcmp(key, "bytes") == 0)
        return u->inclusive.allocated_bytes;
    if (strcmp(key, "live") == 0)
        return u->inclusive.live_at_end_bytes;
    if (strcmp(key, "name") == 0)
        return 0;
    return u->inclusive.own_peak_bytes;
}

static int compare(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static int by_key(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    int order = compare(a->key, b->key);
    if (order == 0)
        order = compare(a->series->inclusive.own_peak_bytes, b->series->inclusive.own_peak_bytes);
    if (order == 0)
        order = compare(a->series->self.own_peak_bytes, b->series->self.own_peak_bytes);
    if (order == 0)
        order = strcmp(a->name, b->name);
    return order ? order : (a->usage > b->usage) - (a->usage < b->usage);
}

static int by_name(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : by_key(left, right);
}

const struct function_usage **function_order(const struct image *image,
                                             const struct process *process, enum series series,
                                             const char *key, size_t *count)
{
    struct keyed *keyed = xcalloc(process->function_count + 1, sizeof *keyed);
    *count = 0;
    for (size_t i = 0; i < process->function_count; i++) {
        struct function_usage *f = &process->functions[i];
        const struct series_usage *u = function_series(f, series);
        if (u->inclusive.allocations)
            keyed[(*count)++] =
                (struct keyed){key_of(u, key), f, u, image->functions[f->function].name};
    }
    qsort(keyed, *count, sizeof *keyed, strcmp(key, "name") == 0 ? by_name : by_key);
    const struct function_usage **order = xcalloc(*count + 1, sizeof *order);
    for (size_t i = 0; i < *count; i++)
        order[i] = keyed[i].usage;
    free(keyed);
    return order;
}

const char *file_of_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

char *function_place(const struct function *f)
{
    char *place = NULL;
    int bytes = f->file[0] && f->line
                    ? asprintf(&place, "%s:%" PRIu32, file_of_path(f->file), f->line)
                    : asprintf(&place, "%s", file_of_path(f->file[0] ? f->file : f->module));
    return bytes < 0 ? xstrdup("") : place;
}
