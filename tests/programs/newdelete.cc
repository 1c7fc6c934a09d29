/*
 * newdelete.cc - every form of operator new and delete, counted once whoever supplies them.
 *
 * BUILD -O0 -Wno-mismatched-new-delete
 * PROGRAM newdelete
 * PROGRAM newdelete-jemalloc
 * PROGRAM newdelete-tcmalloc
 * PROGRAM newdelete-mimalloc
 * VALGRIND exact
 * VALGRIND-NOT newdelete-tcmalloc: it takes tcmalloc's calls of itself (tc_malloc) for the program's
 *
 * forms makes 8 blocks: 100 (new), 200 (new[]), 300 (nothrow), 400 (nothrow array), 512 (aligned 64),
 * 640 (aligned array), 704 (aligned nothrow), 768 (aligned nothrow array): 3624 bytes; all released by
 * the delete that belongs to it, sized where there is one, in the order of allocation.
 * objects makes Thing (24 bytes) and Thing[5]; Thing has a destructor, so the array carries its length
 * in 8 more bytes: 24 + 5 * 24 + 8 = 152. The array, allocated last, is deleted first: 1 temporary.
 * kept is new int: 4 bytes live at the end.
 * libstdc++ itself allocates its emergency pool before main; so totals are compared with valgrind and
 * the numbers by hand are the functions'.
 *
 * EXPECT forms self allocations 8
 * EXPECT forms self allocated_bytes 3624
 * EXPECT forms self own_peak_bytes 3624
 * EXPECT forms self temporary 0
 * EXPECT forms self live_at_end_blocks 0
 * EXPECT objects self allocations 2
 * EXPECT objects self allocated_bytes 152
 * EXPECT objects self own_peak_bytes 152
 * EXPECT objects self temporary 1
 * EXPECT keep self live_at_end_bytes 4
 * EXPECT keep self live_at_end_blocks 1
 * EXPECT main inclusive allocations 11
 * EXPECT main inclusive allocated_bytes 3780
 * EXPECT main inclusive own_peak_bytes 3624
 * EXPECT operator\_new self absent 1
 * LEAK 1 4 keep main
 */
#include <cstddef>
#include <new>

static const std::align_val_t line{64};

static void forms()
{
    void *one = operator new(100);
    void *array = operator new[](200);
    void *quiet = operator new(300, std::nothrow);
    void *quiet_array = operator new[](400, std::nothrow);
    void *aligned = operator new(512, line);
    void *aligned_array = operator new[](640, line);
    void *aligned_quiet = operator new(704, line, std::nothrow);
    void *aligned_quiet_array = operator new[](768, line, std::nothrow);

    operator delete(one, std::size_t(100));
    operator delete[](array);
    operator delete(quiet, std::nothrow);
    operator delete[](quiet_array, std::nothrow);
    operator delete(aligned, std::size_t(512), line);
    operator delete[](aligned_array, line);
    operator delete(aligned_quiet, line, std::nothrow);
    operator delete[](aligned_quiet_array, line, std::nothrow);
}

struct Thing {
    long a = 1, b = 2, c = 3;
    ~Thing() { a = 0; }
};

static void objects()
{
    Thing *thing = new Thing;
    Thing *things = new Thing[5];
    delete[] things;
    delete thing;
}

static int *kept;

static void keep()
{
    kept = new int(3);
}

int main()
{
    forms();
    objects();
    keep();
    return *kept == 3 ? 0 : 1;
}
