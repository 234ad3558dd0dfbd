/* SPDX-License-Identifier: BSD-3-Clause */
/* The subcommands of tkms-ue. Each returns the exit status. */
#ifndef TKMS_UE_COMMANDS_H
#define TKMS_UE_COMMANDS_H

#include "bench/ue/options.h"
#include "common/crypto/crypto.h"

int command_call(struct options *o, struct crypto *crypto);
int command_request(struct options *o, struct crypto *crypto);
int command_transfer(struct options *o, struct crypto *crypto);
int command_resolve(struct options *o, struct crypto *crypto);
int command_finish(struct options *o, struct crypto *crypto);
int command_probe(struct options *o, struct crypto *crypto);
int command_key_mgmt(struct options *o, struct crypto *crypto);

/* Locked memory for a command's secrets; ends the program if there is none. */
void *command_memory(size_t len);

#endif
