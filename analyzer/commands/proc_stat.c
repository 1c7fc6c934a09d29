/* proc_stat.c - see proc_stat.h. */
#include "proc_stat.h"
#include "boot_clock.h"
#include "spool_state.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int proc_stat_read(pid_t pid, struct proc_stat *stat)
{
    char path[64], text[1024];
    int parent;
    unsigned long long start_time;

    if (!proc_shows_our_pids())
        return 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    /* The name in brackets may hold brackets and spaces: the fields begin after the last one. */
    const char *fields = strrchr(text, ')');
    if (fields == NULL ||
        sscanf(fields,
               ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld "
               "%*d %llu",
               &stat->state, &parent, &stat->threads, &start_time) != 4)
        return 0;
    stat->parent = parent;
    stat->start_time = boot_clock_start_time(start_time);
    return 1;
}

int proc_alive(struct proc_identity process)
{
    struct proc_stat stat;

    if (process.pid > 0 && !proc_shows_our_pids()) /* in doubt it lives */
        return kill(process.pid, 0) == 0 || errno != ESRCH;
    if (process.pid <= 0 || !proc_stat_read(process.pid, &stat))
        return 0;
    if (process.start_time != 0 && stat.start_time != process.start_time)
        return 0;
    /* The first thread may have ended before the others: then it is a zombie among threads. */
    return !((stat.state == 'Z' || stat.state == 'X') && stat.threads <= 1);
}

uint64_t proc_inherited_resident(void)
{
    unsigned long long resident = 0, of_files = 0;
    FILE *statm = fopen("/proc/self/statm", "re");

    if (statm == NULL)
        return 0;
    if (fscanf(statm, "%*u %llu %llu", &resident, &of_files) != 2 || of_files > resident)
        resident = of_files = 0;
    fclose(statm);
    return (resident - of_files) * (uint64_t)sysconf(_SC_PAGESIZE);
}

struct relation {
    pid_t pid, parent;
    uint64_t start_time;
};

static size_t all_processes(struct relation **list)
{
    size_t count = 0, room = 0;
    struct dirent *entry;
    DIR *proc = opendir("/proc");

    *list = NULL;
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        struct proc_stat stat;
        pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
        if (pid <= 0 || !proc_stat_read(pid, &stat))
            continue;
        if (count == room) {
            room = room ? 2 * room : 256;
            struct relation *more = realloc(*list, room * sizeof **list);
            if (more == NULL)
                break;
            *list = more;
        }
        (*list)[count++] = (struct relation){pid, stat.parent, stat.start_time};
    }
    if (proc != NULL)
        closedir(proc);
    return count;
}

/* Is `pid` the process's name for itself? The last number of NSpid, a line of its status. */
static int calls_itself(pid_t process, pid_t pid)
{
    char path[64], *line = NULL;
    size_t room = 0;
    long inner = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)process);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        return 0;
    while (inner == 0 && getline(&line, &room, status) > 0)
        if (strncmp(line, "NSpid:", 6) == 0)
            inner = strtol(strrchr(line, '\t') + 1, NULL, 10);
    free(line);
    fclose(status);
    return inner == pid;
}

pid_t proc_find_inner(struct proc_identity inner)
{
    struct relation *list;
    size_t all = all_processes(&list);
    pid_t found = 0;

    for (size_t i = 0; i < all && found == 0; i++)
        if (list[i].start_time == inner.start_time && calls_itself(list[i].pid, inner.pid))
            found = list[i].pid;
    free(list);
    return found;
}

size_t proc_descendants(pid_t root, struct proc_identity *found, size_t max)
{
    struct relation *list;
    size_t all = all_processes(&list), count = 0;

    /* `found` is also the queue: first the root's children, then theirs. */
    pid_t parent = root;
    for (size_t next = 0;; next++) {
        for (size_t i = 0; i < all && count < max; i++)
            if (list[i].parent == parent)
                found[count++] = (struct proc_identity){list[i].pid, list[i].start_time};
        if (next >= count)
            break;
        parent = found[next].pid;
    }
    free(list);
    return count;
}
