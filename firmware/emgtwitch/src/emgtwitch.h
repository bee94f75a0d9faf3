/* The board's program: call emgtwitch_begin() once, then emgtwitch_poll() for ever. */
#ifndef EMGTWITCH_H
#define EMGTWITCH_H

#ifdef __cplusplus
extern "C" {
#endif

void emgtwitch_begin(void);

/* Do what there is to do, then sleep until an interrupt brings something new. */
void emgtwitch_poll(void);

#ifdef __cplusplus
}
#endif
#endif
