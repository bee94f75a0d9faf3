/* The guard on the host: u16 counts from standard input; for each, one byte of output and 14 of counts to standard
 * output: guarded_s u32, twitches u16, contractions u16, spasms u16, longest_ms u32, as the wire orders them. */
#include <stdio.h>

#include "guard.h"

static void put(uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        putchar((int)(value >> (8 * i) & 0xFF));
}

int main(void)
{
    guard_t guard;
    guard_begin(&guard);
    int low, high;
    while ((low = getchar()) != EOF && (high = getchar()) != EOF) {
        putchar((int)guard_push(&guard, (uint16_t)(low | high << 8)));
        put(guard.guarded_s, 4);
        put(guard.twitches, 2);
        put(guard.contractions, 2);
        put(guard.spasms, 2);
        put(guard.longest_ms, 4);
    }
    return 0;
}
