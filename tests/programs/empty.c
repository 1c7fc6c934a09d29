/*
 * empty.c - a program that never asks for memory.
 *
 * BUILD -O0
 * VALGRIND exact
 * EXIT 7
 *
 * EXPECT allocations 0
 * EXPECT frees 0
 * EXPECT allocated_bytes 0
 * EXPECT peak_bytes 0
 * EXPECT live_at_end_blocks 0
 */
int main(void)
{
    return 7;
}
