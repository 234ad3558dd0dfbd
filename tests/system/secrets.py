#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Looks for keys where they may be: as octets, as hex and base64 in both cases, as SHA-1 and SHA-256 states of their HMAC
pads (which are as secret as the key) in either byte order, and by halves.

  secrets.py KEY[,KEY...] file PATH...   files, and all files below directories
  secrets.py KEY[,KEY...] memory PID...  all readable memory of processes

KEY: hex, of 16 to 32 octets. Prints what it finds; exit status 0: something, 1: nothing, 2: it could not look.
"""
import base64
import os
import struct
import sys


def rol(x, n):
    return ((x << n) | (x >> (32 - n))) & 0xFFFFFFFF


def primes(n):
    found = []
    i = 2
    while len(found) < n:
        if all(i % p for p in found):
            found.append(i)
        i += 1
    return found


def root_bits(x, root):
    """The first 32 bits of the fraction of the square or cube root of x, in whole numbers."""
    target = x << (32 * root)
    low, high = 0, 1 << 40
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**root <= target else (low, middle)
    return low & 0xFFFFFFFF


K256 = [root_bits(p, 3) for p in primes(64)]
H256 = [root_bits(p, 2) for p in primes(8)]
H1 = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0]


def sha256_state(block):
    w = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        a, b = w[i - 15], w[i - 2]
        w.append((w[i - 16] + (rol(a, 25) ^ rol(a, 14) ^ a >> 3) + w[i - 7] + (rol(b, 15) ^ rol(b, 13) ^ b >> 10)) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = H256
    for i in range(64):
        t = (h + (rol(e, 26) ^ rol(e, 21) ^ rol(e, 7)) + (e & f ^ ~e & g) + K256[i] + w[i]) & 0xFFFFFFFF
        u = ((rol(a, 30) ^ rol(a, 19) ^ rol(a, 10)) + (a & b ^ a & c ^ b & c)) & 0xFFFFFFFF
        a, b, c, d, e, f, g, h = (t + u) & 0xFFFFFFFF, a, b, c, (d + t) & 0xFFFFFFFF, e, f, g
    return [(x + y) & 0xFFFFFFFF for x, y in zip(H256, (a, b, c, d, e, f, g, h))]


def sha1_state(block):
    w = list(struct.unpack(">16I", block))
    for i in range(16, 80):
        w.append(rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1))
    a, b, c, d, e = H1
    for i in range(80):
        f, k = ((b & c | ~b & d, 0x5A827999), (b ^ c ^ d, 0x6ED9EBA1), (b & c | b & d | c & d, 0x8F1BBCDC),
                (b ^ c ^ d, 0xCA62C1D6))[i // 20]
        a, b, c, d, e = (rol(a, 5) + (f & 0xFFFFFFFF) + e + k + w[i]) & 0xFFFFFFFF, a, rol(b, 30), c, d
    return [(x + y) & 0xFFFFFFFF for x, y in zip(H1, (a, b, c, d, e))]


def check_states():
    """Against hashlib: the state after one block gives the hash when the padding has gone through too."""
    import hashlib

    for name, begin, start in (("sha256", sha256_state, H256), ("sha1", sha1_state, H1)):
        text = b"\x5c" * 55
        state = begin(text + b"\x80" + struct.pack(">Q", 55 * 8))
        if b"".join(struct.pack(">I", x) for x in state) != hashlib.new(name, text).digest() or len(start) != len(state):
            sys.exit("secrets.py: " + name + " is wrong")


def needles(key):
    found = {"octets": key, "first half": key[: len(key) // 2], "second half": key[len(key) // 2:]}
    for name, text in (("hex", key.hex().encode()), ("base64", base64.b64encode(key)[: len(key) * 4 // 3])):
        found[name] = text
        found[name + ", upper case"] = text.upper()
        found[name + ", part"] = text[: len(text) // 2]
    for pad_name, pad in (("inner", 0x36), ("outer", 0x5C)):
        block = bytes(x ^ pad for x in key.ljust(64, b"\0"))
        for hash_name, state in (("SHA-256", sha256_state(block)), ("SHA-1", sha1_state(block))):
            for order in "<>":
                found["%s state, %s, %s" % (hash_name, pad_name, order)] = b"".join(struct.pack(order + "I", x) for x in state)
    return found


def files(paths):
    for path in paths:
        for folder, _, names in os.walk(path) if os.path.isdir(path) else [("", [], [path])]:
            for name in names:
                full = os.path.join(folder, name)
                if os.path.isfile(full):
                    with open(full, "rb") as f:
                        yield full, f.read()


def memory(pids):
    for pid in pids:
        looked = 0
        with open("/proc/%s/maps" % pid) as maps, open("/proc/%s/mem" % pid, "rb", 0) as mem:
            for line in maps:
                area, mode = line.split()[:2]
                if "r" not in mode or "[v" in line:
                    continue
                first, last = (int(x, 16) for x in area.split("-"))
                before = b""
                for at in range(first, last, 1 << 24):
                    try:
                        mem.seek(at)
                        chunk = mem.read(min(1 << 24, last - at))
                    except OSError:
                        continue
                    looked += len(chunk)
                    yield "process %s" % pid, before + chunk
                    before = chunk[-64:]
        if looked < 100000:
            sys.exit("secrets.py: the memory of %s cannot be read" % pid)


def main():
    keys, what, where = sys.argv[1].split(","), sys.argv[2], sys.argv[3:]
    check_states()
    looked, seen = 0, set()
    for place, data in (files if what == "file" else memory)(where):
        looked += 1
        for number, key in enumerate(keys):
            for name, needle in needles(bytes.fromhex(key)).items():
                if needle in data:
                    seen.add("%s: key %d as %s" % (place, number + 1, name))
    for line in sorted(seen):
        print(line)
    if looked == 0:
        sys.stderr.write("secrets.py: nothing to look at\n")
        return 2
    return 0 if seen else 1


try:
    sys.exit(main())
except (OSError, ValueError, IndexError) as e:
    sys.stderr.write("secrets.py: %s\n" % e)
    sys.exit(2)
