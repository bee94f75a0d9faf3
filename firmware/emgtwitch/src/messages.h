/* Records of the wire, built and queued. They wait for room, but for Samples. */
#ifndef MESSAGES_H
#define MESSAGES_H
#include <stdbool.h>
#include <stdint.h>

#include "commands.h"
#include "memory.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MESSAGE_OVERHEAD (WIRE_HEAD + WIRE_CRC + 2) /* with COBS and the closing zero byte */
/* Counts in the longest Samples frame. Frames are that long only where the line is behind. */
#define MOST_COUNTS_PER_FRAME 64
#define MESSAGE_SAMPLES_ROOM(counts) (WIRE_SAMPLES_SIZE + 2 * (counts) + MESSAGE_OVERHEAD)

/* What Hello tells beside `kept`. */
typedef struct {
    identity_t identity;
    stream_setup_t setup;
    uint16_t period_cycles;
    uint16_t reference_mV, reference_uncertainty_mV;
    uint16_t boot_count, run_count;
    uint32_t index;
    uint8_t flags;
} greeting_t;

/* Hello, Counters and, after the first period without a host, Guard. */
void message_hello(const greeting_t *greeting);
void message_answer(uint8_t request, uint16_t request_seq, uint8_t status, uint32_t value);
void message_mark(uint32_t index, uint8_t kind, uint8_t channel);

/* A Samples frame: begin, then every count, then end. */
void message_samples_begin(uint32_t index, uint16_t overruns);
void message_count(uint16_t count);
void message_end(void);

#ifdef __cplusplus
}
#endif
#endif
