/* exec_environment.c - LD_PRELOAD without the library, where it could not be loaded. */
#include "exec_environment.h"
#include "arena.h"
#include "chunk.h"
#include "given.h"
#include "init.h"
#include "sys.h"

#include <string.h>
#include <unistd.h>

#define PRELOAD "LD_PRELOAD="
#define LIBRARY "/libmprof.so"
#define OUTPUT  "MPROF_OUTPUT="

#define TEXT_MAX      (128u << 10) /* the kernel takes no longer text (MAX_ARG_STRLEN) .. */
#define VARIABLES_MAX (1u << 20)   /* .. nor so many */

/* ---- the variable ---- */

/* An entry of LD_PRELOAD: [text, end), in memory of ours. */
struct entry {
    char *text, *end;
};

/* The first entry at or behind p; empty at the end. */
static struct entry next_entry(char *p)
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

static int can_open(struct entry e)
{
    char behind = *e.end;

    *e.end = 0;
    long fd = sys_open(e.text, O_RDONLY, 0);
    *e.end = behind;
    if (fd >= 0)
        sys_close(fd);
    return fd >= 0 || fd == -EMFILE || fd == -ENFILE || fd == -EINTR;
}

/* Would our start in the program be punished by a filter, which it inherits? */
static int start_is_forbidden(void)
{
    return !sys_may(SYS_KIND_MEMORY | SYS_KIND_POPULATE | SYS_KIND_FILES | SYS_KIND_SELF |
                    SYS_KIND_LIFE | SYS_KIND_START);
}

static int stays(struct entry e)
{
    return !is_library(e) || (!start_is_forbidden() && can_open(e));
}

/* Writes the variable less what cannot stay; returns whether it is another one then. *ours: it
 * names the library still. */
static int write_preload(char *variable, char *to, int *ours)
{
    char *begin = to + strlen(PRELOAD), *end = begin;
    int changed = 0;

    memcpy(to, PRELOAD, strlen(PRELOAD));
    for (struct entry e = next_entry(variable + strlen(PRELOAD)); e.text != e.end;
         e = next_entry(e.end)) {
        if (!stays(e)) {
            changed = 1;
            continue;
        }
        *ours |= is_library(e);
        if (end > begin)
            *end++ = ':';
        memcpy(end, e.text, (size_t)(e.end - e.text));
        end += e.end - e.text;
    }
    *end = 0;
    return changed;
}

/* ---- what the recording says of it ---- */

static int told; /* for the exec at hand */

/* Nothing stands there as long as all is well. */
static void tell(const char *reason)
{
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

/* Who has given away the right to write there (a server that goes on as another user) will find no
 * place for a spool, and have no place to say so. output: the variable, which is cut short. */
static void check_folder(char *output)
{
    char *slash = output ? strrchr(output, '/') : NULL;
    const char *folder = slash ? output + strlen(OUTPUT) : ".";

    if (slash)
        slash[1] = 0;
    if (!sys_may(SYS_KIND_ACCESS) || init_leave_children || strchr(folder, '%'))
        return;
    long result = SYS_CALL(SYS_faccessat2, AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS, 0, 0);
    if (result == -EACCES || result == -EROFS)
        tell("a program that it became or started may not write into the folder of the recording");
}

/* ---- the environment ---- */

/* Counts a variable; 0 where the kernel will refuse it, and the program shall hear of that. */
static int measure(struct exec_environment *e, struct given *g, const char *variable)
{
    size_t bytes = given_length(g, variable, TEXT_MAX);

    if (bytes >= TEXT_MAX || e->count >= VARIABLES_MAX) /* or GIVEN_REFUSED */
        return 0;
    e->count++;
    if (given_begins(g, variable, PRELOAD))
        e->preload_bytes += bytes + 1;
    else if (given_begins(g, variable, OUTPUT))
        e->output_bytes += bytes + 1;
    return 1;
}

size_t exec_environment_measure(struct exec_environment *e, char *const *environment)
{
    struct given pointers = GIVEN_NOTHING, texts = GIVEN_NOTHING;

    *e = (struct exec_environment){.given = environment};
    for (; environment; environment++) {
        if (!given_is_there(&pointers, environment, sizeof *environment))
            return 0;
        if (!*environment)
            break;
        if (!measure(e, &texts, *environment))
            return 0;
    }
    if (!e->preload_bytes)
        return 0;
    e->bytes = (e->count + 1) * sizeof *environment + 2 * e->preload_bytes + e->output_bytes;
    return e->bytes;
}

/* Free memory of ours for texts: [at, end). */
struct room {
    char *at, *end;
};

/* Another thread may have changed the text since it was measured: NULL where it does not fit any
 * more. */
static char *copy_text(struct room *room, struct given *g, const char *text)
{
    char *copy = room->at;
    size_t bytes = given_length(g, text, (size_t)(room->end - room->at));

    if (bytes >= (size_t)(room->end - room->at))
        return NULL;
    memcpy(copy, text, bytes);
    copy[bytes] = 0;
    room->at += bytes + 1;
    return copy;
}

/* The variable as the program shall have it: the same, or a text in room. NULL: it has changed
 * meanwhile. */
static char *judge(char *variable, struct room *room, struct given *g, int *ours)
{
    if (!given_begins(g, variable, PRELOAD))
        return variable;
    char *copy = copy_text(room, g, variable);
    if (!copy || (size_t)(room->end - room->at) <= strlen(copy))
        return NULL;
    char *written = room->at;
    if (!write_preload(copy, written, ours))
        return variable;
    tell_left_out();
    room->at += strlen(written) + 1;
    return written;
}

static struct room room_of(const struct exec_environment *e, void *memory)
{
    char *texts = (char *)memory + (e->count + 1) * sizeof(char *);
    return (struct room){texts, (char *)memory + e->bytes};
}

char *const *exec_environment_make(const struct exec_environment *e, void *memory)
{
    struct given pointers = GIVEN_NOTHING, texts = GIVEN_NOTHING;
    struct room room = room_of(e, memory);
    char **made = memory, *output = NULL;
    int ours = 0, changed = 0;
    size_t kept = 0;

    told = 0;
    for (size_t i = 0; memory && i < e->count; i++) {
        if (!given_is_there(&pointers, &e->given[i], sizeof *e->given))
            return e->given;
        char *variable = e->given[i];
        char *judged = variable ? judge(variable, &room, &texts, &ours) : NULL;
        if (!judged)
            return e->given;
        if (!output && given_begins(&texts, variable, OUTPUT))
            output = copy_text(&room, &texts, variable);
        changed |= judged != variable;
        if (judged == variable || judged[strlen(PRELOAD)])
            made[kept++] = judged;
    }
    if (ours)
        check_folder(output);
    if (!changed)
        return e->given;
    made[kept] = NULL;
    return made;
}

void *exec_environment_pages(struct exec_environment *e)
{
    e->pages = sys_pages(e->bytes);
    return e->pages;
}

void exec_environment_release(struct exec_environment *e)
{
    if (e->pages)
        sys_unmap(e->pages, e->bytes);
}

struct job {
    struct exec_environment *e;
    char *const *environment;
};

static void make_in_pages(void *argument)
{
    struct job *job = argument;
    if (exec_environment_measure(job->e, job->environment))
        job->environment = exec_environment_make(job->e, exec_environment_pages(job->e));
}

char *const *exec_environment_elsewhere(struct exec_environment *e, char *const *environment)
{
    struct job job = {e, environment};
    cramped_call(make_in_pages, &job);
    return job.environment;
}

/* One store: other threads may be reading. */
static void replace(char **variable, const char *text)
{
    char *fresh = arena_alloc(1, strlen(text) + 1);
    if (fresh)
        __atomic_store_n(variable, strcpy(fresh, text), __ATOMIC_RELEASE);
}

void exec_environment_settle(void)
{
    __attribute__((cleanup(exec_environment_release))) struct exec_environment e;
    struct given texts = GIVEN_NOTHING;
    int ours = 0;

    if (!exec_environment_measure(&e, environ))
        return;
    void *memory = EXEC_ENVIRONMENT_ROOM(&e);
    struct room room = room_of(&e, memory);
    for (size_t i = 0; memory && i < e.count && environ[i]; i++) {
        const char *judged = judge(environ[i], &room, &texts, &ours);
        if (judged && judged != environ[i])
            replace(&environ[i], judged);
    }
}
