#include "memory.h"

#include <avr/eeprom.h>
#include <string.h>

#include "frame.h"

#ifndef LEAD_OFF
#define LEAD_OFF 0
#endif

#define NOMINAL_BANDGAP_mV 1100

/* EEPROM. Boots take turns over eight places, which makes 800,000 of them before the first wears out. */
#define BOOT_SLOTS 8
#define AT_BOOTS 0x00
#define AT_IDENTITY 0x20
#define AT_CALIBRATION 0x30

typedef struct {
    uint16_t count;
    uint16_t crc;
} boot_slot_t;

typedef struct {
    identity_t identity;
    uint16_t crc;
} identity_slot_t;

typedef struct {
    uint16_t bandgap_mV;
    uint8_t lead_off; /* 1 yes, 0 no, else as the firmware was built */
    uint8_t unused;
    uint16_t crc;
} calibration_slot_t;

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

void memory_recall(void)
{
    for (uint8_t n = 0; n < 2; n++) {
        if (copies[n].crc != checksum(&copies[n].kept, sizeof kept))
            continue;
        kept = copies[n].kept;
        return;
    }
}

void memory_keep(void)
{
    uint16_t crc = checksum(&kept, sizeof kept);
    for (uint8_t n = 0; n < 2; n++) {
        copies[n].kept = kept;
        __asm__ volatile("" ::: "memory"); /* one whole copy before the other is touched */
        copies[n].crc = crc;
        __asm__ volatile("" ::: "memory");
    }
}

/* Read a record of which the last two bytes are its checksum; false where that is wrong. */
static bool recall(void *record, uint8_t size, uint16_t at)
{
    eeprom_read_block(record, (const void *)at, size);
    uint16_t crc;
    memcpy(&crc, (const uint8_t *)record + size - sizeof crc, sizeof crc);
    return crc == checksum(record, (uint8_t)(size - sizeof crc));
}

uint16_t memory_count_boot(void)
{
    boot_slot_t slot;
    uint16_t boots = 0;
    bool found = false;
    for (uint8_t n = 0; n < BOOT_SLOTS; n++) {
        if (!recall(&slot, sizeof slot, (uint16_t)(AT_BOOTS + n * sizeof slot)))
            continue;
        if (!found || (int16_t)(slot.count - boots) > 0)
            boots = slot.count;
        found = true;
    }
    slot.count = ++boots;
    slot.crc = checksum(&slot, sizeof slot.count);
    eeprom_update_block(&slot, (void *)(AT_BOOTS + boots % BOOT_SLOTS * sizeof slot), sizeof slot);
    return boots;
}

identity_t memory_identity(void)
{
    identity_slot_t slot;
    if (!recall(&slot, sizeof slot, AT_IDENTITY)) {
        memset(slot.identity.device_id, 0xFF, sizeof slot.identity.device_id);
        slot.identity.gain_milli = 0;
    }
    return slot.identity;
}

void memory_write_identity(const identity_t *identity)
{
    identity_slot_t slot = {.identity = *identity};
    slot.crc = checksum(&slot, sizeof slot - sizeof slot.crc);
    eeprom_update_block(&slot, (void *)AT_IDENTITY, sizeof slot);
}

calibration_t memory_calibration(void)
{
    calibration_slot_t slot;
    bool written = recall(&slot, sizeof slot, AT_CALIBRATION);
    return (calibration_t){
        .bandgap_mV = written ? slot.bandgap_mV : NOMINAL_BANDGAP_mV,
        .measured = written,
        .lead_off = written && slot.lead_off <= 1 ? slot.lead_off != 0 : LEAD_OFF,
    };
}
