#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Valid messages in the wrong hands:

replay.py record PORT ADDRESS FILE        takes one request on 127.0.0.1:PORT to the KMS at ADDRESS, its answer back, and
                                          keeps the request
replay.py replay DEVICE MAC NETWORK ADDRESS FILE COUNT
                                          sends it COUNT times, each time from another address of NETWORK (as 10.80);
                                          prints what was sent and what came back as JSON
replay.py wrong SOURCE ADDRESS FILE COUNT
                                          sends it COUNT times from one address and port, each time with another wrong
                                          MAC; prints how many Errors and how much else came back as JSON
"""
import json
import socket
import struct
import sys
import time

from packets import SERVICE, Port, address, answer, datagram, ipv4


def record(port, target, file):
    near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    near.bind(("127.0.0.1", int(port)))
    print("ready", flush=True)
    message, client = near.recvfrom(65536)
    far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    far.settimeout(5)
    far.sendto(message, (target, SERVICE))
    near.sendto(far.recv(65536), client)
    with open(file, "wb") as out:
        out.write(message)


def replay(device, mac, network, target, file, count):
    port, target = Port(device, mac), address(target)
    with open(file, "rb") as source:
        message = source.read()
    prefix, sent, back = bytes(int(part) for part in network.split(".")), 0, []
    begin = time.monotonic()
    for i in range(int(count)):
        source = prefix + struct.pack("!H", i + 1)
        packet = ipv4(source, target, datagram(source, target, 40000, message))
        port.send(packet)
        sent += len(packet)
        if i % 50 == 49:  # no faster than the veth's other end reads
            back += port.frames(0.002)
    back += port.frames(0.5)
    answers = [found for found in map(answer, back) if found and found[0].startswith(prefix)]
    print(json.dumps({"sent": int(count), "sent_octets": sent, "answers": len(answers), "sources": len({a[0] for a in answers}),
                      "answer_octets": sum(a[2] for a in answers), "seconds": time.monotonic() - begin}))


def wrong(source, target, file, count):
    with open(file, "rb") as kept:
        message = kept.read()
    near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    near.bind((source, 0))
    near.connect((target, SERVICE))
    back = []

    def listen(seconds):
        near.settimeout(seconds)
        try:
            while True:
                back.append(near.recv(65536))
        except TimeoutError:
            pass

    begin = time.monotonic()
    for i in range(int(count)):
        near.send(message[:-4] + struct.pack("!I", struct.unpack("!I", message[-4:])[0] ^ (i + 1)))
        if i % 20 == 19:
            listen(0.01)
    listen(1)
    # An Error that comes while nothing is sent any more belongs to a message from before: the end is that of listening.
    errors = sum(m[:2] == b"\1\6" for m in back)
    print(json.dumps({"sent": int(count), "errors": errors, "others": len(back) - errors, "seconds": time.monotonic() - begin}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["record"] and len(sys.argv) == 5:
        record(*sys.argv[2:])
    elif sys.argv[1:2] == ["replay"] and len(sys.argv) == 8:
        replay(*sys.argv[2:])
    elif sys.argv[1:2] == ["wrong"] and len(sys.argv) == 6:
        wrong(*sys.argv[2:])
    else:
        sys.exit(__doc__)
