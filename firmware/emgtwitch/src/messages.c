#include "messages.h"

#include "board.h"
#include "uart.h"

#define FIRMWARE_MAJOR 0
#define FIRMWARE_MINOR 1
#ifndef BUILD
#define BUILD 0
#endif

static uint8_t sent[MESSAGE_SAMPLES_ROOM(MOST_COUNTS_PER_FRAME)];
static frame_t frame;
static uint16_t seq;

static void begin(uint8_t type)
{
    frame_begin(&frame, sent, sizeof sent, type, seq++);
}

void message_end(void)
{
    uint8_t size = (uint8_t)frame_end(&frame);
    uart_await_room(size);
    uart_write(sent, size);
}

/* The processor is little endian, as the wire is. */
static void bytes(const void *from, uint8_t size)
{
    const uint8_t *at = from;
    while (size-- > 0)
        frame_u8(&frame, *at++);
}

static void rate(const greeting_t *greeting)
{
    const stream_setup_t *setup = &greeting->setup;
    uint8_t per_scan = (uint8_t)(setup->channels * setup->oversampling * (setup->rate_Hz == HALVED_RATE_HZ ? 2 : 1));
    uint32_t scan_cycles = (uint32_t)greeting->period_cycles * per_scan;
    bool exact = scan_cycles * setup->rate_Hz == F_CPU;
    frame_u32(&frame, exact ? setup->rate_Hz : F_CPU);
    frame_u32(&frame, exact ? 1 : scan_cycles);
}

void message_hello(const greeting_t *greeting)
{
    uint8_t oversampling = greeting->setup.oversampling;
    begin(WIRE_HELLO);
    frame_u8(&frame, WIRE_VERSION);
    frame_u8(&frame, FIRMWARE_MAJOR);
    frame_u8(&frame, FIRMWARE_MINOR);
    frame_u32(&frame, BUILD);
    bytes(greeting->identity.device_id, sizeof greeting->identity.device_id);
    rate(greeting);
    frame_u8(&frame, greeting->setup.channels);
    frame_u8(&frame, oversampling == 8 ? 13 : oversampling == 4 ? 12 : 10);
    frame_u8(&frame, oversampling);
    frame_u16(&frame, greeting->reference_mV);
    frame_u16(&frame, greeting->reference_uncertainty_mV);
    frame_u32(&frame, greeting->identity.gain_milli);
    frame_u8(&frame, board_reset_cause());
    frame_u16(&frame, greeting->boot_count);
    frame_u16(&frame, greeting->run_count);
    frame_u8(&frame, greeting->flags);
    frame_u32(&frame, greeting->index);
    frame_u16(&frame, board_free_stack());
    message_end();

    _Static_assert(sizeof(counters_t) == WIRE_COUNTERS_SIZE, "the record Counters is sent as it lies in memory");
    begin(WIRE_COUNTERS);
    bytes(&kept.counters, sizeof kept.counters);
    message_end();

    if (kept.watch.period == 0)
        return;
    _Static_assert(sizeof(watch_t) == WIRE_GUARD_SIZE, "the record Guard is sent as it lies in memory");
    begin(WIRE_GUARD);
    bytes(&kept.watch, sizeof kept.watch);
    message_end();
}

void message_answer(uint8_t request, uint16_t request_seq, uint8_t status, uint32_t value)
{
    begin(WIRE_ANSWER);
    frame_u8(&frame, request);
    frame_u16(&frame, request_seq);
    frame_u8(&frame, status);
    frame_u32(&frame, value);
    message_end();
}

void message_mark(uint32_t index, uint8_t kind, uint8_t channel)
{
    begin(WIRE_MARK);
    frame_u32(&frame, index);
    frame_u8(&frame, kind);
    frame_u8(&frame, channel);
    message_end();
}

void message_samples_begin(uint32_t index, uint16_t overruns)
{
    begin(WIRE_SAMPLES);
    frame_u32(&frame, index);
    frame_u16(&frame, overruns);
}

void message_count(uint16_t count)
{
    frame_u16(&frame, count);
}
