/*
 * mapping_calls.c - calls about mappings that do half of what they are for, or nothing; one for several mappings; a break
 * that libc does not know; a segment in two places; what a child inherits.
 *
 * BUILD -O0
 * VALGRIND no: it has a break of its own
 *
 * In pages, mapped memory after each step, and what is reserved:
 *    1 half_taken     of 30 the middle 10 go; to take all access from 30 fails there, after 10          10, 10
 *    2 half_given     of 30 reserved 5 go; to give access to 30 fails there, after 20                   30, 15
 *    3 half_refused   of 30 reserved the middle 10 become a file that may not be written to             40, 25
 *    4 breaks         10 by sbrk; brk(0) and one far too low move nothing; to 30 and to 12 by number; sbrk of one page
 *                     from 10, as libc still believes, to 11; 3 back                                    48, 25
 *    5 shrink         of 5 reserved, 10 of memory and 5 reserved 12 pages are left                      55, 30
 *    6 segment        11 in two places; the first one goes, the other one stays                         66, 30
 *    7 split          5 of them move away, by their 5 reserved place, the other 6 are detached          60, 30
 *    8 zero           4 private and 2 shared of /dev/zero                                               66, 30
 *    9 commit         30 reserved in three mappings by one call                                         96, 30
 *   10 keep           20                                                                               116, 30
 *   A child shrinks these to 15, and lets them grow by 7, and maps 3.
 *
 * EXPECT mapped_peak_bytes 475136
 * EXPECT mapped_at_end_bytes 475136
 * EXPECT reserved_peak_bytes 245760
 * EXPECT reserved_at_end_bytes 122880
 * EXPECT file_peak_bytes 86016
 * EXPECT file_at_end_bytes 40960
 * EXPECT half_given mapped_self live_at_end_bytes 81920
 * EXPECT half_refused mapped_self live_at_end_bytes 40960
 * EXPECT breaks mapped_self own_peak_bytes 122880
 * EXPECT breaks mapped_self live_at_end_bytes 32768
 * EXPECT shrink mapped_self allocations 2
 * EXPECT shrink mapped_self live_at_end_bytes 28672
 * EXPECT segment mapped_self own_peak_bytes 45056
 * EXPECT segment mapped_self live_at_end_bytes 0
 * EXPECT split mapped_self live_at_end_bytes 20480
 * EXPECT zero mapped_self live_at_end_bytes 24576
 * EXPECT commit mapped_self allocations 1
 * EXPECT commit mapped_self allocated_bytes 122880
 * EXPECT child 1 mapped_peak_bytes 40960
 * EXPECT child 1 mapped_at_end_bytes 40960
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096ul
#define BOTH  (PROT_READ | PROT_WRITE)
#define FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)

static void require(int holds, int line)
{
    if (!holds)
        exit(line);
}
#define REQUIRE(holds) require(holds, __LINE__ % 200 + 1)

#define MAP(pages, protection)                                                                     \
    mmap(NULL, (pages)*PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)

static void half_taken(void)
{
    char *p = MAP(30, BOTH);
    REQUIRE(munmap(p + 10 * PAGE, 10 * PAGE) == 0);
    errno = 0;
    REQUIRE(mprotect(p, 30 * PAGE, PROT_NONE) == -1 && errno == ENOMEM);
}

static void half_given(void)
{
    char *p = MAP(30, PROT_NONE);
    REQUIRE(munmap(p + 20 * PAGE, 5 * PAGE) == 0);
    errno = 0;
    REQUIRE(syscall(SYS_mprotect, p, 30 * PAGE, BOTH) == -1 && errno == ENOMEM);
    p[19 * PAGE] = 1;
}

static void half_refused(void)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    char *p = MAP(30, PROT_NONE);
    REQUIRE(mmap(p + 10 * PAGE, 10 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
    errno = 0;
    REQUIRE(mprotect(p, 30 * PAGE, BOTH) == -1 && errno == EACCES);
    p[9 * PAGE] = 1;
    close(fd);
}

static char *break_now(void)
{
    return (char *)syscall(SYS_brk, 0);
}

void *__sbrk(intptr_t increment); /* a second name in glibc */

static void breaks(void)
{
    char *p = sbrk(0);
    size_t rest = (PAGE - (size_t)p % PAGE) % PAGE;
    REQUIRE(sbrk((intptr_t)(10 * PAGE + rest)) == p);
    p += rest;
    REQUIRE(brk(0) == 0 && brk((char *)PAGE) == 0 && break_now() == p + 10 * PAGE);
    REQUIRE(syscall(SYS_brk, p + 30 * PAGE) == (long)(p + 30 * PAGE));
    REQUIRE(syscall(SYS_brk, p + 12 * PAGE) == (long)(p + 12 * PAGE));
    REQUIRE(sbrk(PAGE) != (void *)-1 && break_now() == p + 11 * PAGE);
    REQUIRE(__sbrk(-3 * (intptr_t)PAGE) != (void *)-1 && break_now() == p + 8 * PAGE);
}

static void shrink(void)
{
    char *p = MAP(20, PROT_NONE);
    REQUIRE(mprotect(p + 5 * PAGE, 10 * PAGE, BOTH) == 0);
    REQUIRE(mremap(p, 20 * PAGE, 12 * PAGE, 0) == p);
}

static char *segment(void)
{
    int id = shmget(IPC_PRIVATE, 11 * PAGE - 100, 0600 | IPC_CREAT);
    char *first = shmat(id, NULL, 0), *second = (char *)syscall(SYS_shmat, id, NULL, 0);
    REQUIRE(first != (void *)-1 && second != (void *)-1);
    REQUIRE(shmctl(id, IPC_RMID, NULL) == 0 && shmdt(first) == 0);
    second[0] = 1;
    return second;
}

static void split(char *p)
{
    char *place = MAP(5, PROT_NONE);
    REQUIRE(mremap(p + 6 * PAGE, 5 * PAGE, 5 * PAGE, FIXED, place) == place);
    REQUIRE(shmdt(place) == -1 && shmdt(p) == 0);
    place[0] = 1;
}

static void zero(void)
{
    int fd = open("/dev/zero", O_RDWR);
    REQUIRE(mmap(NULL, 4 * PAGE, BOTH, MAP_PRIVATE, fd, 0) != MAP_FAILED);
    REQUIRE(mmap(NULL, 2 * PAGE, BOTH, MAP_SHARED, fd, 0) != MAP_FAILED);
    close(fd);
}

static void commit(char *p)
{
    REQUIRE(mprotect(p, 30 * PAGE, BOTH) == 0);
}

static char *reserve(void)
{
    char *p = MAP(30, PROT_NONE);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    REQUIRE(mmap(p + 10 * PAGE, 10 * PAGE, PROT_NONE, flags, -1, 0) != MAP_FAILED);
    return p;
}

static char *keep(void)
{
    return MAP(20, BOTH);
}

static void child(char *p)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        REQUIRE(mremap(p, 20 * PAGE, 15 * PAGE, 0) == p);
        REQUIRE(mremap(p, 15 * PAGE, 22 * PAGE, MREMAP_MAYMOVE) != MAP_FAILED);
        _exit(MAP(3, BOTH) == MAP_FAILED);
    }
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

int main(void)
{
    half_taken();
    half_given();
    half_refused();
    breaks();
    shrink();
    split(segment());
    zero();
    commit(reserve());
    child(keep());
    return 0;
}
