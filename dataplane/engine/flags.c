/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/flags.h"

#include "common/mikey/types.h"

enum {
	D = MIKEY_FLAG_D,
	E = MIKEY_FLAG_E,
	F = MIKEY_FLAG_F,
	G = MIKEY_FLAG_G,
	H = MIKEY_FLAG_H,
	I = MIKEY_FLAG_I,
	J = MIKEY_FLAG_J,
	K = MIKEY_FLAG_K,
	L = MIKEY_FLAG_L,
	M = MIKEY_FLAG_M,
	N = MIKEY_FLAG_N,
	O = MIKEY_FLAG_O,
};

bool flags_contradict(uint16_t f, bool tgk)
{
	return (!(f & D) && !(f & L)) || ((f & G) && !(f & F)) || (!(f & G) && !(f & H)) ||
	       ((f & I) && !(f & E)) || ((f & K) && !(f & D)) || ((f & M) && !(f & F)) ||
	       ((f & I) && tgk && !(f & F));
}

bool flags_asked_contradict(uint16_t f, bool tgk)
{
	return flags_contradict((uint16_t)((f | D) & ~K), tgk);
}

uint16_t flags_granted(const struct policy *p, uint16_t asked, bool tgk, bool responder_key)
{
	uint16_t f = (uint16_t)((asked | D | N | O) & ~K);

	if (!p->allow_reuse)
		f &= (uint16_t)~J;
	if (p->profile == POLICY_3GPP)
		return (uint16_t)((f | E | F | G | H | I) & ~(L | M));
	if (!(f & I) && !p->allow_no_forking)
		f |= tgk ? I | E | F : I | E;
	/* Nobody but the KMS can resolve what is sealed with its own key. */
	if (!(f & E) && !responder_key)
		f |= E;
	return f;
}

bool flags_of_initiator_allowed(const struct policy *p, uint16_t flags)
{
	const uint16_t made = (uint16_t)(flags & ~(D | K | L));

	/* Whether F must be set for a TGK is seen when the keys are. */
	return !flags_contradict(flags, false) &&
	       (flags_granted(p, flags, false, true) & ~(D | K | L)) == (made | N | O);
}
