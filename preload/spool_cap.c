/* spool_cap.c - see spool_cap.h. */
#include "spool_cap.h"
#include "spool.h"
#include "start_facts.h"
#include "sys.h"

#include <sys/resource.h>
#include <sys/vfs.h>

#define CAP_UNKNOWN (1ull << 30) /* for file systems that do not know their size, like ramfs */

uint64_t spool_cap_of_files(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    SYS_CALL(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, &limit, 0, 0);
    return limit.rlim_cur; /* RLIM_INFINITY is the highest number */
}

static struct spool_cap of_the_disk(long fd)
{
    struct statfs disk;
    uint64_t cap = CAP_UNKNOWN;
    if (SYS_CALL(SYS_fstatfs, fd, &disk, 0, 0, 0, 0) == 0 && disk.f_blocks)
        cap = (uint64_t)disk.f_bavail * (uint64_t)disk.f_bsize / 2;
    return (struct spool_cap){cap, "there is no space for a spool: it may take half of what is "
                                   "free, and needs 4 MiB"};
}

struct spool_cap spool_cap(long fd, const char *wanted)
{
    struct spool_cap cap = of_the_disk(fd);
    if (wanted && *wanted >= '0' && *wanted <= '9')
        cap = (struct spool_cap){start_facts_number(wanted, 1u << 20),
                                 "there is no space for a spool: MPROF_LIMIT must be 4 (MiB) or "
                                 "more"};
    if (cap.bytes > spool_cap_of_files())
        cap = (struct spool_cap){spool_cap_of_files(),
                                 "there is no space for a spool: files may not grow to the 4 MiB "
                                 "that it needs (ulimit -f)"};
    cap.bytes &= ~(uint64_t)(SPOOL_PAGE - 1);
    if (cap.bytes >= SPOOL_CAP_MIN)
        cap.too_small = NULL;
    return cap;
}
