#include "messages.h"

#include "uart.h"

static uint8_t sent[MESSAGE_SAMPLES_ROOM(MOST_COUNTS_PER_FRAME)];
static frame_t frame;
static uint16_t seq;

void message_begin(uint8_t type)
{
    frame_begin(&frame, sent, sizeof sent, type, seq++);
}

void message_more(const void *bytes, uint8_t size)
{
    frame_bytes(&frame, bytes, size);
}

void message_end(void)
{
    uint8_t size = (uint8_t)frame_end(&frame);
    uart_await_room(size);
    uart_write(sent, size);
}

void message(uint8_t type, const void *body, uint8_t size)
{
    message_begin(type);
    message_more(body, size);
    message_end();
}
