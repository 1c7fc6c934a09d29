/*
 * demangle.c - names as people write them, within bounds of length, time and stack.
 *
 * A mangled name refers back to its parts, so 200 bytes may stand for 2^40. libiberty's functions
 * with a callback hand the text out piece by piece; the callback jumps out of them once there is
 * too much. A timer ends in the same way what takes long without a word: the C++ demangler keeps
 * all it has on its stack and holds no memory and no lock, so it can be left at any moment. Rust's
 * takes memory for Unicode names, so it is left only from the callback (whose jump may lose some
 * hundred bytes); it never goes on for long without printing something.
 *
 * Depth: both end at 1024 or 2048 levels, and the C++ one takes no name of more than 1024 bytes.
 * Where the stack is too small for that, a thread with a larger one does the work.
 */
#include "symbols.h"

#include <libiberty/demangle.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "clone_suffix.h"
#include "shorten.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum {
    PRINTED_MAX = 64 * 1024, /* beyond this a name is given up */
    HEAD_BYTES = 1024,       /* shown of a name that was given up */
    MANGLED_SHOWN = 1024,
    SHORT_MANGLED = 100,         /* bytes too few to hide anything that takes long */
    LIMIT_NS = 100 * 1000000,    /* of processor time per name */
    LATE_LIMIT_NS = 2 * 1000000, /* the same, once LATE_AFTER names have needed more */
    LATE_AFTER = 10,
    STACK_BYTES = 8 << 20, /* what the deepest names need, and more */
    SIGNAL = SIGVTALRM
};

struct printing {
    char text[PRINTED_MAX];
    size_t bytes;
    sigjmp_buf escape;
};

/* The printing that may be left at any moment; NULL outside of it. */
static _Thread_local struct printing *volatile interruptible;
static atomic_int given_up;

static void take_piece(const char *piece, size_t bytes, void *opaque)
{
    struct printing *p = opaque;
    size_t room = sizeof p->text - p->bytes;
    if (bytes == 0) /* then `piece` may be invalid */
        return;
    memcpy(p->text + p->bytes, piece, bytes < room ? bytes : room);
    p->bytes += bytes < room ? bytes : room;
    if (bytes > room)
        siglongjmp(p->escape, 1);
}

/* ---- a limit of time ---- */

static void time_is_up(int signal)
{
    (void)signal;
    struct printing *p = interruptible;
    if (!p)
        return;
    interruptible = NULL;
    siglongjmp(p->escape, 1);
}

static void install_handler(void)
{
    struct sigaction action = {.sa_handler = time_is_up, .sa_flags = SA_NODEFER | SA_RESTART};
    sigaction(SIGNAL, &action, NULL);
}

struct limit {
    timer_t timer;
    sigset_t before; /* the thread's blocked signals */
};

/* False: no timer can be had, so a name that might need one is not begun. */
static bool limit_begin(struct limit *limit)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    long ns = atomic_load(&given_up) < LATE_AFTER ? LIMIT_NS : LATE_LIMIT_NS;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL};
    struct itimerspec when = {.it_value = {.tv_nsec = ns}};
    sigset_t own;
    event.sigev_notify_thread_id = gettid();
    pthread_once(&once, install_handler);
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &limit->timer) != 0)
        return false;
    sigemptyset(&own);
    sigaddset(&own, SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &own, &limit->before);
    timer_settime(limit->timer, 0, &when, NULL);
    return true;
}

static void limit_end(struct limit *limit)
{
    timer_delete(limit->timer);
    pthread_sigmask(SIG_SETMASK, &limit->before, NULL);
}

/* ---- the demanglers ---- */

enum outcome { NO_NAME, WHOLE_NAME, GIVEN_UP };

static enum outcome print_rust(const char *symbol, struct printing *p)
{
    p->bytes = 0;
    if (sigsetjmp(p->escape, 0) != 0)
        return GIVEN_UP;
    return rust_demangle_callback(symbol, 0, take_piece, p) ? WHOLE_NAME : NO_NAME;
}

static enum outcome print_cplus(const char *symbol, struct printing *p)
{
    p->bytes = 0;
    if (sigsetjmp(p->escape, 0) != 0) {
        interruptible = NULL;
        return GIVEN_UP;
    }
    interruptible = p;
    int good = cplus_demangle_v3_callback(symbol, DMGL_PARAMS | DMGL_ANSI, take_piece, p);
    interruptible = NULL;
    return good ? WHOLE_NAME : NO_NAME;
}

static enum outcome print_cplus_limited(const char *symbol, struct printing *p)
{
    struct limit limit;
    if (strlen(symbol) < SHORT_MANGLED)
        return print_cplus(symbol, p);
    if (!limit_begin(&limit))
        return NO_NAME;
    enum outcome outcome = print_cplus(symbol, p);
    limit_end(&limit);
    if (outcome == GIVEN_UP && p->bytes < sizeof p->text)
        atomic_fetch_add(&given_up, 1);
    return outcome;
}

/* _R begins Rust's v0 mangling, _ZN..17h<16 hex digits>E its legacy one, which looks like C++'s;
 * Rust's demangler distinguishes the two, drops the hash and accepts nothing else. */
static enum outcome print_any(const char *symbol, struct printing *p)
{
    enum outcome outcome = NO_NAME;
    if (strncmp(symbol, "_R", 2) == 0 || strncmp(symbol, "_ZN", 3) == 0)
        outcome = print_rust(symbol, p);
    if (outcome == NO_NAME && symbol[0] == '_')
        outcome = print_cplus_limited(symbol, p);
    return outcome;
}

/* ---- a stack that is deep enough ---- */

struct job {
    const char *symbol;
    struct printing *p;
    enum outcome outcome;
};

static void *do_job(void *argument)
{
    struct job *job = argument;
    job->outcome = print_any(job->symbol, job->p);
    return NULL;
}

static size_t own_stack_bytes(void)
{
    struct rlimit limit;
    pthread_attr_t attributes;
    size_t bytes = 0;
    if (gettid() == getpid()) /* the main thread's attributes say only what is mapped so far */
        return getrlimit(RLIMIT_STACK, &limit) == 0 ? limit.rlim_cur : 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return 0;
    pthread_attr_getstacksize(&attributes, &bytes);
    pthread_attr_destroy(&attributes);
    return bytes;
}

/* The user's stack limit may be low. Short names do not nest deeply. */
static bool has_stack_for(const char *symbol)
{
    static _Thread_local size_t bytes;
    if (strlen(symbol) < SHORT_MANGLED)
        return true;
    if (bytes == 0)
        bytes = own_stack_bytes();
    return bytes >= STACK_BYTES;
}

static enum outcome print_with_stack(const char *symbol, struct printing *p)
{
    struct job job = {symbol, p, NO_NAME};
    pthread_attr_t attributes;
    pthread_t thread;
    if (has_stack_for(symbol))
        return print_any(symbol, p);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (pthread_create(&thread, &attributes, do_job, &job) == 0)
        pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    return job.outcome;
}

/* What was printed so far and, in place of the rest, the mangled name, which says it all. */
static char *name_given_up(const char *symbol, const struct printing *p)
{
    size_t bytes = strlen(symbol), head = p->bytes < HEAD_BYTES ? p->bytes : HEAD_BYTES;
    if (head == 0)
        return shorten(symbol, bytes, NAME_BYTES_MAX);
    char *mangled = shorten(symbol, bytes, MANGLED_SHOWN);
    char *text = mangled ? shorten_between(p->text, head, symbol, bytes, mangled) : NULL;
    free(mangled);
    return text;
}

static char *demangle_plain(const char *symbol, bool *shortened)
{
    struct printing *p = malloc(sizeof *p);
    enum outcome outcome = p ? print_with_stack(symbol, p) : NO_NAME;
    size_t bytes = outcome == WHOLE_NAME ? p->bytes : strlen(symbol);
    char *text = outcome == GIVEN_UP
                     ? name_given_up(symbol, p)
                     : shorten(outcome == WHOLE_NAME ? p->text : symbol, bytes, NAME_BYTES_MAX);
    *shortened = outcome == GIVEN_UP || bytes > NAME_BYTES_MAX;
    free(p);
    return text;
}

/* No demangler knows all that compilers append. Names that are not mangled may really end so. */
static char *without_suffix(const char *symbol)
{
    bool mangled = strncmp(symbol, "_Z", 2) == 0 || strncmp(symbol, "_R", 2) == 0;
    size_t bytes = strlen(symbol);
    return strndup(symbol, mangled ? length_without_clone(symbol, bytes) : bytes);
}

char *demangle(const char *symbol, bool *shortened)
{
    char *plain = without_suffix(symbol);
    *shortened = false;
    char *text = plain ? demangle_plain(plain, shortened) : NULL;
    free(plain);
    return text ? text : strdup("");
}
