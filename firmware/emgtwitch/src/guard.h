/* Guard mode: the board's own detector, for the time in which no host is there. Integers only, no heap, no AVR header:
 * one file for the board and, under sanitizers, for the host's tests. tests/guard/twin.py says the same in Python and
 * must agree bit for bit, so this is the whole rule (1 ms = 1 conversion; >> rounds down):
 *
 * band      s = 3 x + x', the prime being the sample before (less above 350 Hz). Then a Butterworth high-pass of 2nd
 *           order at 20 Hz, y in eighths of a count: 2^14 y + r = 29981 (s - 2 s' + s'') + 29863 y' - 13716 y'' + r',
 *           where the remainder r is carried. It starts as if the first count had stood there for ever. |y| is at most
 *           8,300 for any input, so that nothing overflows.
 * envelope  e = e + min(|y|, 8191) - (e >> 3): the mean of |y| over about 8 ms, in 64ths of a count.
 * floor     Every 64 ms the mean m of e is compared with the floor f: f moves up by a step, or down by two (so it seeks
 *           the lower third of m), or by f >> 3 where m < f / 2. The step is f >> 3 in the first second, f >> 4 in the
 *           next one, then f >> 5. Blocks that an event touched, and the one after, are left out. f is at least
 *           37 / 64 of a count: a converter that flickers between two counts is silence.
 *           Where an event lasts, f becomes every 64 s the lowest mean of e over a second: tone does not stick.
 * event     begins where e > 3 f, but not on the tail of what was before: e must also be twice its lowest value since.
 *           Edge: e against max(1.5 f, p / 8), p the peak of e, which falls by p >> 9 each ms. At or below the edge a
 *           pause begins, above twice the edge it ends. A pause longer than half of the longest piece without a pause,
 *           within 20 .. 300 ms, ends the event where the pause began. So twitches do not add up to a spasm.
 * class     by duration, less 12 ms that the envelope takes to fall: twitch < 150 ms, contraction, spasm >= 2 s. A
 *           spasm is told and counted when the 2 s are reached.
 * not told  What is slower than muscle: the first 256 ms have a mean |y - y'| below a third of the mean |y|, as
 *           ECG and motion have. What is as even as mains: e stays within 2 : 3 for 256 ms; f becomes its mean.
 *           What comes with a rail: 12 ms at one rail (lead-off) end everything; the filter starts afresh and 300 ms
 *           pass after it before an event may begin. A spasm that was told has been counted.
 * settling  No event within the first 2048 ms. */
#ifndef GUARD_H
#define GUARD_H
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GUARD_RATE_HZ 1000

typedef enum {
    GUARD_QUIET,
    GUARD_TWITCH_FOUND, /* once, when a twitch has ended */
    GUARD_SPASM,        /* while a spasm lasts */
} guard_output_t;

typedef struct {
    /* to be read: the counts of this period, as in the wire's record Guard; each stops at its highest value */
    uint32_t guarded_s;
    uint32_t longest_ms;
    uint16_t twitches;
    uint16_t contractions;
    uint16_t spasms;

    /* the detector's own */
    uint32_t block_sum;  /* of the envelope in this block */
    uint32_t floor;      /* in 2^-14 counts */
    uint32_t second_sum; /* of the means of this second's blocks, in an event */
    uint32_t age_ms;     /* since the event's onset */
    uint32_t peak;       /* in 2^-15 counts */
    uint32_t size_sum;   /* |y| in the event's first 256 ms */
    uint32_t step_sum;   /* |y - y'| there */
    uint16_t clock_ms;   /* of this second */
    uint16_t last_count;
    uint16_t s1, s2;     /* s', s'' */
    uint16_t remainder;
    uint16_t envelope;   /* in 1/64 count, as are all levels below */
    uint16_t on, off;    /* 3 f, 1.5 f */
    uint16_t trough;     /* lowest envelope since the last event */
    uint16_t low, high;  /* of the envelope in this quarter of a second */
    uint16_t lowest;     /* second in this minute of the event */
    uint16_t piece_ms;   /* this piece, up to 600 */
    uint16_t longest_piece_ms;
    uint16_t pause_ms;
    uint16_t wait_ms;    /* until an event may begin */
    int16_t y1, y2;
    uint8_t blocks;      /* learnt so far, up to 32 */
    uint8_t block_ms;
    uint8_t even_ms;     /* of this quarter of a second */
    uint8_t second_blocks;
    uint8_t minute_s;    /* seconds of the event since the floor was last set */
    uint8_t rail_ms;
    bool started;
    bool open;           /* an event */
    bool told;           /* it is a spasm, counted and shown */
    uint8_t touched;     /* blocks to leave out */
} guard_t;

/* State to its start, counts of the period to 0. */
void guard_begin(guard_t *guard);

/* One 10-bit conversion of channel 0; call it GUARD_RATE_HZ times a second. */
guard_output_t guard_push(guard_t *guard, uint16_t count);

#ifdef __cplusplus
}
#endif
#endif
