#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Alert rules: well-formed, tested one by one, on metrics that exist, each with a runbook that exists.

  tests/unit/test_alerts.py SOURCE_ROOT TKMSCTL
"""
import glob
import os
import re
import subprocess
import sys

root, tkmsctl = sys.argv[1:3]
prometheus = os.path.join(root, "deploy", "prometheus")
runbooks = os.path.join(root, "deploy", "runbooks")
failures = []


def check(sentence, missing):
    print(("ok: " if not missing else "FAILED: ") + sentence + (": " + ", ".join(missing) if missing else ""))
    failures.extend(missing)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


def promtool(sentence, *args):
    done = subprocess.run(["promtool", *args], cwd=prometheus, capture_output=True, text=True, check=False)
    check(sentence, [] if done.returncode == 0 else [done.stdout + done.stderr])


promtool("promtool accepts the example configuration and the rules", "check", "config", "prometheus.yml")
promtool("promtool's tests of the rules pass", "test", "rules", "tkms.test.yml")

rules = re.split(r"^ +- alert: ", read(prometheus, "tkms.rules.yml"), flags=re.M)[1:]
names = [rule.split("\n", 1)[0].strip() for rule in rules]
tests = read(prometheus, "tkms.test.yml")
check("there are rules", [] if len(names) >= 20 else ["too few rules were read"])
check("every alert is tested to fire", [n for n in names if not re.search(
    r"alertname: %s\n +exp_alerts:\n +- exp_labels" % n, tests)])
check("and not to fire while all is well", [n for n in names if not re.search(
    r"alertname: %s, exp_alerts: \[\]" % n, tests)])
check("every alert has a severity", [n for n, rule in zip(names, rules) if not re.search(
    r"severity: (page|ticket)\n", rule)])

named = {n: re.search(r"runbook: (\S+\.md)\n", rule) for n, rule in zip(names, rules)}
check("every alert names a runbook", [n for n, m in named.items() if not m])
check("that exists", [n for n, m in named.items() if m and not os.path.isfile(os.path.join(runbooks, m.group(1)))])
check("and speaks of the alert", [n for n, m in named.items() if m and n not in read(runbooks, m.group(1))])

pages = sorted(os.path.basename(p) for p in glob.glob(os.path.join(runbooks, "*.md")))
known = set(names)
check("runbooks name only alerts that exist", sorted(
    "%s in %s" % (a, p) for p in pages for a in re.findall(r"`(Tkms[A-Za-z]+)`", read(runbooks, p)) if a not in known))
check("links between runbooks lead somewhere", sorted(
    "%s in %s" % (t, p) for p in pages for t in re.findall(r"\]\(([a-z-]+\.md)\)", read(runbooks, p)) if t not in pages))
check("the overview has every page", [p for p in pages if p != "README.md" and "(%s)" % p not in read(runbooks, "README.md")])

code = "".join(read(p) for p in glob.glob(os.path.join(root, "control", "metrics*.c")))
exposed = set(re.findall(r'"(tkms_[a-z_]+)"', code))
used = set(re.findall(r"\b(tkms_[a-z_]+)\b", "".join(re.sub(r"runbook:.*|summary:.*", "", r) for r in rules)))
check("every metric that a rule looks at exists", sorted(used - exposed))
check("every metric that a runbook names exists", sorted(
    "%s in %s" % (m, p) for p in pages for m in re.findall(r"\b(tkms_[a-z_]+)\b", read(runbooks, p)) if m not in exposed))
scenarios = subprocess.run([os.path.join(root, "deploy", "scenarios.sh"), "--list"], capture_output=True, text=True,
                           check=False).stdout.split("\n")
check("runbooks name only scenarios that exist", sorted(
    "%s in %s" % (s, p) for p in pages for s in re.findall(r"deploy/scenarios\.sh ([a-z-]+)", read(runbooks, p))
    if not any(line.split(" ")[0] == s for line in scenarios)))


def is_command(words):
    """A command says what it does; of what is none, tkmsctl says that."""
    done = subprocess.run([tkmsctl, *words, "--help"], capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.startswith("Usage: tkmsctl " + " ".join(words))


commands = {tuple(w for w in m.split() if re.fullmatch("[a-z-]+", w))[:2] for p in pages for m in re.findall(
    r"tkmsctl ((?:status|init|check-config|(?:key|node|subscriber|kek) [a-z]+))\b", read(runbooks, p))}
check("runbooks use many commands", [] if len(commands) >= 10 else ["too few were read"])
check("and only those that tkmsctl has", sorted(" ".join(c) for c in commands if not is_command(c)))
sys.exit(1 if failures else 0)
