/*
 * trap_hint.c - mremap's last argument is a place with MREMAP_FIXED, a hint with MREMAP_DONTUNMAP, and else
 * nothing.
 *
 * BUILD -O0
 * VALGRIND no: it does not know MREMAP_DONTUNMAP
 *
 * A mapping of 4 pages is moved by MREMAP_DONTUNMAP without a hint, then by one to 8 GiB below, where
 * nothing is: the answer is the hint. Its old places stay mapped, 12 pages in all. Then it is moved to
 * 16 GiB below, by MREMAP_FIXED, and grows to 8 pages there, or elsewhere: 16 pages.
 *
 * EXPECT mapped_peak_bytes 65536
 */
#include <stddef.h>
#include <sys/mman.h>

#define PAGES(n) ((n)*4096ul)

int main(void)
{
    char *first = mmap(NULL, PAGES(4), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *second = mremap(first, PAGES(4), PAGES(4), MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    if (first == MAP_FAILED || second == MAP_FAILED)
        return 1;
    char *hint = first - (1ul << 33), *place = first - (1ul << 34);
    if (mremap(second, PAGES(4), PAGES(4), MREMAP_MAYMOVE | MREMAP_DONTUNMAP, hint) != hint)
        return 2;
    if (mremap(hint, PAGES(4), PAGES(4), MREMAP_MAYMOVE | MREMAP_FIXED, place) != place)
        return 3;
    return mremap(place, PAGES(4), PAGES(8), MREMAP_MAYMOVE) == MAP_FAILED ? 4 : 0;
}
