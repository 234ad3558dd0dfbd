#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A VLAN device for kernels without one: vlan.py INNER OUTER TCI

Frames from INNER go out on OUTER with the tag; frames with exactly that tag that come in on OUTER go to INNER. TCI:
priority and VLAN id as one number; 0 stands for no tag at all.
"""
import select
import socket
import struct
import sys

SOL_PACKET, PACKET_AUXDATA, VLAN_VALID = 263, 8, 1 << 4


def port(device):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((device, 0))
    return sock


def receive(sock):
    """(frame without its tag, tag or 0), None for frames that this end sent. The kernel takes tags off."""
    frame, extra, _, where = sock.recvmsg(65536, 256)
    if where[2] == socket.PACKET_OUTGOING:
        return None
    for level, kind, data in extra:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, tci = struct.unpack_from("=I", data)[0], struct.unpack_from("=H", data, 16)[0]
            return frame, tci if status & VLAN_VALID else 0
    return frame, 0


def main(inner, outer, tci):
    inner, outer = port(inner), port(outer)
    print("ready", flush=True)
    while True:
        for sock in select.select([inner, outer], [], [])[0]:
            got = receive(sock)
            if got is None:
                continue
            frame, tag = got
            if sock is outer and tag == tci:
                inner.send(frame)
            elif sock is inner:
                outer.send(frame[:12] + struct.pack("!HH", 0x8100, tci) + frame[12:] if tci else frame)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3], 0))
