#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""timing_udp.py ADDRESS SAMPLES UNKNOWN KNOWN OTHER_KEY: files of messages in hex. Asks in random order, one at a time, and
compares the times of the answers. Judged by Welch's t-test from 100,000 samples of each.

Every message has a time of its own, by some nanoseconds: where its sender's record lies, what its octets hash to. What is
compared is therefore the means of messages, not single samples: is there anything that the messages of a kind have in common."""
import gc
import math
import random
import socket
import statistics
import sys
import time

target, wanted, unknown, known, other = sys.argv[1], int(sys.argv[2]), *sys.argv[3:]
T_MAX = 4.5


def read(path):
    with open(path, encoding="ascii") as f:
        return [bytes.fromhex(line) for line in f if line.strip()]


kinds = {
    "unknown user": read(unknown),
    "wrong MAC": [m[:-1] + bytes([m[-1] ^ 1]) for m in read(known)],
    "wrong key": read(other),
}
lengths = {len(m) for messages in kinds.values() for m in messages}
assert len(lengths) == 1, f"messages of different lengths: {lengths}"

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(2)
sock.connect((target, 2269))
times = {kind: [[] for _ in messages] for kind, messages in kinds.items()}


def ask(message):
    """Nanoseconds until the answer, which is the same for all: Error 0 of 24 octets with the message's CSB ID."""
    begin = time.perf_counter_ns()
    sock.send(message)
    answer = sock.recv(2048)
    end = time.perf_counter_ns()
    assert len(answer) == 24 and answer[1] == 6 and answer[22] == 0 and answer[4:8] == message[4:8], answer.hex()
    return end - begin


for _ in range(500):
    ask(random.choice(kinds[random.choice(list(kinds))]))
# Each kind once in each round: what changes with time is the same for all. Every message is copied to one buffer, so that
# where it lies makes no difference here.
buffer = bytearray(lengths.pop())
gc.disable()
for _ in range(wanted):
    for kind in random.sample(list(kinds), len(kinds)):
        which = random.randrange(len(kinds[kind]))
        buffer[:] = kinds[kind][which]
        times[kind][which].append(ask(buffer))

# What is above the ninth decile of all was held up by something else.
limit = sorted(t for lists in times.values() for list_ in lists for t in list_)[9 * 3 * wanted // 10]
moments = {}
for kind, lists in times.items():
    means = [statistics.fmean(kept) for list_ in lists if (kept := [t for t in list_ if t <= limit])]
    moments[kind] = (len(means), statistics.fmean(means), statistics.variance(means))
    print(f"{kind}: {moments[kind][1] / 1000:.3f} us, {math.sqrt(moments[kind][2]):.0f} ns between {len(means)} messages")
alike = True
for a, b in (("unknown user", "wrong MAC"), ("wrong MAC", "wrong key"), ("wrong key", "unknown user")):
    (na, ma, va), (nb, mb, vb) = moments[a], moments[b]
    t = (ma - mb) / math.sqrt(va / na + vb / nb)
    print(f"{a} and {b}: t = {t:.2f}")
    alike &= abs(t) <= T_MAX
sys.exit(0 if alike or wanted < 100000 else "they can be told apart")
