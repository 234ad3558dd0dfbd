#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every verdict of dataplane/engine/verdict.h is reached by a test, and dataplane/VERDICTS.md names it.

test_verdicts.py VERDICT_TABLE DOCUMENT TEST...: runs the tests, which write the verdicts they reach."""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

table, document, *tests = sys.argv[1:]
failures = []

want = subprocess.run([table], check=True, capture_output=True, text=True).stdout
with open(document, encoding="utf-8") as f:
    if f.read() != want:
        failures.append(f"{document} is stale: run {table} > {document}")

with tempfile.NamedTemporaryFile("r") as reached:
    def run(test):
        done = subprocess.run([test], env={**os.environ, "TKMS_VERDICTS": reached.name}, capture_output=True, text=True)
        if done.returncode:
            failures.append(f"{test}: status {done.returncode}\n{done.stdout}{done.stderr}")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(run, tests))
    found = set(reached.read().split())

names = subprocess.run([table, "--names"], check=True, capture_output=True, text=True).stdout.split()
assert len(names) > 100
failures += [f"no test reaches {name}" for name in names if name not in found]
print(f"{len(found)} of {len(names)} verdicts are reached")
print("\n".join(failures))
sys.exit(1 if failures else 0)
