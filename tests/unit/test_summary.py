#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tests/summary.py counts what ran, and takes nothing for a success that is none."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SUMMARY = pathlib.Path(__file__).resolve().parents[1] / "summary.py"
GOOD = "[====] Synthesis: Tested: 5 | Passing: 5 | Failing: 0 | Crashing: 0 \n"
BAD = "[====] Synthesis: Tested: 5 | Passing: 3 | Failing: 1 | Crashing: 1 \n"


class Summary(unittest.TestCase):
    def run_summary(self, *tests, broken=""):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
            for result, stderr in tests:
                log.write(json.dumps({"name": "tkms:unit / t", "result": result, "stdout": "", "stderr": stderr}) + "\n")
            log.flush()
            run = subprocess.run([sys.executable, SUMMARY, "--broken", broken, f"unit={log.name}"],
                                 capture_output=True, text=True, check=False)
        return run.stdout.splitlines()[-1], run.returncode

    def test_a_program_counts_with_its_cases_and_a_script_as_one(self):
        self.assertEqual(self.run_summary(("OK", GOOD), ("OK", "")), ("6 passed, 0 failed", 0))

    def test_failed_cases_are_counted(self):
        self.assertEqual(self.run_summary(("FAIL", BAD), ("OK", "")), ("4 passed, 2 failed", 1))

    def test_failures_without_a_count_are_failures(self):
        for result in ("FAIL", "TIMEOUT", "ERROR", "SKIP", "UNEXPECTEDPASS", "INTERRUPT"):
            with self.subTest(result):
                self.assertEqual(self.run_summary(("OK", GOOD), (result, "")), ("5 passed, 1 failed", 1))

    def test_a_program_that_fails_after_its_last_case_is_a_failure(self):
        self.assertEqual(self.run_summary(("FAIL", GOOD)), ("5 passed, 1 failed", 1))

    def test_sanitizer_reports_are_failures_though_the_test_passed(self):
        for report in ("==7==ERROR: LeakSanitizer: detected memory leaks\n",
                       "==7==ERROR: AddressSanitizer: heap-use-after-free\n",
                       "==7==LeakSanitizer has encountered a fatal error.\n",
                       "==7==AddressSanitizer: CHECK failed: asan_thread.cpp:1\n",
                       "AddressSanitizer:DEADLYSIGNAL\n",
                       "SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior a.c:7:50\n",
                       "../a.c:7:50: runtime error: signed integer overflow\n"):
            with self.subTest(report):
                self.assertEqual(self.run_summary(("OK", report + GOOD)), ("4 passed, 1 failed", 1))

    def test_a_leak_check_that_could_not_be_made_is_a_failure(self):
        forbidden = ("==7==LeakSanitizer has encountered a fatal error.\n==7==HINT: For debugging, try setting environment variable "
                     "LSAN_OPTIONS=verbosity=1:log_threads=1\n==7==HINT: LeakSanitizer does not work under ptrace (strace, gdb, etc)\n")
        self.assertEqual(self.run_summary(("OK", GOOD + forbidden)), ("4 passed, 1 failed", 1))
        self.assertEqual(self.run_summary(("OK", forbidden)), ("0 passed, 1 failed", 1))

    def test_a_case_that_was_skipped_is_a_failure(self):
        skipped = "[SKIP] sandbox::every_thread: needs root\n"
        self.assertEqual(self.run_summary(("OK", skipped + GOOD)), ("5 passed, 1 failed", 1))
        self.assertEqual(self.run_summary(("OK", skipped + skipped + GOOD)), ("5 passed, 2 failed", 1))

    def test_nothing_is_no_success(self):
        self.assertEqual(self.run_summary(), ("0 passed, 1 failed", 1))

    def test_a_broken_build_is_no_success(self):
        self.assertEqual(self.run_summary(("OK", GOOD), broken="the build failed"), ("5 passed, 1 failed", 1))


if __name__ == "__main__":
    unittest.main()
