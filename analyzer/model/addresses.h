/*
 * addresses.h - where the frames and functions of an image lie: an object and an address in its ELF
 * file, without the bias it was loaded at, which is what addr2line -e takes. Any thread.
 */
#ifndef MPROF_ADDRESSES_H
#define MPROF_ADDRESSES_H

#include "summary.h"

struct address {
    uint32_t object; /* 0: unknown */
    uint64_t offset; /* 0: unknown */
};

/* The object of this number; NULL if it is unknown. */
const struct object *image_object(const struct image *image, uint32_t object);

/* The location of the frame that stack_next_frame has just returned, with its `node`. */
static inline const struct location *stack_location(const struct image *image, uint32_t node)
{
    return &image->locations[image->stacks[node].location];
}

/* Is the frame the location's physical function, and not inlined in it? */
static inline int frame_is_physical(const struct image *image, const struct location *location,
                                    const struct frame *frame)
{
    return frame == &image->frames[location->frame_first + location->frame_count - 1];
}

/* Where each function begins, by its number; free() the array. The offset of a function that was
 * only ever inlined is unknown; of one that begins in several places (a copy, a piece, another
 * build of its object) the first that was recorded counts. */
struct address *function_addresses(const struct image *image);

#endif
