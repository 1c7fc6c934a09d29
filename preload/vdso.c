/* vdso.c - the kernel's own shared object, and clock_gettime in it. */
#include "vdso.h"
#include "sys.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

typedef int read_clock(int clock, struct timespec *t);

static read_clock *vdso_gettime;

/* What the dynamic section says, as addresses in memory. */
struct symbols {
    const Elf64_Sym *list, *end; /* the strings lie right behind the list */
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

void vdso_open(void)
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

uint64_t vdso_clock_ns(int clock)
{
    struct timespec t = {0, 0};

    if (!vdso_gettime || vdso_gettime(clock, &t) != 0)
        return sys_clock_ns(clock);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
