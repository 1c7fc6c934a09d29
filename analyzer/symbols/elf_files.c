#include "elf_files.h"

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

/* What the kernel makes up looks like regular files, but may be without end. */
static bool is_real_file(int fd)
{
    struct stat status;
    struct statfs system;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && fstatfs(fd, &system) == 0 &&
           system.f_type != PROC_SUPER_MAGIC && system.f_type != SYSFS_MAGIC;
}

/* A recording may name anything, and to open a device may do something already. O_NONBLOCK so that
 * no FIFO holds us that takes the file's place meanwhile. */
static struct elf_file open_elf(const char *path)
{
    struct stat status;
    struct elf_file file = no_file;
    if (path[0] != '/' || stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return file;
    file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file.fd < 0)
        return file;
    if (is_real_file(file.fd))
        file.elf = elf_begin(file.fd, ELF_C_READ_MMAP, NULL);
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

/* False only where both build ids exist and differ. */
static bool build_id_fits(Elf *elf, const uint8_t *build_id, size_t bytes)
{
    const void *found;
    ssize_t found_bytes = dwelf_elf_gnu_build_id(elf, &found);
    if (found_bytes <= 0 || bytes == 0)
        return true;
    return (size_t)found_bytes == bytes && memcmp(found, build_id, bytes) == 0;
}

static bool has_build_id(Elf *elf)
{
    const void *found;
    return dwelf_elf_gnu_build_id(elf, &found) > 0;
}

static struct elf_file open_fitting(const char *path, const uint8_t *build_id, size_t bytes)
{
    struct elf_file file = open_elf(path);
    if (file.elf && !build_id_fits(file.elf, build_id, bytes))
        close_file(&file);
    return file;
}

/* /usr/lib/debug/.build-id/ab/cdef0123....debug */
static struct elf_file open_by_build_id(const uint8_t *build_id, size_t bytes)
{
    char path[PATH_MAX], digits[2 * 64 + 1];
    if (bytes < 2 || bytes > 64)
        return no_file;
    for (size_t i = 0; i < bytes; i++)
        sprintf(digits + 2 * i, "%02x", build_id[i]);
    snprintf(path, sizeof path, DEBUG_FOLDER "/.build-id/%.2s/%s.debug", digits, digits + 2);
    return open_fitting(path, build_id, bytes);
}

/* The checksum of .gnu_debuglink: CRC-32 with the reflected polynomial of IEEE 802.3. */
static uint32_t crc32_of(const unsigned char *data, size_t bytes)
{
    uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
        table[i] = value;
    }
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes; i++)
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    return ~crc;
}

static bool checksum_fits(Elf *elf, uint32_t checksum)
{
    size_t bytes;
    char *data = elf_rawfile(elf, &bytes);
    return data && crc32_of((const unsigned char *)data, bytes) == checksum;
}

/* A debug file belongs to `main` by its build id, or where there is none by its checksum. */
static struct elf_file open_linked(Elf *main, const char *path, uint32_t checksum)
{
    const void *build_id;
    ssize_t bytes = dwelf_elf_gnu_build_id(main, &build_id);
    struct elf_file file = open_fitting(path, build_id, bytes > 0 ? (size_t)bytes : 0);
    if (file.elf && !(bytes > 0 && has_build_id(file.elf)) && !checksum_fits(file.elf, checksum))
        close_file(&file);
    return file;
}

/* The three places of a debug link: beside the object, in .debug there, in the debug folder. */
static struct elf_file open_in_places(Elf *main, const char *folder, const char *name,
                                      uint32_t checksum)
{
    static const char *const places[] = {"%s/%s", "%s/.debug/%s", DEBUG_FOLDER "%s/%s"};
    char path[PATH_MAX];
    struct elf_file file = no_file;
    for (size_t i = 0; i < sizeof places / sizeof places[0] && !file.elf; i++)
        if (snprintf(path, sizeof path, places[i], folder, name) < (int)sizeof path)
            file = open_linked(main, path, checksum);
    return file;
}

static struct elf_file open_by_debuglink(Elf *main, const char *object_path)
{
    GElf_Word checksum;
    struct elf_file file = no_file;
    const char *name = dwelf_elf_gnu_debuglink(main, &checksum);
    char *real = realpath(object_path, NULL);
    char *slash = real ? strrchr(real, '/') : NULL;
    if (slash && name && *name && !strchr(name, '/')) {
        *slash = '\0'; /* the folder; "" is the root */
        file = open_in_places(main, real, name, checksum);
    }
    free(real);
    return file;
}

static struct elf_file open_debug(Elf *main, const char *object_path)
{
    const void *build_id;
    ssize_t bytes = dwelf_elf_gnu_build_id(main, &build_id);
    struct elf_file file = no_file;
    if (bytes > 0)
        file = open_by_build_id(build_id, (size_t)bytes);
    return file.elf ? file : open_by_debuglink(main, object_path);
}

void elf_files_open(struct elf_files *files, const char *path, const uint8_t *build_id,
                    size_t build_id_bytes)
{
    *files = (struct elf_files){no_file, no_file};
    elf_version(EV_CURRENT);
    files->main = open_fitting(path, build_id, build_id_bytes);
    if (!files->main.elf) {
        files->main = open_by_build_id(build_id, build_id_bytes);
        return;
    }
    if (!elf_section_by_name(files->main.elf, ".debug_info") &&
        !elf_section_by_name(files->main.elf, ".zdebug_info"))
        files->debug = open_debug(files->main.elf, path);
}

static void release_descriptor(struct elf_file *file)
{
    if (!file->elf || file->fd < 0 || elf_cntl(file->elf, ELF_C_FDREAD) != 0)
        return;
    elf_cntl(file->elf, ELF_C_FDDONE);
    close(file->fd);
    file->fd = -1;
}

void elf_files_release_descriptors(struct elf_files *files)
{
    release_descriptor(&files->main);
    release_descriptor(&files->debug);
}

void elf_files_close(struct elf_files *files)
{
    close_file(&files->debug);
    close_file(&files->main);
}
