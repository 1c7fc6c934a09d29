/* addresses.c - see addresses.h. */
#include "addresses.h"
#include "xalloc.h"

const struct object *image_object(const struct image *image, uint32_t object)
{
    return object > 0 && object < image->object_count ? &image->objects[object] : NULL;
}

static void note(struct address *known, struct address found)
{
    if (known->object == 0 || (known->offset == 0 && found.offset != 0))
        *known = found;
}

struct address *function_addresses(const struct image *image)
{
    struct address *list = xcalloc(image->function_count + 1, sizeof *list);
    for (size_t i = 0; i < image->location_count; i++) {
        const struct location *l = &image->locations[i];
        for (uint32_t k = 0; k < l->frame_count; k++) {
            const struct frame *frame = &image->frames[l->frame_first + k];
            int physical = frame_is_physical(image, l, frame);
            note(&list[frame->function], (struct address){l->object, physical ? l->begin : 0});
        }
    }
    return list;
}
