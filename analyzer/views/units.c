/* units.c - see units.h. */
#include "units.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct unit unit_of(uint64_t bytes)
{
    static const struct unit units[] = {{"B", 1},
                                        {"KiB", 1024.0},
                                        {"MiB", 1024.0 * 1024},
                                        {"GiB", 1024.0 * 1024 * 1024},
                                        {"TiB", 1024.0 * 1024 * 1024 * 1024}};
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof *units && (double)bytes >= units[i + 1].bytes)
        i++;
    return units[i];
}

char *units_peak(char text[UNITS_TEXT], uint64_t bytes)
{
    if (bytes < 1u << 20)
        snprintf(text, UNITS_TEXT, "%" PRIu64 " B", bytes);
    else
        snprintf(text, UNITS_TEXT, "%.3f MiB", (double)bytes / (1024.0 * 1024));
    return text;
}

char *units_bytes(char text[UNITS_TEXT], uint64_t bytes)
{
    struct unit unit = unit_of(bytes);
    if (unit.bytes == 1)
        snprintf(text, UNITS_TEXT, "%" PRIu64 " B", bytes);
    else
        snprintf(text, UNITS_TEXT, "%.2f %s", (double)bytes / unit.bytes, unit.name);
    return text;
}

char *units_count(char text[UNITS_TEXT], uint64_t count)
{
    char digits[UNITS_TEXT];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
    char *out = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return text;
}

char *units_count_in(char text[UNITS_TEXT], uint64_t count, int width)
{
    if ((int)strlen(units_count(text, count)) <= width)
        return text;
    int giga = count >= 1000000000u;
    snprintf(text, UNITS_TEXT, "%.2f %s", (double)count / (giga ? 1e9 : 1e6), giga ? "G" : "M");
    return text;
}

char *units_time(char text[UNITS_TEXT], uint64_t ns)
{
    if (ns >= 1000000000000u)
        snprintf(text, UNITS_TEXT, "%.1f s", (double)ns / 1e9);
    else if (ns >= 1000000000u || ns == 0)
        snprintf(text, UNITS_TEXT, "%.3f s", (double)ns / 1e9);
    else if (ns >= 1000000u)
        snprintf(text, UNITS_TEXT, "%.3f ms", (double)ns / 1e6);
    else
        snprintf(text, UNITS_TEXT, "%.1f us", (double)ns / 1e3);
    return text;
}

char *units_date(char text[UNITS_TEXT], uint64_t epoch_ns)
{
    time_t seconds = (time_t)(epoch_ns / 1000000000u);
    struct tm local;
    text[0] = '\0';
    if (localtime_r(&seconds, &local))
        strftime(text, UNITS_TEXT, "%Y-%m-%d %H:%M:%S", &local);
    return text;
}
