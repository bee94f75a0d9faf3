/* The serial port as the data sheet has it: ten bits a byte, one byte of transmit buffer, two bytes of receive buffer
 * and the shift register behind them. Frames are taken to be 8N1. */
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_interrupts.h>

#include "board.h"

enum { RXC = 0x80, TXC = 0x40, UDRE = 0x20, FE = 0x10, DOR = 0x08, U2X = 0x02 };
enum { RXCIE = 0x80, TXCIE = 0x40, UDRIE = 0x20, RXEN = 0x10, TXEN = 0x08 };
enum { HELD = 3 }; /* two in the buffer and one complete in the shift register, until the next start bit */
enum { QUEUE = 1 << 16 };

uint64_t sent_bytes, received_bytes, rx_overruns, rx_unheard;

static bool shifting, buffered; /* transmitter */
static uint8_t shift_byte, buffer_byte;
static uint8_t held[HELD];
static unsigned held_n;
static uint8_t queue[QUEUE]; /* before the RX pin */
static unsigned queue_head, queue_n;
static bool arriving;

static avr_cycle_count_t byte_cycles(void)
{
    unsigned divisor = (unsigned)(avr->data[REG_UBRR0L] | (avr->data[REG_UBRR0H] & 0x0F) << 8) + 1;
    return 10u * divisor * (avr->data[REG_UCSR0A] & U2X ? 8u : 16u);
}

static void set(uint8_t flag, bool on)
{
    uint8_t *status = &avr->data[REG_UCSR0A];
    *status = (uint8_t)(on ? *status | flag : *status & ~flag);
}

static avr_cycle_count_t sent(avr_t *chip, avr_cycle_count_t when, void *param)
{
    (void)param;
    sent_bytes++;
    port_from_board(shift_byte);
    if (!buffered) {
        shifting = false;
        avr_raise_interrupt(chip, vector_of(VECTOR_USART_TX));
        return 0;
    }
    shift_byte = buffer_byte;
    buffered = false;
    avr_raise_interrupt(chip, vector_of(VECTOR_USART_UDRE));
    return when + byte_cycles();
}

static void write_data(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)address, (void)param;
    if (!(chip->data[REG_UCSR0B] & TXEN) || buffered)
        return;
    if (shifting) {
        buffered = true;
        buffer_byte = value;
        avr_clear_interrupt(chip, vector_of(VECTOR_USART_UDRE));
        set(UDRE, false);
        return;
    }
    shifting = true;
    shift_byte = value;
    avr_cycle_timer_register(chip, byte_cycles(), sent, NULL);
    avr_raise_interrupt(chip, vector_of(VECTOR_USART_UDRE)); /* the buffer is free again at once */
}

static void write_status(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)param;
    uint8_t kept = chip->data[address] & (RXC | TXC | UDRE | FE | DOR);
    if (value & TXC) {
        avr_clear_interrupt(chip, vector_of(VECTOR_USART_TX));
        kept &= (uint8_t)~TXC;
    }
    chip->data[address] = (uint8_t)((value & (U2X | 1)) | kept);
}

static void write_enable(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)param;
    uint8_t before = chip->data[address], fresh = (uint8_t)(value & ~before);
    chip->data[address] = value;
    if ((fresh & UDRIE) && !buffered)
        avr_raise_interrupt(chip, vector_of(VECTOR_USART_UDRE));
    if ((fresh & RXCIE) && held_n > 0)
        avr_raise_interrupt(chip, vector_of(VECTOR_USART_RX));
    if (!(value & RXEN)) {
        held_n = 0;
        set(RXC | DOR | FE, false);
    }
}

static avr_cycle_count_t arrived(avr_t *chip, avr_cycle_count_t when, void *param)
{
    (void)param;
    uint8_t byte = queue[queue_head];
    queue_head = (queue_head + 1) % QUEUE;
    queue_n--;
    received_bytes++;
    if (!(chip->data[REG_UCSR0B] & RXEN)) {
        rx_unheard++;
    } else if (held_n == HELD) {
        /* The start bit of this byte came while three were held: the last of those is lost. */
        held[HELD - 1] = byte;
        rx_overruns++;
        set(DOR, true);
    } else {
        held[held_n++] = byte;
        avr_raise_interrupt(chip, vector_of(VECTOR_USART_RX));
    }
    arriving = queue_n > 0;
    return arriving ? when + byte_cycles() : 0;
}

static uint8_t read_data(avr_t *chip, avr_io_addr_t address, void *param)
{
    (void)address, (void)param;
    if (held_n == 0)
        return 0;
    uint8_t byte = held[0];
    for (unsigned n = 1; n < held_n; n++)
        held[n - 1] = held[n];
    held_n--;
    set(DOR, false);
    set(RXC, held_n > 0);
    if (held_n > 0)
        avr_raise_interrupt(chip, vector_of(VECTOR_USART_RX));
    else
        avr_clear_interrupt(chip, vector_of(VECTOR_USART_RX));
    return byte;
}

void usart_receive(uint8_t byte)
{
    if (queue_n == QUEUE)
        die("More than %d bytes wait for the board.", QUEUE);
    queue[(queue_head + queue_n++) % QUEUE] = byte;
    if (!arriving) {
        arriving = true;
        avr_cycle_timer_register(avr, byte_cycles(), arrived, NULL);
    }
}

unsigned usart_waiting(void)
{
    return queue_n;
}

void usart_reset(void)
{
    shifting = buffered = arriving = false;
    held_n = 0;
    queue_n = 0; /* what the host sent during the reset finds no receiver */
    avr->data[REG_UCSR0A] = UDRE;
    avr->data[REG_UCSR0B] = 0; /* simavr enables the transmitter for its own purposes */
}

void usart_begin(void)
{
    own_register(REG_UCSR0A, write_status, NULL);
    own_register(REG_UCSR0B, write_enable, NULL);
    own_register(REG_UCSR0C, NULL, NULL);
    own_register(REG_UBRR0L, NULL, NULL);
    own_register(REG_UBRR0H, NULL, NULL);
    own_register(REG_UDR0, write_data, read_data);
    usart_reset();
}
