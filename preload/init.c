/* init.c - start, exec, exit. */
#include "init.h"
#include "arena.h"
#include "chunk.h"
#include "high_water.h"
#include "host.h"
#include "loaded.h"
#include "real.h"
#include "record.h"
#include "sample.h"
#include "selfcheck.h"
#include "spool_cap.h"
#include "start_facts.h"
#include "sys.h"
#include "unwind.h"
#include "vdso.h"

#include <elf.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

int recorder_state = RECORDER_NEW;
uint32_t *recorder_alive;
int init_constructed;
int init_has_threads;

static struct start_facts *facts;
static int32_t own_pid;
int init_leave_children; /* MPROF_CHILDREN=0 */
int recorder_free_stacks;
static long spool_fd = -1;
static struct stat spool_stat;

/* ---- small facts for the others ---- */

const char *init_executable(void)
{
    return facts ? facts->executable : "";
}

const char *init_folder(void)
{
    return facts ? facts->folder : "";
}

int32_t init_pid(void)
{
    return own_pid;
}

void init_pid_changed(void)
{
    own_pid = sys_pid();
}

long init_spool_fd(void)
{
    struct stat now;
    if (spool_fd < 0 || !sys_may(SYS_KIND_GROW) ||
        SYS_CALL(SYS_fstat, spool_fd, &now, 0, 0, 0, 0) != 0 || now.st_dev != spool_stat.st_dev ||
        now.st_ino != spool_stat.st_ino)
        return -1; /* the host closed it; the number may be another file's by now */
    return spool_fd;
}

/* ---- the file ---- */

static int exists(const char *path)
{
    struct stat s;
    return SYS_CALL(SYS_newfstatat, AT_FDCWD, path, &s, AT_SYMLINK_NOFOLLOW, 0, 0) == 0;
}

/* Creates NAME.spool; where that or NAME exists, NAME.1.spool, and so on. */
static char name[FACT_PATH + 64];

static long create_spool(void)
{
    size_t n = start_facts_name(facts, name, FACT_PATH);
    if (!n)
        return -1;
    for (unsigned i = 0; i < 100000; i++) {
        name[n] = 0;
        if (i) {
            start_facts_append(name, sizeof name, ".");
            start_facts_append_number(name, sizeof name, i);
        }
        if (exists(name))
            continue;
        start_facts_append(name, sizeof name, ".spool");
        long fd = sys_open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (fd >= 0)
            return fd;
        if (fd != -17 /* EEXIST */)
            return -1;
    }
    return -1;
}

/* ---- the header ---- */

static struct spool_string put_info(const char *text, size_t bytes, uint32_t *used)
{
    struct spool_header *h = spool.header;
    if (bytes > h->info_bytes - *used) {
        bytes = h->info_bytes - *used;
        h->info_truncated = 1;
    }
    struct spool_string s = {*used, (uint32_t)bytes};
    memcpy((uint8_t *)h + h->info_offset + *used, text, bytes);
    *used += (uint32_t)bytes;
    return s;
}

static uint64_t parse_hexadecimal(const char *text)
{
    uint64_t v = 0;
    for (; text && *text; text++) {
        unsigned c = (unsigned char)*text;
        v = v << 4 | (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return v;
}

static void fill_header(void)
{
    struct spool_header *h = spool.header;
    uint32_t used = 0;
    h->features = recorder_free_stacks ? SPOOL_FREE_STACKS : 0;
    SYS_CALL(SYS_getrandom, h->id, sizeof h->id, 0, 0, 0, 0);
    memcpy(h->boot_id, facts->boot_id, sizeof h->boot_id);
    h->tree = parse_hexadecimal(start_facts_setting(facts, SETTING_TREE));
    h->pid = own_pid;
    h->parent_pid = facts->parent_pid;
    h->start_time = facts->start_time;
    h->parent_start_time = facts->parent_start_time;
    h->pid_space = facts->pid_space;
    h->start = init_now();
    h->epoch_ns = init_epoch(h->start);
    h->clock = init_uses_counter() ? SPOOL_CLOCK_COUNTER : SPOOL_CLOCK_NS;
    h->start_kind = SPOOL_START_EXEC;
    h->machine = ARCH_ELF_MACHINE;
    h->executable = put_info(facts->executable, strlen(facts->executable), &used);
    h->folder = put_info(facts->folder, strlen(facts->folder), &used);
    h->host = put_info(facts->host, strlen(facts->host), &used);
    h->command = put_info(facts->command, facts->command_bytes, &used);
}

void init_fill_process(struct spool_process *p, uint32_t more_flags)
{
    p->flags |= more_flags;
    p->parent_pid = sys_parent_pid();
    p->start_time = start_facts_start_time(0, NULL);
    __atomic_store_n(&p->pid, own_pid, __ATOMIC_RELEASE);
    __atomic_store_n(&p->state, 1, __ATOMIC_RELEASE);
}

/* ---- the start ---- */

/* For whoever looks; no reader needs it there. On a full disk the file remains, all hole: it must
 * show that there was a process without a recording. If not even its size can be set, it goes. */
static void leave_reason(long fd, const char *reason)
{
    uint64_t at = SPOOL_PAGE + offsetof(struct spool_control, reason);

    if (spool_cap_of_files() >= 2 * SPOOL_PAGE &&
        SYS_CALL(SYS_ftruncate, fd, 2 * SPOOL_PAGE, 0, 0, 0, 0) == 0)
        SYS_CALL(SYS_pwrite64, fd, reason, strlen(reason), at, 0, 0);
    else
        SYS_CALL(SYS_unlink, name, 0, 0, 0, 0, 0);
}

static const char *open_spool(void)
{
    long fd = create_spool();
    if (fd < 0)
        return "the folder cannot be written";
    struct spool_cap cap = spool_cap(fd, start_facts_setting(facts, SETTING_LIMIT));
    const char *reason = cap.too_small ? cap.too_small : "";
    /* A file system's largest file may be smaller than half of its space. */
    for (uint64_t bytes = cap.bytes; reason && bytes >= SPOOL_CAP_MIN;
         bytes = bytes / 2 & ~(uint64_t)(SPOOL_PAGE - 1))
        if ((reason = spool_create(fd, bytes)) && spool.header)
            break;
    if (!reason && spool_needs_fd()) {
        SYS_CALL(SYS_fstat, fd, &spool_stat, 0, 0, 0, 0);
        spool_fd = fd;
        return NULL;
    }
    if (reason)
        leave_reason(fd, reason);
    sys_close(fd);
    return reason;
}

static int start(void)
{
    if (host_is_foreign() || getauxval(AT_SECURE)) /* a privileged program is left alone */
        return 0;
    own_pid = sys_pid();
    vdso_open();
    facts = start_facts_read();
    recorder_alive = sys_pages(SPOOL_PAGE);
    if (!facts || !recorder_alive || start_facts_is_child(facts))
        return 0;
    init_leave_children = start_facts_no_children(facts);
    init_time_start(facts->clock_is_counter);
    const char *stacks = start_facts_setting(facts, SETTING_FREE_STACKS);
    recorder_free_stacks = stacks && *stacks && *stacks != '0';
    if (open_spool() != NULL)
        return 0;
    fill_header();
    init_fill_process(spool.process, 0);
    spool_publish();
    loaded_start();
    if (real_ready()) /* the first hook may be one that does without */
        loaded_find_allocator((uintptr_t)real.malloc);
    *recorder_alive = RECORDER_ALIVE;
    sys_advise(recorder_alive, SPOOL_PAGE, MADV_WIPEONFORK);
    const char *check = start_facts_setting(facts, SETTING_SELFCHECK);
    selfcheck_start(check ? start_facts_number(check, 1) : 0);
    const char *interval = start_facts_setting(facts, SETTING_INTERVAL);
    sample_start(interval ? start_facts_number(interval, 1000000000u) : 100000000u,
                 spool.header->tree != 0);
    start_facts_give_back(facts);
    return 1;
}

int recorder_start(void)
{
    int expected = RECORDER_NEW;
    if (!real_works())
        return 0;
    if (!__atomic_compare_exchange_n(&recorder_state, &expected, RECORDER_STARTING, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return expected == RECORDER_ON;
    int on = start();
    __atomic_store_n(&recorder_state, on ? RECORDER_ON : RECORDER_OFF, __ATOMIC_RELEASE);
    return on;
}

/* ---- fork ---- */

static void after_fork_in_child(void)
{
    init_fork_child();
    unwind_fork_end();
}

static void after_fork_in_parent(void)
{
    init_fork_returned();
    unwind_fork_end();
}

static void before_fork(void)
{
    init_fork_prepare((uintptr_t)__builtin_frame_address(0));
    unwind_fork_begin();
}

/* ---- exec ---- */

/* Without a start or the notice of a fork, which recorder_ready makes up for. */
static int is_recorded(void)
{
    return recorder_state == RECORDER_ON && *recorder_alive == RECORDER_ALIVE;
}

void init_exec(const char *path)
{
    /* A vforked child shares its parent's memory: it must not say that the parent ends. */
    if (recorder_state == RECORDER_OFF || !thread_has_storage() || !recorder_ready() ||
        sys_pid() != own_pid)
        return;
    high_water_note();
    if (thread_is_own())
        record_exec(path);
    spool.process->end_ticks = init_ticks();
    __atomic_store_n(&spool.process->end_kind, SPOOL_END_EXEC, __ATOMIC_RELEASE);
}

void init_exec_failed(void)
{
    if (is_recorded() && sys_pid() == own_pid && spool.process->end_kind == SPOOL_END_EXEC)
        __atomic_store_n(&spool.process->end_kind, SPOOL_END_UNKNOWN, __ATOMIC_RELEASE);
}

/* ---- the end ---- */

/* Needs no lock, no thread-local storage and little stack: a signal handler may be the caller. */
static void note_end(void)
{
    high_water_note();
    spool.process->end_ticks = init_ticks();
    __atomic_store_n(&spool.process->end_kind, SPOOL_END_EXIT, __ATOMIC_RELEASE);
}

/* Whoever leaves may be a vforked child, or another process that shares our memory: its pid says
 * so. In doubt nothing is said. */
void init_leave(void)
{
    if (is_recorded() && sys_pid() == own_pid)
        note_end();
}

void init_leave_thread(void)
{
    if (!init_has_threads && sys_tid() == own_pid)
        init_leave();
}

/* The end of an orderly exit. What is freed after it is still recorded. In doubt it is ours: the
 * child of a vfork has no business here. */
static __attribute__((destructor)) void destruct(void)
{
    int32_t pid = sys_pid();
    if (!is_recorded() || (pid && pid != own_pid))
        return;
    record_name();
    note_end();
}

static void leave_quickly(void *unused)
{
    (void)unused;
    init_leave();
}

/* ---- constructor ---- */

/* What pthread_atfork is built on. */
int __register_atfork(void (*before)(void), void (*parent)(void), void (*child)(void),
                      void *library);
/* The same of at_quick_exit. quick_exit calls the one that comes first last of all, and then leaves
 * without a call of _exit that we could see. */
int __cxa_at_quick_exit(void (*leave)(void *), void *library);
extern void *__dso_handle __attribute__((visibility("hidden")));

static __attribute__((constructor)) void construct(void)
{
    init_constructed = 1;
    real_ready();
    if (!recorder_ready())
        return;
    uintptr_t before = own_begin();
    __register_atfork(before_fork, after_fork_in_parent, after_fork_in_child, __dso_handle);
    __cxa_at_quick_exit(leave_quickly, __dso_handle);
    own_end(before);
    /* libunwind may allocate, and the caller of our hook may be the program's own malloc. */
    if (real_malloc_is_ours())
        unwind_open();
    else
        loaded_notice_all();
}
