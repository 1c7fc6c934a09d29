/* word.c - see word.h. */
#include "word.h"
#include "spool.h"
#include "sys.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>

struct segments {
    const ElfW(Phdr) * first;
    size_t count;
};

/* The program's are in the auxiliary vector; a library's ELF header lies where it is mapped. */
static struct segments segments_of(const struct link_map *object)
{
    struct segments none = {NULL, 0};
    if (object == lookup_all())
        return (struct segments){(const ElfW(Phdr) *)getauxval(AT_PHDR), getauxval(AT_PHNUM)};
    const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)object->l_addr;
    if (!elf || object->l_addr % SPOOL_PAGE || !sys_readable(object->l_addr) ||
        !lookup_begins_with((const char *)elf->e_ident, ELFMAG) ||
        elf->e_phoff + elf->e_phnum * sizeof(ElfW(Phdr)) > SPOOL_PAGE)
        return none;
    return (struct segments){(const ElfW(Phdr) *)(object->l_addr + elf->e_phoff), elf->e_phnum};
}

/* Does the segment contain the address? RELRO counts by whole pages, as ld.so protects them. */
static int has_word(const struct link_map *object, const ElfW(Phdr) * segment, uintptr_t at)
{
    uintptr_t start = object->l_addr + segment->p_vaddr, end = start + segment->p_memsz;
    if (segment->p_type != PT_GNU_RELRO)
        return at >= start && at < end;
    return at >= (start & ~(uintptr_t)(SPOOL_PAGE - 1)) &&
           at < (end & ~(uintptr_t)(SPOOL_PAGE - 1));
}

static int protection_of(const ElfW(Phdr) * segment)
{
    return (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
           (segment->p_flags & PF_X ? PROT_EXEC : 0);
}

/* The page's protection once ld.so has relocated the object; PROT_NONE if that is unknown. */
static int protection_at(const struct link_map *object, uintptr_t at)
{
    struct segments s = segments_of(object);
    int protection = PROT_NONE, allowed = ~0;
    for (size_t i = 0; i < s.count; i++) {
        if (s.first[i].p_type == PT_LOAD && has_word(object, &s.first[i], at))
            protection = protection_of(&s.first[i]);
        else if (s.first[i].p_type == PT_GNU_RELRO && has_word(object, &s.first[i], at))
            allowed = ~PROT_WRITE;
    }
    return protection & allowed;
}

static int protect(uintptr_t at, int protection)
{
    uintptr_t page = at & ~(uintptr_t)(SPOOL_PAGE - 1);
    return SYS_CALL(SYS_mprotect, page, SPOOL_PAGE, protection, 0, 0, 0) == 0;
}

void word_store(const struct link_map *object, uintptr_t at, uintptr_t value)
{
    int protection = protection_at(object, at), locked = !(protection & PROT_WRITE);
    if (protection == PROT_NONE || (locked && !protect(at, protection | PROT_WRITE)))
        return;
    __atomic_store_n((uintptr_t *)at, value, __ATOMIC_RELAXED);
    if (locked)
        protect(at, protection);
}
