#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Fragments as a hostile or clumsy network sends them: fragments.py DEVICE MAC SOURCE ADDRESS

Each case sends fragments of a message that gets an Error when it arrives whole, from a port of its own. Prints a JSON
object: case -> how many answers came. A busy machine may lose a frame: what should be answered is tried again.
"""
import json
import random
import struct
import sys
import time

from packets import Port, address, answer, datagram, piece, spoiled

RANDOM = random.Random(6043)
TINY, CAP = 256, 16384 + 8


class Case:
    """Pieces of one datagram of its own."""

    def __init__(self, source, target, number, size=1400):
        self.source, self.target = source, target
        self.port, self.ident = 50000 + number, 7000 + number
        self.data = datagram(source, target, self.port, spoiled(size))

    def piece(self, begin, end, more=None, data=None, ident=None, protocol=17):
        more = end < len(self.data) if more is None else more
        return piece(self.source, self.target, self.data[begin:end] if data is None else data,
                     self.ident if ident is None else ident, begin, more, protocol)

    def cut(self, size):
        return [self.piece(at, min(at + size, len(self.data))) for at in range(0, len(self.data), size)]


def cases(source, target, first):
    def case(size=1400):
        case.number += 1
        return Case(source, target, case.number, size)
    case.number = first

    c = case()
    yield "in_order", c, c.cut(512)
    c = case()
    yield "last_first", c, c.cut(512)[::-1]
    c = case(8000)
    pieces = c.cut(TINY)
    RANDOM.shuffle(pieces)
    yield "shuffled", c, pieces
    c = case()
    yield "twice_each", c, [p for p in c.cut(512) for _ in (1, 2)][:-1]
    c = case(16384)
    yield "longest", c, c.cut(1440)
    c = case()
    last = c.piece(1024, len(c.data))
    yield "overlap", c, [c.piece(0, 512), c.piece(504, 1024), c.piece(512, 1024), last]
    c = case()
    yield "teardrop", c, [c.piece(0, 1024), c.piece(512, 536, more=False), c.piece(1024, len(c.data))]
    c = case()
    yield "other_octets", c, [c.piece(0, 512), c.piece(0, 512, data=bytes(512)), c.piece(512, 1024), last]
    c = case()
    yield "two_ends", c, [c.piece(512, 1024, more=False), c.piece(1024, len(c.data)), c.piece(0, 512)]
    c = case()
    yield "tiny_first", c, [c.piece(0, 8), c.piece(8, len(c.data))]
    c = case()
    yield "tiny_middle", c, [c.piece(0, 512), c.piece(512, 520), c.piece(520, len(c.data))]
    c = case()
    yield "odd_length", c, [c.piece(0, 509), c.piece(512, len(c.data))]
    c = case()
    yield "empty", c, [c.piece(0, 0, more=True, data=b""), c.piece(512, len(c.data), data=b"")]
    c = case()
    yield "never_finished", c, c.cut(512)[:-1]
    c = case()
    yield "hole", c, [p for i, p in enumerate(c.cut(256)) if i != 2]
    c = case()
    yield "behind_the_end", c, [c.piece(0, 512), c.piece(65528, 65536, more=False, data=b"12345678")]
    c = case(CAP)
    yield "too_long", c, c.cut(1440)
    c = case()
    yield "another_protocol", c, [c.piece(at, at + 512, protocol=1) for at in (0, 512)]
    c, other = case(), case()
    other.ident = c.ident
    mixed = [p for pair in zip(c.cut(512), [Case.piece(other, at, min(at + 512, len(c.data))) for at in (0, 512, 1024)])
             for p in pair]
    yield "same_identification", c, mixed
    if len(source) == 16:
        c = case(600)
        yield "atomic", c, [piece(source, target, c.data, 1, 0, False)]
        c = case()
        first, *rest = c.cut(512)
        atomic = piece(source, target, datagram(source, target, c.port, spoiled(300)), c.ident, 0, False)
        yield "atomic_among_others", c, [first, atomic, *rest]


def unfinished(port, source, target, numbers):
    """First fragments from many sources, far more than there are places."""
    c = Case(source, target, 999)
    for i in numbers:
        c.ident = i
        if len(source) == 4:
            c.source = source[:2] + struct.pack("!H", 1 + i % 60000)
        else:
            c.source = source[:4] + struct.pack("!I", i) + source[8:]
        port.send(c.piece(0, 1024))


GOOD = {"in_order", "last_first", "shuffled", "twice_each", "longest", "atomic", "atomic_among_others"}


def answers(port, seconds, enough=None):
    """Source port -> answers that came within that time, or until there was one to the port enough."""
    seen = {}
    for frame in port.frames(seconds):
        found = answer(frame)
        if found:
            seen[found[1]] = seen.get(found[1], 0) + 1
            if found[1] == enough:
                break
    return seen


def every_case(port, source, target, result):
    for attempt in range(4):
        sent = list(cases(source, target, 100 * attempt))
        for _, _, pieces in sent:
            for packet in pieces:
                port.send(packet)
            time.sleep(0.002)
        seen = answers(port, 0.5)
        for name, case, _ in sent:
            result[name] = max(result.get(name, 0), seen.get(case.port, 0))
        if all(result.get(name, 1) for name in GOOD):
            break
    greedy = Case(source, target, 998)
    for i in range(50):
        port.send(greedy.piece(0, 512, ident=40000 + i))


def amid_a_flood(port, source, target):
    """How many of 20 datagrams get through, each after 500 others that are never finished."""
    through = numbers = 0
    for i in range(20):
        for _ in range(5):
            unfinished(port, source, target, range(numbers, numbers + 500))
            numbers += 500
            c = Case(source, target, 2000 + i)
            for packet in c.cut(512):
                port.send(packet)
            if answers(port, 0.2, c.port).get(c.port):
                through += 1
                break
    return through


def main(device, mac, source, target):
    port, source, target, result = Port(device, mac), address(source), address(target), {}
    every_case(port, source, target, result)
    result["amid_a_flood"] = amid_a_flood(port, source, target)
    print(json.dumps(result))


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
