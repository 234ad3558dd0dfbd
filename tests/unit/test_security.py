#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every test that SECURITY.md names exists: test_security.py SECURITY.md BUILD."""
import json
import pathlib
import re
import sys

document, build = map(pathlib.Path, sys.argv[1:])
named = set(re.findall(r"`((?:unit|fuzz|system)/[a-z0-9-]+)`", document.read_text()))
tests = json.loads((build / "meson-info" / "intro-tests.json").read_text())
known = {f"{suite.split(':')[-1]}/{test['name']}" for test in tests for suite in test["suite"]}
# Built for libFuzzer, the same corpus is replayed by it.
known |= {name.replace("fuzz/fuzz-", "fuzz/replay-") for name in known}
missing = sorted(named - known)
print(f"{len(named)} tests are named")
print("\n".join(f"{document}: there is no test {name}" for name in missing))
sys.exit(1 if missing or len(named) < 30 else 0)
