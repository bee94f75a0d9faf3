/* frame.c against the shared vectors, and against whatever bytes the line may bring. Built with sanitizers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

struct frame_vector {
    const char *name;
    uint8_t type;
    uint16_t seq;
    const uint8_t *body;
    uint16_t body_size;
    const uint8_t *sent;
    uint16_t sent_size;
};

struct accepted {
    uint8_t type;
    uint16_t seq;
    const uint8_t *body;
    uint16_t body_size;
};

struct request_vector {
    const char *name;
    const uint8_t *bytes;
    uint16_t size;
    const struct accepted *accepted;
    unsigned n_accepted, unknown, rejected;
};

#include "vectors.inc"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

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

static uint16_t build(const struct frame_vector *v, uint8_t *out, uint16_t capacity)
{
    frame_t frame;
    frame_begin(&frame, out, capacity, v->type, v->seq);
    for (uint16_t i = 0; i < v->body_size; i++)
        frame_u8(&frame, v->body[i]);
    return frame_end(&frame);
}

/* A buffer on the heap of exactly the capacity: the sanitizer sees a byte too far. */
static void builds_the_frame_or_says_that_it_does_not_fit(const struct frame_vector *v)
{
    bool holds = true;
    for (uint16_t capacity = 0; capacity <= v->sent_size + 3; capacity++) {
        uint8_t *out = malloc(capacity);
        uint16_t sent = build(v, out, capacity);
        if (capacity < v->sent_size)
            holds = holds && sent == 0;
        else
            holds = holds && sent == v->sent_size && memcmp(out, v->sent, sent) == 0;
        free(out);
    }
    law(v->name, holds);
}

static void finds_the_requests(const struct request_vector *v)
{
    request_t request = {0};
    unsigned found = 0, unknown = 0, rejected = 0;
    bool holds = true;
    for (uint16_t i = 0; i < v->size; i++) {
        request_status_t status = request_push(&request, v->bytes[i]);
        if (status == REQUEST_READY && found < v->n_accepted) {
            const struct accepted *a = &v->accepted[found];
            holds = holds && request_type(&request) == a->type && request_seq(&request) == a->seq &&
                    memcmp(request_body(&request), a->body, a->body_size) == 0;
        }
        found += status == REQUEST_READY;
        unknown += status == REQUEST_UNKNOWN;
        rejected += status == REQUEST_REJECTED;
    }
    law(v->name, holds && found == v->n_accepted && unknown == v->unknown && rejected == v->rejected);
}

static void writes_little_endian(void)
{
    uint8_t bytewise[FRAME_MAX_SENT], wide[FRAME_MAX_SENT];
    frame_t frame;
    frame_begin(&frame, bytewise, sizeof bytewise, 2, 3);
    for (uint8_t i = 1; i <= 14; i++)
        frame_u8(&frame, i);
    uint16_t size = frame_end(&frame);
    frame_begin(&frame, wide, sizeof wide, 2, 3);
    frame_u16(&frame, 0x0201);
    frame_u32(&frame, 0x06050403);
    frame_u64(&frame, 0x0E0D0C0B0A090807);
    law("writes_little_endian", frame_end(&frame) == size && memcmp(bytewise, wide, size) == 0);
}

static void never_sends_more_than_the_longest_frame(void)
{
    uint8_t out[FRAME_MAX_SENT + 9];
    frame_t frame;
    frame_begin(&frame, out, sizeof out, 2, 3);
    for (uint16_t i = 0; i < WIRE_MAX_BOARD_FRAME - WIRE_HEAD - WIRE_CRC; i++)
        frame_u8(&frame, 7);
    bool fits = frame_end(&frame) == FRAME_MAX_SENT;
    frame_begin(&frame, out, sizeof out, 2, 3);
    for (uint16_t i = 0; i < WIRE_MAX_BOARD_FRAME - WIRE_HEAD - WIRE_CRC + 1; i++)
        frame_u8(&frame, 7);
    law("never_sends_more_than_the_longest_frame", fits && frame_end(&frame) == 0);
}

static uint32_t noise = 1;

static uint8_t random_byte(void) /* xorshift32 (Marsaglia 2003) */
{
    noise ^= noise << 13;
    noise ^= noise >> 17;
    noise ^= noise << 5;
    return (uint8_t)(noise >> 24);
}

/* Random bytes, half of them small, so that many frames come close to being whole. */
static void finds_its_way_back_after_any_garbage(void)
{
    const struct request_vector *each = &request_vectors[0];
    request_t request = {0};
    bool holds = true;
    for (int round = 0; round < 20000; round++) {
        for (uint8_t n = random_byte(); n > 0; n--)
            request_push(&request, random_byte() & 1 ? random_byte() : random_byte() & 7);
        request_push(&request, 0);
        unsigned found = 0;
        for (uint16_t i = 0; i < each->size; i++)
            found += request_push(&request, each->bytes[i]) == REQUEST_READY;
        holds = holds && found == each->n_accepted;
    }
    law("finds_its_way_back_after_any_garbage", holds);
}

/* All of them; a flip may also move the zero bytes that COBS took out, so the bound of the CRC alone proves nothing. */
static void rejects_every_request_with_up_to_two_flipped_bits(void)
{
    const struct request_vector *each = &request_vectors[0];
    uint8_t bytes[REQUEST_MAX + 2];
    unsigned accepted = 0;
    for (uint16_t start = 0, end; start < each->size; start = end) {
        for (end = start; each->bytes[end++] != 0;) {}
        int bits = 8 * (end - start - 1);
        for (int a = 0; a < bits; a++) {
            for (int b = a; b < bits; b++) {
                memcpy(bytes, each->bytes + start, (size_t)(end - start));
                bytes[a / 8] ^= (uint8_t)(1 << a % 8);
                if (b != a)
                    bytes[b / 8] ^= (uint8_t)(1 << b % 8);
                request_t request = {0};
                for (uint16_t i = 0; i < end - start; i++)
                    accepted += request_push(&request, bytes[i]) == REQUEST_READY;
            }
        }
    }
    law("rejects_every_request_with_up_to_two_flipped_bits", accepted == 0);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(frame_vectors); i++)
        builds_the_frame_or_says_that_it_does_not_fit(&frame_vectors[i]);
    for (size_t i = 0; i < COUNT(request_vectors); i++)
        finds_the_requests(&request_vectors[i]);
    writes_little_endian();
    never_sends_more_than_the_longest_frame();
    finds_its_way_back_after_any_garbage();
    rejects_every_request_with_up_to_two_flipped_bits();
    printf("firmware: %d passed, %d failed\n", passed, failed);
    return failed != 0;
}
