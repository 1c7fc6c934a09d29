/* exec_environment.c - LD_PRELOAD for a program that is exec'd. */
#include "exec_environment.h"
#include "arena.h"
#include "chunk.h"
#include "given.h"
#include "init.h"
#include "own_path.h"
#include "sys.h"

#include <string.h>
#include <unistd.h>

#define PRELOAD "LD_PRELOAD="
#define LIBRARY "libmprof.so"
#define OUTPUT  "MPROF_OUTPUT="
#define SEARCH  "LD_LIBRARY_PATH="

#define TEXT_MAX      (128u << 10) /* the kernel takes no longer text (MAX_ARG_STRLEN) .. */
#define VARIABLES_MAX (1u << 20)   /* .. nor more variables */

/* ---- the variable ---- */

/* An entry of LD_PRELOAD: [text, end), in memory of ours. */
struct entry {
    char *text, *end;
};

/* The first entry at or after p; empty at the end. */
static struct entry next_entry(char *p)
{
    p += strspn(p, " :");
    return (struct entry){p, p + strcspn(p, " :")};
}

/* Does it name us, by whatever path or by none? */
static int is_library(struct entry e)
{
    size_t n = strlen(LIBRARY);
    return (size_t)(e.end - e.text) >= n && memcmp(e.end - n, LIBRARY, n) == 0 &&
           (e.end - n == e.text || e.end[-(ptrdiff_t)n - 1] == '/');
}

static int can_open(const char *path)
{
    long fd = sys_open(path, O_RDONLY, 0);
    if (fd >= 0)
        sys_close(fd);
    return fd >= 0 || fd == -EMFILE || fd == -ENFILE || fd == -EINTR;
}

static int can_open_entry(struct entry e)
{
    char behind = *e.end;

    *e.end = 0;
    int can = can_open(e.text);
    *e.end = behind;
    return can;
}

/* Would a filter, which the program inherits, punish us there? We would know nothing of it. Some
 * kinds do not matter: libunwind is given up behind any filter, and its calls are among those of
 * the start; two are only made where others fail. */
static int start_is_forbidden(void)
{
    return !sys_may(SYS_KIND_ALL & ~(SYS_KIND_UNWIND | SYS_KIND_TOUCH | SYS_KIND_GLANCE));
}

/* Might this name lead a program, which may run elsewhere, to another library? ld.so searches for a
 * name without a slash, replaces a $, and takes a relative name from the folder where it is. */
static int is_uncertain(struct entry e, int is_search_changed)
{
    if (!memchr(e.text, '/', (size_t)(e.end - e.text)))
        return is_search_changed;
    return *e.text != '/' || memchr(e.text, '$', (size_t)(e.end - e.text));
}

/* What is known of an exec when its environment is judged. */
struct prospect {
    int is_search_changed; /* the program will have another LD_LIBRARY_PATH */
    int is_32_bit;
};

enum verdict { STAYS, GOES, BECOMES_OWN_PATH };

static enum verdict judge_entry(struct entry e, const struct prospect *p)
{
    if (!is_library(e))
        return STAYS;
    if (p->is_32_bit || start_is_forbidden())
        return GOES;
    if (is_uncertain(e, p->is_search_changed) && own_path()[0])
        return can_open(own_path()) ? BECOMES_OWN_PATH : GOES;
    return !memchr(e.text, '/', (size_t)(e.end - e.text)) || can_open_entry(e) ? STAYS : GOES;
}

static char *append(char *to, const char *begin, const char *text, size_t bytes)
{
    if (to > begin)
        *to++ = ':';
    memcpy(to, text, bytes);
    return to + bytes;
}

/* What became of a variable. */
struct written {
    int is_other, is_less; /* it has changed; it has lost an entry */
    int has_library;
};

/* Writes the variable as the program is to get it. */
static struct written write_preload(char *variable, char *to, const struct prospect *p)
{
    struct written w = {0};
    char *begin = to + strlen(PRELOAD), *end = begin;
    int is_there = 0; /* our own path is written */

    memcpy(to, PRELOAD, strlen(PRELOAD));
    for (struct entry e = next_entry(variable + strlen(PRELOAD)); e.text != e.end;
         e = next_entry(e.end)) {
        enum verdict verdict = judge_entry(e, p);
        w.is_other |= verdict != STAYS;
        w.is_less |= verdict == GOES;
        w.has_library |= verdict != GOES && is_library(e);
        if (verdict == STAYS)
            end = append(end, begin, e.text, (size_t)(e.end - e.text));
        else if (verdict == BECOMES_OWN_PATH && !is_there++)
            end = append(end, begin, own_path(), strlen(own_path()));
    }
    *end = 0;
    return w;
}

/* ---- what the recording says of it ---- */

static int32_t told_by; /* the thread that stored a reason for the exec at hand; 0 none */

/* Stores the reason, unless there is one: an empty one means that all is well. */
static void tell(const char *reason)
{
    if (recorder_state != RECORDER_ON || spool.control->reason[0])
        return;
    strcpy(spool.control->reason, reason);
    told_by = sys_tid();
}

void exec_environment_failed(void)
{
    if (!told_by || told_by != sys_tid())
        return;
    if (recorder_state == RECORDER_ON)
        spool.control->reason[0] = 0;
    told_by = 0;
}

/* A program that has given away the right to write there (a server that goes on as another user)
 * will find no place for a spool, and none to say so: so it is said here. output: the variable,
 * which is cut short. */
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

/* Counts a variable; 0 where the kernel will refuse it, which the program must hear of. */
static int measure(struct exec_environment *e, struct given *g, const char *variable)
{
    size_t bytes = given_length(g, variable, TEXT_MAX);

    if (bytes >= TEXT_MAX || e->count >= VARIABLES_MAX) /* or GIVEN_REFUSED */
        return 0;
    e->count++;
    if (given_begins(g, variable, PRELOAD))
        e->preload_bytes += 2 * (bytes + 1) + strlen(own_path()) + 1;
    else if (given_begins(g, variable, OUTPUT))
        e->output_bytes += bytes + 1;
    else if (given_begins(g, variable, SEARCH))
        e->searched = own_path_number(variable + strlen(SEARCH));
    return 1;
}

size_t exec_environment_measure(struct exec_environment *e, char *const *environment,
                                const struct exec_target *target)
{
    struct given pointers = GIVEN_NOTHING, texts = GIVEN_NOTHING;

    *e = (struct exec_environment){.target = target, .given = environment};
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
    e->bytes = (e->count + 1) * sizeof *environment + e->preload_bytes + e->output_bytes;
    return e->bytes;
}

/* Free memory of ours, for texts: [at, end). */
struct room {
    char *at, *end;
};

/* Copies the text. NULL where it no longer fits: another thread may have changed it since it was
 * measured. */
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

/* What is found out in passing through an environment. */
struct judged {
    struct room room;
    struct given texts;
    struct prospect prospect;
    int has_library, is_less;
};

/* The variable as the program is to get it: the same, or a text in the room. NULL: it has changed
 * since it was measured. */
static char *judge(char *variable, struct judged *j)
{
    struct room *room = &j->room;
    if (!given_begins(&j->texts, variable, PRELOAD))
        return variable;
    char *copy = copy_text(room, &j->texts, variable);
    if (!copy || (size_t)(room->end - room->at) <= strlen(copy) + strlen(own_path()) + 1)
        return NULL;
    struct written w = write_preload(copy, room->at, &j->prospect);
    j->has_library |= w.has_library;
    j->is_less |= w.is_less;
    if (!w.is_other)
        return variable;
    char *written = room->at;
    room->at += strlen(written) + 1;
    return written;
}

static struct judged begin(const struct exec_environment *e, void *memory)
{
    char *texts = (char *)memory + (e->count + 1) * sizeof(char *);
    struct prospect prospect = {.is_search_changed = e->searched != own_path_searched,
                                .is_32_bit = e->target && exec_target_is_32_bit(e->target)};
    return (struct judged){
        .room = {texts, (char *)memory + e->bytes}, .texts = GIVEN_NOTHING, .prospect = prospect};
}

static void tell_left_out(const struct judged *j)
{
    tell(j->prospect.is_32_bit ? "a program that it became or started is a 32-bit one"
         : start_is_forbidden()
             ? "a program that it became or started inherited a filter of system calls"
             : "a program that it became or started could not load the recorder, which lies in "
               "another root folder or may not be read");
}

char *const *exec_environment_make(const struct exec_environment *e, void *memory)
{
    struct given pointers = GIVEN_NOTHING;
    struct judged j = begin(e, memory);
    char **made = memory, *output = NULL;
    int is_other = 0;
    size_t kept = 0;

    for (size_t i = 0; memory && i < e->count; i++) {
        if (!given_is_there(&pointers, &e->given[i], sizeof *e->given))
            return e->given;
        char *variable = e->given[i];
        char *judged = variable ? judge(variable, &j) : NULL;
        if (!judged)
            return e->given;
        if (!output && given_begins(&j.texts, variable, OUTPUT))
            output = copy_text(&j.room, &j.texts, variable);
        is_other |= judged != variable;
        if (judged == variable || judged[strlen(PRELOAD)])
            made[kept++] = judged;
    }
    if (j.is_less)
        tell_left_out(&j);
    if (j.has_library)
        check_folder(output);
    if (!is_other)
        return e->given;
    made[kept] = NULL;
    return made;
}

/* A vforked child that has become a program leaves its pages in its parent's memory; the thread's
 * next exec gives them back. */
static void give_back_left(struct thread *t)
{
    if (t->left_pages && t->left_by != sys_pid()) {
        sys_unmap(t->left_pages, t->left_bytes);
        t->left_pages = NULL;
    }
}

void *exec_environment_pages(struct exec_environment *e)
{
    struct thread *t = thread_here();
    e->pages = sys_pages(e->bytes);
    if (t)
        give_back_left(t);
    if (t && sys_pid() != init_pid()) {
        t->left_pages = e->pages;
        t->left_bytes = e->bytes;
        t->left_by = sys_pid();
    }
    return e->pages;
}

void exec_environment_release(struct exec_environment *e)
{
    if (!e->pages)
        return;
    struct thread *t = thread_here();
    if (t && t->left_pages == e->pages)
        t->left_pages = NULL;
    sys_unmap(e->pages, e->bytes);
}

struct job {
    struct exec_environment *e;
    char *const *environment;
    const struct exec_target *target;
};

static void make_in_pages(void *argument)
{
    struct job *job = argument;
    if (exec_environment_measure(job->e, job->environment, job->target))
        job->environment = exec_environment_make(job->e, exec_environment_pages(job->e));
}

char *const *exec_environment_elsewhere(struct exec_environment *e, char *const *environment,
                                        const struct exec_target *target)
{
    struct job job = {e, environment, target};
    cramped_call(make_in_pages, &job);
    return job.environment;
}

/* By one store: other threads may be reading. */
static void replace(char **variable, const char *text)
{
    char *fresh = arena_alloc(1, strlen(text) + 1);
    if (fresh)
        __atomic_store_n(variable, strcpy(fresh, text), __ATOMIC_RELEASE);
}

void exec_environment_settle(void)
{
    __attribute__((cleanup(exec_environment_release))) struct exec_environment e;

    if (!exec_environment_measure(&e, environ, NULL))
        return;
    void *memory = EXEC_ENVIRONMENT_ROOM(&e);
    struct judged j = begin(&e, memory);
    for (size_t i = 0; memory && i < e.count && environ[i]; i++) {
        const char *judged = judge(environ[i], &j);
        if (judged && judged != environ[i])
            replace(&environ[i], judged);
    }
    if (j.is_less)
        tell_left_out(&j);
}
