/* What the board does with a request, decided apart from any hardware: plain C for the board and for the host's tests. */
#ifndef COMMANDS_H
#define COMMANDS_H
#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Counts in a Samples frame while the line keeps up, of all channels together; with 3 channels 15, since a frame holds
 * whole scans. Longer frames cost the line less, so they are free to be sent after a delay. */
#define COUNTS_PER_FRAME 16
/* Conversions a second that the converter does for sure: ADC clock 16 MHz / 128, 13.5 clocks each and a margin of 4 %. */
#define CONVERSIONS_PER_S 8900
/* The rate whose scans are made of twice as many conversions, decimated by two. */
#define HALVED_RATE_HZ 500

/* Answer.status. */
typedef enum {
    ANSWER_DONE,
    ANSWER_UNKNOWN,
    ANSWER_OUT_OF_RANGE,
    ANSWER_TOO_FAST_FOR_LINE,
    ANSWER_TOO_FAST_FOR_CONVERTER,
    ANSWER_ONLY_WHILE_STOPPED,
} answer_status_t;

/* How a run is made. */
typedef struct {
    uint16_t rate_Hz;
    uint8_t channels;
    uint8_t oversampling;
} stream_setup_t;

typedef enum {
    COMMAND_NONE,
    COMMAND_HELLO,          /* send a Hello; it is the whole reply, no Answer follows */
    COMMAND_START,          /* start a run at index 0; one that goes on ends first */
    COMMAND_STOP,           /* end the run; nothing to do where none goes on */
    COMMAND_SET_RATE,       /* take `setup` for the next run */
    COMMAND_TEST_SIGNAL,    /* take `test_signal` for the next run */
    COMMAND_WRITE_IDENTITY, /* write `device_id` and `gain_milli` */
    COMMAND_RESET_COUNTERS,
} command_action_t;

typedef struct {
    command_action_t action; /* COMMAND_NONE wherever `status` is not ANSWER_DONE */
    uint8_t status;          /* Answer.status, an answer_status_t */
    uint32_t value;          /* Answer.value. SetRate: the rate in force from now on, in Hz; TestSignal: 1 or 0, as in
                              * force from now on (both as before where refused); 0 in every other answer */
    stream_setup_t setup;    /* in force from now on: as before but for COMMAND_SET_RATE */
    bool test_signal;        /* in force from now on: as before but for COMMAND_TEST_SIGNAL */
    uint64_t device_id;      /* of COMMAND_WRITE_IDENTITY, else 0 */
    uint32_t gain_milli;     /* of COMMAND_WRITE_IDENTITY, else 0 */
} command_t;

/* Decide on `request` for which request_push() returned `status`, on a board whose line runs at `baud`.
 *
 * REQUEST_READY: do `action`, then send an Answer, but for COMMAND_HELLO. REQUEST_UNKNOWN: only the Answer.
 * REQUEST_NONE and REQUEST_REJECTED: neither; the request is not looked at.
 *
 * Of several reasons to refuse the first is given: only while stopped (SetRate, TestSignal, WriteIdentity), out of
 * range, too fast for the converter, too fast for the line: Samples frames may take three quarters of it; the rest is for
 * Hello, Counters, marks and answers, and for catching up after them. Built with LINE_UNCHECKED, the board takes what is
 * too fast for the line, so that tests can have it overflow. */
command_t command_decide(const request_t *request, request_status_t status, bool streaming, stream_setup_t now,
                         bool test_signal_now, uint32_t baud);

#ifdef __cplusplus
}
#endif
#endif
