/*
 * fuse_memory.c - a small file system without shared mappings (direct_io) and without fallocate,
 * for test_filesystems.sh: files of one folder, kept in memory.
 *
 *   fuse_memory -f -s FOLDER      mounts it there until it is unmounted
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse3/fuse.h>
#include <stdlib.h>
#include <string.h>

#define FILES   16
#define LARGEST (64 << 20)

static struct file {
    char name[256]; /* "" free */
    char *data;
    off_t size;
} files[FILES];

static struct file *find(const char *path)
{
    for (int i = 0; i < FILES; i++)
        if (files[i].name[0] && strcmp(files[i].name, path + 1) == 0)
            return &files[i];
    return NULL;
}

static int get_attributes(const char *path, struct stat *st, struct fuse_file_info *unused)
{
    const struct file *f = find(path);
    (void)unused;
    *st = (struct stat){.st_mode = S_IFDIR | 0777, .st_nlink = 2};
    if (strcmp(path, "/") == 0)
        return 0;
    if (!f)
        return -ENOENT;
    *st = (struct stat){.st_mode = S_IFREG | 0600, .st_nlink = 1, .st_size = f->size};
    return 0;
}

static int list(const char *path, void *to, fuse_fill_dir_t fill, off_t offset,
                struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
    (void)path, (void)offset, (void)info, (void)flags;
    for (int i = 0; i < FILES; i++)
        if (files[i].name[0])
            fill(to, files[i].name, NULL, 0, 0);
    return 0;
}

static int open_file(const char *path, struct fuse_file_info *info)
{
    info->direct_io = 1;
    return find(path) ? 0 : -ENOENT;
}

static int create(const char *path, mode_t mode, struct fuse_file_info *info)
{
    (void)mode;
    for (int i = 0; i < FILES; i++)
        if (!files[i].name[0]) {
            strncpy(files[i].name, path + 1, sizeof files[i].name - 1);
            return open_file(path, info);
        }
    return -ENOSPC;
}

static int set_size(const char *path, off_t size, struct fuse_file_info *unused)
{
    struct file *f = find(path);
    (void)unused;
    if (!f || size > LARGEST)
        return f ? -EFBIG : -ENOENT;
    f->data = realloc(f->data, (size_t)size + 1);
    if (size > f->size)
        memset(f->data + f->size, 0, (size_t)(size - f->size));
    f->size = size;
    return 0;
}

static int read_some(const char *path, char *to, size_t bytes, off_t offset,
                     struct fuse_file_info *unused)
{
    const struct file *f = find(path);
    (void)unused;
    if (!f || offset >= f->size)
        return 0;
    if (bytes > (size_t)(f->size - offset))
        bytes = (size_t)(f->size - offset);
    memcpy(to, f->data + offset, bytes);
    return (int)bytes;
}

static int write_some(const char *path, const char *from, size_t bytes, off_t offset,
                      struct fuse_file_info *unused)
{
    struct file *f = find(path);
    int error =
        f && offset + (off_t)bytes > f->size ? set_size(path, offset + (off_t)bytes, unused) : 0;
    if (!f || error)
        return f ? error : -ENOENT;
    memcpy(f->data + offset, from, bytes);
    return (int)bytes;
}

static int forget(const char *path)
{
    struct file *f = find(path);
    if (!f)
        return -ENOENT;
    free(f->data);
    *f = (struct file){0};
    return 0;
}

static int space(const char *path, struct statvfs *s)
{
    (void)path;
    *s = (struct statvfs){.f_bsize = 4096,
                          .f_frsize = 4096,
                          .f_blocks = 1 << 20,
                          .f_bfree = 1 << 19,
                          .f_bavail = 1 << 19,
                          .f_namemax = 255};
    return 0;
}

static const struct fuse_operations operations = {
    .getattr = get_attributes,
    .readdir = list,
    .open = open_file,
    .create = create,
    .truncate = set_size,
    .read = read_some,
    .write = write_some,
    .unlink = forget,
    .statfs = space,
};

int main(int argc, char **argv)
{
    return fuse_main(argc, argv, &operations, NULL);
}
