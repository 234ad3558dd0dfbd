/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * malloc() whose free() wipes: for libraries through whose hands PSKs and keys go as text (jansson,
 * libevent's buffers).
 */
#ifndef TKMS_CONTROL_WIPING_ALLOC_H
#define TKMS_CONTROL_WIPING_ALLOC_H

#include <stddef.h>

void *wiping_malloc(size_t n);
void *wiping_realloc(void *p, size_t n);
void wiping_free(void *p);

#endif
