/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which verdicts a test reaches. The functions that decide them are wrapped by the linker
 * (verdict_record_*.c, -Wl,--wrap); each verdict's name is written to the file named by the
 * environment variable TKMS_VERDICTS, and nothing is without it. tests/unit/test_verdicts.py
 * collects.
 */
#ifndef TKMS_TESTS_VERDICT_RECORD_H
#define TKMS_TESTS_VERDICT_RECORD_H

#include "dataplane/engine/verdict.h"

void verdict_record(enum verdict v);

#endif
