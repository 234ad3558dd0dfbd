#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Asks a running KMS everything that RFC 6043 and the project's readings of it say something about.

check.py subscribers                                     prints the subscribers that the KMS must have
check.py ADDRESS [--port P] [--profile 3gpp|rfc6043] ... asks; exit status 0 when every answer is right
"""
import argparse
import importlib
import sys
import time

import world as worlds

TOPICS = ("calls", "shape", "policies", "apart", "tickets", "own", "faults")


def main():
    if sys.argv[1:] == ["subscribers"]:
        print("\n".join(worlds.jsonl()))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--port", type=int, default=2269)
    parser.add_argument("--profile", choices=("3gpp", "rfc6043"), default="rfc6043")
    parser.add_argument("--kms-identity", default="kms@tkms.example")
    parser.add_argument("--sealing-key", help="ID:HEX, when it is known")
    parser.add_argument("--clock-offset", type=float, default=0, help="seconds that the KMS's clock is ahead of ours")
    parser.add_argument("--default-lifetime", type=int, default=worlds.DAY)
    parser.add_argument("--seed", type=int, default=6043)
    parser.add_argument("--topic", action="append", choices=TOPICS)
    options = parser.parse_args()
    worlds.RANDOM.seed(options.seed)
    sealing = None
    if options.sealing_key:
        name, _, key = options.sealing_key.partition(":")
        sealing = (name.encode(), bytes.fromhex(key))
    world = worlds.World(options.address, options.port, options.profile, options.kms_identity,
                         lambda: time.time() + options.clock_offset, sealing, options.default_lifetime)
    for topic in options.topic or TOPICS:
        before, failed, start = world.count, len(world.failures), time.monotonic()
        importlib.import_module(topic).run(world)
        bad = len(world.failures) - failed
        print(f"{'ok' if not bad else 'FAILED'}: {topic}: {world.count - before} checks, {bad} failed, "
              f"{time.monotonic() - start:.1f} s")
    print(f"{world.count} checks of profile {options.profile}, {world.link.sent} messages, "
          f"{len(world.failures)} failed")
    return 1 if world.failures or not world.count else 0


if __name__ == "__main__":
    sys.exit(main())
