#include "halfband.h"

/* In 1024ths, from the ends towards the middle, where 512 stands alone; what lies between them is 0. Their sum is 512,
 * so that a constant stays what it is. */
static const int16_t COEFFICIENTS[] = {-20, 42, -94, 328};

uint16_t halfband(uint16_t (*input)(uint8_t), uint8_t offset, uint8_t step, uint16_t most)
{
    uint8_t first = offset, last = (uint8_t)(offset + (HALFBAND_TAPS - 1) * step);
    uint8_t stride = (uint8_t)(2 * step);
    int32_t sum = 512L * input((uint8_t)(offset + (HALFBAND_TAPS / 2) * step)) + 512;
    for (uint8_t n = 0; n < sizeof COEFFICIENTS / sizeof *COEFFICIENTS; n++) {
        sum += (int32_t)COEFFICIENTS[n] * (int16_t)(input(first) + input(last));
        first = (uint8_t)(first + stride);
        last = (uint8_t)(last - stride);
    }
    if (sum < 0)
        return 0;
    uint32_t result = (uint32_t)sum >> 10;
    return result > most ? most : (uint16_t)result;
}
