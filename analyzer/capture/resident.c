/* resident.c - reads /proc/PID/status. */
#include "resident.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_BYTES 16384 /* the line with the groups may be long */

int resident_open(int32_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* The number of the line that begins with `name`, in bytes; 0 where there is none. */
static uint64_t line_bytes(const char *text, const char *name)
{
    const char *line = strstr(text, name);

    return line ? strtoull(line + strlen(name), NULL, 10) << 10 : 0;
}

int resident_read(int status_fd, struct resident *r)
{
    char text[STATUS_BYTES];
    ssize_t got = pread(status_fd, text, sizeof text - 1, 0);

    if (got <= 0)
        return 0;
    text[got] = '\0';
    r->bytes = line_bytes(text, "\nVmRSS:");
    r->mark = line_bytes(text, "\nVmHWM:");
    return 1;
}
