/*
 * units.h - numbers as people read them: one place that says how bytes, counts, times and dates
 * look. Every function fills the caller's buffer, cuts what does not fit, and returns the buffer,
 * so that it can stand in an argument list. Nothing fails. Any thread.
 */
#ifndef MPROF_UNITS_H
#define MPROF_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define UNITS_TEXT 32 /* enough for each of these */

struct unit {
    const char *name; /* "MiB" */
    double bytes;     /* in one of it */
};

/* The unit in which `bytes` are best read: B, KiB, MiB .. EiB. */
struct unit unit_of(uint64_t bytes);

/* A peak: "235.414 MiB", as mprof prints it; less than a MiB in bytes, "5000 B". */
char *units_peak(char text[UNITS_TEXT], uint64_t bytes);

/* "235.41 MiB", "12.30 KiB", "640 B"; at most 11 columns. */
char *units_bytes(char text[UNITS_TEXT], uint64_t bytes);

/* The same, or "1005.9 KiB" where that takes more than `width` columns, which are 8 or more. */
char *units_bytes_in(char text[UNITS_TEXT], uint64_t bytes, int width);

/* "1,055,154". */
char *units_count(char text[UNITS_TEXT], uint64_t count);

/* The same, or "12.35 M" where that takes more than `width` columns, which are 8 or more. */
char *units_count_in(char text[UNITS_TEXT], uint64_t count, int width);

/* "2.425 s", from 1000 s on with one decimal, from 1,000,000 s on with none; below a second "1.234
 * ms", below a millisecond "12.3 us". At most 10 columns: times that only damage makes, of years,
 * are "1.84e+10 s". */
char *units_time(char text[UNITS_TEXT], uint64_t ns);

/* Local date and time, "2026-11-22 03:36:49". */
char *units_date(char text[UNITS_TEXT], uint64_t epoch_ns);

#endif
