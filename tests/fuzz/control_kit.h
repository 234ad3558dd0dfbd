/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole control process inside a fuzz target, in a folder of its own in memory. */
#ifndef TKMS_FUZZ_CONTROL_KIT_H
#define TKMS_FUZZ_CONTROL_KIT_H

#include <sys/types.h>

#include "control/control.h"

/*
 * The same state for every input would cost a new store each: after 2,048 inputs it is made anew,
 * so what one input leaves behind is bounded.
 */
struct control *control_kit(void);

/* Connects to dataplane.sock (SOCK_SEQPACKET) or control.sock (SOCK_STREAM). */
int control_kit_connect(const char *name, int type);

/* Lets the loop do what there is to do. */
void control_kit_turn(struct control *c);

#endif
