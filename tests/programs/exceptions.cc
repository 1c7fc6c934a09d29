/*
 * exceptions.cc - stacks stay right when exceptions cut them, in several threads.
 *
 * BUILD -O0 -pthread
 * VALGRIND threads 1
 *
 * attempt(i) runs 60 times in main and 20 times in each of three threads, one thread after the other.
 * It goes down i % 7 frames (descend), allocates 32 bytes there, throws, is caught, and allocates 16
 * bytes in recover; both blocks are freed. 120 blocks of 32 bytes, 120 of 16; the exception objects
 * (__cxa_allocate_exception) are counted by valgrind's comparison. Each
 * thread begins when the one before has been joined and takes over its stack and vector: one vector.
 *
 * EXPECT descend self allocations 120
 * EXPECT descend self allocated_bytes 3840
 * EXPECT descend self own_peak_bytes 32
 * EXPECT descend self live_at_end_blocks 0
 * EXPECT recover self allocations 120
 * EXPECT recover self own_peak_bytes 16
 */
#include <cstdlib>
#include <stdexcept>
#include <thread>

static void *block;

static void descend(int depth)
{
    if (depth > 0) {
        descend(depth - 1);
        return;
    }
    block = malloc(32);
    throw std::runtime_error("far down");
}

static void recover()
{
    free(malloc(16));
}

static void attempt(int i)
{
    try {
        descend(i % 7);
    } catch (const std::runtime_error &) {
        free(block);
        recover();
    }
}

static void attempts(int count)
{
    for (int i = 0; i < count; i++)
        attempt(i);
}

int main()
{
    attempts(60);
    for (int i = 0; i < 3; i++)
        std::thread(attempts, 20).join();
    return 0;
}
