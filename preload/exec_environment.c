/* exec_environment.c - LD_PRELOAD without the library, where it could not be loaded. */
#include "exec_environment.h"
#include "arena.h"
#include "chunk.h"
#include "init.h"
#include "sys.h"

#include <string.h>
#include <unistd.h>

#define PRELOAD "LD_PRELOAD="
#define LIBRARY "/libmprof.so"
#define OUTPUT  "MPROF_OUTPUT="

/* An entry of LD_PRELOAD: [text, end). */
struct entry {
    const char *text, *end;
};

/* The first entry at or behind p; empty at the end. */
static struct entry next_entry(const char *p)
{
    p += strspn(p, " :");
    return (struct entry){p, p + strcspn(p, " :")};
}

/* A name without a slash is searched for by ld.so, and not ours to judge. */
static int is_library(struct entry e)
{
    size_t n = strlen(LIBRARY);
    return (size_t)(e.end - e.text) >= n && memcmp(e.end - n, LIBRARY, n) == 0;
}

/* Out of line, like check_folder: stacks may be small, and one buffer is enough at a time. */
static __attribute__((noinline)) int can_open(struct entry e)
{
    char path[4096];
    size_t n = (size_t)(e.end - e.text);

    if (n >= sizeof path)
        return 1;
    memcpy(path, e.text, n);
    path[n] = 0;
    long fd = sys_open(path, O_RDONLY, 0);
    if (fd >= 0)
        sys_close(fd);
    return fd >= 0 || fd == -EMFILE || fd == -ENFILE || fd == -EINTR;
}

/* Would our start in the program be punished by a filter, which it inherits? */
static int start_is_forbidden(void)
{
    return !sys_may(SYS_KIND_MEMORY | SYS_KIND_POPULATE | SYS_KIND_FILES | SYS_KIND_SELF |
                    SYS_KIND_START);
}

static int stays(struct entry e)
{
    return !is_library(e) || (!start_is_forbidden() && can_open(e));
}

static const char *preload_of(const char *variable)
{
    size_t n = strlen(PRELOAD);
    return strncmp(variable, PRELOAD, n) == 0 ? variable + n : NULL;
}

static int all_stay(const char *list)
{
    for (struct entry e = next_entry(list); e.text != e.end; e = next_entry(e.end))
        if (!stays(e))
            return 0;
    return 1;
}

static int names_library(const char *list)
{
    for (struct entry e = next_entry(list); e.text != e.end; e = next_entry(e.end))
        if (is_library(e))
            return 1;
    return 0;
}

/* Can it be read? known: the page that was asked about last, most of all lies in one. */
static int is_there(const void *p, size_t bytes, uintptr_t *known)
{
    uintptr_t first = (uintptr_t)p / SYS_PAGE, last = ((uintptr_t)p + bytes - 1) / SYS_PAGE;

    if (first == *known && last == *known)
        return 1;
    *known = last;
    return sys_all_readable(p, bytes);
}

/* ---- what the recording says of it ---- */

static int told;

/* Nothing stands there as long as all is well. */
static void tell(const char *reason)
{
    told = 0;
    if (recorder_state != RECORDER_ON || spool.control->reason[0])
        return;
    strcpy(spool.control->reason, reason);
    told = 1;
}

static void tell_left_out(void)
{
    tell(start_is_forbidden()
             ? "a program that it became or started inherited a filter of system calls"
             : "a program that it became or started could not load the recorder, which lies in "
               "another root folder or may not be read");
}

void exec_environment_failed(void)
{
    if (told && recorder_state == RECORDER_ON)
        spool.control->reason[0] = 0;
    told = 0;
}

/* The folder that a program with this MPROF_OUTPUT, NULL none, records into. 0: hard to say. */
static int folder_of(const char *output, char *folder, size_t capacity)
{
    const char *slash = output ? strrchr(output, '/') : NULL;
    size_t n = slash ? (size_t)(slash - output) + 1 : 0;

    strcpy(folder, ".");
    if (!slash)
        return 1;
    if (n >= capacity || memchr(output, '%', n))
        return 0;
    memcpy(folder, output, n);
    folder[n] = 0;
    return 1;
}

/* Who has given away the right to write there (a server that goes on as another user) will find no
 * place for a spool, and have no place to say so. */
static __attribute__((noinline)) void check_folder(const char *output)
{
    char folder[4096];

    if (!sys_may(SYS_KIND_ACCESS) || init_leave_children ||
        !folder_of(output, folder, sizeof folder))
        return;
    long result = SYS_CALL(SYS_faccessat2, AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS, 0, 0);
    if (result == -EACCES || result == -EROFS)
        tell("a program that it became or started may not write into the folder of the recording");
}

/* ---- the environment ---- */

size_t exec_environment_bytes(char *const *environment)
{
    size_t count = 0, text = 0;
    const char *ours = NULL, *output = NULL;
    uintptr_t pointers = UINTPTR_MAX, strings = UINTPTR_MAX; /* no page */

    for (; environment; count++) {
        if (!is_there(&environment[count], sizeof *environment, &pointers))
            return 0; /* the kernel will refuse it, and the program shall hear of it */
        if (!environment[count])
            break;
        if (!is_there(environment[count], 1, &strings))
            return 0;
        const char *list = preload_of(environment[count]);
        if (list && !all_stay(list))
            text = strlen(environment[count]) + 1;
        else if (list && names_library(list))
            ours = list;
        else if (strncmp(environment[count], OUTPUT, strlen(OUTPUT)) == 0)
            output = environment[count] + strlen(OUTPUT);
    }
    if (ours)
        check_folder(output);
    return text ? (count + 1) * sizeof *environment + text : 0;
}

/* The variable less what cannot stay, or NULL where nothing is left. */
static char *copy_variable(const char *list, char *to)
{
    char *end = to + strlen(PRELOAD);

    memcpy(to, PRELOAD, strlen(PRELOAD));
    for (struct entry e = next_entry(list); e.text != e.end; e = next_entry(e.end)) {
        if (!stays(e))
            continue;
        if (end > to + strlen(PRELOAD))
            *end++ = ':';
        memcpy(end, e.text, (size_t)(e.end - e.text));
        end += e.end - e.text;
    }
    *end = 0;
    return end > to + strlen(PRELOAD) ? to : NULL;
}

char *const *exec_environment_copy(char *const *environment, void *room)
{
    size_t count = 0, kept = 0;

    tell_left_out();
    while (environment[count])
        count++;
    char **copy = room, *text = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        const char *list = preload_of(environment[i]);
        char *variable = list && !all_stay(list) ? copy_variable(list, text) : environment[i];
        if (variable)
            copy[kept++] = variable;
    }
    copy[kept] = NULL;
    return copy;
}

void exec_environment_settle(void)
{
    for (char **variable = environ; variable && *variable; variable++) {
        const char *list = preload_of(*variable);
        if (!list || all_stay(list))
            continue;
        /* One store: other threads may be reading. */
        char *fresh = arena_alloc(1, strlen(*variable) + 1);
        if (!fresh)
            return;
        tell_left_out();
        copy_variable(list, fresh);
        __atomic_store_n(variable, fresh, __ATOMIC_RELEASE);
    }
}
