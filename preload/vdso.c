/* vdso.c - the kernel's own shared object, and clock_gettime in it. */
#include "vdso.h"
#include "sys.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

typedef int read_clock(int clock, struct timespec *t);

static read_clock *vdso_gettime;
static int64_t offset_ns;

/* What the dynamic section points to, as addresses in memory. */
struct symbols {
    const Elf64_Sym *list, *end; /* the strings follow the list directly */
    const char *strings;
    size_t string_bytes;
};

static struct symbols find_symbols(const uint8_t *base, const Elf64_Dyn *d)
{
    struct symbols s = {0};

    for (; d->d_tag != DT_NULL; d++)
        if (d->d_tag == DT_SYMTAB)
            s.list = (const Elf64_Sym *)(base + d->d_un.d_ptr);
        else if (d->d_tag == DT_STRTAB)
            s.strings = (const char *)base + d->d_un.d_ptr;
        else if (d->d_tag == DT_STRSZ)
            s.string_bytes = d->d_un.d_val;
    s.end = (const Elf64_Sym *)s.strings;
    if (!s.list || s.end < s.list)
        s.end = s.list = NULL;
    return s;
}

/* Reads a number, with a sign where it has one, and moves *p past it. */
static int64_t next_number(const char **p)
{
    int64_t n = 0, sign;

    *p += strspn(*p, " \t");
    sign = **p == '-' ? -1 : 1;
    for (*p += **p == '-'; **p >= '0' && **p <= '9'; ++*p)
        n = n * 10 + (**p - '0');
    return sign * n;
}

/* Two lines, each of a clock's name, seconds and nanoseconds. */
void vdso_offset_read(void)
{
    char text[256];
    sys_read_file("/proc/self/timens_offsets", text, sizeof text);
    const char *p = strstr(text, "boottime");
    if (!p)
        return;
    p += strlen("boottime");
    int64_t seconds = next_number(&p);
    offset_ns = seconds * 1000000000 + next_number(&p);
}

static void find_gettime(void)
{
    static const char name[] = "__vdso_clock_gettime";
    const uint8_t *base = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
    const Elf64_Ehdr *file = (const Elf64_Ehdr *)base;

    if (!base || memcmp(file->e_ident, ELFMAG, SELFMAG) != 0)
        return;
    const Elf64_Phdr *p = (const Elf64_Phdr *)(base + file->e_phoff);
    for (unsigned i = 0; i < file->e_phnum; i++) {
        if (p[i].p_type != PT_DYNAMIC)
            continue;
        struct symbols s = find_symbols(base, (const Elf64_Dyn *)(base + p[i].p_offset));
        for (; s.list + 1 <= s.end; s.list++)
            if (s.list->st_name + sizeof name <= s.string_bytes && s.list->st_shndx != SHN_UNDEF &&
                memcmp(s.strings + s.list->st_name, name, sizeof name) == 0)
                vdso_gettime = (read_clock *)(uintptr_t)(base + s.list->st_value);
    }
}

void vdso_open(void)
{
    find_gettime();
    vdso_offset_read();
}

uint64_t vdso_boottime_ns(void)
{
    struct timespec t = {0, 0};

    if (!vdso_gettime || vdso_gettime(CLOCK_BOOTTIME, &t) != 0)
        return sys_clock_ns(CLOCK_BOOTTIME) - (uint64_t)offset_ns;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec - (uint64_t)offset_ns;
}

int64_t vdso_boottime_offset_ns(void)
{
    return offset_ns;
}
