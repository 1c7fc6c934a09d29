/* exec_target.c - see exec_target.h. */
#include "exec_target.h"
#include "given.h"
#include "start_facts.h"
#include "sys.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES   256 /* of a program: the kernel reads no more of a script's first line */
#define SCRIPT_DEPTH 5   /* scripts whose interpreter is a script; the kernel allows no more */
#define FOLDER_BYTES 512 /* of PATH's; longer ones are passed over */

#define DEFAULT_PATH "/bin:/usr/bin" /* libc's */

/* ---- the search ---- */

static const char *search_path(void)
{
    const char *path = getenv("PATH");
    return path ? path : DEFAULT_PATH;
}

static long open_in(const char *folder, size_t bytes, const char *name)
{
    char path[FOLDER_BYTES] = "";
    if (bytes + strlen(name) + 2 > sizeof path)
        return -ENAMETOOLONG;
    memcpy(path, folder, bytes);
    path[bytes] = 0;
    start_facts_append(path, sizeof path, bytes ? "/" : "");
    start_facts_append(path, sizeof path, name);
    return sys_open(path, O_RDONLY | O_NONBLOCK, 0);
}

/* The first file of that name; libc goes on behind one that may not be executed, too. */
static long open_searched(const char *name)
{
    long fd = -ENOENT;
    for (const char *folder = search_path(); fd < 0; folder++) {
        size_t bytes = strcspn(folder, ":");
        fd = open_in(folder, bytes, name);
        folder += bytes;
        if (!*folder)
            break;
    }
    return fd;
}

/* ---- the file ---- */

/* A descriptor that names a program may be good for exec alone. */
static long open_again(int fd)
{
    char path[64] = "/proc/self/fd/";
    start_facts_append_number(path, sizeof path, (uint64_t)fd);
    return sys_open(path, O_RDONLY | O_NONBLOCK, 0);
}

static long open_target(const struct exec_target *t)
{
    struct given g = GIVEN_NOTHING;
    size_t bytes = t->path ? given_length(&g, t->path, FACT_PATH) : 0;
    if (!sys_may(SYS_KIND_FILES) || bytes == GIVEN_REFUSED)
        return -EPERM;
    if (bytes == 0)
        return t->folder >= 0 ? open_again(t->folder) : -ENOENT;
    if (t->is_searched && !memchr(t->path, '/', bytes))
        return open_searched(t->path);
    return SYS_CALL(SYS_openat, t->folder, t->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, 0, 0);
}

/* Ends the text behind the interpreter of a script's first line and returns where it begins. */
static char *interpreter_of(char *head)
{
    char *begin = head + 2 + strspn(head + 2, " \t");
    begin[strcspn(begin, " \t\n")] = 0;
    return begin;
}

/* The file's first bytes, with a NUL; closes it. */
static void read_head(long fd, char head[HEAD_BYTES + 1])
{
    long bytes = fd >= 0 ? sys_read(fd, head, HEAD_BYTES) : 0;
    head[bytes > 0 ? bytes : 0] = 0;
    if (fd >= 0)
        sys_close(fd);
}

int exec_target_is_32_bit(const struct exec_target *target)
{
    char head[HEAD_BYTES + 1];
    read_head(open_target(target), head);
    for (int depth = 0; depth < SCRIPT_DEPTH && strncmp(head, "#!", 2) == 0; depth++)
        read_head(sys_open(interpreter_of(head), O_RDONLY | O_NONBLOCK, 0), head);
    return strncmp(head, ELFMAG, SELFMAG) == 0 && head[EI_CLASS] == ELFCLASS32;
}
