#include "commands.h"

#include <string.h>

/* Bytes of a Samples frame beside its counts: with the one that COBS adds and the closing zero byte. */
#define FRAME_OVERHEAD (WIRE_HEAD + WIRE_SAMPLES_SIZE + WIRE_CRC + 2)
/* The fewest counts in a full frame: 5 scans of 3 channels. */
#define FEWEST_COUNTS (COUNTS_PER_FRAME / 3 * 3)
/* What a count takes on the line: 10 bits for each of its bytes and of its share of the frame, and a third more. */
#define BITS_PER_COUNT (10UL * (2 * FEWEST_COUNTS + FRAME_OVERHEAD) * 4 / (3 * FEWEST_COUNTS))

static bool is_in_range(const stream_setup_t *setup)
{
    bool rate = setup->rate_Hz == 500 || setup->rate_Hz == 1000 || setup->rate_Hz == 2000 || setup->rate_Hz == 4000;
    bool oversampling = setup->oversampling == 1 || setup->oversampling == 4 || setup->oversampling == 8;
    return rate && oversampling && setup->channels >= 1 && setup->channels <= 4;
}

/* Products only: the processor has no division. */
static uint8_t judge(const stream_setup_t *setup, uint32_t baud)
{
    if (!is_in_range(setup))
        return ANSWER_OUT_OF_RANGE;
    uint16_t counts_per_s = (uint16_t)(setup->rate_Hz * setup->channels); /* at most 16000 */
    uint8_t per_count = setup->oversampling;
    if (setup->rate_Hz == HALVED_RATE_HZ)
        per_count = (uint8_t)(per_count * 2);
    if ((uint32_t)counts_per_s * per_count > CONVERSIONS_PER_S)
        return ANSWER_TOO_FAST_FOR_CONVERTER;
#ifdef LINE_UNCHECKED
    (void)baud;
#else
    if (counts_per_s * BITS_PER_COUNT > baud)
        return ANSWER_TOO_FAST_FOR_LINE;
#endif
    return ANSWER_DONE;
}

/* The board and the hosts that build this are little endian, as the wire is. */
static void set_rate(command_t *command, const uint8_t *body, uint32_t baud)
{
    stream_setup_t asked = {.channels = body[WIRE_SET_RATE_CHANNELS], .oversampling = body[WIRE_SET_RATE_OVERSAMPLING]};
    memcpy(&asked.rate_Hz, body + WIRE_SET_RATE_RATE_HZ, sizeof asked.rate_Hz);
    if (command->status == ANSWER_DONE)
        command->status = judge(&asked, baud);
    if (command->status == ANSWER_DONE) {
        command->action = COMMAND_SET_RATE;
        command->setup = asked;
    }
    command->value = command->setup.rate_Hz;
}

static void test_signal(command_t *command, const uint8_t *body)
{
    uint8_t on = body[WIRE_TEST_SIGNAL_ON];
    if (command->status == ANSWER_DONE && on > 1)
        command->status = ANSWER_OUT_OF_RANGE;
    if (command->status == ANSWER_DONE) {
        command->action = COMMAND_TEST_SIGNAL;
        command->test_signal = on != 0;
    }
    command->value = command->test_signal;
}

static void write_identity(command_t *command, const uint8_t *body)
{
    if (command->status != ANSWER_DONE)
        return;
    command->action = COMMAND_WRITE_IDENTITY;
    memcpy(&command->device_id, body + WIRE_WRITE_IDENTITY_DEVICE_ID, sizeof command->device_id);
    memcpy(&command->gain_milli, body + WIRE_WRITE_IDENTITY_GAIN_MILLI, sizeof command->gain_milli);
}

/* Not inlined, so that the compiler leaves the decision in memory: in registers, most of the code would save them. */
static __attribute__((noinline)) void decide(command_t *command, const request_t *request, bool streaming, uint32_t baud)
{
    const uint8_t *body = request_body(request);
    uint8_t type = request_type(request);
    if (streaming && (type == WIRE_SET_RATE || type == WIRE_TEST_SIGNAL || type == WIRE_WRITE_IDENTITY))
        command->status = ANSWER_ONLY_WHILE_STOPPED;
    switch (type) {
    case WIRE_ASK_HELLO: command->action = COMMAND_HELLO; break;
    case WIRE_START: command->action = COMMAND_START; break;
    case WIRE_STOP: command->action = COMMAND_STOP; break;
    case WIRE_RESET_COUNTERS: command->action = COMMAND_RESET_COUNTERS; break;
    case WIRE_SET_RATE: set_rate(command, body, baud); break;
    case WIRE_TEST_SIGNAL: test_signal(command, body); break;
    case WIRE_WRITE_IDENTITY: write_identity(command, body); break;
    default: command->status = ANSWER_UNKNOWN; break;
    }
}

command_t command_decide(const request_t *request, request_status_t status, bool streaming, stream_setup_t now,
                         bool test_signal_now, uint32_t baud)
{
    command_t command = {.setup = now, .test_signal = test_signal_now};
    if (status == REQUEST_READY)
        decide(&command, request, streaming, baud);
    else if (status == REQUEST_UNKNOWN)
        command.status = ANSWER_UNKNOWN;
    return command;
}
