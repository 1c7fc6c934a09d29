/*
 * mappings.c - what is mapped memory, since when, and whose: reservations, protections, files, parts, the break,
 * segments, calls by their number, and a child.
 *
 * BUILD -O0
 * VALGRIND no: it has a break of its own
 *
 * In pages, mapped memory after each step (122 is the highest):
 *    1 reserve     mmap 100, no access                              0, reserved 100
 *    2 commit      mprotect pages 10-39 of it to be written to     30, reserved 70
 *    3             mprotect pages 20-29 to be run only             30: they are kept
 *    4 decommit    mprotect pages 35-49 to no access               25, reserved 75
 *    5 commit      mprotect pages 35-39 once more                  30, reserved 70
 *    6 cut         munmap pages 0-9 and 25-26 of it                28, reserved 60
 *    7 plain       mmap 40                                         68
 *    8 read_only   mmap 7 to be read only                          68, reserved 67
 *    9 file        mmap 5 of a file                                68, files 5
 *   10 shared      mmap 6 shared, without a file                   74
 *   11 view        mremap of length 0 of that: a second place      74, files 11
 *   12 grow        sbrk by 9 pages, then by half a page twice      84
 *   13 shrink      sbrk back by 8 pages                            76
 *   14 segment     shmat of 11 pages                               87
 *   15 attach      shmat of the same, to be read only              87, files 22
 *   16             shmdt of the first one                          76
 *   17 by_number   syscall(SYS_mmap) of 20, SYS_mprotect of 3 reserved pages of step 8 to be written to,
 *                  SYS_munmap of 1 of the 20                       98, reserved 64
 *   18 kept        mremap of 12 of the 19 with MREMAP_DONTUNMAP   110: both places stay
 *   19 moved       mremap of the other 7 to 19                    122
 *   20 block       a block of 64 pages: memory 186 pages, its peak
 *   A child writes to 15 reserved pages of step 1 that it inherits (child_commit), and drops 10 inherited ones that
 *   are memory; its own are 15.
 *   The parent then unmaps what moved holds: 103 are left.
 *
 * EXPECT allocations 1
 * EXPECT frees 1
 * EXPECT peak_bytes 262144
 * EXPECT mapped_peak_bytes 499712
 * EXPECT memory_peak_bytes 761856
 * EXPECT mapped_at_memory_peak_bytes 499712
 * EXPECT mapped_at_end_bytes 421888
 * EXPECT reserved_peak_bytes 409600
 * EXPECT reserved_at_end_bytes 262144
 * EXPECT file_peak_bytes 90112
 * EXPECT file_at_end_bytes 90112
 * EXPECT reserve self absent 0
 * EXPECT commit mapped_self allocations 2
 * EXPECT commit mapped_self allocated_bytes 143360
 * EXPECT commit mapped_self own_peak_bytes 122880
 * EXPECT commit mapped_self live_at_end_bytes 114688
 * EXPECT plain mapped_inclusive own_peak_bytes 163840
 * EXPECT shared mapped_inclusive live_at_end_bytes 24576
 * EXPECT grow mapped_self own_peak_bytes 40960
 * EXPECT grow mapped_self live_at_end_bytes 8192
 * EXPECT segment mapped_self own_peak_bytes 45056
 * EXPECT segment mapped_self live_at_end_bytes 0
 * EXPECT by_number mapped_self own_peak_bytes 94208
 * EXPECT kept mapped_self live_at_end_bytes 49152
 * EXPECT moved mapped_self own_peak_bytes 77824
 * EXPECT moved mapped_self live_at_end_bytes 0
 * EXPECT moved memory_inclusive own_peak_bytes 77824
 * EXPECT block memory_self own_peak_bytes 262144
 * EXPECT main memory_inclusive own_peak_bytes 761856
 * EXPECT child 1 mapped_peak_bytes 61440
 * EXPECT child 1 mapped_at_end_bytes 61440
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define NONE PROT_NONE
#define READ PROT_READ
#define BOTH (PROT_READ | PROT_WRITE)

static void require(int holds, int line)
{
    if (!holds)
        exit(line);
}
#define REQUIRE(holds) require(holds, __LINE__ % 200 + 1)

static char *map(size_t pages, int protection, int flags, int fd)
{
    char *p = mmap(NULL, pages * PAGE, protection, flags, fd, 0);
    REQUIRE(p != MAP_FAILED);
    return p;
}

static char *reserve(size_t pages)
{
    return map(pages, NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

static void commit(char *p, size_t page, size_t pages)
{
    REQUIRE(mprotect(p + page * PAGE, pages * PAGE, BOTH) == 0);
}

static void decommit(char *p, size_t page, size_t pages)
{
    REQUIRE(mprotect(p + page * PAGE, pages * PAGE, NONE) == 0);
}

static void cut(char *p)
{
    REQUIRE(munmap(p, 10 * PAGE) == 0 && munmap(p + 25 * PAGE, 2 * PAGE) == 0);
}

static char *plain(void)
{
    return map(40, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static char *read_only(void)
{
    return map(7, READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void file(void)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    REQUIRE(fd >= 0);
    map(5, BOTH, MAP_PRIVATE, fd);
    close(fd);
}

static void shared(void)
{
    char *p = map(6, BOTH, MAP_SHARED | MAP_ANONYMOUS, -1);
    REQUIRE(mremap(p, 0, 6 * PAGE, MREMAP_MAYMOVE) != MAP_FAILED); /* view */
}

/* The break begins anywhere in a page. */
static void grow(void)
{
    char *at = sbrk(0);
    size_t rest = (PAGE - (size_t)at % PAGE) % PAGE;
    REQUIRE(sbrk((intptr_t)(9 * PAGE + rest)) != (void *)-1);
    REQUIRE(sbrk(PAGE / 2) != (void *)-1 && sbrk(PAGE / 2) != (void *)-1);
}

static void shrink(void)
{
    REQUIRE(sbrk(-(intptr_t)(8 * PAGE)) != (void *)-1);
}

static char *attach(int id, int flags)
{
    char *p = shmat(id, NULL, flags);
    REQUIRE(p != (void *)-1);
    return p;
}

static char *segment(int id)
{
    char *p = shmat(id, NULL, 0);
    REQUIRE(p != (void *)-1);
    return p;
}

static void segments(void)
{
    int id = shmget(IPC_PRIVATE, 11 * PAGE - 100, 0600 | IPC_CREAT);
    REQUIRE(id >= 0);
    char *p = segment(id);
    attach(id, SHM_RDONLY);
    REQUIRE(shmctl(id, IPC_RMID, NULL) == 0 && shmdt(p) == 0);
}

static char *by_number(char *reserved)
{
    char *p = (char *)syscall(SYS_mmap, 0, 20 * PAGE, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED);
    REQUIRE(syscall(SYS_mprotect, reserved, 3 * PAGE, BOTH) == 0);
    REQUIRE(syscall(SYS_munmap, p + 19 * PAGE, PAGE) == 0);
    return p;
}

static void kept(char *p)
{
    int flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
    REQUIRE(mremap(p, 12 * PAGE, 12 * PAGE, flags, NULL) != MAP_FAILED);
}

static char *moved(char *p)
{
    char *q = mremap(p, 7 * PAGE, 19 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(q != MAP_FAILED);
    return q;
}

static void *block(void)
{
    return malloc(64 * PAGE);
}

static void child_commit(char *reserved)
{
    REQUIRE(mprotect(reserved + 60 * PAGE, 15 * PAGE, BOTH) == 0);
}

static void child(char *reserved, char *memory)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        child_commit(reserved);
        _exit(munmap(memory, 10 * PAGE) ? 1 : 0);
    }
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

int main(void)
{
    char *space = reserve(100);
    commit(space, 10, 30);
    REQUIRE(mprotect(space + 20 * PAGE, 10 * PAGE, PROT_READ | PROT_EXEC) == 0);
    decommit(space, 35, 15);
    commit(space, 35, 5);
    cut(space);
    char *memory = plain(), *quiet = read_only();
    file();
    shared();
    grow();
    shrink();
    segments();
    char *p = by_number(quiet);
    kept(p);
    p = moved(p + 12 * PAGE);
    void *volatile b = block();
    free(b);
    child(space, memory);
    return munmap(p, 19 * PAGE) ? 1 : 0;
}
