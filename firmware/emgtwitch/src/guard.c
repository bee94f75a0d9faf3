#include "guard.h"

#include <string.h>

#define COUNT_MAX 1023
#define SIZE_MAX_EIGHTHS 8191 /* 8 times this is the most that 16 bits of envelope hold */
#define FLOOR_MIN 148         /* 256ths of a count */
#define BLOCK_MS 64
#define SETTLING_BLOCKS 32
#define SECOND_BLOCKS 16
#define MINUTE_S 64
#define HOLD_MIN_MS 20
#define HOLD_MAX_MS 300
#define FALL_MS 12
#define TWITCH_MS 150
#define SPASM_MS 2000
#define JUDGED_MS 250 /* the longest that can be an artefact by its speed */
#define RAIL_MS 12
#define AFTER_RAIL_MS 300

#ifdef __AVR__
_Static_assert(sizeof(guard_t) <= 96, "the guard's state must fit its share of the RAM");
#endif

static void count_one(uint16_t *counter)
{
    if (*counter < UINT16_MAX)
        ++*counter;
}

static void set_floor(guard_t *guard, uint16_t floor)
{
    if (floor < FLOOR_MIN)
        floor = FLOOR_MIN;
    uint16_t crest = guard->crest;
    if (crest < floor)
        crest = floor;
    else if (crest >> 1 >= floor)
        crest = (uint16_t)(2 * floor);
    guard->floor = floor;
    guard->crest = crest;
    guard->on = (uint16_t)(crest - (crest >> 2));        /* 3 c: a 64th is four 256ths */
    guard->off = (uint16_t)((floor >> 2) + (floor >> 3)); /* 1.5 f */
}

/* 64ths of a count in 256ths, as far as they go. */
static uint16_t fine(uint16_t level) { return level > UINT16_MAX / 4 ? UINT16_MAX : (uint16_t)(4 * level); }

void guard_begin(guard_t *guard)
{
    memset(guard, 0, sizeof *guard);
    set_floor(guard, FLOOR_MIN);
}

static void start_filter(guard_t *guard, uint16_t count)
{
    guard->last_count = count;
    guard->s1 = guard->s2 = (uint16_t)(4 * count);
    guard->y1 = guard->y2 = 0;
    guard->remainder = 0;
    guard->started = true;
}

/* Next y of the band-pass. Its states stay in 16 bits: the sum of |impulse response| bounds |y| by 8,300. */
static int16_t band(guard_t *guard, uint16_t count)
{
    uint16_t s = (uint16_t)(3 * count + guard->last_count);
    int16_t bend = (int16_t)((int16_t)(s + guard->s2) - 2 * (int16_t)guard->s1);
    int32_t sum = (int32_t)bend * 29981;
    sum += (int32_t)guard->y1 * 29863;
    sum -= (int32_t)guard->y2 * 13716;
    sum += guard->remainder;
    guard->last_count = count;
    guard->s2 = guard->s1;
    guard->s1 = s;
    guard->remainder = (uint16_t)((uint32_t)sum & 0x3FFF);
    return (int16_t)(sum >> 14);
}

/* Floor and crest follow the mean of a block that no event touched. */
static void learn(guard_t *guard, uint16_t level)
{
    uint16_t floor = guard->floor;
    uint8_t blocks = guard->blocks;
    if (blocks == 0)
        floor = level;
    uint16_t step = blocks < 16 ? floor >> 3 : blocks < SETTLING_BLOCKS ? floor >> 4 : floor >> 5;
    if (level > floor)
        floor = floor > UINT16_MAX - step ? UINT16_MAX : (uint16_t)(floor + step);
    else if (level < floor >> 1)
        floor = (uint16_t)(floor - (floor >> 3));
    else if (level < floor)
        floor = (uint16_t)(floor - 2 * step);
    if (blocks < SETTLING_BLOCKS)
        guard->blocks++;
    uint16_t rise = guard->crest >> 7;
    if (level <= guard->crest)
        guard->crest = (uint16_t)(guard->crest - rise);
    else
        guard->crest = guard->crest > UINT16_MAX - 7 * rise ? UINT16_MAX : (uint16_t)(guard->crest + 7 * rise);
    set_floor(guard, floor);
}

/* In an event: the lowest second of a minute becomes the floor, so that steady tone ends. */
static void follow_tone(guard_t *guard, uint16_t mean)
{
    guard->second_sum = (uint16_t)(guard->second_sum + mean / SECOND_BLOCKS);
    if (++guard->second_blocks < SECOND_BLOCKS)
        return;
    if (guard->second_sum < guard->lowest)
        guard->lowest = guard->second_sum;
    guard->second_sum = 0;
    guard->second_blocks = 0;
    if (++guard->minute_s < MINUTE_S)
        return;
    set_floor(guard, fine(guard->lowest));
    guard->minute_s = 0;
    guard->lowest = UINT16_MAX;
}

static void end_block(guard_t *guard)
{
    uint16_t mean = (uint16_t)(guard->block_sum / BLOCK_MS);
    guard->block_sum = 0;
    guard->block_ms = 0;
    guard->peak = (uint16_t)(guard->peak - (guard->peak >> 5));
    if (guard->open)
        follow_tone(guard, mean);
    else if (guard->touched > 0)
        guard->touched--;
    else
        learn(guard, fine(mean));
}

static void open_event(guard_t *guard)
{
    guard->open = true;
    guard->told = false;
    guard->age_ms = 0;
    guard->peak = 0;
    guard->piece_ms = guard->longest_piece_ms = guard->pause_ms = 0;
    guard->quickness = 0;
    guard->even_ms = 0;
    guard->second_sum = 0;
    guard->second_blocks = guard->minute_s = 0;
    guard->lowest = UINT16_MAX;
}

static void drop_event(guard_t *guard)
{
    guard->open = false;
    guard->touched = 2;
}

/* From the onset to where the pause, if there is one, began. */
static uint32_t duration_ms(const guard_t *guard)
{
    uint32_t active_ms = guard->age_ms - guard->pause_ms;
    return active_ms > FALL_MS ? active_ms - FALL_MS : 1;
}

static void keep_longest(guard_t *guard, uint32_t lasted_ms)
{
    if (lasted_ms > guard->longest_ms)
        guard->longest_ms = lasted_ms;
}

static guard_output_t close_event(guard_t *guard)
{
    uint32_t lasted_ms = duration_ms(guard);
    bool silent = guard->told || (lasted_ms < JUDGED_MS && guard->quickness < 0);
    drop_event(guard);
    if (silent)
        return GUARD_QUIET;
    keep_longest(guard, lasted_ms);
    if (lasted_ms >= TWITCH_MS) {
        count_one(&guard->contractions);
        return GUARD_QUIET;
    }
    count_one(&guard->twitches);
    return GUARD_TWITCH_FOUND;
}

/* True if the envelope was as even as that of mains for the last quarter of a second. */
static bool even(guard_t *guard)
{
    if (guard->even_ms == 0)
        guard->low = guard->high = guard->envelope;
    if (guard->envelope < guard->low)
        guard->low = guard->envelope;
    if (guard->envelope > guard->high)
        guard->high = guard->envelope;
    return ++guard->even_ms == 0 && guard->high >> 2 <= (guard->low >> 1) + (guard->low >> 3);
}

static guard_output_t follow_event(guard_t *guard, uint16_t size, uint16_t step)
{
    uint16_t envelope = guard->envelope;
    guard->age_ms++;
    if (guard->age_ms <= JUDGED_MS)
        guard->quickness += 9 * (int32_t)step - 4 * (int32_t)size;
    if (envelope > guard->peak)
        guard->peak = envelope;
    uint16_t edge = guard->peak >> 3;
    if (edge < guard->off)
        edge = guard->off;
    if (guard->pause_ms > 0)
        edge = (uint16_t)(edge + (edge >> 1));
    bool active = envelope > edge;
    if (active) {
        if (even(guard)) {
            set_floor(guard, fine((uint16_t)((guard->low >> 1) + (guard->high >> 1))));
            drop_event(guard);
            return GUARD_QUIET;
        }
        if (guard->pause_ms > 0)
            guard->piece_ms = 0;
        guard->pause_ms = 0;
        if (guard->piece_ms < 2 * HOLD_MAX_MS)
            guard->piece_ms++;
        if (guard->piece_ms > guard->longest_piece_ms)
            guard->longest_piece_ms = guard->piece_ms;
    } else {
        uint16_t hold_ms = guard->longest_piece_ms >> 1;
        if (hold_ms < HOLD_MIN_MS)
            hold_ms = HOLD_MIN_MS;
        if (++guard->pause_ms > hold_ms)
            return close_event(guard);
        guard->even_ms = 0;
    }
    if (!guard->told && duration_ms(guard) >= SPASM_MS) {
        guard->told = true;
        count_one(&guard->spasms);
    }
    if (!guard->told)
        return GUARD_QUIET;
    keep_longest(guard, duration_ms(guard));
    return GUARD_SPASM;
}

/* True while the input tells nothing: at a rail for longer than muscle takes it there. */
static bool railed(guard_t *guard, uint16_t count)
{
    if (count > 0 && count < COUNT_MAX) {
        if (guard->rail_ms >= RAIL_MS) {
            start_filter(guard, count);
            guard->wait_ms = AFTER_RAIL_MS;
        }
        guard->rail_ms = 0;
        return false;
    }
    if (guard->rail_ms < RAIL_MS && ++guard->rail_ms == RAIL_MS) {
        guard->envelope = 0;
        drop_event(guard);
    }
    return guard->rail_ms >= RAIL_MS;
}

guard_output_t guard_push(guard_t *guard, uint16_t count)
{
    if (count > COUNT_MAX)
        count = COUNT_MAX;
    if (++guard->clock_ms == GUARD_RATE_HZ) {
        guard->clock_ms = 0;
        guard->guarded_s++;
    }
    if (!guard->started)
        start_filter(guard, count);
    if (railed(guard, count))
        return GUARD_QUIET;

    int16_t y = band(guard, count);
    int32_t difference = (int32_t)y - guard->y1;
    guard->y2 = guard->y1;
    guard->y1 = y;
    uint16_t size = (uint16_t)(y < 0 ? -y : y);
    if (size > SIZE_MAX_EIGHTHS)
        size = SIZE_MAX_EIGHTHS;
    guard->envelope = (uint16_t)(guard->envelope - (guard->envelope >> 3) + size);

    guard->block_sum += guard->envelope;
    if (++guard->block_ms == BLOCK_MS)
        end_block(guard);
    if (guard->open)
        return follow_event(guard, size, (uint16_t)(difference < 0 ? -difference : difference));
    if (guard->wait_ms > 0)
        guard->wait_ms--;
    else if (guard->blocks == SETTLING_BLOCKS && guard->envelope > guard->on)
        open_event(guard);
    return GUARD_QUIET;
}
