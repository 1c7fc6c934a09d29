/*
 * trap_fill.c - makes and frees 200,000 blocks of 16 bytes by 16, from five depths; for a disk that is
 * full in the middle of it (test_trap_host.sh); no case of its own.
 *
 * BUILD -O0
 */
#include <stdlib.h>

static void *make(int depth)
{
    return depth ? make(depth - 1) : malloc(16);
}

int main(void)
{
    void *block[16];
    for (int i = 0; i < 200000 / 16; i++) {
        for (int n = 0; n < 16; n++)
            block[n] = make(n % 5);
        for (int n = 0; n < 16; n++)
            free(block[n]);
    }
    return 0;
}
