#include "frame.h"

#if REQUEST_MAX > 254
#error "a request must fit one COBS block"
#endif

/* Without a table: 256 entries would cost a quarter of the RAM or two flash reads a byte. By halves of the CRC, since
 * the processor shifts a byte faster than a word. */
__attribute__((always_inline)) static inline uint16_t next_crc(uint16_t crc, uint8_t byte)
{
    uint8_t x = (uint8_t)((crc >> 8) ^ byte);
    x ^= (uint8_t)(x >> 4);
    uint8_t high = (uint8_t)((uint8_t)crc ^ (uint8_t)(x << 4) ^ (x >> 3));
    uint8_t low = (uint8_t)(x ^ (uint8_t)(x << 5));
    return (uint16_t)((uint16_t)high << 8 | low);
}

uint16_t frame_crc16(uint16_t crc, uint8_t byte) { return next_crc(crc, byte); }

void frame_begin(frame_t *frame, uint8_t *out, uint16_t capacity, uint8_t type, uint16_t seq)
{
    if (capacity > FRAME_MAX_SENT)
        capacity = FRAME_MAX_SENT;
    frame->out = out;
    frame->limit = capacity > 0 ? out + (capacity - 1) : out;
    frame->at = out + 1; /* the first byte is the count of the first block */
    frame->code = out;
    frame->crc = 0xFFFF;
    frame->full = false;
    frame_u8(frame, type);
    frame_u16(frame, seq);
}

/* The board spends most of its time here. At most 254 bytes go through, so a block never needs more than the count
 * of 255. */
void frame_bytes(frame_t *frame, const void *bytes, uint8_t size)
{
    const uint8_t *from = bytes;
    uint8_t *at = frame->at, *limit = frame->limit, *code = frame->code;
    uint16_t crc = frame->crc;
    for (; size > 0; size--) {
        uint8_t byte = *from++;
        crc = next_crc(crc, byte);
        if (at >= limit) {
            frame->full = true;
            break;
        }
        if (byte == 0) {
            *code = (uint8_t)(at - code);
            code = at;
        } else {
            *at = byte;
        }
        at++;
    }
    frame->at = at;
    frame->code = code;
    frame->crc = crc;
}

void frame_u8(frame_t *frame, uint8_t value) { frame_bytes(frame, &value, sizeof value); }
void frame_u16(frame_t *frame, uint16_t value) { frame_bytes(frame, &value, sizeof value); }
void frame_u32(frame_t *frame, uint32_t value) { frame_bytes(frame, &value, sizeof value); }
void frame_u64(frame_t *frame, uint64_t value) { frame_bytes(frame, &value, sizeof value); }

uint16_t frame_end(frame_t *frame)
{
    frame_u16(frame, frame->crc);
    if (frame->full)
        return 0;
    *frame->code = (uint8_t)(frame->at - frame->code);
    *frame->at++ = 0;
    return (uint16_t)(frame->at - frame->out);
}

static void keep(request_t *request, uint8_t byte)
{
    if (request->size < REQUEST_MAX)
        request->raw[request->size++] = byte;
    else
        request->spoilt = true;
}

/* Body bytes of each request; -1 for a type that is none. */
static int16_t body_size(uint8_t type)
{
    switch (type) {
    case WIRE_ASK_HELLO: return WIRE_ASK_HELLO_SIZE;
    case WIRE_START: return WIRE_START_SIZE;
    case WIRE_STOP: return WIRE_STOP_SIZE;
    case WIRE_SET_RATE: return WIRE_SET_RATE_SIZE;
    case WIRE_TEST_SIGNAL: return WIRE_TEST_SIGNAL_SIZE;
    case WIRE_WRITE_IDENTITY: return WIRE_WRITE_IDENTITY_SIZE;
    case WIRE_RESET_COUNTERS: return WIRE_RESET_COUNTERS_SIZE;
    default: return -1;
    }
}

static request_status_t judge(const request_t *request)
{
    if (request->spoilt || request->left != 0 || request->size < WIRE_HEAD + WIRE_CRC)
        return REQUEST_REJECTED;
    uint8_t checked = (uint8_t)(request->size - WIRE_CRC);
    uint16_t crc = 0xFFFF;
    for (uint8_t i = 0; i < checked; i++)
        crc = frame_crc16(crc, request->raw[i]);
    if (request->raw[checked] != (uint8_t)crc || request->raw[checked + 1] != (uint8_t)(crc >> 8))
        return REQUEST_REJECTED;
    int16_t size = body_size(request->raw[0]);
    if (size < 0)
        return REQUEST_UNKNOWN;
    return checked - WIRE_HEAD == size ? REQUEST_READY : REQUEST_REJECTED;
}

request_status_t request_push(request_t *request, uint8_t byte)
{
    if (byte == 0) {
        request_status_t status = request->open ? judge(request) : REQUEST_NONE;
        request->open = false;
        request->left = 0;
        return status;
    }
    if (request->left > 0) {
        request->left--;
        keep(request, byte);
        return REQUEST_NONE;
    }
    if (request->open) {
        keep(request, 0); /* between two blocks stands a zero byte: a block without one is longer than any request */
    } else {
        request->open = true;
        request->spoilt = false;
        request->size = 0;
    }
    request->left = (uint8_t)(byte - 1);
    return REQUEST_NONE;
}

uint8_t request_type(const request_t *request) { return request->raw[0]; }

uint16_t request_seq(const request_t *request)
{
    return (uint16_t)(request->raw[1] | (uint16_t)(request->raw[2] << 8));
}

const uint8_t *request_body(const request_t *request) { return request->raw + WIRE_HEAD; }
