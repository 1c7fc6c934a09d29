/*
 * spool_cap.h - how large the spool may become. At the start, one thread.
 */
#ifndef MPROF_SPOOL_CAP_H
#define MPROF_SPOOL_CAP_H

#include <stdint.h>

#define SPOOL_CAP_MIN (4u << 20) /* with less the tables alone would have no room */

struct spool_cap {
    uint64_t bytes;
    const char *too_small; /* why it is less than SPOOL_CAP_MIN; NULL where it is not */
};

/* Half of the free space, or what MPROF_LIMIT (`wanted`, may be NULL) says, within what files may
 * grow to. */
struct spool_cap spool_cap(long fd, const char *wanted);

/* The largest file that the kernel allows us: for a byte beyond it the host gets a SIGXFSZ. */
uint64_t spool_cap_of_files(void);

#endif
