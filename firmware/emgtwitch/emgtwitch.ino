// The sketch for the Arduino IDE (Uno, Nano): everything is in src/. Serial belongs to it: do not use Serial here.
#include "src/emgtwitch.h"

void setup() { emgtwitch_begin(); }
void loop() { emgtwitch_poll(); }
