/* gaps_view.c - see gaps_view.h. */
#include "gaps_view.h"
#include "function_order.h"
#include "text.h"
#include "units.h"

#include <stdlib.h>

#define WIDTH 79
#define SHOWN 8

/* "  no names of libx.so: its file is gone .." */
static void print_gap(const struct module_gap *gap, FILE *out)
{
    char *module = text_fit(file_of_path(gap->module), 40, 1), *reason = text_clean(gap->reason);
    char *line = NULL;
    if (asprintf(&line, "of %s: %s", module, reason) >= 0)
        text_words(gap->names ? "  no names " : "  no debug information ", line, WIDTH, out);
    free(line);
    free(reason);
    free(module);
}

void gaps_text(const struct image *image, FILE *out)
{
    size_t count = image->gap_count, shown = count > SHOWN ? SHOWN - 1 : count;
    char number[UNITS_TEXT];
    for (size_t i = 0; i < shown; i++)
        print_gap(&image->gaps[i], out);
    if (shown < count)
        fprintf(out, "  and of %s more modules: --json has them all\n",
                units_count(number, count - shown));
}

void gaps_json(struct json *j, const struct image *image)
{
    json_array(j, "modules");
    for (size_t i = 0; i < image->gap_count; i++) {
        json_object(j, NULL);
        json_string(j, "module", image->gaps[i].module);
        json_string(j, "missing", image->gaps[i].names ? "names" : "debug information");
        json_string(j, "reason", image->gaps[i].reason);
        json_end_object(j);
    }
    json_end_array(j);
}
