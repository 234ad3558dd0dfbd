# SPDX-License-Identifier: BSD-3-Clause
"""AES (FIPS 197) in plain Python: counter mode for MIKEY's AES-CM, key wrap (RFC 3394) for AES-KW."""


def make_boxes():
    box = [0] * 256
    p = q = 1
    while True:
        p ^= (p << 1) ^ (0x11B if p & 0x80 else 0)
        p &= 0xFF
        for shift in (1, 2, 4):
            q ^= q << shift
        q &= 0xFF
        q ^= 0x09 if q & 0x80 else 0
        turned = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        box[p] = (turned ^ 0x63) & 0xFF
        if p == 1:
            break
    box[0] = 0x63
    inverse = [0] * 256
    for i, value in enumerate(box):
        inverse[value] = i
    return box, inverse


SBOX, INVERSE = make_boxes()


def times(a, b):
    """Product in GF(2^8)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


TIMES = {factor: [times(value, factor) for value in range(256)] for factor in (2, 3, 9, 11, 13, 14)}


class Aes:
    def __init__(self, key):
        if len(key) not in (16, 32):
            raise ValueError(f"AES key of {len(key)} octets")
        words = [list(key[i:i + 4]) for i in range(0, len(key), 4)]
        size = len(words)
        constant = 1
        for i in range(size, 4 * (size + 7)):
            word = list(words[-1])
            if i % size == 0:
                word = [SBOX[b] for b in word[1:] + word[:1]]
                word[0] ^= constant
                constant = times(constant, 2)
            elif size > 6 and i % size == 4:
                word = [SBOX[b] for b in word]
            words.append([a ^ b for a, b in zip(words[i - size], word)])
        self.rounds = [sum(words[i:i + 4], []) for i in range(0, len(words), 4)]

    def encrypt(self, block):
        two, three = TIMES[2], TIMES[3]
        state = [a ^ b for a, b in zip(block, self.rounds[0])]
        for number, key in enumerate(self.rounds[1:], 1):
            state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if number < len(self.rounds) - 1:
                mixed = []
                for c in range(0, 16, 4):
                    a, b, d, e = state[c:c + 4]
                    mixed += [two[a] ^ three[b] ^ d ^ e, a ^ two[b] ^ three[d] ^ e,
                              a ^ b ^ two[d] ^ three[e], three[a] ^ b ^ d ^ two[e]]
                state = mixed
            state = [a ^ b for a, b in zip(state, key)]
        return bytes(state)

    def decrypt(self, block):
        state = [a ^ b for a, b in zip(block, self.rounds[-1])]
        for number in range(len(self.rounds) - 2, -1, -1):
            state = [INVERSE[state[(i - 4 * (i % 4)) % 16]] for i in range(16)]
            state = [a ^ b for a, b in zip(state, self.rounds[number])]
            if number:
                mixed = []
                for c in range(0, 16, 4):
                    column = state[c:c + 4]
                    for row in range(4):
                        factors = [(14, 11, 13, 9)[(i - row) % 4] for i in range(4)]
                        mixed.append(TIMES[factors[0]][column[0]] ^ TIMES[factors[1]][column[1]]
                                     ^ TIMES[factors[2]][column[2]] ^ TIMES[factors[3]][column[3]])
                state = mixed
        return bytes(state)


def counter_mode(key, iv, data):
    """AES-CM of RFC 3711 4.1.1: the IV is the first counter block."""
    aes = Aes(key)
    counter = int.from_bytes(iv, "big")
    out = bytearray()
    for i in range(0, len(data), 16):
        stream = aes.encrypt((counter & (1 << 128) - 1).to_bytes(16, "big"))
        out += bytes(a ^ b for a, b in zip(data[i:i + 16], stream))
        counter += 1
    return bytes(out)


def key_wrap(key, iv, data):
    aes = Aes(key)
    first, blocks = iv, [data[i:i + 8] for i in range(0, len(data), 8)]
    count = 0
    for _ in range(6):
        for i, block in enumerate(blocks):
            count += 1
            turned = aes.encrypt(first + block)
            first = (int.from_bytes(turned[:8], "big") ^ count).to_bytes(8, "big")
            blocks[i] = turned[8:]
    return first + b"".join(blocks)


def key_unwrap(key, iv, data):
    """The plaintext, or None when the integrity check fails."""
    aes = Aes(key)
    first, blocks = data[:8], [data[i:i + 8] for i in range(8, len(data), 8)]
    count = 6 * len(blocks)
    for _ in range(6):
        for i in range(len(blocks) - 1, -1, -1):
            turned = aes.decrypt((int.from_bytes(first, "big") ^ count).to_bytes(8, "big") + blocks[i])
            count -= 1
            first, blocks[i] = turned[:8], turned[8:]
    return b"".join(blocks) if first == iv else None
