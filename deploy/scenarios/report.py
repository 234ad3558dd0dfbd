#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the clients of a scenario saw: report.py judge|row|header. Used by scenarios.sh."""
import argparse
import glob
import json
import os
import re
import sys

# An address that says nothing for so long is not held. Longer than a few lost packets in a row.
SILENCE = 0.35
# A machine that keeps the clients from the CPU for so long keeps the nodes from it too, one after the other.
STALLS = 4
# More slack than this would let anything pass: such a run is not judged.
SLACK_MAX_MS = 500
# What a request may take. Only a client that stood still for so long may have failed by itself.
REQUEST_MS = 5000
FORMAT = "%-21s %9s %7s %6s %8s %15s %15s %12s  %s"


def replies(path):
    with open(path, encoding="ascii", errors="replace") as f:
        return [float(m.group(1)) for m in re.finditer(r"^\[([0-9.]+)\] \d+ bytes from", f.read(), re.M)]


def held_again(directory, began, ended):
    """Milliseconds from the failure until every address answered, without a longer silence, to the end.
    None: one never did, or was silent at the end."""
    last = began
    for path in glob.glob(os.path.join(glob.escape(directory), "ping-*")):
        times = replies(path)
        if not times or times[-1] < began or ended - times[-1] > SILENCE:
            return None
        for before, after in zip(times, times[1:]):
            if after - before > SILENCE and after > began:
                last = max(last, after)
    return (last - began) * 1000


def judge(args):
    everything, one = (json.load(open(path, encoding="ascii")) for path in (args.all, args.one))
    limits = [None if word == "-" else float(word) for word in args.bars.split()[:3]]
    run = {
        "scenario": args.name,
        "requests": everything["sent"],
        "failed": everything["failed"],
        "lost": everything["lost"],
        "retried": everything["retried"],
        "slowest_ms": everything["latency_us"]["max"] / 1000,
        "longest_gap_ms": everything["longest_gap_ms"],
        "one_address": {key: one[key] for key in ("sent", "failed", "retried", "longest_gap_ms")},
        "held_again_ms": held_again(args.pings, args.began, args.ended),
        "client_saturated": everything["client_saturated"] or one["client_saturated"],
        "bars": dict(zip(("failed", "slowest_ms", "gap_ms"), limits)),
    }
    found = (run["failed"], run["slowest_ms"], run["one_address"]["longest_gap_ms"])
    late = max(everything["max_late_ms"], one["max_late_ms"])
    more_ms = min(STALLS * late, SLACK_MAX_MS) if run["client_saturated"] else 0
    slack = (0, more_ms, more_ms)
    run["slack_ms"] = more_ms
    run["is_judged"] = (
        late < REQUEST_MS if run["failed"] else not run["client_saturated"] or STALLS * late <= SLACK_MAX_MS)
    run["broken"] = [
        name for name, value, limit, more in zip(run["bars"], found, limits, slack)
        if limit is not None and value > limit + more]
    if run["held_again_ms"] is None:
        run["broken"].append("held_again")
    if run["requests"] == 0:
        run["broken"].append("requests")
    json.dump(run, sys.stdout)
    print()


def milliseconds(value, limit=None):
    if value is None:
        return "never"
    text = "%.0f ms" % value
    return text if limit is None else "%s (%.0f)" % (text, limit)


def row(args):
    with open(args.file, encoding="ascii") as f:
        run = json.load(f)
    bars = run["bars"]
    verdict = "ok" if not run["broken"] else "BROKEN: " + ", ".join(run["broken"])
    if run["broken"] and not run["is_judged"]:
        verdict = "not judged: machine too busy (the clients themselves were late)"
    elif run["client_saturated"]:
        verdict += " (busy machine: the clients themselves were late; %.0f ms more allowed)" % run["slack_ms"]
    print(FORMAT % (
        run["scenario"], run["requests"], run["failed"], run["lost"], run["retried"],
        milliseconds(run["slowest_ms"], bars["slowest_ms"]),
        milliseconds(run["one_address"]["longest_gap_ms"], bars["gap_ms"]),
        milliseconds(run["held_again_ms"]), verdict), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("header")
    one = commands.add_parser("row")
    one.add_argument("file")
    whole = commands.add_parser("judge")
    for name in ("--name", "--bars", "--all", "--one", "--pings"):
        whole.add_argument(name, required=True)
    for name in ("--began", "--ended"):
        whole.add_argument(name, type=float, required=True)
    args = parser.parse_args()
    if args.command == "header":
        print(FORMAT % ("scenario", "requests", "failed", "lost", "retried", "slowest (bar)", "gap of 1 (bar)",
                        "held again", ""), flush=True)
    elif args.command == "row":
        row(args)
    else:
        judge(args)


if __name__ == "__main__":
    main()
