#include "commands.h"

/* Bytes of a Samples frame beside its counts: with the one that COBS adds and the closing zero byte. */
#define FRAME_OVERHEAD (WIRE_HEAD + WIRE_SAMPLES_SIZE + WIRE_CRC + 2)

static uint16_t u16_at(const uint8_t *bytes) { return (uint16_t)(bytes[0] | (uint16_t)(bytes[1] << 8)); }

static uint32_t u32_at(const uint8_t *bytes) { return u16_at(bytes) | (uint32_t)u16_at(bytes + 2) << 16; }

static uint64_t u64_at(const uint8_t *bytes) { return u32_at(bytes) | (uint64_t)u32_at(bytes + 4) << 32; }

static bool is_in_range(stream_setup_t setup)
{
    bool rate = setup.rate_Hz == 500 || setup.rate_Hz == 1000 || setup.rate_Hz == 2000 || setup.rate_Hz == 4000;
    bool oversampling = setup.oversampling == 1 || setup.oversampling == 4 || setup.oversampling == 8;
    return rate && oversampling && setup.channels >= 1 && setup.channels <= 4;
}

static bool is_too_fast_for_converter(stream_setup_t setup)
{
    uint8_t per_scan = (uint8_t)(setup.channels * setup.oversampling);
    if (setup.rate_Hz == HALVED_RATE_HZ)
        per_scan = (uint8_t)(per_scan * 2);
    return (uint32_t)setup.rate_Hz * per_scan > CONVERSIONS_PER_S;
}

#ifndef LINE_UNCHECKED
/* A byte takes 10 bits, so Samples frames get 4/5 * baud / 10 = baud * 2 / 25 bytes a second. Both sides are
 * multiplied by the scans of a frame: the processor has no division. */
static bool is_too_fast_for_line(stream_setup_t setup, uint32_t baud)
{
    uint8_t scans = COUNTS_PER_FRAME; /* of a frame */
    switch (setup.channels) {
    case 2: scans = COUNTS_PER_FRAME / 2; break;
    case 3: scans = COUNTS_PER_FRAME / 3; break;
    case 4: scans = COUNTS_PER_FRAME / 4; break;
    default: break;
    }
    uint16_t frame_bytes = (uint16_t)(2 * setup.channels * scans + FRAME_OVERHEAD);
    return (uint32_t)setup.rate_Hz * (uint16_t)(25 * frame_bytes) > baud * (uint8_t)(2 * scans);
}
#endif

static uint8_t judge_setup(stream_setup_t setup, uint32_t baud)
{
    if (!is_in_range(setup))
        return ANSWER_OUT_OF_RANGE;
    if (is_too_fast_for_converter(setup))
        return ANSWER_TOO_FAST_FOR_CONVERTER;
#ifdef LINE_UNCHECKED
    (void)baud;
#else
    if (is_too_fast_for_line(setup, baud))
        return ANSWER_TOO_FAST_FOR_LINE;
#endif
    return ANSWER_DONE;
}

static void set_rate(command_t *command, const uint8_t *body, uint32_t baud)
{
    stream_setup_t asked = {
        .rate_Hz = u16_at(body + WIRE_SET_RATE_RATE_HZ),
        .channels = body[WIRE_SET_RATE_CHANNELS],
        .oversampling = body[WIRE_SET_RATE_OVERSAMPLING],
    };
    if (command->status == ANSWER_DONE)
        command->status = judge_setup(asked, baud);
    if (command->status == ANSWER_DONE)
        command->setup = asked;
    command->value = command->setup.rate_Hz;
}

static void test_signal(command_t *command, const uint8_t *body)
{
    uint8_t on = body[WIRE_TEST_SIGNAL_ON];
    if (command->status == ANSWER_DONE && on > 1)
        command->status = ANSWER_OUT_OF_RANGE;
    if (command->status == ANSWER_DONE)
        command->test_signal = on != 0;
    command->value = command->test_signal;
}

static void write_identity(command_t *command, const uint8_t *body)
{
    if (command->status != ANSWER_DONE)
        return;
    command->device_id = u64_at(body + WIRE_WRITE_IDENTITY_DEVICE_ID);
    command->gain_milli = u32_at(body + WIRE_WRITE_IDENTITY_GAIN_MILLI);
}

command_t command_decide(const request_t *request, request_status_t status, bool streaming, stream_setup_t now,
                         bool test_signal_now, uint32_t baud)
{
    command_t command = {.setup = now, .test_signal = test_signal_now};
    if (status == REQUEST_UNKNOWN)
        command.status = ANSWER_UNKNOWN;
    if (status != REQUEST_READY)
        return command;
    const uint8_t *body = request_body(request);
    uint8_t stopped = streaming ? ANSWER_ONLY_WHILE_STOPPED : ANSWER_DONE; /* for those that want a stopped board */
    command_action_t action = COMMAND_NONE;
    switch (request_type(request)) {
    case WIRE_ASK_HELLO: action = COMMAND_HELLO; break;
    case WIRE_START: action = COMMAND_START; break;
    case WIRE_STOP: action = COMMAND_STOP; break;
    case WIRE_RESET_COUNTERS: action = COMMAND_RESET_COUNTERS; break;
    case WIRE_SET_RATE:
        action = COMMAND_SET_RATE;
        command.status = stopped;
        set_rate(&command, body, baud);
        break;
    case WIRE_TEST_SIGNAL:
        action = COMMAND_TEST_SIGNAL;
        command.status = stopped;
        test_signal(&command, body);
        break;
    case WIRE_WRITE_IDENTITY:
        action = COMMAND_WRITE_IDENTITY;
        command.status = stopped;
        write_identity(&command, body);
        break;
    default: command.status = ANSWER_UNKNOWN; break;
    }
    if (command.status == ANSWER_DONE)
        command.action = action;
    return command;
}
