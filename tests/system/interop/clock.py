# SPDX-License-Identifier: BSD-3-Clause
"""NTP timestamps and Unix time."""

EPOCH = 2208988800


def ntp(seconds):
    """64-bit NTP of Unix time; era 1 wraps."""
    whole = int(seconds // 1)
    return ((whole + EPOCH) % (1 << 32)).to_bytes(4, "big") + int((seconds - whole) * (1 << 32)).to_bytes(4, "big")


def ntp32(seconds):
    return ntp(seconds)[:4]


def unix(value):
    """Unix time of a 64-bit or 32-bit NTP value; first bit 0 is the era after 2036 (RFC 4330)."""
    seconds = int.from_bytes(value[:4], "big") - EPOCH + (0 if value[0] & 0x80 else 1 << 32)
    return seconds + (int.from_bytes(value[4:8], "big") / (1 << 32) if len(value) == 8 else 0)
