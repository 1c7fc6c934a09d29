/* spool_state.c - see spool_state.h. */
#include "spool_state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block.h"
#include "boot_clock.h"
#include "capture_ends.h"

static int read_header(int fd, struct spool_header *h)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return RECORDING_IO;
    if (status.st_size == 0)
        return RECORDING_EMPTY;
    memset(h, 0, sizeof *h);
    size_t size = (size_t)status.st_size < sizeof *h ? (size_t)status.st_size : sizeof *h;
    if (read_at(fd, 0, h, size) < 0)
        return RECORDING_IO;
    if (size < sizeof h->magic || h->magic != SPOOL_MAGIC)
        return RECORDING_FOREIGN;
    if (size < sizeof *h)
        return RECORDING_DAMAGED;
    if (h->version > SPOOL_VERSION || (h->features & ~(uint32_t)SPOOL_FREE_STACKS) != 0)
        return RECORDING_TOO_NEW;
    return RECORDING_OK;
}

static uint32_t process_count(int fd, const struct spool_header *h)
{
    struct spool_control control;
    if (h->processes.entry_bytes != sizeof(struct spool_process) ||
        read_at(fd, SPOOL_PAGE, &control, sizeof control) <= 0)
        return 0;
    return spool_process_count(h, &control);
}

static int read_process(int fd, const struct spool_header *h, uint32_t serial,
                        struct spool_process *p)
{
    uint64_t offset = h->processes.offset + (uint64_t)serial * sizeof *p;
    return offset >= h->processes.offset && read_at(fd, offset, p, sizeof *p) > 0 && p->state == 1;
}

/* The command line as the kernel shows it, as far as it fits. */
static void identify_command(int fd, const struct spool_header *h,
                             struct recording_identity *identity)
{
    uint64_t bytes = h->command.bytes;
    if (bytes > sizeof identity->command)
        bytes = sizeof identity->command;
    if (bytes == 0 || h->command.offset > h->info_bytes ||
        bytes > h->info_bytes - h->command.offset ||
        read_at(fd, (uint64_t)h->info_offset + h->command.offset, identity->command, bytes) <= 0)
        return;
    identity->command_bytes = bytes;
    identity->command[bytes - 1] = 0;
}

static void identify_children(int fd, const struct spool_header *h, struct forks *forks)
{
    struct spool_process p;
    uint32_t count = process_count(fd, h);
    for (uint32_t i = 1; i < count; i++)
        if (read_process(fd, h, i, &p))
            forks_add(forks, (struct forked){p.pid, i, p.parent, p.start_time});
}

int spool_identify(int fd, struct recording_identity *identity, struct forks *forks)
{
    struct spool_header h;
    int rc = read_header(fd, &h);
    if (rc != RECORDING_OK)
        return rc;
    memset(identity, 0, sizeof *identity);
    memcpy(identity->id, h.id, sizeof identity->id);
    memcpy(identity->boot_id, h.boot_id, sizeof identity->boot_id);
    identity->tree = h.tree;
    identity->pid = h.pid;
    identity->parent_pid = h.parent_pid;
    identity->start_time = h.start_time;
    identity->parent_start_time = h.parent_start_time;
    identity->epoch_ns = h.epoch_ns;
    identity->is_spool = 1;
    identify_command(fd, &h, identity);
    if (forks)
        identify_children(fd, &h, forks);
    return RECORDING_OK;
}

/* Was the spool recorded in this boot of the machine? In doubt yes. */
static int same_boot(const uint8_t boot_id[16])
{
    char text[64] = "";
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 1;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    unsigned digits = 0;
    uint8_t id[16] = {0};
    for (ssize_t i = 0; i < size && digits < 32; i++) {
        const char *hex = "0123456789abcdef", *digit = strchr(hex, text[i]);
        if (text[i] == 0 || digit == NULL)
            continue;
        id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | (digit - hex));
        digits++;
    }
    static const uint8_t unknown[sizeof id];
    return digits != 32 || memcmp(id, boot_id, sizeof id) == 0 ||
           memcmp(unknown, boot_id, sizeof id) == 0;
}

/* State, threads and start of a process from the text of its stat file; the name in it may hold
 * anything, so fields are counted from the last ')'. Returns 0 where it makes no sense. */
static int parse_stat(const char *text, char *state, long *threads, uint64_t *start_time)
{
    const char *p = strrchr(text, ')');
    if (p == NULL || p[1] != ' ' || p[2] == 0)
        return 0;
    *state = p[2];
    p += 2;
    for (int field = 3; field < 22; field++) {
        p = strchr(p, ' ');
        if (p == NULL)
            return 0;
        p++;
        if (field + 1 == 20)
            *threads = strtol(p, NULL, 10);
    }
    *start_time = boot_clock_start_time(strtoull(p, NULL, 10));
    return 1;
}

uint64_t own_pid_space(void)
{
    struct stat s;
    return stat("/proc/self/ns/pid", &s) == 0 ? (uint64_t)s.st_ino : 0;
}

int proc_shows_our_pids(void)
{
    char text[32];
    ssize_t size = readlink("/proc/self", text, sizeof text - 1);
    text[size > 0 ? size : 0] = 0;
    return atol(text) == getpid();
}

int process_is_alive(int32_t pid, uint64_t start_time)
{
    char path[40], text[1024], state = 0;
    long threads = 0;
    uint64_t started = 0;
    if (pid <= 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = proc_shows_our_pids() ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) /* gone, or hidden from us */
        return kill(pid, 0) == 0 || errno != ESRCH;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0)
        return size < 0 && errno != ESRCH;
    text[size] = 0;
    if (!parse_stat(text, &state, &threads, &started))
        return 1;
    if (start_time != 0 && started != start_time)
        return 0;
    /* The dead first thread of a living process is Z too, but then other threads remain. */
    return !((state == 'Z' || state == 'X') && threads <= 1);
}

int process_has_mapped(int32_t pid, const char *file_name, uint64_t inode)
{
    char path[64], inode_text[32], *line = NULL;
    size_t room = 0;
    int found = 0;

    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    snprintf(inode_text, sizeof inode_text, " %llu ", (unsigned long long)inode);
    FILE *maps = fopen(path, "re");
    if (maps == NULL)
        return errno != ENOENT && errno != ESRCH;
    /* A layered file system may show another inode than stat: either sign is enough. */
    while (!found && getline(&line, &room, maps) > 0)
        found = strstr(line, inode_text) != NULL || strstr(line, file_name) != NULL;
    free(line);
    fclose(maps);
    return found;
}

/* 1 where a process has the file open for writing or mapped, 0 where none has, -1 where the file
 * system cannot say. */
static int find_writer(int fd)
{
    /* A read lease is refused while the file is open for writing, and a mapping counts as open
     * (fcntl(2)). */
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
        fcntl(fd, F_SETLEASE, F_UNLCK);
        return 0;
    }
    return errno == EAGAIN ? 1 : -1;
}

int spool_has_writer(int fd)
{
    return find_writer(fd) == 1;
}

/* A pid of another namespace is another process's here. A recorder that could not read its
 * namespace from /proc could not read its start time either. */
static int is_our_pid(const struct spool_header *h, uint64_t start_time)
{
    return h->pid_space ? h->pid_space == own_pid_space() : start_time != 0;
}

int spool_is_alive(int fd)
{
    struct spool_header h;
    struct spool_process p;
    if (read_header(fd, &h) != RECORDING_OK || !same_boot(h.boot_id))
        return 0;
    int writer = find_writer(fd);
    if (writer == 1)
        return 1;
    uint32_t count = process_count(fd, &h);
    /* Until its first entry is there, only the header says anything. */
    if ((count == 0 || !read_process(fd, &h, 0, &p)) &&
        (writer < 0 || is_our_pid(&h, h.start_time)) && process_is_alive(h.pid, h.start_time))
        return 1;
    for (uint32_t i = 0; i < count; i++)
        if (read_process(fd, &h, i, &p) && p.end_kind != SPOOL_END_EXEC &&
            (writer < 0 ||
             (!(p.flags & SPOOL_PROCESS_ELSEWHERE) && is_our_pid(&h, p.start_time))) &&
            process_is_alive(p.pid, p.start_time))
            return 1;
    return 0;
}
