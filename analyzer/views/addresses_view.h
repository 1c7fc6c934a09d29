/*
 * addresses_view.h - addresses of frames and functions, as text and as JSON, in the form that
 * addr2line -e takes: a module's path and a hexadecimal address in it. What is not known is left
 * out of the text. A write that fails is left to the stream's error flag. Any thread.
 */
#ifndef MPROF_ADDRESSES_VIEW_H
#define MPROF_ADDRESSES_VIEW_H

#include "addresses.h"
#include "json.h"

#include <stdio.h>

/* "offset": "0x11b1", null where it is not known; "build_id": "3f2a..", "" where there is none. */
void address_json(struct json *j, const struct image *image, struct address at);

/* "+0x1c4", how far behind its function's beginning a frame without a line lies: what tells its
 * call sites apart. "" for all other frames. Returns `text`. */
#define SITE_TEXT 24
const char *frame_site(char text[SITE_TEXT], const struct image *image,
                       const struct location *location, const struct frame *frame);

/* Where a frame without a line is: its module, "" if that is in its name; with the offset in the
 * module where frame_site has nothing to say. free() it. */
char *frame_module(const struct image *image, const struct location *location,
                   const struct frame *frame);

/* What --addresses adds to a text. The paths are whole, so lines may be long. */
struct addresses {
    const struct image *image;
    struct address *functions; /* where each begins; NULL: no addresses are wanted */
    unsigned char *shown;      /* by object: its path was printed */
    FILE *out;
};

void addresses_begin(struct addresses *a, const struct image *image, int wanted, FILE *out);
/* A line below the frame or function that lies there. */
void addresses_line(const struct addresses *a, struct address at);
/* The build ids of the modules that were named. Releases what the struct holds. */
void addresses_end(struct addresses *a);

#endif
