/*
 * sized.c - C23's free_sized and free_aligned_sized, of whoever has them; test_sized.sh preloads
 * sized_by_free.c.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * Without a library that has them, dlsym finds none, recorded or not, and free serves. 20 blocks of 50
 * (make), freed by free_sized, 10 of alignment 64 and 128 bytes (make_aligned) by free_aligned_sized.
 *
 * EXPECT make self allocations 20
 * EXPECT make self live_at_end_blocks 0
 * EXPECT make_aligned self allocations 10
 * EXPECT make_aligned self live_at_end_blocks 0
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void *block[30];

static void *make(void)
{
    return malloc(50);
}

static void *make_aligned(void)
{
    return aligned_alloc(64, 128);
}

int main(void)
{
    void (*sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    void (*aligned)(void *, size_t, size_t) =
        (void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");
    write(1, sized ? "sized\n" : "not sized\n", sized ? 6 : 10);
    write(1, aligned ? "aligned\n" : "not aligned\n", aligned ? 8 : 12);
    for (int i = 0; i < 30; i++)
        block[i] = i < 20 ? make() : make_aligned();
    for (int i = 0; i < 30; i++)
        if (i < 20 && sized)
            sized(block[i], 50);
        else if (i >= 20 && aligned)
            aligned(block[i], 64, 128);
        else
            free(block[i]);
    return 0;
}
