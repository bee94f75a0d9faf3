#include "memory.h"

#include <avr/eeprom.h>
#include <string.h>

#ifndef LEAD_OFF
#define LEAD_OFF 0
#endif

/* EEPROM. Boots take turns over eight places, which spares each; 65,535 are counted. */
#define BOOT_PLACES 8U
#define BOOT_STEP 4U
#define AT_BOOTS 0x00U
#define AT_IDENTITY 0x20
#define AT_CALIBRATION 0x30

kept_t kept;

/* Two, since a reset may come while one is being written. */
static struct {
    kept_t kept;
    uint16_t crc;
} copies[2] __attribute__((section(".noinit")));

static uint16_t checksum(const void *bytes, uint8_t size)
{
    const uint8_t *at = bytes;
    uint16_t crc = 0xFFFF;
    while (size-- > 0)
        crc = frame_crc16(crc, *at++);
    return crc;
}

bool memory_recall(void)
{
    for (uint8_t n = 0; n < 2; n++) {
        if (copies[n].crc != checksum(&copies[n].kept, sizeof kept))
            continue;
        kept = copies[n].kept;
        return true;
    }
    return false;
}

void memory_keep(void)
{
    uint16_t crc = checksum(&kept, sizeof kept);
    for (uint8_t n = 0; n < 2; n++) {
        copies[n].kept = kept;
        copies[n].crc = crc;
        __asm__ volatile("" ::: "memory"); /* one copy is whole before the other is touched */
    }
}

/* Read a record that its checksum follows; false, and nothing of use in it, where that is wrong. */
static bool recall(void *record, uint8_t size, uint16_t at)
{
    eeprom_read_block(record, (const void *)at, size);
    return eeprom_read_word((const uint16_t *)(at + size)) == checksum(record, size);
}

static void save(const void *record, uint8_t size, uint16_t at)
{
    eeprom_update_block(record, (void *)at, size);
    eeprom_update_word((uint16_t *)(at + size), checksum(record, size));
}

uint16_t memory_count_boot(void)
{
    uint16_t boots = 0;
    for (uint16_t at = AT_BOOTS; at < AT_BOOTS + BOOT_PLACES * BOOT_STEP; at += BOOT_STEP) {
        uint16_t count;
        if (recall(&count, sizeof count, at) && count > boots)
            boots = count;
    }
    if (boots == UINT16_MAX)
        return boots;
    boots++;
    save(&boots, sizeof boots, AT_BOOTS + boots % BOOT_PLACES * BOOT_STEP);
    return boots;
}

void memory_identity(identity_t *identity)
{
    if (recall(identity, sizeof *identity, AT_IDENTITY))
        return;
    memset(identity->device_id, 0xFF, sizeof identity->device_id);
    identity->gain_milli = 0;
}

void memory_write_identity(const identity_t *identity)
{
    save(identity, sizeof *identity, AT_IDENTITY);
}

void memory_calibration(calibration_t *calibration)
{
    if (recall(calibration, sizeof *calibration, AT_CALIBRATION))
        return;
    calibration->bandgap_mV = 0;
    calibration->lead_off = LEAD_OFF;
}
