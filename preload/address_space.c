/* address_space.c - reads /proc in small pieces, as the stack may be an alternate one. */
#include "address_space.h"
#include "sys.h"

struct text {
    long fd, have, at;
    char piece[128];
};

/* The next character, -1 at the end. */
static int next(struct text *t)
{
    if (t->fd < 0)
        return -1;
    if (t->at == t->have) {
        t->at = 0;
        t->have = sys_read(t->fd, t->piece, sizeof t->piece);
    }
    return t->have > 0 ? t->piece[t->at++] : -1;
}

static struct text open_text(const char *path)
{
    return (struct text){.fd = sys_open(path, O_RDONLY, 0)};
}

static void close_text(const struct text *t)
{
    if (t->fd >= 0)
        sys_close(t->fd);
}

/* ---- mappings ---- */

static uintptr_t read_hexadecimal(struct text *t)
{
    uintptr_t value = 0;
    int c;
    while (((c = next(t)) >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))
        value = value << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
    return value;
}

/* "7f..-7f.. r--p 00000000 fe:00 1234    /usr/bin/x", in order of address. */
static struct bounds read_line(struct text *t)
{
    struct bounds b = {read_hexadecimal(t), 0};
    int c;
    b.end = read_hexadecimal(t);
    while ((c = next(t)) >= 0 && c != '\n')
        continue;
    return b;
}

struct bounds address_space_above(uintptr_t address)
{
    struct text t = open_text("/proc/self/maps");
    struct bounds b;
    do
        b = read_line(&t);
    while (b.end && b.end <= address);
    close_text(&t);
    return b;
}

/* ---- the break ---- */

#define FIRST_BREAK 45 /* how many fields before it have a blank before them */

/* "12 (name) S 1 ..": the name may hold anything, but what is behind it no bracket. */
uintptr_t address_space_first_break(void)
{
    struct text t = open_text("/proc/self/stat");
    uintptr_t value = 0;
    int c, blanks = 0;
    while (blanks <= FIRST_BREAK && (c = next(&t)) >= 0) {
        if (c == ')')
            blanks = 0;
        else if (c == ' ' && ++blanks <= FIRST_BREAK)
            value = 0;
        else if (c >= '0' && c <= '9')
            value = value * 10 + (unsigned)(c - '0');
    }
    close_text(&t);
    return blanks > FIRST_BREAK ? value : 0;
}
