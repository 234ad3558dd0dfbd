#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Frames to flood a KMS with: flood.py FOLDER MAC ADDRESS4 ADDRESS6 MESSAGE

Writes FOLDER/KIND for every kind of flood, frames as flood.c reads them. MESSAGE: a file with a valid request of user1.
Sources are many and forged. Prints the kinds and the counters that have to count them.
"""
import random
import struct
import sys

from packets import ICMPV6, address, checksum, datagram, ipv4, ipv6, mac, piece

RANDOM = random.Random(6043)
FRAMES = 4096
LOCAL = bytes.fromhex("02f10000aa01")
KINDS = {
    "random": "message_", "truncated": "message_", "oversized": "message_oversize", "wrong_port": "drop_udp_port",
    "bad_checksum": "drop_udp_checksum", "wrong_mac": "auth_mac", "unknown_user": "auth_unknown",
    "replayed": "limit_repeat", "fragments": "fragment_kept", "arp": "arp_answered", "nd": "nd_answered",
}


class Flood:
    def __init__(self, to, address4, address6, message):
        self.to, self.four, self.six, self.message = mac(to), address(address4), address(address6), message
        self.source = b"\0" * 4

    def ethernet(self, packet, kind=0x0800, to=None):
        return (to or self.to) + LOCAL + struct.pack("!H", kind) + packet

    def somebody(self, n):
        self.source = bytes((10, 90, n >> 8 & 255, n & 255 or 1))
        return self.source

    def udp(self, n, payload, port=2269):
        source = self.somebody(n)
        return datagram(source, self.four, 1024 + n % 60000, payload, port)

    def plain(self, n, payload):
        return self.ethernet(ipv4(self.source, self.four, payload, ident=n))

    def random(self, n):
        return self.plain(n, self.udp(n, RANDOM.randbytes(RANDOM.randrange(1, 1200))))

    def truncated(self, n):
        return self.plain(n, self.udp(n, self.message[:RANDOM.randrange(len(self.message))]))

    def oversized(self, n):
        return self.plain(n, self.udp(n, self.message + bytes(8193 - len(self.message))))

    def wrong_port(self, n):
        return self.plain(n, self.udp(n, self.message, 1 + n % 2268))

    def bad_checksum(self, n):
        data = self.udp(n, self.message)
        return self.plain(n, data[:6] + bytes((data[6] ^ 0x55, data[7])) + data[8:])

    def wrong_mac(self, n):
        return self.plain(n, self.udp(n, self.message[:-4] + struct.pack("!I", n)))

    def unknown_user(self, n):
        return self.plain(n, self.udp(n, self.message.replace(b"user1", b"x%04x" % n)))

    def replayed(self, n):
        return self.plain(n, self.udp(n, self.message))

    def fragments(self, n):
        if n % 2:
            source, target, kind = bytes((10, 90)) + struct.pack("!H", n), self.four, 0x0800
        else:
            source, target, kind = self.six[:2] + struct.pack("!H", n) + bytes(11) + b"\x09", self.six, 0x86DD
        return self.ethernet(piece(source, target, RANDOM.randbytes(1200), n, 1200 * (n % 3), True), kind)

    def arp(self, n):
        asks = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + LOCAL + self.somebody(n) + bytes(6) + self.four
        return self.ethernet(asks + bytes(18), 0x0806, b"\xff" * 6)

    def nd(self, n):
        source = self.six[:2] + struct.pack("!H", n) + bytes(11) + b"\x09"
        group = bytes.fromhex("ff0200000000000000000001ff") + self.six[13:]
        body = bytes((135, 0, 0, 0, 0, 0, 0, 0)) + self.six + b"\x01\x01" + LOCAL
        pseudo = source + group + struct.pack("!IHBB", len(body), 0, 0, ICMPV6)
        body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
        return self.ethernet(ipv6(source, group, body, ICMPV6, 255), 0x86DD, b"\x33\x33" + group[12:])


def main(folder, *rest):
    *ends, file = rest
    with open(file, "rb") as source:
        flood = Flood(*ends, source.read())
    for kind, counter in KINDS.items():
        with open(f"{folder}/{kind}", "wb") as out:
            for n in range(FRAMES):
                frame = getattr(flood, kind)(n)
                out.write(struct.pack("!H", len(frame)) + frame)
        print(kind, counter)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
