/* The bare-metal entry: the same sources as the Arduino sketch, without its core. */
#include "emgtwitch.h"

int main(void)
{
    emgtwitch_begin();
    for (;;)
        emgtwitch_poll();
}
