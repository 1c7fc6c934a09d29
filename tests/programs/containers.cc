/*
 * containers.cc - what libstdc++'s containers ask for, and demangled names.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * shop::fill pushes 100 ints one by one: capacities 1 2 4 8 16 32 64 128, 8 blocks of 255 ints, 1020
 * bytes. Old and new block live together while elements move: 64 + 128 ints, 768 bytes, is the highest.
 * The last block (128 ints, 512 bytes) is freed when the vector dies.
 * shop::index puts 50 pairs into a map: nodes of 32 + 8 = 40 bytes, 2000 in all.
 * shop::name makes a string of 100 characters: 101 bytes.
 * The leaf frame is libstdc++'s allocator; so the figures are inclusive.
 *
 * EXPECT shop::fill inclusive allocations 8
 * EXPECT shop::fill inclusive allocated_bytes 1020
 * EXPECT shop::fill inclusive own_peak_bytes 768
 * EXPECT shop::index inclusive allocations 50
 * EXPECT shop::index inclusive own_peak_bytes 2000
 * EXPECT shop::index inclusive live_at_end_blocks 0
 * EXPECT shop::name inclusive allocations 1
 * EXPECT shop::name inclusive own_peak_bytes 101
 * EXPECT main inclusive allocations 59
 * EXPECT main inclusive allocated_bytes 3121
 */
#include <map>
#include <string>
#include <vector>

namespace shop
{

static int fill()
{
    std::vector<int> v;
    for (int i = 0; i < 100; i++)
        v.push_back(i);
    return v[99];
}

static int index()
{
    std::map<int, int> m;
    for (int i = 0; i < 50; i++)
        m[i * 7 % 50] = i;
    return m.size();
}

static int name()
{
    std::string s(100, 'x');
    return s.size();
}

} // namespace shop

int main()
{
    return shop::fill() == 99 && shop::index() == 50 && shop::name() == 100 ? 0 : 1;
}
