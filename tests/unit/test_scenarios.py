#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""deploy/scenarios: what is taken for held, failed and too busy; a step that fails is not passed over."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCENARIOS = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "scenarios"
sys.dont_write_bytecode = True
sys.path.insert(0, str(SCENARIOS))
import report  # noqa: E402  pylint: disable=wrong-import-position

BEGAN, ENDED = 1000.0, 1020.0


def client(failed=0, slowest_ms=10.0, late_ms=1.0, saturated=False):
    return {"sent": 100, "failed": failed, "lost": 0, "retried": 0, "latency_us": {"max": slowest_ms * 1000},
            "longest_gap_ms": 10.0, "client_saturated": saturated, "max_late_ms": late_ms}


class Held(unittest.TestCase):
    def held(self, *addresses):
        with tempfile.TemporaryDirectory() as directory:
            for i, times in enumerate(addresses):
                text = "".join("[%.3f] 64 bytes from 192.0.2.1: icmp_seq=1\n" % t for t in times)
                (pathlib.Path(directory) / ("ping-%d" % i)).write_text(text, encoding="ascii")
            return report.held_again(directory, BEGAN, ENDED)

    @staticmethod
    def steps(begin, end):
        return [begin + i * 0.05 for i in range(round((end - begin) / 0.05) + 1)]

    def test_without_a_silence_it_was_held_all_the_time(self):
        self.assertEqual(self.held(self.steps(995, 1020), self.steps(995, 1019.9)), 0)

    def test_the_end_of_the_last_silence_counts(self):
        times = self.steps(995, 1000.5) + self.steps(1003, 1005) + self.steps(1006, 1020)
        self.assertAlmostEqual(self.held(self.steps(995, 1020), times), 6000)

    def test_silence_to_the_end_is_never(self):
        self.assertIsNone(self.held(self.steps(995, 1001)))
        self.assertIsNone(self.held(self.steps(995, 1020), self.steps(995, 1019.5)))

    def test_silence_from_the_beginning_is_never(self):
        self.assertIsNone(self.held([]))
        self.assertIsNone(self.held(self.steps(995, 999)))


class Judged(unittest.TestCase):
    def judge(self, everything, one=None, bars="0 100 100 4"):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "all").write_text(json.dumps(everything), encoding="ascii")
            (root / "one").write_text(json.dumps(one or client()), encoding="ascii")
            run = subprocess.run(
                [sys.executable, SCENARIOS / "report.py", "judge", "--name", "x", "--bars", bars, "--all", root / "all",
                 "--one", root / "one", "--pings", directory, "--began", str(BEGAN), "--ended", str(ENDED)],
                capture_output=True, text=True, check=True)
            (root / "run").write_text(run.stdout, encoding="ascii")
            row = subprocess.run([sys.executable, SCENARIOS / "report.py", "row", root / "run"],
                                 capture_output=True, text=True, check=True)
        found = json.loads(run.stdout)
        return found["broken"], found["is_judged"], row.stdout

    def test_within_its_bars(self):
        self.assertEqual(self.judge(client())[:2], ([], True))

    def test_slower_than_its_bar(self):
        self.assertEqual(self.judge(client(slowest_ms=101))[:2], (["slowest_ms"], True))

    def test_a_client_that_was_late_gets_slack(self):
        self.assertEqual(self.judge(client(slowest_ms=499, late_ms=100, saturated=True))[:2], ([], True))
        self.assertEqual(self.judge(client(slowest_ms=501, late_ms=100, saturated=True))[:2], (["slowest_ms"], True))

    def test_slack_has_an_end_and_beyond_it_nothing_is_judged(self):
        late = client(slowest_ms=601, late_ms=1000, saturated=True)
        broken, is_judged, row = self.judge(late)
        self.assertEqual((broken, is_judged), (["slowest_ms"], False))
        self.assertIn("not judged: machine too busy", row)
        self.assertEqual(self.judge(client(slowest_ms=599, late_ms=1000, saturated=True))[0], [])

    def test_a_failed_request_is_a_failure_on_a_busy_machine_too(self):
        broken, is_judged, row = self.judge(client(failed=1, late_ms=1000, saturated=True))
        self.assertEqual((broken, is_judged), (["failed"], True))
        self.assertIn("BROKEN: failed", row)

    def test_but_not_when_the_client_stood_still_as_long(self):
        self.assertEqual(self.judge(client(failed=1, late_ms=5000, saturated=True))[:2], (["failed"], False))


def bash(script):
    run = subprocess.run(
        ["bash", "-euc", f"die() {{ echo died; exit 3; }}; here={SCENARIOS.parent}; "
         f". {SCENARIOS}/faults.sh; . {SCENARIOS}/measure.sh; TKMS_NODES=a,b TKMS_REDIS=r,s TKMS_ADDRESSES=x; {script}"],
        capture_output=True, text=True, check=False)
    return run.stdout.splitlines()


class Steps(unittest.TestCase):
    """A step that fails ends what it belongs to."""

    def fails_at(self, step, call):
        return bash(f"lab() {{ echo \"$*\"; [[ \"$1\" != {step} ]]; }}; redis_primary_name() {{ echo r; }}; {call} || echo failed")

    def test_rolling_restart(self):
        self.assertEqual(self.fails_at("stop", "fault_rolling_restart a"), ["stop a", "failed"])
        self.assertEqual(self.fails_at("start", "fault_rolling_restart a"), ["stop a", "start a", "failed"])
        self.assertEqual(self.fails_at("settle", "fault_rolling_restart a"), ["stop a", "start a", "settle", "failed"])

    def test_others(self):
        self.assertEqual(self.fails_at("kill", "fault_redis_all_killed a"), ["kill r", "failed"])
        self.assertEqual(self.fails_at("start", "undo_redis_all_killed a")[-1], "failed")
        self.assertEqual(self.fails_at("add", "fault_node_added a"), ["add", "failed"])

    def test_a_set_that_does_not_settle_ends_the_run(self):
        self.assertEqual(self.fails_at("settle", "scenario_run node-killed"),
                         ["settle", "died"])


class Tries(unittest.TestCase):
    def runs(self, *found):
        """Runs that a scenario takes, and what comes of it. found: broken, is_judged, failed of each."""
        with tempfile.TemporaryDirectory() as directory:
            for i, (broken, is_judged, failed) in enumerate(found):
                (pathlib.Path(directory) / f"{i}").write_text(
                    json.dumps({"broken": broken, "is_judged": is_judged, "failed": failed}), encoding="ascii")
            out = bash(f"work={directory} tries=2 json=yes n=0; "
                       "scenario_run() { cp \"$work/$n\" \"$work/run.json\" && n=$((n + 1)); }; "
                       "if scenario_judge x >/dev/null; then echo good $n; else echo bad $n; fi")
        return out

    def test_it_ends_with_the_first_good_run(self):
        slow, good = (["slowest_ms"], True, 0), ([], True, 0)
        self.assertEqual(self.runs(good), ["good 1"])
        self.assertEqual(self.runs(slow, good), ["good 2"])
        self.assertEqual(self.runs(slow, slow, good), ["bad 2"])

    def test_a_failed_request_is_not_tried_away(self):
        self.assertEqual(self.runs((["failed"], True, 1), ([], True, 0)), ["bad 1"])

    def test_runs_that_are_not_judged_are_no_tries_and_no_success(self):
        busy, slow = (["slowest_ms"], False, 0), (["slowest_ms"], True, 0)
        self.assertEqual(self.runs(busy, busy, slow, ([], True, 0)), ["good 4"])
        self.assertEqual(self.runs(busy, busy, busy, ([], True, 0)), ["bad 3"])


if __name__ == "__main__":
    unittest.main()
