/* The virtual board: an ATmega328P at 16 MHz in simavr with what an Arduino has around it.
 *
 * simavr supplies core, timers, ports, EEPROM, flash and watchdog. Its serial port (11 bits a byte, a receive buffer
 * of 64) and its converter (no timer trigger, no bandgap at a scale of 0.1 mV, no noise) are replaced by
 * usart.c and adc.c, which follow the data sheet. */
#ifndef BOARD_H
#define BOARD_H
#include <simavr/sim_avr.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define F_CPU_HZ 16000000
#define CHANNELS 4

/* Interrupt vectors of the ATmega328P that the board's own parts raise or watch. */
enum { VECTOR_WDT = 6, VECTOR_TIMER1_COMPB = 12, VECTOR_USART_RX = 18, VECTOR_USART_UDRE, VECTOR_USART_TX, VECTOR_ADC };

/* Data addresses of registers that they stand for. */
enum {
    REG_PIND = 0x29,
    REG_MCUSR = 0x54,
    REG_SPMCSR = 0x57,
    REG_ADCL = 0x78,
    REG_ADCH,
    REG_ADCSRA,
    REG_ADCSRB,
    REG_ADMUX,
    REG_UCSR0A = 0xC0,
    REG_UCSR0B,
    REG_UCSR0C,
    REG_UBRR0L = 0xC4,
    REG_UBRR0H,
    REG_UDR0,
};

extern avr_t *avr;

double sim_s(void); /* since power was first applied */
avr_int_vector_t *vector_of(uint8_t number);
/* Let a part own a register; NULL for read means plain memory. */
void own_register(avr_io_addr_t address, avr_io_write_t write, avr_io_read_t read);
_Noreturn void die(const char *format, ...);
/* Uniform on [0, 1), from the seed of the run. */
double draw(void);
void draw_from(uint64_t seed);

/* chip.c: what is loaded, fuses, resets. */
typedef struct {
    const char *elf, *bootloader, *eeprom;
} chip_files_t;
void chip_begin(const chip_files_t *files);
void chip_save_eeprom(void);
void chip_power_on(void);
void chip_external_reset(void);
void chip_hang(void); /* the program stops for ever, interrupts and all: only a watchdog helps */
void chip_poke(uint16_t address, uint8_t value);
void chip_button(bool pressed);
void chip_electrode(unsigned channel, bool off);
extern unsigned resets_power_on, resets_external, resets_watchdog;
extern uint64_t asleep_cycles;

/* adc.c: the converter, its trigger, and the voltages at its pins. */
typedef struct {
    const char *file; /* float32 in mV, channels interleaved */
    double rate_Hz;
    unsigned channels;
    bool from_start; /* begins with the first triggered conversion after each reset, not with the power */
    bool once;       /* keeps its last value instead of beginning again */
} waveform_t;
void adc_begin(const waveform_t *waveform, FILE *conversions);
void adc_reset(void);
extern double avcc_mV, bandgap_mV, noise_uV;
extern uint64_t conversions_made, triggers, triggers_missed_flag, triggers_missed_busy;

/* usart.c: the serial port, bit time by bit time. */
void usart_begin(void);
void usart_reset(void);
void usart_receive(uint8_t byte); /* a byte from the host joins the queue before the board's RX pin */
unsigned usart_waiting(void);     /* bytes in that queue */
extern uint64_t sent_bytes, received_bytes, rx_overruns, rx_unheard;

/* port.c: the USB end of the serial line. */
typedef struct {
    const char *link;  /* name of the symbolic link to a pty, or NULL */
    const char *file;  /* raw output, or NULL */
    bool wait;         /* where time is not real, wait for the reader instead of dropping */
    bool reset_on_open;
} port_options_t;
void port_begin(const port_options_t *options);
void port_from_board(uint8_t byte);
void port_poll(void);
void port_plug(void);
void port_unplug(void);
void port_garbage(unsigned bytes); /* bytes that nobody sent, towards the host */
void port_spoil(unsigned bytes);   /* damage the next bytes towards the host */
void port_end(void);
extern uint64_t dropped_bytes, unheard_bytes, spoilt_bytes;

/* script.c: what happens when. */
void script_load(const char *path);
void script_line(const char *text, double now_s);
void script_stdin(void); /* take the lines that have come, without waiting */
double script_next_s(void);
void script_run(void);
extern bool quit;

/* report.c: what was measured since the last `measure`. */
void report_begin(void);
void report_measure(void);
void report_write(FILE *out);
#endif
