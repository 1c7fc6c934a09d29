/* module_facts.c - see module_facts.h. */
#include "module_facts.h"
#include "init.h"
#include "spool_content.h"
#include "sys.h"

#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

/* ---- the build id ---- */

/* [at, end) of a note's segment, as mapped. */
struct notes {
    uintptr_t at, end;
};

static uintptr_t padded(uintptr_t bytes)
{
    return (bytes + 3) & ~(uintptr_t)3;
}

/* The GNU build id among them; 0 where there is none. */
static uint32_t find_build_id(struct notes n, uint8_t *to)
{
    while (n.at + sizeof(ElfW(Nhdr)) <= n.end) {
        const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)n.at;
        uintptr_t name = n.at + sizeof *note, text = name + padded(note->n_namesz);
        if (text > n.end || note->n_descsz > n.end - text)
            return 0;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
            memcmp((const void *)name, "GNU", 4) == 0 && note->n_descsz <= SPOOL_BUILD_ID_MAX) {
            memcpy(to, (const void *)text, note->n_descsz);
            return note->n_descsz;
        }
        n.at = text + padded(note->n_descsz);
    }
    return 0;
}

/* The program headers of an object whose ELF header starts [start, end); none where they are not
 * in there. */
struct headers {
    const ElfW(Phdr) * first;
    unsigned count;
};

static struct headers find_headers(uintptr_t start, uintptr_t end)
{
    const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)start;
    if (end - start < sizeof *elf || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
        elf->e_phoff > end - start ||
        elf->e_phnum * sizeof(ElfW(Phdr)) > end - start - elf->e_phoff)
        return (struct headers){NULL, 0};
    return (struct headers){(const ElfW(Phdr) *)(start + elf->e_phoff), elf->e_phnum};
}

/* The address that the object's file gives to its first byte. */
static uintptr_t first_address(struct headers h)
{
    uintptr_t first = 0;
    for (unsigned i = 0; i < h.count; i++)
        if (h.first[i].p_type == PT_LOAD && h.first[i].p_offset == 0)
            first = h.first[i].p_vaddr;
    return first;
}

static uint32_t read_build_id(uintptr_t start, uintptr_t end, uint8_t *to)
{
    struct headers h = find_headers(start, end);
    uintptr_t first = first_address(h);
    uint32_t bytes = 0;
    for (unsigned i = 0; i < h.count && !bytes; i++) {
        uintptr_t at = h.first[i].p_vaddr - first;
        if (h.first[i].p_type == PT_NOTE && at <= end - start &&
            h.first[i].p_filesz <= end - start - at)
            bytes = find_build_id((struct notes){start + at, start + at + h.first[i].p_filesz}, to);
    }
    return bytes;
}

/* ---- what is mapped ---- */

/*
 * ld.so knows a program whose segments have gaps between them segment by segment: code and ELF
 * header may lie in different ones.
 */
static int find_head(const struct object *found, struct object *head)
{
    uintptr_t headers = getauxval(AT_PHDR);
    *head = *found;
    return !object_is_program(found) || !headers ||
           headers - found->start < found->end - found->start || object_find(headers, head);
}

struct mapped {
    const struct object *object, *head;
};

/* The head lies where ld.so says. Where the rest lies the headers say, and they may be wrong. */
static const void *mapped_at(void *context, uint64_t address, size_t bytes)
{
    const struct mapped *m = context;
    uintptr_t at = m->object->bias + address;
    const struct object *in = at - m->head->start < m->head->end - m->head->start ? m->head : NULL;
    if (in ? bytes > in->end - at : !sys_may(SYS_KIND_PROBE))
        return NULL;
    return sys_all_readable((const void *)at, bytes) ? (const void *)at : NULL;
}

/* ---- its file ---- */

/* The kernel knows the program's own file, even when its path is another file's by now. But of
 * "ld.so PROGRAM" it knows only ld.so. */
static long ask_for_file(const struct object *object, struct stat *file)
{
    long result = -ENOENT;
    if (!sys_may(SYS_KIND_START))
        return -EPERM;
    if (!object_is_program(object))
        return SYS_CALL(SYS_newfstatat, AT_FDCWD, object->name, file, 0, 0, 0);
    if (getauxval(AT_BASE))
        result = SYS_CALL(SYS_newfstatat, AT_FDCWD, "/proc/self/exe", file, 0, 0, 0);
    if (result != 0)
        result = SYS_CALL(SYS_newfstatat, AT_FDCWD, init_executable(), file, 0, 0, 0);
    return result;
}

static void read_file_facts(const struct object *object, struct spool_module_facts *f)
{
    struct stat file;
    if (ask_for_file(object, &file) != 0)
        return;
    f->device = file.st_dev;
    f->inode = file.st_ino;
    f->file_bytes = (uint64_t)file.st_size;
    f->mtime_ns = (uint64_t)file.st_mtim.tv_sec * 1000000000u + (uint64_t)file.st_mtim.tv_nsec;
}

void module_facts_read(const struct object *object, struct module_facts *facts)
{
    struct object head;
    memset(facts, 0, sizeof *facts);
    facts->spooled.flags = SPOOL_MODULE_FACTS;
    if (find_head(object, &head)) {
        struct mapped mapped = {object, &head};
        facts->build_id_bytes = read_build_id(head.start, head.end, facts->build_id);
        facts->spooled.content =
            spool_content(mapped_at, &mapped, head.start - object->bias, object->bias);
    }
    read_file_facts(object, &facts->spooled);
}
