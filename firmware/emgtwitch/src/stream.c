#include "stream.h"

#include "guard.h"
#include "halfband.h"
#include "memory.h"
#include "messages.h"
#include "sampler.h"
#include "uart.h"

/* Conversions of a scan at the rate that is decimated: two rounds, of which the filter takes HALFBAND_TAPS. */
#define INPUTS_PER_SCAN 2

static uint8_t channels = 1;
static bool halved;
static uint16_t most_count;
static uint8_t enough = UINT8_MAX; /* counts that must wait before there is work */
static uint8_t most_scans;
static uint32_t index;    /* of the first scan not sent */
static uint16_t overruns; /* of this run */
static bool odd;          /* a hole ended between the two inputs of a scan: the next is dropped */

/* Conversions of a scan, of all channels. */
static uint8_t conversions(const stream_setup_t *setup)
{
    uint8_t n = (uint8_t)(setup->channels * setup->oversampling);
    return setup->rate_Hz == HALVED_RATE_HZ ? (uint8_t)(INPUTS_PER_SCAN * n) : n;
}

__attribute__((noinline)) static uint16_t period_cycles(const stream_setup_t *setup)
{
    uint16_t conversions_Hz = (uint16_t)(setup->rate_Hz * conversions(setup)); /* at most CONVERSIONS_PER_S */
    return (uint16_t)((F_CPU + conversions_Hz / 2) / conversions_Hz);
}

void stream_rate(const stream_setup_t *setup, uint32_t *num, uint32_t *den)
{
    *num = setup->rate_Hz;
    *den = 1;
    if (setup->channels != 3)
        return;
    *num = F_CPU; /* no timer divides by three */
    *den = (uint32_t)period_cycles(setup) * conversions(setup);
}

/* Scans that can be made of what waits. */
static uint8_t scans_waiting(void)
{
    uint8_t inputs = (uint8_t)(sampler_waiting() / channels);
    if (!halved)
        return inputs;
    if (inputs < HALFBAND_TAPS)
        return 0;
    return (uint8_t)((inputs - (HALFBAND_TAPS - INPUTS_PER_SCAN)) / INPUTS_PER_SCAN);
}

void stream_start(const stream_setup_t *setup, bool test_signal)
{
    uint8_t frame_scans = (uint8_t)(COUNTS_PER_FRAME / setup->channels);
    channels = setup->channels;
    halved = setup->rate_Hz == HALVED_RATE_HZ;
    most_count = (uint16_t)(1023 * setup->oversampling);
    most_scans = (uint8_t)(MOST_COUNTS_PER_FRAME / channels);
    if (halved)
        frame_scans = (uint8_t)((frame_scans - 1) * INPUTS_PER_SCAN + HALFBAND_TAPS);
    enough = (uint8_t)(frame_scans * channels);
    index = 0;
    overruns = 0;
    odd = false;
    sampler_start(period_cycles(setup), channels, setup->oversampling, test_signal);
}

static void send(uint8_t scans)
{
    message_begin(WIRE_SAMPLES);
    message_more(&index, sizeof index);
    message_more(&overruns, sizeof overruns);
    index += scans;
    if (halved) {
        for (; scans > 0; scans--) {
            for (uint8_t k = 0; k < channels; k++) {
                uint16_t count = halfband(sampler_peek, k, channels, most_count);
                message_more(&count, sizeof count);
            }
            sampler_drop((uint8_t)(INPUTS_PER_SCAN * channels));
        }
    }
    for (uint8_t left = (uint8_t)(scans * channels), n; left > 0; left = (uint8_t)(left - n)) {
        n = left;
        const uint16_t *counts = sampler_oldest(&n);
        message_more(counts, (uint8_t)(2 * n));
        sampler_drop(n);
    }
    message_end();
}

/* All that came before the hole is sent: go on behind it. */
static void step_over_hole(void)
{
    uint8_t inputs = (uint8_t)(sampler_waiting() / channels); /* too few for the filter */
    sampler_drop(sampler_waiting());
    uint16_t lost = (uint16_t)(inputs + sampler_take_hole());
    if (halved) {
        lost = (uint16_t)(lost - odd);
        odd = lost % INPUTS_PER_SCAN != 0;
        lost = (uint16_t)(lost + odd) / INPUTS_PER_SCAN;
    }
    index += lost;
    overruns = (uint16_t)(overruns + lost);
    uint32_t lost_scans = kept.counters.lost_scans + lost;
    kept.counters.lost_scans = lost_scans < lost ? UINT32_MAX : lost_scans;
}

bool stream_poll(void)
{
    if (odd && sampler_waiting() >= channels) {
        sampler_drop(channels);
        odd = false;
    }
    uint8_t scans = scans_waiting();
    if (scans == 0 && sampler_has_hole()) {
        step_over_hole();
        return true;
    }
    if (sampler_waiting() < enough && !sampler_has_hole())
        return false;
    if (scans > most_scans)
        scans = most_scans;
    if (uart_room() >= MESSAGE_SAMPLES_ROOM(scans * channels))
        send(scans);
    return false;
}

void stream_stop(void)
{
    sampler_stop();
    for (uint8_t scans; (scans = scans_waiting()) > 0;)
        send(scans < most_scans ? scans : most_scans);
    if (sampler_has_hole())
        step_over_hole();
    sampler_drop(sampler_waiting());
}

void stream_watch(void)
{
    enough = channels = 1;
    halved = false;
    sampler_start((uint16_t)(F_CPU / GUARD_RATE_HZ), 1, 1, false);
}

void stream_unwatch(void)
{
    sampler_stop();
    sampler_drop(sampler_waiting());
    (void)sampler_take_hole();
}

bool stream_take(uint16_t *count)
{
    if (sampler_waiting() == 0) {
        if (sampler_has_hole())
            (void)sampler_take_hole();
        return false;
    }
    *count = sampler_peek(0);
    sampler_drop(1);
    return true;
}

bool stream_has_work(void)
{
    return sampler_waiting() >= enough || sampler_has_hole();
}

uint32_t stream_index(void)
{
    return index;
}

uint32_t stream_next_index(void)
{
    return index + sampler_waiting() / (uint8_t)(channels * (halved ? INPUTS_PER_SCAN : 1));
}
