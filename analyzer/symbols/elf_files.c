/* elf_files.c - which files belong to an object, and reading them. */
#include "elf_files.h"

#include "debuginfod_cache.h"
#include "elf_load.h"
#include "identity.h"
#include "live_files.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DEBUG_FOLDER "/usr/lib/debug"

static const struct elf_file no_file = {.fd = -1};

static void close_file(struct elf_file *file)
{
    elf_end(file->elf);
    if (file->fd >= 0)
        close(file->fd);
    *file = no_file;
}

/* Files that the kernel makes up look regular, but may be endless. */
static bool is_real_file(struct elf_file *file)
{
    struct statfs system;
    return fstat(file->fd, &file->status) == 0 && S_ISREG(file->status.st_mode) &&
           fstatfs(file->fd, &system) == 0 && system.f_type != PROC_SUPER_MAGIC &&
           system.f_type != SYSFS_MAGIC;
}

/* A recording may name anything, and opening a device may already have effects. O_NONBLOCK: no FIFO
 * that takes the file's place meanwhile can block us. */
static struct elf_file open_elf(const char *path)
{
    struct stat status;
    struct elf_file file = no_file;
    if (path[0] != '/' || stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return file;
    file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file.fd < 0)
        return file;
    if (is_real_file(&file))
        file.elf = elf_open_reading(file.fd);
    GElf_Ehdr header;
    if (!file.elf || elf_kind(file.elf) != ELF_K_ELF || !gelf_getehdr(file.elf, &header))
        close_file(&file);
    return file;
}

Elf_Scn *elf_section_by_name(Elf *elf, const char *name)
{
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return NULL;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section)) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header))
            return NULL;
        const char *found = elf_strptr(elf, names, header.sh_name);
        if (found && strcmp(found, name) == 0)
            return section;
    }
    return NULL;
}

static struct elf_file open_fitting(const char *path, const uint8_t *build_id, size_t bytes)
{
    struct elf_file file = open_elf(path);
    if (file.elf && !build_id_fits(file.elf, build_id, bytes))
        close_file(&file);
    return file;
}

/* /usr/lib/debug/.build-id/ab/cdef0123....debug, or what debuginfod-find has fetched. */
static struct elf_file open_by_build_id(const uint8_t *build_id, size_t bytes)
{
    char path[PATH_MAX], digits[2 * 64 + 1];
    if (bytes < 2 || bytes > 64)
        return no_file;
    for (size_t i = 0; i < bytes; i++)
        sprintf(digits + 2 * i, "%02x", build_id[i]);
    snprintf(path, sizeof path, DEBUG_FOLDER "/.build-id/%.2s/%s.debug", digits, digits + 2);
    struct elf_file file = open_fitting(path, build_id, bytes);
    if (!file.elf && debuginfod_cache_path(digits, path, sizeof path))
        file = open_fitting(path, build_id, bytes);
    return file;
}

/* The checksum of .gnu_debuglink: CRC-32 with the reflected polynomial of IEEE 802.3. */
static uint32_t crc32_more(uint32_t crc, const unsigned char *data, size_t bytes)
{
    static uint32_t table[256];
    for (uint32_t i = 0; i < 256 && !table[255]; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
        table[i] = value;
    }
    for (size_t i = 0; i < bytes; i++)
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    return crc;
}

static bool checksum_fits(int fd, uint32_t checksum)
{
    unsigned char data[64 * 1024];
    uint32_t crc = UINT32_MAX;
    off_t at = 0;
    ssize_t got;
    while ((got = pread(fd, data, sizeof data, at)) > 0) {
        crc = crc32_more(crc, data, (size_t)got);
        at += got;
    }
    return got == 0 && ~crc == checksum;
}

/* The object whose debug file is looked for. */
struct debugged {
    Elf *elf;
    bool has_telling_id; /* a build id that no other object has */
};

/* A debug file belongs to the object by its build id or, where that says nothing, its checksum. */
static struct elf_file open_linked(const struct debugged *main, const char *path, uint32_t checksum)
{
    const void *build_id;
    ssize_t bytes = dwelf_elf_gnu_build_id(main->elf, &build_id);
    struct elf_file file = open_elf(path);
    bool both = file.elf && main->has_telling_id && bytes > 0 && has_build_id(file.elf);
    if (file.elf && !(both ? build_id_fits(file.elf, build_id, (size_t)bytes)
                           : checksum_fits(file.fd, checksum)))
        close_file(&file);
    return file;
}

/* The three places of a debug link: beside the object, in .debug there, in the debug folder. */
static struct elf_file open_in_places(const struct debugged *main, const char *folder,
                                      const char *name, uint32_t checksum)
{
    static const char *const places[] = {"%s/%s", "%s/.debug/%s", DEBUG_FOLDER "%s/%s"};
    char path[PATH_MAX];
    struct elf_file file = no_file;
    for (size_t i = 0; i < sizeof places / sizeof places[0] && !file.elf; i++)
        if (snprintf(path, sizeof path, places[i], folder, name) < (int)sizeof path)
            file = open_linked(main, path, checksum);
    return file;
}

static struct elf_file open_by_debuglink(const struct debugged *main, const char *object_path)
{
    GElf_Word checksum;
    struct elf_file file = no_file;
    const char *name = dwelf_elf_gnu_debuglink(main->elf, &checksum);
    char *real = realpath(object_path, NULL);
    char *slash = real ? strrchr(real, '/') : NULL;
    if (slash && name && *name && !strchr(name, '/')) {
        *slash = '\0'; /* the folder; "" is the root */
        file = open_in_places(main, real, name, checksum);
    }
    free(real);
    return file;
}

static struct elf_file open_debug(const struct debugged *main, const char *object_path)
{
    const void *build_id;
    ssize_t bytes = dwelf_elf_gnu_build_id(main->elf, &build_id);
    struct elf_file file = no_file;
    if (bytes > 0 && main->has_telling_id)
        file = open_by_build_id(build_id, (size_t)bytes);
    return file.elf ? file : open_by_debuglink(main, object_path);
}

/* `name` as seen from the folder of an open file; `path` has room for PATH_MAX. */
static void path_beside(const struct elf_file *file, const char *name, char *path)
{
    char link[64], folder[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file->fd);
    ssize_t bytes = name[0] == '/' ? 0 : readlink(link, folder, sizeof folder - 1);
    folder[bytes > 0 ? bytes : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (snprintf(path, PATH_MAX, "%.*s%s", slash ? (int)(slash + 1 - folder) : 0, folder, name) >=
        PATH_MAX)
        path[0] = '\0';
}

/* .gnu_debugaltlink: a path, its NUL, and the build id of the file there. */
static struct elf_file open_alternate(const struct elf_file *of)
{
    char path[PATH_MAX];
    Elf_Scn *section = of->elf ? elf_section_by_name(of->elf, ".gnu_debugaltlink") : NULL;
    Elf_Data *link = section ? elf_rawdata(section, NULL) : NULL;
    const char *end = link && link->d_buf ? memchr(link->d_buf, 0, link->d_size) : NULL;
    if (!end)
        return no_file;
    const uint8_t *build_id = (const uint8_t *)end + 1;
    size_t bytes = link->d_size - (size_t)(end + 1 - (const char *)link->d_buf);
    struct elf_file file = open_by_build_id(build_id, bytes);
    path_beside(of, link->d_buf, path);
    return file.elf ? file : open_fitting(path, build_id, bytes);
}

/* Copies what is needed and closes the file. Returns false, and drops the file, where a part of it
 * is missing or it changed meanwhile: its parts may not belong together. */
static bool settle(struct elf_file *file, bool dwarf)
{
    struct stat now;
    if (!file->elf)
        return true;
    bool whole = elf_load(file->elf, dwarf, &file->bytes);
    bool same = whole && fstat(file->fd, &now) == 0 && now.st_size == file->status.st_size &&
                now.st_mtim.tv_sec == file->status.st_mtim.tv_sec &&
                now.st_mtim.tv_nsec == file->status.st_mtim.tv_nsec;
    if (!same) {
        close_file(file);
        return false;
    }
    elf_cntl(file->elf, ELF_C_FDDONE);
    close(file->fd);
    file->fd = -1;
    return true;
}

static bool has_dwarf(Elf *elf)
{
    return elf_section_by_name(elf, ".debug_info") || elf_section_by_name(elf, ".zdebug_info");
}

static void settle_all(struct elf_files *files)
{
    bool separate = files->debug.elf != NULL;
    settle(&files->alternate, true);
    settle(&files->debug, true);
    if (!settle(&files->main, !separate)) {
        files->main = files->debug; /* which has the same names of functions */
        files->debug = no_file;
    }
}

/* ---- the object itself ---- */

struct search {
    const struct symbol_identity *object;
    struct elf_file file; /* what was found */
    char path[LIVE_PATH]; /* and where */
    enum symbol_gap gap;  /* what was wrong with the best that was seen */
};

/* Is the file at s->path the object? */
static bool try_path(struct search *s, bool mapped)
{
    if (s->file.elf)
        return true;
    s->file = open_elf(s->path);
    if (!s->file.elf)
        return false;
    enum symbol_gap gap =
        identity_check(s->object, s->file.fd, s->file.elf, &s->file.status, mapped);
    if (gap != SYMBOLS_WHOLE) {
        s->gap = gap;
        close_file(&s->file);
    }
    return gap == SYMBOLS_WHOLE;
}

/* A truncated path would name another file. */
static bool try_recorded_path(struct search *s)
{
    return snprintf(s->path, sizeof s->path, "%s", s->object->path) < (int)sizeof s->path &&
           try_path(s, false);
}

static void find_object(struct search *s)
{
    const struct symbol_identity *o = s->object;
    if (o->pid && live_path_below_root(o->pid, o->path, s->path) && try_path(s, false))
        return;
    if (try_recorded_path(s))
        return;
    for (unsigned n = 0; o->pid && live_path_mapped(o->pid, o->start, n, s->path); n++)
        if (try_path(s, true))
            return;
    if (o->build_id_is_telling)
        s->file = open_by_build_id(o->build_id, o->build_id_bytes);
}

enum symbol_gap elf_files_open(struct elf_files *files, const struct symbol_identity *object)
{
    struct search s = {.object = object, .file = no_file, .gap = SYMBOLS_GONE};
    *files = (struct elf_files){no_file, no_file, no_file};
    find_object(&s);
    files->main = s.file;
    if (!files->main.elf)
        return s.gap;
    struct debugged main = {files->main.elf, object->build_id_is_telling};
    if (!has_dwarf(files->main.elf))
        files->debug = open_debug(&main, s.path);
    files->alternate = open_alternate(files->debug.elf ? &files->debug : &files->main);
    settle_all(files);
    return files->main.elf ? SYMBOLS_WHOLE : SYMBOLS_UNREADABLE;
}

uint64_t elf_files_bytes(const struct elf_files *files)
{
    return files->main.bytes + files->debug.bytes + files->alternate.bytes;
}

void elf_files_close(struct elf_files *files)
{
    close_file(&files->alternate);
    close_file(&files->debug);
    close_file(&files->main);
}
