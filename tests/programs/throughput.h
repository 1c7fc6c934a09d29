/*
 * throughput.h - what a program for scripts/bench says of itself (bench_measure.py reads it).
 *
 * One thread, after the others have done their work.
 */
#ifndef MPROF_TESTS_THROUGHPUT_H
#define MPROF_TESTS_THROUGHPUT_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Nanoseconds of a clock that only goes on. */
static inline uint64_t throughput_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The highest resident set so far, of /proc/self/status: ru_maxrss would begin with what our parent had
 * before it became us. */
static inline unsigned long throughput_peak_rss_kib(void)
{
    static char text[4096];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = read(fd, text, sizeof text - 1);
    close(fd);
    const char *line = bytes > 0 ? strstr(text, "VmHWM:") : NULL;
    return line ? strtoul(line + 6, NULL, 10) : 0;
}

/* operations: of all threads together, within `nanoseconds`. */
static inline void throughput_print(unsigned long operations, uint64_t nanoseconds,
                                    unsigned long peak_rss_kib)
{
    double rate = nanoseconds ? (double)operations * 1e9 / (double)nanoseconds : 0;
    char text[256];
    int bytes =
        snprintf(text, sizeof text, "operations %lu\noperations_per_second %lu\npeak_rss_kib %lu\n",
                 operations, (unsigned long)rate, peak_rss_kib);
    write(STDOUT_FILENO, text, (size_t)bytes);
}

#endif
