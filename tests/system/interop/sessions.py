# SPDX-License-Identifier: BSD-3-Clause
"""Keys of crypto sessions, from the keys of a ticket (RFC 6043 5.1.1, 5.1.3)."""
import keys
import mikey
from ticket import Secret, require


def sessions_of(header):
    """The crypto sessions of a GENERIC-ID map, to be sent again."""
    return [(s["cs_id"], s["policies"], s["data"], s["spi"], s["prot"], s["s"]) for s in header.sessions]


def forked_key(prf, key, identity, rand_kms):
    if key.key_type not in (mikey.TGK, mikey.TGK_SALT):
        return key
    return Secret(key.key_type, keys.fork("TGK'", prf, key.key, identity, rand_kms), key.salt, key.spi)


def session_keys(flags, prf, found, sessions, rand_i, rand_r, policies):
    """{CS ID: (TEK, salt or None)} of the crypto sessions in the map. policies: SP payloads of both messages, the TEK
    has the length that the first policy of the session says (128 bits when it does not)."""
    rand_i = rand_i if "H" in flags else b""
    lengths = {p.number: dict(p.params).get(1, b"\x10")[-1] * 8 for p in policies if p.kind == mikey.SP}
    out = {}
    for cs_id, numbers, _, spi, *_ in sessions:
        bits = lengths.get(numbers[0] if numbers else None, 128)
        key = next((k for k in found if k.spi == spi), None)
        require(key is not None, f"no key for the SPI of crypto session {cs_id}")
        if key.key_type in (mikey.TEK, mikey.TEK_SALT):
            out[cs_id] = (key.key, key.salt)
            continue
        tek = keys.session("TEK", prf, key.key, cs_id, rand_i, rand_r, bits)
        salt = key.salt if key.salt is not None else keys.session("SALT", prf, key.key, cs_id, rand_i, rand_r, 112)
        out[cs_id] = (tek, salt)
    return out
