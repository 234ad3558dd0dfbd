# SPDX-License-Identifier: BSD-3-Clause
"""Key derivation and protection of MIKEY-TICKET: PRFs, labels, IVs, MACs, KEMACs.

Every operation is noted in `trace` (as in the vectors), so that a run can be compared step by step.
"""
import hashlib
import hmac

import aes
import mikey

HASHES = {0: hashlib.sha1, 1: hashlib.sha256}
MAC_HASHES = {1: hashlib.sha1, 2: hashlib.sha256}
MAC_OF_PRF = {0: 1, 1: 2}
ENCR_OF_PRF = {0: 1, 1: 3}
AUTH_BITS = {1: 160, 2: 256}
ENCR_BITS = {1: 128, 2: 128, 3: 256}
SALT_BITS = {1: 112, 2: 64, 3: 112}

# RFC 3830 4.1.3 and 4.1.4, RFC 6043 table 5.1 and A.1
SESSION = {"TEK": "2ad01c64", "SALT": "39a2c14b"}
MESSAGE = {"encr_key": "150533e1", "auth_key": "2d22ac75", "salt_key": "29b88916"}
FORKED = {"MPKr'": "2b288856", "TGK'": "1512b54a"}
TICKET_MPK = {"MPKi": "220e99a2", "MPKr": "1f4d675b"}
NO_CSB = b"\xff" * 4

trace = []


def take_trace():
    taken = list(trace)
    trace.clear()
    return taken


def prf(function, inkey, label, bits):
    """RFC 3830 4.1.2 with RFC 6043 6.1: blocks of 256 bits of inkey for both, XORed."""
    digest = HASHES[function]
    size = digest().digest_size
    length = (bits + 7) // 8
    out = bytes(length)
    for i in range(0, len(inkey), 32):
        block = inkey[i:i + 32]
        chained, produced = label, b""
        for _ in range((length + size - 1) // size):
            chained = hmac.new(block, chained, digest).digest()
            produced += hmac.new(block, chained + label, digest).digest()
        out = bytes(a ^ b for a, b in zip(out, produced))
    return out


def derive(what, function, inkey, constant, label, bits):
    label = bytes.fromhex(constant) + label
    outkey = prf(function, inkey, label, bits)
    trace.append({"op": "derive", "what": what, "prf": function, "inkey": inkey.hex(), "label": label.hex(),
                  "outkey_len": bits, "outkey": outkey.hex()})
    return outkey


def rand_field(rand):
    """Length and value; an omitted RAND is a zero length."""
    return bytes([len(rand)]) + rand


class Protection:
    """Keys that protect one kind of message: (encr_key, salt_key, auth_key) by name, from an inkey and a label."""

    def __init__(self, name, function, inkey, label):
        self.name, self.function, self.inkey, self.label = name, function, inkey, label

    def key(self, what, bits):
        return derive(f"{self.name} {what}", self.function, self.inkey, MESSAGE[what], self.label, bits)

    def auth(self, mac_alg):
        return self.key("auth_key", AUTH_BITS[mac_alg])

    def encryption(self, encr_alg):
        return self.key("encr_key", ENCR_BITS[encr_alg]), self.key("salt_key", SALT_BITS[encr_alg])


def message_protection(name, function, inkey, csb_id, number, rand_i=b"", rand_r=b""):
    """5.1.2; number: 1 for initial messages, 2 for responses."""
    return Protection(f"{name} {'init' if number == 1 else 'resp'}", function, inkey,
                      b"\xff" + csb_id + bytes([number]) + rand_field(rand_i) + rand_field(rand_r))


def ticket_protection(function, tpk, rand):
    """A.2.1."""
    return Protection("TPK", function, tpk, b"\xff" + NO_CSB + b"\x05" + rand_field(rand))


def initiator_protection(function, mpk_r):
    """Vr, 6.10."""
    return Protection("Vr(MPKr)", function, mpk_r, b"\xff" + NO_CSB + b"\x04")


def ticket_mpk(what, function, mpk, rand):
    """A.2.2."""
    return derive(what, function, mpk, TICKET_MPK[what], b"\xff" + NO_CSB + b"\x06" + rand_field(rand), 8 * len(mpk))


def fork(what, function, key, identity, rand_kms):
    """5.1.1."""
    label = b"\xff" + NO_CSB + b"\x00" + mikey.sized(identity) + rand_field(rand_kms)
    return derive(what, function, key, FORKED[what], label, 8 * len(key))


def session(what, function, key, cs_id, rand_i, rand_r, bits):
    """5.1.3."""
    label = bytes([cs_id]) + NO_CSB + b"\x03" + rand_field(rand_i) + rand_field(rand_r)
    return derive(f"session {what}", function, key, SESSION[what], label, bits)


def time64(ts_type, value):
    """COUNTER is padded in front, NTP-UTC-32 behind."""
    return value.rjust(8, b"\0") if ts_type == mikey.COUNTER else value.ljust(8, b"\0")


def make_iv(salt, csb_id, t64):
    mask = (b"\0\0" + csb_id + t64).ljust(14, b"\0")
    return bytes(a ^ b for a, b in zip(salt, mask)) + b"\0\0"


def cipher(direction, encr_alg, encr_key, salt_key, csb_id, t64, data):
    """Encrypts or decrypts the content of a KEMAC."""
    if encr_alg == 2:
        out = (aes.key_wrap if direction == "encrypt" else aes.key_unwrap)(encr_key, salt_key, data)
        if out is None:
            raise mikey.Malformed("AES-KW check failed")
        return out
    iv = make_iv(salt_key, csb_id, t64)
    out = aes.counter_mode(encr_key, iv, data)
    plain, hidden = (data, out) if direction == "encrypt" else (out, data)
    trace.append({"op": "kemac", "direction": direction, "encr_alg": encr_alg, "csb_id": csb_id.hex(), "t64": t64.hex(),
                  "iv": iv.hex(), "encr_key": encr_key.hex(), "plaintext": plain.hex(), "ciphertext": hidden.hex()})
    return out


def compute_mac(mac_alg, key, data):
    return hmac.new(key, data, MAC_HASHES[mac_alg]).digest()


def make_mac(what, mac_alg, key, data):
    value = compute_mac(mac_alg, key, data)
    trace.append({"op": "mac", "message": what, "mac_alg": mac_alg, "auth_key": key.hex(), "mac_input": data.hex(),
                  "mac": value.hex()})
    return value


def check_mac(what, mac_alg, key, data, received):
    value = compute_mac(mac_alg, key, data)
    trace.append({"op": "verify", "message": what, "mac_alg": mac_alg, "auth_key": key.hex(), "mac_input": data.hex(),
                  "mac": value.hex(), "received": received.hex()})
    return hmac.compare_digest(value, received)
