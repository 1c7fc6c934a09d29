/* identity.c - see identity.h. */
#include "identity.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

#include "spool_content.h"

enum { TELLING_BYTES = 8, TELLING_VALUES = 5 };

bool build_id_is_telling(const struct symbol_identity *object)
{
    bool seen[256] = {false};
    size_t values = 0;
    for (size_t i = 0; i < object->build_id_bytes; i++) {
        values += !seen[object->build_id[i]];
        seen[object->build_id[i]] = true;
    }
    return object->build_id_bytes >= TELLING_BYTES && values >= TELLING_VALUES;
}

/* The id in a note that begins the section; libelf itself wants the section's end to be a multiple
 * of 4. */
static size_t build_id_of_note(const Elf_Data *data, const uint8_t **id)
{
    GElf_Nhdr note;
    const uint8_t *p = data->d_buf;
    if (!p || data->d_size < sizeof note + 4)
        return 0;
    memcpy(&note, p, sizeof note);
    if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
        memcmp(p + sizeof note, "GNU", 4) != 0 || note.n_descsz > data->d_size - sizeof note - 4)
        return 0;
    *id = p + sizeof note + 4;
    return note.n_descsz;
}

static size_t find_build_id(Elf *elf, const uint8_t **id)
{
    const void *found;
    ssize_t bytes = dwelf_elf_gnu_build_id(elf, &found);
    *id = found;
    GElf_Shdr header;
    for (Elf_Scn *s = elf_nextscn(elf, NULL); s && bytes <= 0; s = elf_nextscn(elf, s)) {
        Elf_Data *data =
            gelf_getshdr(s, &header) && header.sh_type == SHT_NOTE ? elf_rawdata(s, NULL) : NULL;
        if (data)
            bytes = (ssize_t)build_id_of_note(data, id);
    }
    return bytes > 0 ? (size_t)bytes : 0;
}

bool build_id_fits(Elf *elf, const uint8_t *build_id, size_t bytes)
{
    const uint8_t *found;
    return bytes == 0 ||
           (find_build_id(elf, &found) == bytes && memcmp(found, build_id, bytes) == 0);
}

bool has_build_id(Elf *elf)
{
    const uint8_t *found;
    return find_build_id(elf, &found) > 0;
}

struct file_content {
    int fd;
    Elf *elf;
    unsigned char piece[SPOOL_CONTENT_PIECE];
};

/* The bytes of the segment that an address lies in. */
static const void *piece_at(void *context, uint64_t address, size_t bytes)
{
    struct file_content *c = context;
    size_t count;
    GElf_Phdr h;
    if (bytes > sizeof c->piece || elf_getphdrnum(c->elf, &count) != 0)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!gelf_getphdr(c->elf, (int)i, &h) || h.p_type != PT_LOAD || address < h.p_vaddr ||
            address - h.p_vaddr >= h.p_filesz || bytes > h.p_filesz - (address - h.p_vaddr))
            continue;
        off_t at = (off_t)(h.p_offset + (address - h.p_vaddr));
        return pread(c->fd, c->piece, bytes, at) == (ssize_t)bytes ? c->piece : NULL;
    }
    return NULL;
}

/* The address at which the file's first byte is loaded. */
static bool find_first(Elf *elf, uint64_t *address)
{
    size_t count;
    GElf_Phdr h;
    for (size_t i = 0; elf_getphdrnum(elf, &count) == 0 && i < count; i++)
        if (gelf_getphdr(elf, (int)i, &h) && h.p_type == PT_LOAD && h.p_offset == 0) {
            *address = h.p_vaddr;
            return true;
        }
    return false;
}

uint64_t content_of_file(int fd, Elf *elf)
{
    struct file_content c = {.fd = fd, .elf = elf};
    uint64_t first;
    return find_first(elf, &first) ? spool_content(piece_at, &c, first, 0) : 0;
}

static bool is_same_file(const struct symbol_identity *object, const struct stat *s, bool mapped)
{
    uint64_t mtime_ns = (uint64_t)s->st_mtim.tv_sec * 1000000000u + (uint64_t)s->st_mtim.tv_nsec;
    if (mapped && object->inode == 0)
        return true;
    return (uint64_t)s->st_size == object->file_bytes && mtime_ns == object->mtime_ns &&
           (mapped ||
            (s->st_ino == object->inode && (object->device == 0 || s->st_dev == object->device)));
}

enum symbol_gap identity_check(const struct symbol_identity *object, int fd, Elf *elf,
                               const struct stat *status, bool mapped)
{
    if (!build_id_fits(elf, object->build_id, object->build_id_bytes))
        return SYMBOLS_REPLACED;
    if (!object->has_facts)
        return SYMBOLS_WHOLE;
    if (object->content && (object->content != content_of_file(fd, elf) ||
                            (object->build_id_bytes == 0 && has_build_id(elf))))
        return SYMBOLS_REPLACED;
    if (object->build_id_is_telling || is_same_file(object, status, mapped))
        return SYMBOLS_WHOLE;
    return object->inode ? SYMBOLS_REPLACED : SYMBOLS_UNSHOWN;
}
