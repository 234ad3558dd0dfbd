/* SPDX-License-Identifier: BSD-3-Clause */
/* The subcommands of tkms-bench: take their own argv, return the exit status. */
#ifndef TKMS_BENCH_COMMANDS_H
#define TKMS_BENCH_COMMANDS_H

int command_crypto(int argc, char **argv);
int command_dataplane(int argc, char **argv);
int command_engine(int argc, char **argv);
int command_load(int argc, char **argv);
int command_subscribers(int argc, char **argv);

#endif
