# SPDX-License-Identifier: BSD-3-Clause
"""Messages to dissect: those of the vectors, and made ones for payloads that no vector has."""
import json
import pathlib
import random
import struct

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "vectors"
OTHER_METHODS = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 26, 27}


def vectors():
    found = []
    for exchange in json.loads((VECTORS / "exchanges.json").read_text()):
        found += [step["message"] for step in exchange["steps"] if "message" in step]
    for error in json.loads((VECTORS / "errors.json").read_text()):
        found += [error[key] for key in ("message", "response") if error.get(key)]
    return [bytes.fromhex(m) for m in found]


def hdr(first, data_type=14, sessions=0, map_type=1, map_info=b""):
    return struct.pack(">BBBBIBB", 1, data_type, first, 0x81, 0xC0FFEE01, sessions, map_type) + map_info


def chain(payloads, data_type=14, **header):
    """payloads: (type, octets after Next Payload); SIGN, which has no such field, only last."""
    out = hdr(payloads[0][0], data_type, **header)
    for (kind, octets), following in zip(payloads, [p[0] for p in payloads[1:]] + [0]):
        out += octets if kind == 4 else bytes([following]) + octets
    return out


def octets16(data):
    return struct.pack(">H", len(data)) + data


def key(following, kind, kv, data, salt=None, validity=b""):
    salted = b"" if salt is None else octets16(salt)
    return bytes([following, kind << 4 | kv]) + octets16(data) + salted + validity


T = (5, b"\x00" + bytes.fromhex("ed00378180000000"))
V = (9, b"\x02" + bytes(range(32)))
ID = (6, b"\x01" + octets16(b"sip:alice@company.example"))
IDR = (14, b"\x02\x00" + octets16(b"bob@company.example"))
RAND = (11, b"\x10" + bytes(range(16)))
KEMAC = (1, b"\x01" + octets16(bytes(48)) + b"\x00")
SP = (10, b"\x03\x00" + octets16(bytes.fromhex(
    "00010101011002010103011404010e05000601100701000801010901000a01010b010a0c0104")))
CERT = (7, b"\x00" + octets16(b"\x30\x03\x02\x01\x05"))
URL = (7, b"\x01" + octets16(b"http://company.example/cert"))
PKE = (2, b"\x40\x08" + bytes(range(8)))
SIGN = (4, b"\x10\x10" + bytes(range(16)))
ERR = (12, b"\x07\x00\x00")
VENDOR = (21, b"\x00" + octets16(b"vendor"))
SDP_IDS = (21, b"\x01" + octets16(b"mikey;other"))
KEY_IDS = (21, b"\x03" + octets16(b"\x00\x03abc\x01\x02\xff\x00\x02\x00\x09\x01x"))
KEYS = (1, b"\x00" + octets16(
    key(20, 1, 1, b"k" * 16, b"s" * 14, b"\x04spi1") + key(20, 2, 2, bytes(16), validity=b"\x02ab\x03cde") +
    key(20, 6, 0, bytes(32)) + key(0, 5, 1, bytes(16), b"", b"\x00")) + b"\x01" + bytes(20))

KEYS_FOR_TP = b"\x00\x00" + octets16(key(0, 0, 0, bytes(16))) + b"\x00"


def dh(group, length, validity):
    return 3, bytes([group]) + bytes(length) + validity


def ticket(tp_data, ticket_data, initiator_data, bits=0xEE80):
    head = struct.pack(">HBB", 2, 0, 0) + b"\x03" + struct.pack(">H", bits)
    return 17, head + octets16(tp_data) + octets16(ticket_data) + octets16(initiator_data)


def made():
    """Between them every payload, role, type and form of a field that there is."""
    times = [(13, bytes([role, kind]) + bytes(8 if kind < 2 else 4)) for role in range(1, 6) for kind in range(4)]
    times.append((13, bytes.fromhex("0403") + struct.pack(">I", 3600)))
    roles = [(14, bytes([role, role % 3]) + octets16(b"who%d" % role)) for role in range(0, 8)]
    rands = [(15, bytes([role, 3]) + b"abc") for role in range(0, 5)]
    thdr_to_v = b"\x09" + octets16(b"mine") + b"\x00\x02" + bytes(32)
    literal_vi = b"\x09" + b"\x00\x01" + bytes(20) + b"\x00\x01" + b"\x01" * 20
    nested = b"\x11\x00" + ticket(b"\x00", thdr_to_v, b"")[1]
    for _ in range(6):
        nested = b"\x11\x00" + ticket(nested, thdr_to_v, b"")[1]
    wishes = (b"\x0e" + b"\x0d" + IDR[1] + b"\x01" + b"\x03\x03\xed\x00\x45\x90" + KEYS_FOR_TP)
    generic = bytes.fromhex("01000200010004aabbccdd0473706931" "0200810500" "0a0102030405060708090a00" "030100000000")
    srtp = bytes.fromhex("0011223344000000010155667788ffffffff")
    return [
        chain([T, RAND, ID, CERT, URL, PKE, SIGN], 12),
        chain([T, RAND, SP, KEYS, V], 14, sessions=3, map_type=2, map_info=generic),
        chain([T, RAND, KEMAC, V], 15, sessions=2, map_type=0, map_info=srtp),
        chain([T, VENDOR, SDP_IDS, KEY_IDS, V], 11),
        chain([T] + times + [V], 13),
        chain([(5, b"\x01" + bytes(8)), (5, b"\x02\x00\x00\x01\x00"), (5, b"\x03\x7f\xff\xff\xff"), V], 16),
        chain([T] + roles + [(14, b"\x01\x02" + octets16(b"\x00\xff")), (14, b"\x01\x00" + octets16(b"")), V], 16),
        chain([T] + rands + [(15, b"\x01\x00"), (11, b"\x00"), V], 18),
        chain([T, (8, b"\x00" + bytes(20)), (8, b"\x01" + bytes(16)), (8, b"\x02" + bytes(32)), (9, b"\x00")], 17),
        chain([T, dh(0, 192, b"\x00"), dh(1, 96, b"\x51\x03abc"), dh(2, 128, b"\x02\x01a\x02bc"), V], 14),
        chain([T, (16, b"\x00\x01\x01\x01\x02\xd4\x15" + octets16(wishes)), V], 11),
        chain([T, ERR, V], 6),
        chain([T, ERR], 6),
        chain([T, ticket(b"\x00", thdr_to_v, literal_vi), V]),
        chain([T, ticket(nested, thdr_to_v, b"", 0xFFFF), V]),
        chain([T, ticket(b"", b"", b""), V]),
        chain([T, (1, b"\x00" + octets16(b"") + b"\x00"), (10, b"\x00\x01" + octets16(b"\x00\x01\x01")), V]),
        chain([T, (1, b"\x00" + octets16(key(20, 0, 0, b"k")) + b"\x00"), V]),
        chain([T, (1, b"\x00" + octets16(key(0, 0, 0, b"k") + b"x") + b"\x00"), V]),
        chain([T, (1, b"\x00" + octets16(key(5, 0, 0, b"k")) + b"\x00"), V]),
        chain([T, V, V]), chain([(0, b"")])[:10], b"", b"\x01", hdr(5)[:9],
    ]


def known_to_wireshark():
    """Messages with payloads of RFC 3830 and IDR only, which Wireshark's own dissector can read."""
    return [
        chain([T, RAND, ID, CERT, IDR, PKE, SIGN], 12, map_type=0),
        chain([T, RAND, IDR, SP, KEMAC, (9, b"\x01" + bytes(range(20)))], 14, map_type=0),
        chain([T, ERR, (9, b"\x01" + bytes(range(20)))], 6, map_type=0),
        chain([T, RAND, VENDOR, (9, b"\x00")], 16, sessions=1, map_type=0,
              map_info=bytes.fromhex("001122334400000001")),
    ]


def broken(sources, count, seed=6043):
    """Truncated messages and messages with flipped, changed, inserted and removed octets."""
    rng, out = random.Random(seed), []
    for i in range(count):
        m = bytearray(sources[i % len(sources)])
        at = rng.randrange(len(m)) if m else 0
        how = rng.randrange(5) if m else 4
        if how == 0:
            del m[at:]
        elif how == 1:
            m[at] ^= 1 << rng.randrange(8)
        elif how == 2:
            m[at] = rng.choice([0, 1, 2, 9, 16, 17, 20, 127, 128, 255])
        elif how == 3:
            del m[at:at + rng.randrange(1, 9)]
        else:
            m[at:at] = rng.randbytes(rng.randrange(1, 9))
        out.append(bytes(m))
    return out


def truncated(sources):
    return [m[:n] for m in sources for n in range(len(m))]
