/* addresses_view.c - see addresses_view.h. */
#include "addresses_view.h"
#include "function_order.h"
#include "text.h"
#include "xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BUILD_ID_WIDTH 40 /* digits of the usual ones */

void address_json(struct json *j, const struct image *image, struct address at)
{
    const struct object *object = image_object(image, at.object);
    char hex[SITE_TEXT];
    snprintf(hex, sizeof hex, "0x%" PRIx64, at.offset);
    if (object && at.offset)
        json_string(j, "offset", hex);
    else
        json_null(j, "offset");
    json_string(j, "build_id", object ? object->build_id : "");
}

static int has_line(const struct frame *frame)
{
    return frame->file[0] && frame->line;
}

const char *frame_site(char text[SITE_TEXT], const struct image *image,
                       const struct location *location, const struct frame *frame)
{
    text[0] = '\0';
    if (location->begin && !has_line(frame) && frame_is_physical(image, location, frame))
        snprintf(text, SITE_TEXT, "+0x%" PRIx64, location->offset - location->begin);
    return text;
}

char *frame_module(const struct image *image, const struct location *location,
                   const struct frame *frame)
{
    const struct function *f = &image->functions[frame->function];
    const char *module = file_of_path(f->module);
    char *text = NULL;
    int bytes;
    if (!(f->flags & FUNCTION_RESOLVED))
        return xstrdup("");
    if (location->object && !location->begin && frame_is_physical(image, location, frame))
        bytes = asprintf(&text, "%s+0x%" PRIx64, module, location->offset);
    else
        bytes = asprintf(&text, "%s", module);
    return bytes < 0 ? xstrdup("") : text;
}

void addresses_begin(struct addresses *a, const struct image *image, int wanted, FILE *out)
{
    *a = (struct addresses){.image = image, .out = out};
    if (!wanted)
        return;
    a->functions = function_addresses(image);
    a->shown = xcalloc(image->object_count + 1, 1);
}

void addresses_line(const struct addresses *a, struct address at)
{
    const struct object *object = a->functions ? image_object(a->image, at.object) : NULL;
    if (!object || !at.offset)
        return;
    char *path = text_clean(object->path);
    fprintf(a->out, "        %s 0x%" PRIx64 "\n", path, at.offset);
    free(path);
    a->shown[at.object] = 1;
}

static void print_build_id(const struct addresses *a, const struct object *object)
{
    char *path = text_clean(object->path), *id = text_clean(object->build_id);
    fprintf(a->out, "  %-*s  %s\n", BUILD_ID_WIDTH, id[0] ? id : "(no build id)", path);
    free(id);
    free(path);
}

static void print_build_ids(const struct addresses *a)
{
    int any = 0;
    for (uint32_t i = 1; i < a->image->object_count; i++) {
        if (!a->shown[i])
            continue;
        if (!any++)
            fputs("\nbuild ids of these modules (addr2line -e MODULE ADDRESS)\n", a->out);
        print_build_id(a, &a->image->objects[i]);
    }
}

void addresses_end(struct addresses *a)
{
    if (a->functions)
        print_build_ids(a);
    free(a->functions);
    free(a->shown);
}
