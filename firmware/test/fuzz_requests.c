/* Whatever comes over the line, in whatever state: libFuzzer over request_push and command_decide.
 *   .venv/bin/python firmware/test/fuzz_seeds.py firmware/protocol/vectors.json build/firmware/seeds
 *   clang -std=c11 -O1 -g -Wall -Wextra -Werror -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
 *       -I firmware/emgtwitch/src -o build/firmware/fuzz_requests \
 *       firmware/test/fuzz_requests.c firmware/emgtwitch/src/commands.c firmware/emgtwitch/src/frame.c
 *   mkdir -p build/firmware/corpus && build/firmware/fuzz_requests -max_total_time=20 -max_len=1024 \
 *       -artifact_prefix=build/firmware/ build/firmware/corpus build/firmware/seeds
 *
 * The first byte is the board's state (see board_of), the others are the line. With its highest bit set they are
 * rather length, type, body, length, ... of frames that are then sent well: by chance alone no CRC would be right.
 *
 * Must hold after every byte: the frame is judged as a second reading of it says; the decision is what a second,
 * plain reading of wire.toml says; a frame that is none or rejected changes nothing; the setup in force is allowed. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"

typedef struct {
    bool streaming;
    stream_setup_t setup;
    bool test_signal;
    uint32_t baud;
} board_t;

typedef struct {
    request_status_t status;
    uint8_t type;
    uint16_t seq;
    const uint8_t *body;
} reading_t;

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Bit by bit, as the CRC is defined. */
static unsigned crc_of(const uint8_t *bytes, size_t n)
{
    unsigned crc = 0xFFFF;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        unsigned in = (unsigned)(bytes[bit / 8] >> (7 - bit % 8)) & 1;
        crc = ((crc << 1) ^ ((((crc >> 15) ^ in) & 1) * 0x1021)) & 0xFFFF;
    }
    return crc;
}

static int body_size_of(uint8_t type)
{
    static const int sizes[] = {0, 0, 0, 4, 1, 12, 0}; /* from AskHello on */
    return type >= 0x40 && type <= 0x46 ? sizes[type - 0x40] : -1;
}

/* Read the n bytes before a zero byte. */
static reading_t read_frame(const uint8_t *line, size_t n)
{
    static uint8_t plain[REQUEST_MAX];
    size_t size = 0;
    for (size_t at = 0; at < n;) {
        size_t end = at + line[at];
        if (end > n || size + line[at] - 1u + (end < n) > REQUEST_MAX)
            return (reading_t){.status = REQUEST_REJECTED};
        memcpy(plain + size, line + at + 1, line[at] - 1u);
        size += line[at] - 1u;
        if (end < n)
            plain[size++] = 0;
        at = end;
    }
    if (n == 0)
        return (reading_t){.status = REQUEST_NONE};
    if (size < 5 || crc_of(plain, size - 2) != (unsigned)(plain[size - 2] | plain[size - 1] << 8))
        return (reading_t){.status = REQUEST_REJECTED};
    reading_t reading = {REQUEST_READY, plain[0], (uint16_t)(plain[1] | plain[2] << 8), plain + 3};
    if (body_size_of(plain[0]) < 0)
        reading.status = REQUEST_UNKNOWN;
    else if ((size_t)body_size_of(plain[0]) != size - 5)
        reading.status = REQUEST_REJECTED;
    return reading;
}

/* 0, or the reason to refuse it, by division and in the open. */
static uint8_t judge(unsigned rate_Hz, unsigned channels, unsigned oversampling, uint32_t baud)
{
    if (rate_Hz != 500 && rate_Hz != 1000 && rate_Hz != 2000 && rate_Hz != 4000)
        return 2;
    if (channels < 1 || channels > 4 || (oversampling != 1 && oversampling != 4 && oversampling != 8))
        return 2;
    if ((rate_Hz == 500 ? 2 : 1) * rate_Hz * channels * oversampling > 8900)
        return 4;
    return rate_Hz * channels > baud / 38 ? 3 : 0;
}

static uint64_t number(const uint8_t *bytes, int n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value * 256 + bytes[n];
    return value;
}

static command_t expected(const board_t *board, const reading_t *reading)
{
    static const command_action_t actions[] = {COMMAND_HELLO,       COMMAND_START,          COMMAND_STOP,
                                               COMMAND_SET_RATE,    COMMAND_TEST_SIGNAL,    COMMAND_WRITE_IDENTITY,
                                               COMMAND_RESET_COUNTERS};
    command_t want = {.setup = board->setup, .test_signal = board->test_signal};
    const uint8_t *body = reading->body;
    if (reading->status == REQUEST_UNKNOWN)
        want.status = 1;
    if (reading->status != REQUEST_READY)
        return want;
    bool sets = reading->type >= 0x43 && reading->type <= 0x45;
    if (board->streaming && sets)
        want.status = 5;
    else if (reading->type == 0x43)
        want.status = judge((unsigned)number(body, 2), body[2], body[3], board->baud);
    else if (reading->type == 0x44)
        want.status = body[0] > 1 ? 2 : 0;
    if (want.status == 0) {
        want.action = actions[reading->type - 0x40];
        if (reading->type == 0x43)
            want.setup = (stream_setup_t){(uint16_t)number(body, 2), body[2], body[3]};
        if (reading->type == 0x44)
            want.test_signal = body[0] == 1;
        if (reading->type == 0x45) {
            want.device_id = number(body, 8);
            want.gain_milli = (uint32_t)number(body + 8, 4);
        }
    }
    if (reading->type == 0x43)
        want.value = want.setup.rate_Hz;
    if (reading->type == 0x44)
        want.value = want.test_signal;
    return want;
}

/* Field by field: there are holes between them. */
static bool same(const command_t *a, const command_t *b)
{
    return a->action == b->action && a->status == b->status && a->value == b->value &&
           a->setup.rate_Hz == b->setup.rate_Hz && a->setup.channels == b->setup.channels &&
           a->setup.oversampling == b->setup.oversampling && a->test_signal == b->test_signal &&
           a->device_id == b->device_id && a->gain_milli == b->gain_milli;
}

static board_t board_of(uint8_t state)
{
    static const uint32_t bauds[] = {115200, 250000, 500000, 1000000};
    return (board_t){state & 1, {1000, 1, 1}, state & 2, bauds[(state >> 2) & 3]};
}

static void run(board_t board, const uint8_t *line, size_t size)
{
    request_t request = {0};
    size_t begun = 0;
    for (size_t i = 0; i < size; i++) {
        request_status_t status = request_push(&request, line[i]);
        reading_t reading = {.status = REQUEST_NONE};
        if (line[i] == 0) {
            reading = read_frame(line + begun, i - begun);
            begun = i + 1;
        }
        must(status == reading.status);
        if (status == REQUEST_READY || status == REQUEST_UNKNOWN)
            must(request_type(&request) == reading.type && request_seq(&request) == reading.seq);
        command_t want = expected(&board, &reading);
        command_t got = command_decide(&request, status, board.streaming, board.setup, board.test_signal, board.baud);
        must(same(&got, &want));
        must(got.status == 0 || got.action == COMMAND_NONE);
        must(judge(got.setup.rate_Hz, got.setup.channels, got.setup.oversampling, board.baud) == 0);
        if (got.action == COMMAND_START || got.action == COMMAND_STOP)
            board.streaming = got.action == COMMAND_START;
        board.setup = got.setup;
        board.test_signal = got.test_signal;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (!(data[0] & 0x80)) {
        run(board_of(data[0]), data + 1, size - 1);
        return 0;
    }
    static uint8_t line[1 << 14];
    size_t used = 0;
    for (size_t at = 1; at + 2 <= size && used + FRAME_MAX_SENT <= sizeof line;) {
        size_t n = data[at] % 20; /* longer than any request, too */
        if (n > size - at - 2)
            n = size - at - 2;
        frame_t frame;
        frame_begin(&frame, line + used, FRAME_MAX_SENT, data[at + 1], (uint16_t)(257 * at));
        for (size_t i = 0; i < n; i++)
            frame_u8(&frame, data[at + 2 + i]);
        used += frame_end(&frame);
        at += 2 + n;
    }
    run(board_of(data[0]), line, used);
    return 0;
}
