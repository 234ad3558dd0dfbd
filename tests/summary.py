#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Adds up meson's test logs: summary.py [--broken REASON] SUITE=LOG.json...

Prints what failed and, last, "N passed, N failed". A Criterion program counts with its test cases, every other
test counts as one. Skipped is failed, also a single case of a program: a test that did not run has shown nothing.
Sanitizer reports are failures even where the test says it passed (Criterion does not look at its children's leaks),
and so is a sanitizer that could not look. Exit status 0 only if something ran and nothing failed.
"""
import json
import re
import sys

SYNTHESIS = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")
SKIPPED = re.compile(r"^\[SKIP\] ", re.MULTILINE)
SANITIZER = re.compile(r"(?:ERROR|SUMMARY): \w+Sanitizer|: runtime error: |\w+Sanitizer:DEADLYSIGNAL"
                       r"|\w+Sanitizer has encountered a fatal error|\w+Sanitizer: CHECK failed")



def count(test):
    """(passed, failed, reason) of one line of meson's log."""
    output = (test.get("stdout") or "") + (test.get("stderr") or "")
    result = test["result"]
    good = result in ("OK", "EXPECTEDFAIL")
    passed, failed = (1, 0) if good else (0, 1)
    cases = SYNTHESIS.findall(output)
    if cases:
        tested, passed = (sum(int(c[i]) for c in cases) for i in (0, 1))
        failed = tested - passed
        skipped = len(SKIPPED.findall(output))
        if skipped:
            failed += skipped
            result = f"{skipped} skipped"
        if not good and failed == 0:
            failed = 1
    if good and failed == 0 and SANITIZER.search(output):
        return passed - 1, 1, "sanitizer report (see the log)"
    return passed, failed, result if failed else ""


def main(arguments):
    passed = failed = 0
    if arguments[:1] == ["--broken"]:
        failed = 1 if arguments[1] else 0
        arguments = arguments[2:]
    for argument in arguments:
        suite, _, path = argument.partition("=")
        suite_passed = suite_failed = 0
        with open(path, encoding="utf-8") as log:
            for line in log:
                test = json.loads(line)
                p, f, reason = count(test)
                suite_passed += p
                suite_failed += f
                if f:
                    print(f"FAILED {suite}: {test['name'].split(' / ')[-1]}: {reason} ({path.replace('.json', '.txt')})")
        if suite_passed + suite_failed == 0:
            print(f"FAILED {suite}: no test ran")
            suite_failed = 1
        print(f"{suite}: {suite_passed} passed, {suite_failed} failed")
        passed += suite_passed
        failed += suite_failed
    print(f"{passed} passed, {failed} failed")
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
