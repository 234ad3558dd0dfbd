/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the dissector's findings go: text or JSON. Names are the RFCs' field names. Internal. */
#ifndef TKMS_MIKEY_EMIT_H
#define TKMS_MIKEY_EMIT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/mikey/message.h"
#include "common/mikey/names.h"

struct emit;

struct emit_ops {
	/* A named thing of the message with fields of its own; in a list: an element. */
	void (*group)(struct emit *e, const char *name, struct mikey_span where);
	void (*group_end)(struct emit *e);
	void (*list)(struct emit *e, const char *name);
	void (*list_end)(struct emit *e);
	void (*number)(struct emit *e, const char *name, uint32_t value);
	/* meaning: what the value stands for, or NULL */
	void (*code)(struct emit *e, const char *name, uint32_t value, const char *meaning);
	void (*octets)(struct emit *e, const char *name, const uint8_t *data, size_t len);
	/* s: printable ASCII */
	void (*text)(struct emit *e, const char *name, const char *s, size_t len);
	void (*error)(struct emit *e, size_t offset, const char *what);
};

struct emit {
	const struct emit_ops *ops;
};

static inline void emit_code(
	struct emit *e, const char *name, enum mikey_table table, uint32_t value)
{
	e->ops->code(e, name, value, mikey_name(table, value));
}

/* Describes the octets through e. 0 or -EBADMSG (errors were emitted). */
int dissect(struct emit *e, const uint8_t *octets, size_t len);

#endif
