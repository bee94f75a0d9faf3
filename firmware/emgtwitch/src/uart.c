#include "uart.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <util/atomic.h>

/* Both indices of `out` wrap by themselves at its 256 bytes. */
static uint8_t out[256];
static volatile uint8_t out_head, out_tail;

#define IN_SIZE 32 /* of the smallest requests four, and 1.3 ms at 250,000 baud */
static uint8_t in[IN_SIZE];
static volatile uint8_t in_head, in_tail, in_errors;

/* Doubled speed: 250,000, 500,000 and 1,000,000 baud are exact, 115,200 is 2.1 % fast. */
#define DIVISOR ((F_CPU + 4UL * BAUD) / (8UL * BAUD))

void uart_begin(void)
{
    UCSR0B = 0;
    UCSR0A = _BV(U2X0);
    UBRR0 = (uint16_t)(DIVISOR - 1);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00); /* 8N1 */
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
}

/* One byte to the shift register. Budget 100 cycles of the 640 of a byte at 250,000 baud; measured: docs/firmware.md. */
ISR(USART_UDRE_vect)
{
    uint8_t tail = out_tail;
    UDR0 = out[tail];
    out_tail = ++tail;
    if (tail == out_head)
        UCSR0B &= (uint8_t)~_BV(UDRIE0);
}

/* One byte from the line, or one error counted. Budget 100 cycles of the 640 of a byte at 250,000 baud. */
ISR(USART_RX_vect)
{
    uint8_t status = UCSR0A, byte = UDR0, head = in_head, next = (uint8_t)((head + 1) % IN_SIZE);
    bool lost = next == in_tail;
    if (!lost && !(status & _BV(FE0))) {
        in[head] = byte;
        in_head = next;
    }
    if ((lost || (status & (_BV(FE0) | _BV(DOR0)))) && in_errors < UINT8_MAX)
        in_errors++;
}

uint8_t uart_room(void)
{
    return (uint8_t)(out_tail - out_head - 1);
}

void uart_await_room(uint8_t size)
{
    while (uart_room() < size)
        sleep_cpu();
}

void uart_write(const uint8_t *bytes, uint8_t size)
{
    uint8_t head = out_head;
    while (size-- > 0)
        out[head++] = *bytes++;
    out_head = head;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        UCSR0B |= _BV(UDRIE0);
    }
}

bool uart_has_byte(void)
{
    return in_head != in_tail;
}

uint8_t uart_read(void)
{
    uint8_t tail = in_tail, byte = in[tail];
    in_tail = (uint8_t)((tail + 1) % IN_SIZE);
    return byte;
}

uint8_t uart_take_errors(void)
{
    uint8_t errors = 0;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        errors = in_errors;
        in_errors = 0;
    }
    return errors;
}
