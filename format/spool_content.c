/* spool_content.c - see spool_content.h. */
#include "spool_content.h"

#include <elf.h>
#include <string.h>

struct range {
    uint64_t address, bytes;
};

struct content {
    spool_content_at *at;
    void *context;
    uint64_t hash;
};

static void add_word(struct content *c, uint64_t word)
{
    c->hash = (c->hash ^ word) * 0x9e3779b97f4a7c15ull;
    c->hash ^= c->hash >> 32;
}

/* Hashes words of 8 bytes; the last one is filled up with zeros. */
static void add_bytes(struct content *c, const void *bytes, size_t count)
{
    const uint8_t *p = bytes;
    for (; count > 0; count -= count < 8 ? count : 8, p += 8) {
        uint64_t word = 0;
        memcpy(&word, p, count < 8 ? count : 8);
        add_word(c, word);
    }
}

static void add_piece(struct content *c, uint64_t address, size_t bytes)
{
    const void *piece = c->at(c->context, address, bytes);
    if (piece)
        add_bytes(c, piece, bytes);
}

/* Hashes its length, its beginning and its end. */
static void add_range(struct content *c, struct range r)
{
    uint64_t head = r.bytes < SPOOL_CONTENT_PIECE ? r.bytes : SPOOL_CONTENT_PIECE;
    uint64_t tail = r.bytes - head < SPOOL_CONTENT_PIECE ? r.bytes - head : SPOOL_CONTENT_PIECE;
    add_word(c, r.bytes);
    if (head)
        add_piece(c, r.address, head);
    if (tail)
        add_piece(c, r.address + r.bytes - tail, tail);
}

/* Hashes the ELF header and the program headers, and finds two of the parts that they describe. */
static int add_headers(struct content *c, uint64_t first, struct range *frames,
                       struct range *dynamic)
{
    const Elf64_Ehdr *elf = c->at(c->context, first, sizeof *elf);
    if (!elf || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
        elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_phentsize != sizeof(Elf64_Phdr) ||
        elf->e_phnum > SPOOL_CONTENT_PIECE / sizeof(Elf64_Phdr))
        return 0;
    add_bytes(c, elf, offsetof(Elf64_Ehdr, e_shoff));
    size_t count = elf->e_phnum;
    const Elf64_Phdr *h = c->at(c->context, first + elf->e_phoff, count * sizeof *h);
    if (!h)
        return 0;
    add_bytes(c, h, count * sizeof *h);
    for (const Elf64_Phdr *end = h + count; h < end; h++)
        if (h->p_type == PT_GNU_EH_FRAME || h->p_type == PT_DYNAMIC)
            *(h->p_type == PT_DYNAMIC ? dynamic : frames) = (struct range){h->p_vaddr, h->p_memsz};
    return 1;
}

/* Where the dynamic symbols' names lie. */
static struct range find_names(struct content *c, struct range dynamic, uint64_t bias)
{
    struct range names = {0, 0};
    size_t bytes =
        dynamic.bytes < SPOOL_CONTENT_PIECE ? (size_t)dynamic.bytes : SPOOL_CONTENT_PIECE;
    const Elf64_Dyn *d = bytes ? c->at(c->context, dynamic.address, bytes) : NULL;
    for (size_t i = 0; d && i < bytes / sizeof *d && d[i].d_tag != DT_NULL; i++) {
        if (d[i].d_tag == DT_STRTAB)
            names.address = d[i].d_un.d_ptr;
        else if (d[i].d_tag == DT_STRSZ)
            names.bytes = d[i].d_un.d_val;
    }
    if (names.address >= bias)
        names.address -= bias;
    return names;
}

uint64_t spool_content(spool_content_at *at, void *context, uint64_t first, uint64_t bias)
{
    struct content c = {at, context, 0xcbf29ce484222325ull};
    struct range frames = {0, 0}, dynamic = {0, 0};
    if (!add_headers(&c, first, &frames, &dynamic))
        return 0;
    add_range(&c, frames);
    add_range(&c, find_names(&c, dynamic, bias));
    return c.hash ? c.hash : 1;
}
