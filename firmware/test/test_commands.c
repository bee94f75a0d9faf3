/* commands.c: what becomes of every request, in every state. Built with sanitizers, as it is and with LINE_UNCHECKED:
 *   gcc -std=c11 -O1 -g -Wall -Wextra -Werror -Wconversion -fsanitize=address,undefined -fno-sanitize-recover=all \
 *       -I firmware/emgtwitch/src [-DLINE_UNCHECKED] -o build/firmware/test_commands[_unchecked] \
 *       firmware/test/test_commands.c firmware/emgtwitch/src/commands.c firmware/emgtwitch/src/frame.c
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const uint32_t bauds[] = {115200, 250000, 500000};
static const uint8_t oversamplings[] = {1, 4, 8};
static const stream_setup_t before = {1000, 1, 1};

/* The status of each oversampling, a digit for each of `bauds`. */
static const struct {
    uint16_t rate_Hz;
    uint8_t channels;
    const char *statuses[COUNT(oversamplings)];
} combinations[] = {
    {500, 1, {"000", "000", "000"}},  {500, 2, {"000", "000", "444"}},  {500, 3, {"000", "444", "444"}},
    {500, 4, {"000", "444", "444"}},  {1000, 1, {"000", "000", "000"}}, {1000, 2, {"000", "000", "444"}},
    {1000, 3, {"000", "444", "444"}}, {1000, 4, {"300", "444", "444"}}, {2000, 1, {"000", "000", "444"}},
    {2000, 2, {"300", "444", "444"}}, {2000, 3, {"300", "444", "444"}}, {2000, 4, {"330", "444", "444"}},
    {4000, 1, {"300", "444", "444"}}, {4000, 2, {"330", "444", "444"}}, {4000, 3, {"444", "444", "444"}},
    {4000, 4, {"444", "444", "444"}},
};

static int passed, failed;

static void law(const char *name, bool holds)
{
    if (holds) {
        passed++;
    } else {
        failed++;
        fprintf(stderr, "FAILED %s\n", name);
    }
}

typedef struct {
    bool streaming;
    stream_setup_t setup;
    bool test_signal;
    uint32_t baud;
} board_t;

/* The decision on a request that comes over the line. */
static command_t ask(board_t board, uint8_t type, const uint8_t *body, uint8_t size)
{
    uint8_t sent[FRAME_MAX_SENT];
    frame_t frame;
    request_t request = {0};
    request_status_t status = REQUEST_NONE;
    frame_begin(&frame, sent, sizeof sent, type, 0x0102);
    for (uint8_t i = 0; i < size; i++)
        frame_u8(&frame, body[i]);
    uint16_t length = frame_end(&frame);
    for (uint16_t i = 0; i < length; i++)
        status = request_push(&request, sent[i]);
    return command_decide(&request, status, board.streaming, board.setup, board.test_signal, board.baud);
}

static command_t ask_rate(board_t board, uint16_t rate_Hz, uint8_t channels, uint8_t oversampling)
{
    const uint8_t body[] = {(uint8_t)rate_Hz, (uint8_t)(rate_Hz >> 8), channels, oversampling};
    return ask(board, WIRE_SET_RATE, body, sizeof body);
}

static bool is(command_t command, command_action_t action, uint8_t status, uint32_t value)
{
    return command.action == action && command.status == status && command.value == value;
}

static bool is_setup(stream_setup_t setup, uint16_t rate_Hz, uint8_t channels, uint8_t oversampling)
{
    return setup.rate_Hz == rate_Hz && setup.channels == channels && setup.oversampling == oversampling;
}

/* Nothing of the state changes but what is named. */
static bool keeps_setup(command_t command) { return is_setup(command.setup, 1000, 1, 1); }
static bool has_no_identity(command_t command) { return command.device_id == 0 && command.gain_milli == 0; }

static uint8_t expected_status(char digit)
{
    uint8_t status = (uint8_t)(digit - '0');
#ifdef LINE_UNCHECKED
    if (status == ANSWER_TOO_FAST_FOR_LINE)
        status = ANSWER_DONE;
#endif
    return status;
}

static void takes_exactly_the_combinations_of_the_table(void)
{
    for (size_t row = 0; row < COUNT(combinations); row++) {
        for (size_t o = 0; o < COUNT(oversamplings); o++) {
            for (size_t b = 0; b < COUNT(bauds); b++) {
                uint16_t rate_Hz = combinations[row].rate_Hz;
                uint8_t channels = combinations[row].channels;
                uint8_t status = expected_status(combinations[row].statuses[o][b]);
                board_t board = {false, before, true, bauds[b]};
                command_t got = ask_rate(board, rate_Hz, channels, oversamplings[o]);
                bool done = status == ANSWER_DONE;
                char name[80];
                snprintf(name, sizeof name, "%u Hz, %u channels, oversampling %u, %u baud: %u instead of %u", rate_Hz,
                         channels, oversamplings[o], (unsigned)bauds[b], got.status, status);
                law(name, is(got, done ? COMMAND_SET_RATE : COMMAND_NONE, status, done ? rate_Hz : before.rate_Hz) &&
                              (done ? is_setup(got.setup, rate_Hz, channels, oversamplings[o]) : keeps_setup(got)) &&
                              got.test_signal && has_no_identity(got));
            }
        }
    }
}

static bool in_table(uint32_t rate_Hz, unsigned channels, unsigned oversampling)
{
    bool rate = false, known = false;
    for (size_t row = 0; row < COUNT(combinations); row++)
        rate = rate || (combinations[row].rate_Hz == rate_Hz && combinations[row].channels == channels);
    for (size_t o = 0; o < COUNT(oversamplings); o++)
        known = known || oversamplings[o] == oversampling;
    return rate && known;
}

static void says_out_of_range_for_every_other_number(void)
{
    static const uint16_t rates_Hz[] = {0, 500, 1000, 2000, 4000, 65535};
    board_t board = {false, before, false, 500000};
    bool holds = true;
    for (uint32_t rate_Hz = 0; rate_Hz < 65536; rate_Hz++) {
        command_t got = ask_rate(board, (uint16_t)rate_Hz, 1, 1);
        holds = holds && (got.status == ANSWER_OUT_OF_RANGE) == !in_table(rate_Hz, 1, 1);
    }
    for (size_t r = 0; r < COUNT(rates_Hz); r++) {
        for (unsigned n = 0; n < 65536; n++) {
            command_t got = ask_rate(board, rates_Hz[r], (uint8_t)n, (uint8_t)(n >> 8));
            bool out = !in_table(rates_Hz[r], n & 0xFF, n >> 8);
            holds = holds && (got.status == ANSWER_OUT_OF_RANGE) == out && (!out || keeps_setup(got));
        }
    }
    law("says_out_of_range_for_every_other_number", holds);
}

#ifndef LINE_UNCHECKED
/* Bits a second of full Samples frames, as frame.c sends them. */
static double line_load(uint16_t rate_Hz, uint8_t channels)
{
    uint8_t sent[FRAME_MAX_SENT];
    frame_t frame;
    unsigned scans = (unsigned)COUNTS_PER_FRAME / channels;
    frame_begin(&frame, sent, sizeof sent, WIRE_SAMPLES, 7);
    frame_u32(&frame, 7);
    frame_u16(&frame, 0);
    for (unsigned i = 0; i < scans * channels; i++)
        frame_u16(&frame, 512);
    return 10.0 * frame_end(&frame) * rate_Hz / scans;
}

static void samples_frames_get_three_quarters_of_the_line(void)
{
    bool holds = true;
    for (size_t row = 0; row < COUNT(combinations); row++) {
        uint16_t rate_Hz = combinations[row].rate_Hz;
        uint8_t channels = combinations[row].channels;
        for (uint32_t baud = 9600; baud <= 1000000; baud += 50) {
            uint8_t status = ask_rate((board_t){false, before, false, baud}, rate_Hz, channels, 1).status;
            double share = line_load(rate_Hz, channels) / baud;
            if (status == ANSWER_DONE)
                holds = holds && share < 0.76;
            if (status == ANSWER_TOO_FAST_FOR_LINE)
                holds = holds && share > 0.74;
        }
    }
    law("samples_frames_get_three_quarters_of_the_line", holds);
}
#endif

static void start_stop_hello_and_reset_are_done_in_every_state(void)
{
    static const struct {
        uint8_t type;
        command_action_t action;
    } always[] = {
        {WIRE_ASK_HELLO, COMMAND_HELLO},
        {WIRE_START, COMMAND_START},
        {WIRE_STOP, COMMAND_STOP},
        {WIRE_RESET_COUNTERS, COMMAND_RESET_COUNTERS},
    };
    bool holds = true;
    for (size_t i = 0; i < COUNT(always); i++) {
        for (unsigned state = 0; state < 4; state++) {
            bool testing = state & 2;
            command_t got = ask((board_t){state & 1, before, testing, 250000}, always[i].type, NULL, 0);
            holds = holds && is(got, always[i].action, ANSWER_DONE, 0) && keeps_setup(got) && has_no_identity(got) &&
                    got.test_signal == testing;
        }
    }
    law("start_stop_hello_and_reset_are_done_in_every_state", holds);
}

static void nothing_is_set_while_streaming(void)
{
    static const uint8_t body[WIRE_WRITE_IDENTITY_SIZE] = {1, 2, 3, 4, 5};
    bool holds = true;
    for (unsigned testing = 0; testing < 2; testing++) {
        board_t board = {true, before, testing != 0, 250000};
        const command_t all[] = {
            ask_rate(board, 2000, 1, 1), ask_rate(board, 3, 9, 9), /* even what would be out of range */
            ask(board, WIRE_TEST_SIGNAL, (const uint8_t[]){!testing}, 1), ask(board, WIRE_TEST_SIGNAL, body + 4, 1),
            ask(board, WIRE_WRITE_IDENTITY, body, sizeof body),
        };
        const uint32_t values[] = {1000, 1000, testing, testing, 0};
        for (size_t i = 0; i < COUNT(all); i++)
            holds = holds && is(all[i], COMMAND_NONE, ANSWER_ONLY_WHILE_STOPPED, values[i]) && keeps_setup(all[i]) &&
                    all[i].test_signal == (testing != 0) && has_no_identity(all[i]);
    }
    law("nothing_is_set_while_streaming", holds);
}

static void the_test_signal_is_on_or_off_and_nothing_else(void)
{
    bool holds = true;
    for (unsigned now = 0; now < 2; now++) {
        for (unsigned on = 0; on < 256; on++) {
            board_t board = {false, before, now != 0, 250000};
            command_t got = ask(board, WIRE_TEST_SIGNAL, (const uint8_t[]){(uint8_t)on}, 1);
            bool done = on < 2;
            uint32_t value = done ? on : now;
            holds = holds && keeps_setup(got) && got.test_signal == (value != 0) && has_no_identity(got) &&
                    is(got, done ? COMMAND_TEST_SIGNAL : COMMAND_NONE, done ? ANSWER_DONE : ANSWER_OUT_OF_RANGE, value);
        }
    }
    law("the_test_signal_is_on_or_off_and_nothing_else", holds);
}

static void an_identity_is_written_as_it_was_sent(void)
{
    static const uint8_t body[] = {8, 7, 6, 5, 4, 3, 2, 1, 0xCC, 0xBB, 0xAA, 0};
    command_t got = ask((board_t){false, before, true, 250000}, WIRE_WRITE_IDENTITY, body, sizeof body);
    law("an_identity_is_written_as_it_was_sent",
        is(got, COMMAND_WRITE_IDENTITY, ANSWER_DONE, 0) && got.device_id == 0x0102030405060708 &&
            got.gain_milli == 0xAABBCC && keeps_setup(got) && got.test_signal);
}

static void what_is_no_request_is_unknown_or_not_looked_at(void)
{
    bool holds = true;
    for (unsigned state = 0; state < 4; state++) {
        bool streaming = state & 1, testing = state & 2;
        for (unsigned type = 0; type < 256; type++) {
            if (type >= WIRE_ASK_HELLO && type <= WIRE_RESET_COUNTERS)
                continue;
            command_t got = ask((board_t){streaming, before, testing, 250000}, (uint8_t)type, NULL, 0);
            holds = holds && is(got, COMMAND_NONE, ANSWER_UNKNOWN, 0) && keeps_setup(got) && got.test_signal == testing;
        }
        static const request_status_t nothing[] = {REQUEST_NONE, REQUEST_REJECTED};
        for (size_t i = 0; i < COUNT(nothing); i++) {
            command_t got = command_decide(NULL, nothing[i], streaming, before, testing, 250000);
            holds = holds && is(got, COMMAND_NONE, ANSWER_DONE, 0) && keeps_setup(got) && got.test_signal == testing;
        }
    }
    law("what_is_no_request_is_unknown_or_not_looked_at", holds);
}

int main(void)
{
    takes_exactly_the_combinations_of_the_table();
    says_out_of_range_for_every_other_number();
#ifndef LINE_UNCHECKED
    samples_frames_get_three_quarters_of_the_line();
#endif
    start_stop_hello_and_reset_are_done_in_every_state();
    nothing_is_set_while_streaming();
    the_test_signal_is_on_or_off_and_nothing_else();
    an_identity_is_written_as_it_was_sent();
    what_is_no_request_is_unknown_or_not_looked_at();
    printf("commands: %d passed, %d failed\n", passed, failed);
    return failed != 0;
}
