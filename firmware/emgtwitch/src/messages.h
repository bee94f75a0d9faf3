/* Records of the wire, as they lie in memory: the processor is little endian and leaves no gaps, as the wire. */
#ifndef MESSAGES_H
#define MESSAGES_H
#include <stdint.h>

#include "frame.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Counts in the longest Samples frame. Frames are that long only where the line is behind. */
#define MOST_COUNTS_PER_FRAME 64
#define MESSAGE_SAMPLES_ROOM(counts) (WIRE_HEAD + WIRE_SAMPLES_SIZE + 2 * (counts) + WIRE_CRC + 2)

typedef struct {
    uint8_t wire_version, firmware_major, firmware_minor;
    uint32_t build;
    uint8_t device_id[8];
    uint32_t rate_num, rate_den;
    uint8_t channels, bits, oversampling;
    uint16_t reference_mV, reference_uncertainty_mV;
    uint32_t gain_milli;
    uint8_t reset_cause;
    uint16_t boot_count, run_count;
    uint8_t flags;
    uint32_t index;
    uint16_t free_stack_bytes;
} hello_t;

typedef struct {
    uint32_t index;
    uint8_t kind, channel;
} mark_t;

typedef struct {
    uint8_t request;
    uint16_t request_seq;
    uint8_t status;
    uint32_t value;
} answer_t;

typedef struct {
    uint16_t line_errors, rejected_requests, missed_triggers;
    uint32_t lost_scans;
    uint16_t watchdog_resets;
} counters_t;

typedef struct {
    uint16_t period;
    uint32_t guarded_s;
    uint16_t twitches, contractions, spasms;
    uint32_t longest_ms;
} watch_t;

#ifdef __AVR__
_Static_assert(sizeof(hello_t) == WIRE_HELLO_SIZE, "Hello");
_Static_assert(sizeof(mark_t) == WIRE_MARK_SIZE, "Mark");
_Static_assert(sizeof(answer_t) == WIRE_ANSWER_SIZE, "Answer");
_Static_assert(sizeof(counters_t) == WIRE_COUNTERS_SIZE, "Counters");
_Static_assert(sizeof(watch_t) == WIRE_GUARD_SIZE, "Guard");
#endif

/* Queue a record, which waits for room. */
void message(uint8_t type, const void *body, uint8_t size);

/* The same in pieces: begin, any number of times more, end. */
void message_begin(uint8_t type);
void message_more(const void *bytes, uint8_t size);
void message_end(void);

#ifdef __cplusplus
}
#endif
#endif
