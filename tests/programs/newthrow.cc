/*
 * newthrow.cc - what the new_handler throws comes through our operator new, whoever supplies the real one.
 *
 * BUILD -O0 -Wno-alloc-size-larger-than
 * PROGRAM newthrow
 * PROGRAM newthrow-tcmalloc
 * VALGRIND no: it ends the program where new cannot be met
 *
 * 50 times each form that throws (single, array, aligned) is asked for too much. Its handler makes 24 bytes
 * and throws them along in an exception of its own, which asks catches and frees; then after makes and frees
 * 8 bytes: 150 of each. (jemalloc and mimalloc let nothing out of a handler, they terminate.)
 *
 * EXPECT handler self allocations 150
 * EXPECT handler self own_peak_bytes 24
 * EXPECT handler self live_at_end_blocks 0
 * EXPECT after self allocations 150
 * EXPECT after self temporary 150
 * EXPECT asks inclusive live_at_end_blocks 0
 */
#include <cstdint>
#include <cstdlib>
#include <new>

struct exhausted : std::bad_alloc {
    void *block;
};

static volatile std::size_t huge = SIZE_MAX / 2 - 8192;
static int caught;

static void handler()
{
    exhausted e;
    e.block = std::malloc(24);
    throw e;
}

static void after()
{
    std::free(std::malloc(8));
}

static void asks(int form)
{
    try {
        if (form == 0)
            operator delete(operator new(huge));
        else if (form == 1)
            operator delete[](operator new[](huge));
        else
            operator delete(operator new(huge, std::align_val_t(64)), std::align_val_t(64));
    } catch (const exhausted &e) {
        std::free(e.block);
        after();
        caught++;
    }
}

int main()
{
    std::set_new_handler(handler);
    for (int i = 0; i < 150; i++)
        asks(i % 3);
    return caught == 150 ? 0 : 1;
}
