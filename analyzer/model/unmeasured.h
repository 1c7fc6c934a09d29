/*
 * unmeasured.h - how many processes of a family nobody has seen the resident set of: short ones
 * have no sample, killed ones no mark of the kernel's; and of how many nobody knows how long they
 * held their memory. Of a family with figures.
 */
#ifndef MPROF_UNMEASURED_H
#define MPROF_UNMEASURED_H

#include "family.h"

struct unmeasured {
    size_t unsampled; /* processes without a sample of what they became last */
    size_t unknown;   /* of these: without a mark, too */
    /* Without an end that the recorder or `run` saw, and so counted up to their last event or look
     * only, while others of the family went on. */
    size_t unended;
};

struct unmeasured unmeasured_of(const struct family *family);

/* Of those that lived within [begin_ns, end_ns), since 1970. */
struct unmeasured unmeasured_within(const struct family *family, uint64_t begin_ns,
                                    uint64_t end_ns);

#endif
