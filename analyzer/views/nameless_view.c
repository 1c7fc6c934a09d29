/* nameless_view.c - see nameless_view.h. */
#include "nameless_view.h"
#include "addresses.h"
#include "function_order.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* The kernel's [vdso] has no symbols to install. */
static int can_have_symbols(const struct image *image, const struct object *object)
{
    for (size_t i = 0; i < image->gap_count; i++)
        if (image->gaps[i].names && strcmp(image->gaps[i].module, object->path) == 0)
            return 0;
    return object->path[0] == '/';
}

/* Keeps the list sorted, the most functions first. */
static void insert(struct nameless *list, size_t count, struct nameless new)
{
    size_t at = count < NAMELESS_SHOWN ? count : NAMELESS_SHOWN;
    for (; at > 0 && list[at - 1].functions < new.functions; at--)
        if (at < NAMELESS_SHOWN)
            list[at] = list[at - 1];
    if (at < NAMELESS_SHOWN)
        list[at] = new;
}

/* By object: the functions of process 0 without a name, of those that allocated in the series. */
static size_t *count_functions(const struct image *image, enum series series)
{
    const struct process *p = &image->processes[0];
    struct address *begins = function_addresses(image);
    size_t *functions = xcalloc(image->object_count + 1, sizeof *functions);
    for (size_t i = 0; i < p->function_count; i++) {
        uint32_t function = p->functions[i].function;
        if (!(image->functions[function].flags & FUNCTION_RESOLVED) &&
            function_series_of(&p->functions[i], series)->inclusive.allocations)
            functions[begins[function].object]++;
    }
    free(begins);
    return functions;
}

size_t nameless_find(const struct image *image, enum series series,
                     struct nameless list[NAMELESS_SHOWN])
{
    size_t *functions = count_functions(image, series), count = 0;
    for (uint32_t i = 1; i < image->object_count; i++) {
        const struct object *object = &image->objects[i];
        if (functions[i] && can_have_symbols(image, object))
            insert(list, count++, (struct nameless){object, functions[i], NULL});
    }
    free(functions);
    return count;
}

/* The line is one to be copied into a shell, so nothing but digits may come out of a recording. */
static int is_build_id(const char *id)
{
    return id[0] && id[strspn(id, "0123456789abcdef")] == '\0';
}

/* glibc's own package of debug symbols is older than the scheme that names the others. */
static const char *symbols_of(const char *package)
{
    return strcmp(package, "libc6") == 0 ? "-dbg" : "-dbgsym";
}

static void print_module(const struct nameless *n, FILE *out)
{
    char *module = text_fit(file_of_path(n->object->path), 40, 1);
    char *package = text_clean(n->package ? n->package : "");
    fprintf(out, "  %s: ", module);
    if (n->package)
        fprintf(out, "package %s%s\n", package, symbols_of(n->package));
    else if (is_build_id(n->object->build_id))
        fprintf(out, "compile it with -g, or\n    debuginfod-find debuginfo %s\n",
                n->object->build_id);
    else
        fputs("compile it with -g\n", out);
    free(package);
    free(module);
}

/* A package's name is only what it should be by Debian's rule. */
static void print_sources(const struct nameless *list, size_t shown, FILE *out)
{
    int packages = 0, others = 0;
    for (size_t i = 0; i < shown; i++) {
        packages |= list[i].package && strcmp(symbols_of(list[i].package), "-dbgsym") == 0;
        others |= !list[i].package && is_build_id(list[i].object->build_id);
    }
    if (packages)
        fputs("-dbgsym packages are in Debian's archive debian-debug; where one is missing,\n"
              "give debuginfod-find debuginfo the module's build id, which --addresses prints\n",
              out);
    if (packages || others)
        fputs("debuginfod-find asks the servers in DEBUGINFOD_URLS, which you set, say to\n"
              "https://debuginfod.debian.net\n",
              out);
}

void nameless_text(const struct nameless *list, size_t count, FILE *out)
{
    size_t shown = count < NAMELESS_SHOWN ? count : NAMELESS_SHOWN;
    char number[UNITS_TEXT];
    if (count == 0)
        return;
    fputs("\ndebug symbols would bring missing names; install them, then record again\n", out);
    for (size_t i = 0; i < shown; i++)
        print_module(&list[i], out);
    if (shown < count)
        fprintf(out, "  and those of %s more module%s\n", units_count(number, count - shown),
                count - shown == 1 ? "" : "s");
    print_sources(list, shown, out);
}
