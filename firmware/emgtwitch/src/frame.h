/* Frames of the wire in plain C: built for the board and, under sanitizers, for the host's tests.
 * No heap and no globals: the caller owns every buffer. wire.toml says what the bytes mean. */
#ifndef FRAME_H
#define FRAME_H
#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The longest frame as sent: with the one byte that COBS adds and the closing zero byte. */
#define FRAME_MAX_SENT (WIRE_MAX_BOARD_FRAME + 2)

/* CRC-16/CCITT-FALSE: `crc` so far (0xFFFF at the start) continued over one byte. */
uint16_t frame_crc16(uint16_t crc, uint8_t byte);

/* A frame being built: every byte is stuffed and enters the CRC as it comes, so no second buffer is needed. */
typedef struct {
    uint8_t *out;
    uint8_t *at;    /* where the next byte goes */
    uint8_t *limit; /* the closing zero byte goes here at the latest */
    uint8_t *code;  /* where the count of the open COBS block goes */
    uint16_t crc;
    bool full;
} frame_t;

/* Begin a frame in `out`, which holds `capacity` bytes; more than FRAME_MAX_SENT are never used. */
void frame_begin(frame_t *frame, uint8_t *out, uint16_t capacity, uint8_t type, uint16_t seq);
/* Append `size` bytes as they lie in memory, which is little endian on the board and on the hosts that build this. */
void frame_bytes(frame_t *frame, const void *bytes, uint8_t size);
void frame_u8(frame_t *frame, uint8_t value);
void frame_u16(frame_t *frame, uint16_t value);
void frame_u32(frame_t *frame, uint32_t value);
void frame_u64(frame_t *frame, uint64_t value);
/* Close the frame. Returns the bytes to send, or 0 if the frame did not fit. */
uint16_t frame_end(frame_t *frame);

/* The longest request, before COBS. */
#define REQUEST_MAX (WIRE_HEAD + WIRE_WRITE_IDENTITY_SIZE + WIRE_CRC)

typedef enum {
    REQUEST_NONE,     /* nothing is complete */
    REQUEST_READY,    /* a request that wire.toml knows, of the right length */
    REQUEST_UNKNOWN,  /* a whole frame of another type: answer it as unknown */
    REQUEST_REJECTED, /* a frame that is too long or that fails COBS, CRC or length */
} request_status_t;

/* What arrives from the host. All zero bytes is its initial state. */
typedef struct {
    uint8_t raw[REQUEST_MAX];
    uint8_t size;  /* bytes in raw */
    uint8_t left;  /* bytes still to come in the open COBS block */
    bool open;     /* inside a frame */
    bool spoilt;   /* too long for any request */
} request_t;

/* Take one byte from the line. Type, sequence and body can be read until the next call. */
request_status_t request_push(request_t *request, uint8_t byte);
uint8_t request_type(const request_t *request);
uint16_t request_seq(const request_t *request);
const uint8_t *request_body(const request_t *request);

#ifdef __cplusplus
}
#endif
#endif
