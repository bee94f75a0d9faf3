/* The serial line: a ring to the host, a small one from it, both moved by interrupts. Owns USART0. */
#ifndef UART_H
#define UART_H
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef BAUD
#define BAUD 250000UL
#endif

void uart_begin(void);

/* Bytes that uart_write takes now. */
uint8_t uart_room(void);

/* Sleep until there is room for `size` bytes: at most 10 ms at 250,000 baud. */
void uart_await_room(uint8_t size);

/* Queue `size` bytes, of which there is room for all. */
void uart_write(const uint8_t *bytes, uint8_t size);

/* True if a byte from the host waits. */
bool uart_has_byte(void);

/* The next byte from the host, of which there is one. */
uint8_t uart_read(void);

/* Bytes from the host that were lost or framed wrongly since the last call; 255 stands for that many or more. */
uint8_t uart_take_errors(void);

#ifdef __cplusplus
}
#endif
#endif
