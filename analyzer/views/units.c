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
                                        {"TiB", 1024.0 * 1024 * 1024 * 1024},
                                        {"PiB", 1024.0 * 1024 * 1024 * 1024 * 1024},
                                        {"EiB", 1024.0 * 1024 * 1024 * 1024 * 1024 * 1024}};
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

char *units_bytes_in(char text[UNITS_TEXT], uint64_t bytes, int width)
{
    struct unit unit = unit_of(bytes);
    int decimals = unit.bytes == 1 ? 0 : 2;
    while (snprintf(text, UNITS_TEXT, "%.*f %s", decimals, (double)bytes / unit.bytes, unit.name) >
               width &&
           decimals > 0)
        decimals--;
    return text;
}

char *units_bytes(char text[UNITS_TEXT], uint64_t bytes)
{
    return units_bytes_in(text, bytes, UNITS_TEXT);
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
    static const char names[] = "MGTPE";
    double value = (double)count / 1e6;
    size_t i = 0;
    for (; value >= 999.995 && names[i + 1]; i++)
        value /= 1000;
    snprintf(text, UNITS_TEXT, "%.2f %c", value, names[i]);
    return text;
}

/* A unit ends where the next one begins once the digits are rounded. */
char *units_time(char text[UNITS_TEXT], uint64_t ns)
{
    double s = (double)ns / 1e9;
    if (ns > 0 && s < 0.00099995)
        snprintf(text, UNITS_TEXT, "%.1f us", s * 1e6);
    else if (ns > 0 && s < 0.9999995)
        snprintf(text, UNITS_TEXT, "%.3f ms", s * 1e3);
    else if (s < 99999999.5)
        snprintf(text, UNITS_TEXT, "%.*f s", s < 999.9995 ? 3 : s < 999999.95 ? 1 : 0, s);
    else
        snprintf(text, UNITS_TEXT, "%.2e s", s);
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
