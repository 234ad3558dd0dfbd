#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sends what a KMS must survive: hostile.py datagrams ADDRESS VECTORS | hostile.py frames DEVICE MAC ADDRESS4 ADDRESS6

datagrams: well-formed UDP with bad MIKEY messages inside, from one socket. frames: broken Ethernet, ARP, IP, UDP and
ICMP through a packet socket. The generator is seeded: every run sends the same. Prints how many were sent.
"""
import json
import random
import socket
import struct
import sys

PORT = 2269
RANDOM = random.Random(6043)


def messages(vectors):
    """Every message of the exchange vectors, to be damaged."""
    with open(vectors, encoding="utf-8") as file:
        text = json.load(file)
    found = []

    def walk(value):
        if isinstance(value, dict):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str) and len(value) >= 100 and value.startswith("01"):
            try:
                found.append(bytes.fromhex(value))
            except ValueError:
                pass

    walk(text)
    return found


def bad_datagrams(vectors):
    for length in list(range(0, 64)) + [100, 500, 1400, 8192, 8800]:
        yield RANDOM.randbytes(length)
    for _ in range(2000):
        yield RANDOM.randbytes(RANDOM.randrange(1, 1200))
    for message in messages(vectors)[:60]:
        for end in range(0, len(message), max(1, len(message) // 25)):
            yield message[:end]
        yield message + b"\0"
        for version in (0, 2, 255):
            yield bytes([version]) + message[1:]
        for data_type in range(0, 256, 5):
            yield message[:1] + bytes([data_type]) + message[2:]
        for _ in range(25):
            damaged = bytearray(message)
            for _ in range(RANDOM.randrange(1, 6)):
                damaged[RANDOM.randrange(len(damaged))] = RANDOM.randrange(256)
            yield bytes(damaged)


def send_datagrams(address, vectors):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    sent = 0
    for datagram in bad_datagrams(vectors):
        sock.sendto(datagram, (address, PORT))
        sent += 1
    return sent


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, target, payload, protocol=17, fragment=0, ihl=5, total=None, options=b"", good_sum=True):
    total = 20 + len(options) + len(payload) if total is None else total
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | ihl, 0, total & 0xFFFF, 1, fragment, 64, protocol, 0, source, target) + options
    value = checksum(head) if good_sum else checksum(head) ^ 0x5555
    return head[:10] + struct.pack("!H", value) + head[12:] + payload


def ipv6(source, target, payload, following=17, length=None):
    length = len(payload) if length is None else length
    return struct.pack("!IHBB", 6 << 28, length & 0xFFFF, following, 255) + source + target + payload


def udp(payload, length=None, value=0, port=PORT):
    length = 8 + len(payload) if length is None else length
    return struct.pack("!HHHH", 40000, port, length & 0xFFFF, value) + payload


def bad_frames(local, mac, address4, address6):
    me4, you4 = socket.inet_aton("10.69.2.1"), socket.inet_aton(address4)
    me6, you6 = socket.inet_pton(socket.AF_INET6, "fd69::2:1"), socket.inet_pton(socket.AF_INET6, address6)
    eth4, eth6 = mac + local + b"\x08\x00", mac + local + b"\x86\xdd"
    arp, everyone = local + b"\x08\x06", b"\xff" * 6
    body = RANDOM.randbytes(200)
    for kind in (b"\x08\x00", b"\x86\xdd", b"\x08\x06", b"\x81\x00", b"\x88\xa8", b"\xff\xff"):
        for length in range(0, 80):
            yield mac + local + kind + RANDOM.randbytes(length)
    whole4, whole6 = ipv4(me4, you4, udp(body)), ipv6(me6, you6, udp(body))
    for end in range(0, len(whole4)):
        yield eth4 + whole4[:end]
    for end in range(0, len(whole6)):
        yield eth6 + whole6[:end]
    for ihl in (0, 1, 4, 6, 15):
        yield eth4 + ipv4(me4, you4, udp(body), ihl=ihl)
    for total in (0, 19, 20, 27, 28, 40, 0xFFFF):
        yield eth4 + ipv4(me4, you4, udp(body), total=total)
    for length in (0, 7, 8, 9, 100, 209, 0xFFFF):
        yield eth4 + ipv4(me4, you4, udp(body, length=length))
        yield eth6 + ipv6(me6, you6, udp(body, length=length, value=1))
        yield eth6 + ipv6(me6, you6, udp(body, value=1), length=length)
    yield eth4 + ipv4(me4, you4, udp(body), good_sum=False)
    yield eth4 + ipv4(me4, you4, udp(body, value=0x1234))
    yield eth6 + ipv6(me6, you6, udp(body, value=0))
    yield eth4 + ipv4(me4, you4, udp(body), options=b"\x94\x04\0\0", ihl=6)
    for fragment in (0x2000, 0x2001, 0x1FFF, 0x0001):
        yield eth4 + ipv4(me4, you4, udp(body), fragment=fragment)
    for protocol in range(0, 256):
        yield eth4 + ipv4(me4, you4, body, protocol=protocol)
        yield eth6 + ipv6(me6, you6, body, following=protocol)
    for source in (b"\0" * 4, b"\xff" * 4, b"\xe0\0\0\1", b"\x7f\0\0\1", you4):
        yield eth4 + ipv4(source, you4, udp(body))
    for source in (b"\0" * 16, b"\xff\x02" + b"\0" * 13 + b"\1", b"\0" * 15 + b"\1", you6):
        yield eth6 + ipv6(source, you6, udp(body, value=1))
    for port in (0, 1, 53, 2268, 2270, 65535):
        yield eth4 + ipv4(me4, you4, udp(body, port=port))
    for operation in (0, 1, 2, 3, 9):
        for hlen in (0, 6, 16, 255):
            packet = struct.pack("!HHBBH", 1, 0x0800, hlen, 4, operation) + local + me4 + b"\0" * 6 + you4
            yield everyone + arp + packet
            yield everyone + arp + packet[:RANDOM.randrange(len(packet))]
    for kind in range(128, 140):
        for option in range(0, 6):
            icmp = struct.pack("!BBHI", kind, 0, 0, 0) + you6 + bytes([1, option]) + local
            yield eth6 + ipv6(me6, you6, icmp, following=58)
    for _ in range(3000):
        damaged = bytearray(RANDOM.choice((eth4 + whole4, eth6 + whole6)))
        for _ in range(RANDOM.randrange(1, 8)):
            damaged[RANDOM.randrange(12, len(damaged))] = RANDOM.randrange(256)
        yield bytes(damaged)


def send_frames(device, mac, address4, address6):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((device, 0))
    local = sock.getsockname()[4]
    sent = 0
    for frame in bad_frames(local, bytes.fromhex(mac.replace(":", "")), address4, address6):
        sock.send(frame.ljust(14, b"\0"))
        sent += 1
    return sent


if __name__ == "__main__":
    if sys.argv[1:2] == ["datagrams"] and len(sys.argv) == 4:
        print(send_datagrams(*sys.argv[2:]))
    elif sys.argv[1:2] == ["frames"] and len(sys.argv) == 6:
        print(send_frames(*sys.argv[2:]))
    else:
        sys.exit(__doc__)
