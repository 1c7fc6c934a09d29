/*
 * spool_state.h - what can be learned of a spool without collecting it: whose it is and whether
 * anybody may still write to it. Reads a few pages with pread; errors are those of recording.h. Any
 * thread.
 */
#ifndef MPROF_SPOOL_STATE_H
#define MPROF_SPOOL_STATE_H

#include "recording.h"
#include "spool.h"

#define SPOOL_STATE_PROCESSES (1u << 20) /* more than any recorder gives out */

/* How many entries of the process table may be valid: what the spool says, within reason. Each
 * entry says of itself whether it is. */
static inline uint32_t spool_process_count(const struct spool_header *h,
                                           const struct spool_control *control)
{
    uint32_t count = control->process_count;

    count = count < h->processes.capacity ? count : h->processes.capacity;
    return count < SPOOL_STATE_PROCESSES ? count : SPOOL_STATE_PROCESSES;
}

/* Fills *identity, and adds the image's children to *forks unless it is NULL. Returns
 * RECORDING_FOREIGN where fd is no spool. */
int spool_identify(int fd, struct recording_identity *identity, struct forks *forks);

/* 1 while anyone has the spool mapped or open for writing. fd: opened read-only. Where that cannot
 * be found out (no leases; a layered file system does not know who writes below) it is 0. */
int spool_has_writer(int fd);

/* 1 where someone writes to the spool or a process of its table lives, and in doubt; 0 where all
 * are gone or have exec'd another program. */
int spool_is_alive(int fd);

/* Our pid namespace, in the form of spool_header.pid_space; 0: unknown. */
uint64_t own_pid_space(void);

/* Does /proc show pids as we know them? Not where it is another namespace's, or missing. */
int proc_shows_our_pids(void);

/* 1 where process `pid` of this machine lives and started at start_time (/proc/PID/stat field 22;
 * 0: unknown), or where that cannot be found out. A zombie does not live. */
int process_is_alive(int32_t pid, uint64_t start_time);

/* Has the process mapped a file of this inode, or of this name (a layered file system may show
 * another inode)? In doubt yes. */
int process_has_mapped(int32_t pid, const char *file_name, uint64_t inode);

#endif
