/* start_facts.c - /proc and the name of the recording, without libc. */
#include "start_facts.h"
#include "sys.h"
#include "vdso.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ENVIRONMENT_MAX (1u << 20)
#define COMMAND_MAX     (128u << 10)
#define NS_A_CLOCK_TICK 10000000 /* USER_HZ is 100 */

/* ---- text ---- */

void start_facts_append(char *to, size_t capacity, const char *text)
{
    size_t n = strlen(to);
    while (*text && n + 1 < capacity)
        to[n++] = *text++;
    to[n] = 0;
}

void start_facts_append_number(char *to, size_t capacity, uint64_t number)
{
    char digits[24];
    char *p = digits + sizeof digits;
    *--p = 0;
    do {
        *--p = (char)('0' + number % 10);
    } while (number /= 10);
    start_facts_append(to, capacity, p);
}

uint64_t start_facts_number(const char *text, uint64_t scale)
{
    uint64_t whole = 0, part = 0, unit = scale;
    for (; text && *text >= '0' && *text <= '9'; text++)
        whole = whole * 10 + (uint64_t)(*text - '0');
    if (text && *text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++)
            part += (unit /= 10) * (uint64_t)(*text - '0');
    return whole * scale + part;
}

static void append_bytes(char *to, size_t capacity, const char *text, size_t bytes)
{
    size_t n = strlen(to);
    while (bytes-- && n + 1 < capacity)
        to[n++] = *text++;
    to[n] = 0;
}

/* ---- /proc ---- */

uint64_t start_facts_start_time(int32_t pid, int32_t *parent_pid)
{
    static char text[1024]; /* at a start, also a forked child's: one thread at a time */
    char path[64] = "/proc/";
    if (pid)
        start_facts_append_number(path, sizeof path, (uint64_t)pid);
    else
        start_facts_append(path, sizeof path, "self");
    start_facts_append(path, sizeof path, "/stat");
    if (!sys_read_file(path, text, sizeof text))
        return 0;
    /* The second field, in parentheses, may hold anything; the third follows the last ')'. */
    const char *p = strrchr(text, ')');
    uint64_t value = 0;
    for (unsigned field = 2; p && field < 22; field++) {
        p = strchr(p + 1, ' ');
        if (!p)
            return 0;
        value = 0;
        for (const char *d = p + 1; *d >= '0' && *d <= '9'; d++)
            value = value * 10 + (uint64_t)(*d - '0');
        if (field + 1 == 4 && parent_pid)
            *parent_pid = (int32_t)value;
    }
    return p ? value - (uint64_t)(vdso_boottime_offset_ns() / NS_A_CLOCK_TICK) : 0;
}

static void read_boot_id(uint8_t to[16])
{
    char text[64];
    unsigned n = 0;
    sys_read_file("/proc/sys/kernel/random/boot_id", text, sizeof text);
    for (const char *p = text; *p && n < 32; p++) {
        unsigned digit = *p >= '0' && *p <= '9'   ? (unsigned)(*p - '0')
                         : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a' + 10)
                                                  : 16;
        if (digit == 16)
            continue;
        to[n / 2] = (uint8_t)(to[n / 2] << 4 | digit);
        n++;
    }
}

static int clock_is_counter(void)
{
    char text[32];
    sys_read_file("/sys/devices/system/clocksource/clocksource0/current_clocksource", text,
                  sizeof text);
    return arch_counter_serves(text);
}

/* ---- without /proc: what the kernel laid on the first thread's stack ---- */

/* argv, or NULL where it is not to be found there. */
static char **stack_argv(long *count)
{
    extern void *__libc_stack_end
        __attribute__((weak)); /* argc lies there, then argv, NULL, the environment, NULL */
    char **argv = (char **)__libc_stack_end + 1;

    *count = *(long *)__libc_stack_end;
    return *count >= 0 && *count < (long)COMMAND_MAX && !argv[*count] ? argv : NULL;
}

/* Copies strings one after another, up to a NULL; returns their bytes. */
static size_t copy_strings(char *const *from, char *to, size_t capacity)
{
    size_t have = 0;

    for (; *from; from++) {
        size_t n = strlen(*from) + 1;
        if (have + n + 1 > capacity)
            break;
        memcpy(to + have, *from, n);
        have += n;
    }
    return have;
}

static void read_stack(struct start_facts *f)
{
    long count;
    char **argv = stack_argv(&count);

    if (!*f->environment) {
        if (environ) /* libc's, once it has started */
            copy_strings(environ, f->environment, ENVIRONMENT_MAX);
        else if (argv)
            copy_strings(argv + count + 1, f->environment, ENVIRONMENT_MAX);
    }
    if (!f->command_bytes && argv)
        f->command_bytes = copy_strings(argv, f->command, COMMAND_MAX);
    const char *executable = (const char *)getauxval(AT_EXECFN);
    if (!*f->executable && executable)
        start_facts_append(f->executable, FACT_PATH, executable);
}

/* The number of the pid namespace: pids mean something only to those who share it. */
static uint64_t read_pid_space(void)
{
    struct stat s;
    return SYS_CALL(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/pid", &s, 0, 0, 0) == 0 ? s.st_ino : 0;
}

/* ---- the program's path ---- */

#define MAPS_MAX (256u << 10)

/* Reads a hexadecimal number and moves *p past it. */
static uint64_t read_hexadecimal(const char **p)
{
    uint64_t v = 0;
    for (;; ++*p) {
        unsigned c = (unsigned char)**p;
        unsigned digit = c - '0' < 10 ? c - '0' : (c | 32) - 'a' < 6 ? (c | 32) - 'a' + 10 : 16;
        if (digit == 16)
            return v;
        v = v << 4 | digit;
    }
}

/* The path at the end of the line of /proc/self/maps that covers `address`:
 * "7f..-7f.. r--p 00000000 fe:00 1234    /usr/bin/x". */
static void path_mapped_at(uintptr_t address, const char *maps, char *to)
{
    for (const char *line = maps, *end; (end = strchr(line, '\n')); line = end + 1) {
        const char *p = line;
        uint64_t low = read_hexadecimal(&p), high = *p == '-' ? (p++, read_hexadecimal(&p)) : 0;
        const char *path = memchr(p, '/', (size_t)(end - p));
        if (address - low >= high - low || high < low || !path)
            continue;
        *to = 0;
        append_bytes(to, FACT_PATH, path, (size_t)(end - path));
        return;
    }
}

/* Started as "ld.so PROGRAM": the kernel knows only ld.so; of the program it says nothing but what
 * is mapped where. */
static void find_program(struct start_facts *f)
{
    uintptr_t headers = getauxval(AT_PHDR);
    char *maps = getauxval(AT_BASE) == 0 && headers ? sys_pages(MAPS_MAX) : NULL;
    if (!maps)
        return;
    sys_read_file("/proc/self/maps", maps, MAPS_MAX);
    path_mapped_at(headers, maps, f->executable);
    sys_unmap(maps, MAPS_MAX);
}

struct start_facts *start_facts_read(void)
{
    struct start_facts *f = sys_pages(sizeof *f);
    struct utsname names;
    if (!f || !(f->environment = sys_pages(ENVIRONMENT_MAX + COMMAND_MAX)))
        return NULL;
    f->command = f->environment + ENVIRONMENT_MAX;
    sys_read_file("/proc/self/environ", f->environment, ENVIRONMENT_MAX - 1);
    f->command_bytes = sys_read_file("/proc/self/cmdline", f->command, COMMAND_MAX);
    SYS_CALL(SYS_readlink, "/proc/self/exe", f->executable, FACT_PATH - 1, 0, 0, 0);
    find_program(f);
    read_stack(f);
    SYS_CALL(SYS_getcwd, f->folder, FACT_PATH - 1, 0, 0, 0, 0);
    if (SYS_CALL(SYS_uname, &names, 0, 0, 0, 0, 0) == 0)
        start_facts_append(f->host, sizeof f->host, names.nodename);
    f->start_time = start_facts_start_time(0, &f->parent_pid);
    f->parent_start_time = f->parent_pid ? start_facts_start_time(f->parent_pid, NULL) : 0;
    f->pid_space = read_pid_space();
    read_boot_id(f->boot_id);
    f->clock_is_counter = clock_is_counter();
    return f;
}

void start_facts_give_back(struct start_facts *f)
{
    sys_unmap(f->environment, ENVIRONMENT_MAX + COMMAND_MAX);
    f->environment = f->command = NULL;
    f->command_bytes = 0;
}

const char *start_facts_variable(const struct start_facts *f, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = f->environment; *p; p += strlen(p) + 1)
        if (strncmp(p, name, n) == 0 && p[n] == '=')
            return p + n + 1;
    return NULL;
}

static const char *const setting_names[] = {
#define SETTING_VARIABLE(NAME, variable, value, help) variable,
    MPROF_SETTINGS(SETTING_VARIABLE)
#undef SETTING_VARIABLE
};

const char *start_facts_setting(const struct start_facts *f, enum setting setting)
{
    return start_facts_variable(f, setting_names[setting]);
}

/* ---- the first process, or a child ---- */

int start_facts_no_children(const struct start_facts *f)
{
    const char *value = start_facts_setting(f, SETTING_CHILDREN);
    return value && value[0] == '0' && (value[1] == 0 || value[1] == ':');
}

/* Was the process started like us? The kernel keeps the environment of its exec. */
static int began_recorded(int32_t pid)
{
    char path[64] = "/proc/";
    struct start_facts *parent = sys_pages(sizeof *parent + ENVIRONMENT_MAX);
    if (!parent)
        return 0;
    start_facts_append_number(path, sizeof path, (uint64_t)pid);
    start_facts_append(path, sizeof path, "/environ");
    parent->environment = (char *)(parent + 1);
    sys_read_file(path, parent->environment, ENVIRONMENT_MAX - 1);
    const char *preloaded = start_facts_variable(parent, "LD_PRELOAD");
    int began = preloaded && strstr(preloaded, "libmprof.so") && start_facts_no_children(parent);
    sys_unmap(parent, sizeof *parent + ENVIRONMENT_MAX);
    return began;
}

int start_facts_is_child(const struct start_facts *f)
{
    if (!start_facts_no_children(f))
        return 0;
    const char *of = start_facts_setting(f, SETTING_CHILDREN) + 1;
    if (*of == 0)
        return f->parent_pid > 0 && began_recorded(f->parent_pid);
    int64_t pid = 0;
    for (of++; *of >= '0' && *of <= '9' && pid < INT32_MAX; of++)
        pid = pid * 10 + (*of - '0');
    return pid != f->parent_pid;
}

/* ---- the time zone ---- */

static uint64_t big_endian(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;
    while (bytes--)
        v = v << 8 | *p++;
    return v;
}

/* Seconds east of UTC at `epoch`, by a TZif file (RFC 8536). Reads only its 64-bit part, not the
 * footer's rules for the years after the last transition: there the last offset holds. */
static int64_t zone_offset(const uint8_t *p, size_t bytes, int64_t epoch)
{
    const uint8_t *end = p + bytes;
    if (bytes < 44 || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return 0;
    uint64_t times = big_endian(p + 32, 4), types = big_endian(p + 36, 4);
    uint64_t chars = big_endian(p + 40, 4), leaps = big_endian(p + 28, 4);
    uint64_t first = 44 + times * 5 + types * 6 + chars + leaps * 8 + big_endian(p + 20, 4) +
                     big_endian(p + 24, 4);
    if (first + 44 > bytes)
        return 0;
    p += first;
    times = big_endian(p + 32, 4);
    types = big_endian(p + 36, 4);
    const uint8_t *when = p + 44;
    if (times > bytes || types == 0 || types > 256 || when + times * 9 + types * 6 > end)
        return 0;
    uint64_t type = 0;
    for (uint64_t i = 0; i < times && (int64_t)big_endian(when + 8 * i, 8) <= epoch; i++)
        type = when[times * 8 + i];
    return type < types ? (int32_t)big_endian(when + times * 9 + type * 6, 4) : 0;
}

static int64_t local_offset(const struct start_facts *f, int64_t epoch)
{
    char path[512] = "/etc/localtime";
    static char zone[64 << 10];
    const char *tz = start_facts_variable(f, "TZ");
    if (tz && *tz == ':')
        tz++;
    if (tz && *tz) {
        path[0] = 0;
        if (*tz != '/')
            start_facts_append(path, sizeof path, "/usr/share/zoneinfo/");
        start_facts_append(path, sizeof path, tz);
    }
    return zone_offset((uint8_t *)zone, sys_read_file(path, zone, sizeof zone), epoch);
}

static void put_digits(char *to, unsigned digits, uint64_t v)
{
    while (digits--) {
        to[digits] = (char)('0' + v % 10);
        v /= 10;
    }
}

void start_facts_stamp(const struct start_facts *f, int64_t epoch, char to[15])
{
    int64_t local = epoch + local_offset(f, epoch);
    uint64_t day = (uint64_t)local / 86400, second = (uint64_t)local % 86400;
    /* Days to year, month, day: count from 1 March 0000, so that leap days end a year; an era has
     * 400 years of 146097 days. */
    uint64_t z = day + 719468, era = z / 146097, of_era = z % 146097;
    uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint64_t m = (5 * of_year + 2) / 153;
    uint64_t month = m < 10 ? m + 3 : m - 9;
    put_digits(to, 4, year + era * 400 + (month <= 2));
    put_digits(to + 4, 2, month);
    put_digits(to + 6, 2, of_year - (153 * m + 2) / 5 + 1);
    put_digits(to + 8, 2, second / 3600);
    put_digits(to + 10, 2, second / 60 % 60);
    put_digits(to + 12, 2, second % 60);
    to[14] = 0;
}

/* ---- the name ---- */

static const char *append_variable(const struct start_facts *f, const char *p, char *to,
                                   size_t capacity)
{
    char name[256] = "";
    const char *close = strchr(p, '}');
    if (!close)
        return p + strlen(p);
    append_bytes(name, sizeof name, p, (size_t)(close - p));
    const char *value = start_facts_variable(f, name);
    start_facts_append(to, capacity, value ? value : "");
    return close + 1;
}

static void append_pattern(const struct start_facts *f, const char *p, char *to, size_t capacity)
{
    while (*p) {
        if (p[0] == '%' && p[1] == 'p') {
            start_facts_append_number(to, capacity, (uint64_t)sys_pid());
            p += 2;
        } else if (p[0] == '%' && p[1] == 'h') {
            start_facts_append(to, capacity, f->host);
            p += 2;
        } else if (p[0] == '%' && p[1] == 'q' && p[2] == '{') {
            p = append_variable(f, p + 3, to, capacity);
        } else {
            p += p[0] == '%' && p[1] == '%';
            append_bytes(to, capacity, p++, 1);
        }
    }
}

size_t start_facts_name(const struct start_facts *f, char *to, size_t capacity)
{
    const char *pattern = start_facts_setting(f, SETTING_OUTPUT);
    *to = 0;
    if (!pattern || *pattern != '/') {
        if (*f->folder != '/') /* it was removed, or lies outside our root */
            return 0;
        start_facts_append(to, capacity, f->folder);
        start_facts_append(to, capacity, "/");
    }
    if (pattern && *pattern) {
        append_pattern(f, pattern, to, capacity);
    } else {
        char stamp[15];
        start_facts_stamp(f, (int64_t)(sys_clock_ns(CLOCK_REALTIME) / 1000000000u), stamp);
        start_facts_append(to, capacity, "mprofile_");
        start_facts_append(to, capacity, stamp);
        start_facts_append(to, capacity, "_");
        start_facts_append_number(to, capacity, (uint64_t)sys_pid());
        start_facts_append(to, capacity, ".mprof");
    }
    size_t n = strlen(to);
    return n + 64 < capacity ? n : 0;
}
