# SPDX-License-Identifier: BSD-3-Clause
"""Ethernet, IP and UDP for tests: packets with right checksums, fragments of any shape, a raw port."""
import select
import socket
import struct
import time

SERVICE = 2269
UDP, ICMPV6, FRAGMENT = 17, 58, 44


def total(data):
    if len(data) % 2:
        data += b"\0"
    value = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def checksum(data):
    return ~total(data) & 0xFFFF


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def datagram(source, target, source_port, payload, target_port=SERVICE):
    """UDP header and payload, with a right checksum."""
    length = 8 + len(payload)
    pseudo = source + target + struct.pack("!IHH" if len(source) == 16 else "!HH", *(
        (length, 0, UDP) if len(source) == 16 else (UDP, length)))
    head = struct.pack("!HHHH", source_port, target_port, length, 0)
    value = checksum(pseudo + head + payload) or 0xFFFF
    return head[:6] + struct.pack("!H", value) + payload


def ipv4(source, target, data, ident=1, offset=0, more=False, protocol=UDP, flags=0):
    field = flags | (0x2000 if more else 0) | offset // 8
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), ident & 0xFFFF, field, 64, protocol, 0, source, target)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data


def ipv6(source, target, data, following=UDP, hops=64):
    return struct.pack("!IHBB", 6 << 28, len(data), following, hops) + source + target + data


def piece(source, target, data, ident, offset, more, protocol=UDP):
    """One fragment: IPv4, or IPv6 with a fragment header."""
    if len(source) == 4:
        return ipv4(source, target, data, ident, offset, more, protocol)
    return ipv6(source, target, struct.pack("!BBHI", protocol, 0, offset | more, ident) + data, FRAGMENT)


def whole(source, target, data):
    return ipv4(source, target, data) if len(source) == 4 else ipv6(source, target, data)


def spoiled(size):
    """A message that gets an Error before anybody asks who sent it: MIKEY version 2, REQUEST_INIT."""
    return (b"\x02\x0b" + bytes(size))[:size]


class Port:
    """A raw port on an interface: frames out, frames in."""

    def __init__(self, device, target_mac):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.sock.bind((device, 0))
        self.local = self.sock.getsockname()[4]
        self.target = mac(target_mac)

    def send(self, packet, tag=None):
        kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
        head = self.target + self.local
        if tag is not None:
            head += struct.pack("!HH", 0x8100, tag)
        while True:
            try:
                return self.sock.send(head + struct.pack("!H", kind) + packet)
            except OSError as error:  # the device's queue is full
                if error.errno != 105:
                    raise
                time.sleep(0.001)

    def frames(self, seconds):
        """Frames that come from the other side within that time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.sock], [], [], left)[0]:
                return
            data, where = self.sock.recvfrom(65536)
            if where[2] != socket.PACKET_OUTGOING:
                yield data


def answer(frame):
    """(our address, our port, packet length, is a fragment) of a frame from the service; None for others."""
    kind, packet = struct.unpack("!H", frame[12:14])[0], frame[14:]
    if kind == 0x0800 and packet[9] == UDP:
        field = struct.unpack("!H", packet[6:8])[0] & 0x3FFF
        ours, udp, size = packet[16:20], packet[20:], struct.unpack("!H", packet[2:4])[0]
        first, is_piece = field & 0x1FFF == 0, field != 0
    elif kind == 0x86DD and packet[6] in (UDP, FRAGMENT):
        ours, udp, size = packet[24:40], packet[40:], 40 + struct.unpack("!H", packet[4:6])[0]
        first, is_piece = True, packet[6] == FRAGMENT
        if is_piece:
            first, udp = struct.unpack("!H", udp[2:4])[0] & 0xFFF8 == 0, udp[8:]
    else:
        return None
    port = struct.unpack("!H", udp[2:4])[0] if first and len(udp) >= 4 else 0
    return ours, port, size, is_piece
