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
 *           next one, then f >> 5. The crest c does the same at the upper eighth: up by 7 (c >> 7), down by c >> 7; it
 *           stays within f .. 2 f and tells how restless the wearer's tone is. Blocks that an event touched, and the
 *           one after, are left out. f and c are in 256ths of a count, at most 65535; f is at least 148, since a
 *           converter that flickers between two counts is silence.
 *           Where an event lasts, f becomes every 64 s the lowest mean of e over a second: tone does not stick.
 * event     begins where e > 3 c; as integers c - (c >> 2), and 1.5 f is (f >> 2) + (f >> 3), for 256ths become 64ths.
 *           Edge: e against max(1.5 f, p / 8), p the peak of e, which falls by p >> 5 every 64 ms. At or below the edge
 *           a pause begins, above 1.5 times the edge it ends. A pause longer than half of the longest piece without
 *           one, within 20 .. 300 ms, ends the event where the pause began. So twitches do not add up to a spasm.
 * class     by duration, less 12 ms that the envelope takes to fall: twitch < 150 ms, contraction, spasm >= 2 s. A
 *           spasm is told and counted when the 2 s are reached.
 * not told  What is brief and slower than muscle, as ECG and motion are: under 250 ms, and over the event (with the
 *           pause after it) the mean of |y - y'| is below 4 / 9 of the mean of |y|.
 *           What is as even as mains: 256 ms without a pause in which h >> 2 <= (l >> 1) + (l >> 3), h the highest and
 *           l the lowest e, so h is at most 2.5 l; f becomes (h >> 1) + (l >> 1).
 *           What comes with the rails: their 12th ms on end (lead-off) drops the event and sets e to 0; from then on
 *           nothing is taken until a count lies between them, when the filter starts afresh and 300 ms must pass
 *           before an event may begin. A spasm that was told stays counted.
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
    /* what each conversion needs comes first, within the 64 bytes that one AVR instruction reaches */
    int16_t y1, y2;
    uint16_t s1, s2; /* s', s'' */
    uint16_t last_count;
    uint16_t remainder;
    uint16_t envelope;   /* in 64ths of a count, as are all levels but floor and crest */
    uint16_t on, off;    /* 3 c, 1.5 f */
    uint16_t peak;       /* of the event's envelope, falling */
    uint16_t low, high;  /* of the envelope in this quarter of a second of the event */
    uint32_t block_sum;  /* of the envelope */
    uint32_t age_ms;     /* of the event */
    int32_t quickness;   /* sum of 9 |y - y'| - 4 |y|: below 0, it is slower than muscle */
    uint16_t pause_ms;   /* so far */
    uint16_t piece_ms;   /* since the last pause, up to 600 */
    uint16_t longest_piece_ms;
    uint16_t wait_ms;    /* until an event may begin */
    uint16_t clock_ms;   /* of this second */
    uint8_t block_ms;    /* of this block */
    uint8_t even_ms;     /* of this quarter of a second */
    uint8_t rail_ms;
    bool started;
    bool open;           /* there is an event */
    bool told;           /* it is a spasm, counted and shown */
    /* what a block needs */
    uint16_t floor, crest;
    uint16_t second_sum; /* in an event: of the blocks' means / 16 */
    uint16_t lowest;     /* second of this minute of the event */
    uint8_t blocks;      /* learnt so far, up to 32 */
    uint8_t touched;     /* blocks still to leave out */
    uint8_t second_blocks;
    uint8_t minute_s;
    /* to be read: the counts of this period, as in the wire's record Guard; those of 16 bits stop at 65535 */
    uint16_t twitches;
    uint16_t contractions;
    uint16_t spasms;
    uint32_t guarded_s;
    uint32_t longest_ms;
} guard_t;

/* State to its start, counts of the period to 0. */
void guard_begin(guard_t *guard);

/* One 10-bit conversion of channel 0; call it GUARD_RATE_HZ times a second. */
guard_output_t guard_push(guard_t *guard, uint16_t count);

#ifdef __cplusplus
}
#endif
#endif
