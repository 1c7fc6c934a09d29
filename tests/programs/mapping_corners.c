/*
 * mapping_corners.c - calls about mappings whose range is not what it looks like: it begins further down, goes round
 * the end of the address space, has holes, is of huge pages; one that fails half way; memory in several places.
 *
 * BUILD -O0
 *
 * In pages, mapped memory after each step, and what is reserved:
 *    1 grows_down     of 30 reserved 10 may be read; all above those become memory with the last one         20, 10
 *    2 goes_round     10 and 1 reserved; access to all up to the end of the address space is refused         20, 21
 *    3 holes          of 64 the middle 30 go, then by mremap the upper 32                                    22, 21
 *    4 half_moved     4 and 4 of /dev/zero on their way to 32: only the first 4 get there                    58, 21
 *    5 attached       a segment of 8; 3 of it go, and it is attached once more                               66, 21
 *    6 viewed         10 shared, a view of them, and the first place goes; of 6 reserved both places may be
 *                     written to, then the first one loses its access                                        82, 27
 *    7 huge           4 huge pages shrink to one and a byte: to 1024                                       1106, 27
 *    8 huge_segment   of 5,000 bytes: one huge page                                                        1618, 27
 * The highest is at the beginning of step 7: 82 and 4 huge pages. Where there are no huge pages for us, or the kernel
 * moves one mapping at a time (before 6.17), the program does the same by hand.
 *
 * EXPECT mapped_peak_bytes 8724480
 * EXPECT mapped_at_end_bytes 6627328
 * EXPECT reserved_peak_bytes 348160
 * EXPECT reserved_at_end_bytes 110592
 * EXPECT file_peak_bytes 61440
 * EXPECT file_at_end_bytes 20480
 * EXPECT grows_down mapped_self live_at_end_bytes 81920
 * EXPECT goes_round self absent 1
 * EXPECT holes mapped_self live_at_end_bytes 8192
 * EXPECT half_moved mapped_self live_at_end_bytes 147456
 * EXPECT attached mapped_self live_at_end_bytes 32768
 * EXPECT viewed mapped_self live_at_end_bytes 65536
 * EXPECT huge mapped_self live_at_end_bytes 4194304
 * EXPECT huge_segment mapped_self live_at_end_bytes 2097152
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE  4096ul
#define HUGE  (2ul << 20)
#define BOTH  (PROT_READ | PROT_WRITE)
#define FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)

static void require(int holds, int line)
{
    if (!holds)
        exit(line);
}
#define REQUIRE(holds) require(holds, __LINE__ % 200 + 1)

#define MAP_SO(pages, protection, flags)                                                           \
    (char *)mmap(NULL, (pages)*PAGE, protection, MAP_ANONYMOUS | (flags), -1, 0)
#define MAP(pages, protection) MAP_SO(pages, protection, MAP_PRIVATE)

static void grows_down(void)
{
    char *p = MAP_SO(30, PROT_NONE, MAP_PRIVATE | MAP_GROWSDOWN);
    REQUIRE(mprotect(p, 10 * PAGE, PROT_READ) == 0);
    REQUIRE(mprotect(p + 29 * PAGE, 0, BOTH | PROT_GROWSDOWN) == 0); /* nothing */
    REQUIRE(mprotect(p + 29 * PAGE, PAGE, BOTH | PROT_GROWSDOWN) == 0);
    p[10 * PAGE] = 1;
}

static void goes_round(void)
{
    char *p = MAP(10, PROT_NONE);
    REQUIRE(MAP(1, PROT_READ) != MAP_FAILED);
    errno = 0;
    REQUIRE(mprotect(p, -(size_t)p - 1, BOTH) == -1 && errno == ENOMEM);
}

static void holes(void)
{
    char *p = MAP(64, BOTH);
    REQUIRE(munmap(p + PAGE, 30 * PAGE) == 0);
    REQUIRE(mremap(p, 64 * PAGE, 32 * PAGE, 0) == p);
}

static void half_moved(void)
{
    char *p = MAP(64, PROT_NONE), *to = p + 32 * PAGE;
    int fd = open("/dev/zero", O_RDWR), flags = MAP_PRIVATE | MAP_FIXED;
    unsigned char is_resident;
    REQUIRE(mmap(p, 4 * PAGE, BOTH, flags | MAP_ANONYMOUS, -1, 0) == p);
    REQUIRE(mmap(p + 4 * PAGE, 4 * PAGE, BOTH, flags, fd, 0) == p + 4 * PAGE);
    REQUIRE(munmap(p + 8 * PAGE, 24 * PAGE) == 0);
    REQUIRE(mmap(to, 32 * PAGE, BOTH, flags | MAP_ANONYMOUS, -1, 0) == to);
    REQUIRE(syscall(SYS_mremap, p, 8 * PAGE, 8 * PAGE, FIXED, to) == -1);
    REQUIRE(mincore(p + 4 * PAGE, PAGE, &is_resident) == 0);
    if (mincore(p, PAGE, &is_resident) == 0)
        REQUIRE(mremap(p, 4 * PAGE, 4 * PAGE, FIXED, to) == to);
    close(fd);
}

static void attached(void)
{
    int id = shmget(IPC_PRIVATE, 8 * PAGE, 0600 | IPC_CREAT);
    char *first = shmat(id, NULL, 0);
    REQUIRE(first != (void *)-1 && munmap(first + 5 * PAGE, 3 * PAGE) == 0);
    char *second = shmat(id, NULL, 0);
    REQUIRE(second != (void *)-1 && shmctl(id, IPC_RMID, NULL) == 0);
    second[7 * PAGE] = 1;
}

static void viewed(void)
{
    char *p = MAP_SO(10, BOTH, MAP_SHARED), *view = mremap(p, 0, 10 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(view != MAP_FAILED && munmap(p, 10 * PAGE) == 0);
    p = MAP_SO(6, PROT_NONE, MAP_SHARED);
    view = (char *)syscall(SYS_mremap, p, 0, 6 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(mprotect(p, 6 * PAGE, BOTH) == 0 && mprotect(view, 6 * PAGE, BOTH) == 0);
    REQUIRE(mprotect(p, 6 * PAGE, PROT_NONE) == 0);
    view[5 * PAGE] = 1;
}

static void huge(void)
{
    char *p =
        MAP_SO(2048, BOTH, MAP_PRIVATE | MAP_HUGETLB | (21 << MAP_HUGE_SHIFT) | MAP_NORESERVE);
    size_t left = p == MAP_FAILED ? 2 * HUGE : HUGE + 1;
    if (p == MAP_FAILED)
        p = MAP(2048, BOTH);
    REQUIRE(p != MAP_FAILED && mremap(p, 4 * HUGE, left, 0) == p);
}

static void huge_segment(void)
{
    int id = shmget(IPC_PRIVATE, 5000,
                    0600 | IPC_CREAT | SHM_HUGETLB | (21 << MAP_HUGE_SHIFT) | SHM_NORESERVE);
    if (id < 0) {
        REQUIRE(MAP(512, BOTH) != MAP_FAILED);
        return;
    }
    REQUIRE(shmat(id, NULL, 0) != (void *)-1 && shmctl(id, IPC_RMID, NULL) == 0);
}

int main(void)
{
    grows_down();
    goes_round();
    holes();
    half_moved();
    attached();
    viewed();
    huge();
    huge_segment();
    return 0;
}
