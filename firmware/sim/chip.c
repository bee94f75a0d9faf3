/* The chip: what is loaded into it, its fuses, and everything that resets it. */
#include <simavr/avr_eeprom.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_timer.h>
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_interrupts.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"

enum { PORF = 0x01, EXTRF = 0x02, WDRF = 0x08 };
enum { SPMEN = 0x01, BLBSET = 0x08 };
enum { EEPROM_BYTES = 1024, SRAM_FIRST = 0x100, SREG_I = 7 };
enum { BOOT_SECTION = 0x7000, HANG_AT = 0x6FFE, RJMP_HERE = 0xCFFF };
enum { LOCK_BITS = 0xCF, FUSE_LOW = 0xFF, FUSE_HIGH_NO_LOADER = 0xDF, FUSE_EXTENDED = 0xFD };
/* BOOTRST programmed, and the size of the boot section: 256 words at 0x7E00, 1024 words at 0x7800. */
enum { FUSE_HIGH_SMALL_LOADER = 0xDE, FUSE_HIGH_LARGE_LOADER = 0xDA, SMALL_LOADER = 0x7E00 };

unsigned resets_power_on, resets_external, resets_watchdog;
uint64_t asleep_cycles;

static const char *eeprom_file;
static uint8_t pins_high; /* of port D, as driven from outside */
static uint8_t cause; /* of a reset that this file makes; 0: simavr's watchdog */
static uint8_t fuses[4]; /* as LPM reads them: low, lock, extended, high */
static uint8_t under_fuses[4];
static bool fuses_shown;
static avr_io_write_t simavr_spm;
static void *simavr_spm_param;
static void (*simavr_reset)(avr_t *chip);

static void asleep(avr_t *chip, avr_cycle_count_t cycles)
{
    (void)chip;
    asleep_cycles += cycles + 1; /* simavr counts one more than it announces */
}

static void log_errors(avr_t *chip, const int level, const char *format, va_list arguments)
{
    (void)chip;
    if (level <= LOG_ERROR)
        vfprintf(stderr, format, arguments);
}

static avr_cycle_count_t hide_fuses(avr_t *chip, avr_cycle_count_t when, void *param)
{
    (void)when, (void)param;
    memcpy(chip->flash, under_fuses, sizeof under_fuses);
    fuses_shown = false;
    return 0;
}

/* LPM within a few cycles of BLBSET and SPMEN reads fuses, which simavr leaves out: they lie over the start of the
 * flash for so long, from where nothing is executed meanwhile. */
static void write_spm_control(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)param;
    if ((value & (BLBSET | SPMEN)) != (BLBSET | SPMEN)) {
        simavr_spm(chip, address, value, simavr_spm_param);
        return;
    }
    if (!fuses_shown)
        memcpy(under_fuses, chip->flash, sizeof under_fuses);
    memcpy(chip->flash, fuses, sizeof fuses);
    fuses_shown = true;
    avr_cycle_timer_register(chip, 6, hide_fuses, NULL);
}

/* simavr's timers keep their old period over a reset: the first write to TCNT would match at once. */
static void forget_timers(void)
{
    for (avr_io_t *part = avr->io_port; part; part = part->next) {
        if (strcmp(part->kind, "timer") != 0)
            continue;
        avr_timer_t *timer = (avr_timer_t *)part; /* its io is its first member */
        timer->tov_cycles = timer->tov_base = 0;
        timer->tov_top = 0;
        timer->cs_div_value = 0;
        for (unsigned n = 0; n < AVR_TIMER_COMP_COUNT; n++)
            timer->comp[n].comp_cycles = 0;
    }
}

static void drive(unsigned pin, bool high)
{
    pins_high = (uint8_t)(high ? pins_high | 1u << pin : pins_high & ~(1u << pin));
    avr_raise_irq(avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ('D'), (int)pin), high);
}

static void on_reset(avr_t *chip)
{
    if (fuses_shown)
        hide_fuses(chip, 0, NULL);
    if (simavr_reset)
        simavr_reset(chip);
    forget_timers();
    chip->data[REG_PIND] = pins_high; /* simavr clears it, and knows the pins as they were */
    usart_reset();
    adc_reset();
    if (cause == 0)
        resets_watchdog++;
}

static void reset(uint8_t why)
{
    uint8_t before = avr->data[REG_MCUSR]; /* its flags stay until the program or a loss of power clears them */
    cause = why;
    avr_reset(avr);
    cause = 0;
    avr->data[REG_MCUSR] = why == PORF ? why : (uint8_t)(before | why);
}

void chip_power_on(void)
{
    for (unsigned at = SRAM_FIRST; at <= avr->ramend; at++)
        avr->data[at] = (uint8_t)(256.0 * draw());
    resets_power_on++;
    reset(PORF);
}

void chip_external_reset(void)
{
    resets_external++;
    reset(EXTRF);
}

void chip_hang(void)
{
    avr->flash[HANG_AT] = RJMP_HERE & 0xFF;
    avr->flash[HANG_AT + 1] = RJMP_HERE >> 8;
    avr->pc = HANG_AT;
    avr->sreg[SREG_I] = 0;
    avr->state = cpu_Running;
}

void chip_poke(uint16_t address, uint8_t value)
{
    if (address < SRAM_FIRST || address > avr->ramend)
        die("poke: 0x%04x is not in the SRAM (0x0100 to 0x%04x).", address, avr->ramend);
    avr->data[address] = value;
}

void chip_button(bool pressed)
{
    drive(2, !pressed);
}

void chip_electrode(unsigned channel, bool off)
{
    drive(4 + channel, off);
}

/* simavr's reader of such files stumbles over records of type 3. */
static void load_bootloader(const char *path)
{
    char line[600];
    unsigned size, address, type, value, lowest = UINT16_MAX;
    FILE *file = fopen(path, "r");
    if (!file)
        die("The bootloader %s cannot be read.", path);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, ":%2x%4x%2x", &size, &address, &type) != 3 || strlen(line) < 9 + 2 * size)
            die("The bootloader %s is not in Intel's hexadecimal format.", path);
        if (type != 0)
            continue;
        if (address < BOOT_SECTION || address + size > avr->flashend + 1u)
            die("The bootloader %s has code at 0x%04x, outside the boot section.", path, address);
        for (unsigned k = 0; k < size && sscanf(line + 9 + 2 * k, "%2x", &value) == 1; k++)
            avr->flash[address + k] = (uint8_t)value;
        if (address < lowest)
            lowest = address;
    }
    fclose(file);
    avr->reset_pc = lowest;
    avr->codeend = avr->flashend;
    fuses[3] = lowest >= SMALL_LOADER ? FUSE_HIGH_SMALL_LOADER : FUSE_HIGH_LARGE_LOADER;
}

static void load_eeprom(void)
{
    uint8_t image[EEPROM_BYTES];
    FILE *file = fopen(eeprom_file, "rb");
    if (!file)
        return; /* made at the end */
    memset(image, 0xFF, sizeof image);
    if (fread(image, 1, sizeof image, file) == 0 && ferror(file))
        die("The EEPROM image %s cannot be read.", eeprom_file);
    fclose(file);
    avr_eeprom_desc_t all = {.ee = image, .offset = 0, .size = sizeof image};
    avr_ioctl(avr, AVR_IOCTL_EEPROM_SET, &all);
}

void chip_save_eeprom(void)
{
    uint8_t image[EEPROM_BYTES];
    if (!eeprom_file)
        return;
    avr_eeprom_desc_t all = {.ee = image, .offset = 0, .size = sizeof image};
    avr_ioctl(avr, AVR_IOCTL_EEPROM_GET, &all);
    FILE *file = fopen(eeprom_file, "wb");
    if (!file || fwrite(image, 1, sizeof image, file) != sizeof image || fclose(file) != 0)
        die("The EEPROM image %s cannot be written.", eeprom_file);
}

void chip_begin(const chip_files_t *files)
{
    avr_global_logger_set(log_errors);
    avr = avr_make_mcu_by_name("atmega328p");
    if (!avr)
        die("simavr does not know the ATmega328P.");
    avr_init(avr);
    avr->frequency = F_CPU_HZ;
    avr->log = LOG_ERROR;
    avr->sleep = asleep;
    memcpy(fuses, (uint8_t[]){FUSE_LOW, LOCK_BITS, FUSE_EXTENDED, FUSE_HIGH_NO_LOADER}, sizeof fuses);
    if (files->elf) {
        elf_firmware_t firmware;
        memset(&firmware, 0, sizeof firmware);
        if (elf_read_firmware(files->elf, &firmware) != 0)
            die("The firmware %s cannot be read.", files->elf);
        avr_load_firmware(avr, &firmware);
        avr->frequency = F_CPU_HZ;
    }
    if (files->bootloader)
        load_bootloader(files->bootloader);
    eeprom_file = files->eeprom;
    if (eeprom_file)
        load_eeprom();
    simavr_spm = avr->io[AVR_DATA_TO_IO(REG_SPMCSR)].w.c;
    simavr_spm_param = avr->io[AVR_DATA_TO_IO(REG_SPMCSR)].w.param;
    own_register(REG_SPMCSR, write_spm_control, NULL);
    simavr_reset = avr->reset;
    avr->reset = on_reset;
    chip_button(false);
    for (unsigned channel = 0; channel < CHANNELS; channel++)
        chip_electrode(channel, false);
}
