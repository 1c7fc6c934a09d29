/*
 * leader.h - does the process that a family begins with only start others, as a shell, make or a
 * compiler's driver does? Then its own figures say little of what was run.
 *
 * Of a family with all figures. Owns nothing, single-threaded.
 */
#ifndef MPROF_LEADER_H
#define MPROF_LEADER_H

#include "family.h"

/* Another process must have held that many times as much, each at its peak. */
#define LEADER_SHARE 4

/* Does `held`, of another process, make one of `own` bytes a mere leader? */
static inline int leader_is_mere(uint64_t own, uint64_t held)
{
    return held > 0 && held / LEADER_SHARE >= own;
}

/* Can there be a family that could be judged? A recording that knows of no other, and holds one
 * process, has none; of one that is cut nobody knows. */
static inline int leader_has_family(const struct image *image)
{
    return !image->cut && (!image->knows_family || image->beside > 0 || image->process_count > 1);
}

/* What is judged: the process of `self`, whatever it became by exec, or `self` alone, for whoever
 * names the file of that image. */
enum leader_what { LEADER_PROCESS, LEADER_IMAGE };

/* The relative that held the most of the series at its peak, among those of the tree that are not
 * judged; of equals the first. KIN_NONE: there is none. */
size_t leader_biggest(const struct family *family, enum series series, enum leader_what what);

/* 1 and the biggest of those that are not judged, or 0: by the process and by memory, or by the
 * series that a view shows alone. It takes another process to make a mere leader. */
int leader_only_starts(const struct family *family, size_t *biggest);
int leader_only_starts_by(const struct family *family, enum series series, enum leader_what what,
                          size_t *biggest);

/* The last of the images that `self` became by exec one after the other; `self` if it became none
 * that is known. */
size_t leader_last_image(const struct family *family);

#endif
