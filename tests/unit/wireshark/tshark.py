# SPDX-License-Identifier: BSD-3-Clause
"""Runs tshark with the dissector under test, away from the user's configuration, and reads what it says."""
import calendar
import functools
import os
import pathlib
import re
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from wireshark import pcap

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "wireshark" / "mikey_ticket.lua"
LIMIT_SECONDS = 100
NAME = "mikey_ticket"
MONTHS = {m: i for i, m in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


class LuaError(Exception):
    pass


@dataclass
class Dissection:
    """fields: (name, offset in the packet, octets, value), in the order of the tree; value: None of a group."""
    fields: list = field(default_factory=list)
    experts: list = field(default_factory=list)
    shown: list = field(default_factory=list)  # as people see the fields


def call(*arguments, scripts=(SCRIPT,)):
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
        loaded = [a for s in scripts for a in ("-X", f"lua_script:{s}")]
        done = subprocess.run(["tshark", *arguments, *loaded], env=environment, capture_output=True, text=True,
                              timeout=LIMIT_SECONDS, check=False)
    said = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    if done.returncode != 0 or said or "Lua Error:" in done.stdout:
        raise LuaError("\n".join(said) or f"exit status {done.returncode}, or Lua Error in the output")
    return done.stdout


def run(packets, *arguments, captured=pcap.SNAP_LEN, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "capture.pcap"
        pcap.write(path, packets, captured)
        return call("-n", "-r", str(path), *arguments, **options)


def packets_of(messages, port=2269):
    return [pcap.udp(m, port) for m in messages]


def columns(packets, names, *arguments, **options):
    """One tuple of texts per packet."""
    asked = [a for n in (*names, "_ws.lua.error") for a in ("-e", n)]
    out = run(packets, *arguments, "-T", "fields", *asked, **options)
    rows = [tuple(line.split("\t")) for line in out.split("\n")[:-1]]
    errors = [r for r in rows if r[-1]]
    if errors:
        raise LuaError(errors[0])
    return [r[:-1] for r in rows]


def number(show):
    return {"True": 1, "False": 0}.get(show) if show in ("True", "False") else int(show, 0)


def micros(show):
    """Microseconds since 1970 of "Jan  1, 2026 00:00:00.250000000 UTC"."""
    month, day, year, clock, fraction = re.fullmatch(
        r"(\w{3}) +(\d+), (\d+) ([\d:]{8})\.(\d{9}) UTC", show).groups()
    parts = (int(year), MONTHS[month], int(day), *map(int, clock.split(":")))
    return calendar.timegm(time.struct_time(parts + (0, 0, 0))) * 1000000 + int(fraction) // 1000


def value_of(element, kinds):
    kind = kinds[element.get("name")]
    if kind == "FT_NONE":
        return None
    if kind == "FT_BYTES":
        return bytes.fromhex(element.get("value", ""))
    if kind == "FT_STRING":
        return element.get("show")
    if kind == "FT_ABSOLUTE_TIME":
        return micros(element.get("show"))
    return number(element.get("show"))


def walk(element, kinds, prefix, dissection):
    for child in element:
        name = child.get("name")
        if name == "_ws.expert":
            dissection.experts += [e.get("name").split(".")[1] for e in child if e.get("name").startswith(NAME)]
            continue
        if name.startswith(prefix + "."):
            dissection.fields.append((name.removeprefix(NAME + "."), int(child.get("pos")), int(child.get("size")),
                                      value_of(child, kinds)))
            dissection.shown.append(child.get("showname"))
        walk(child, kinds, prefix, dissection)


@functools.cache
def field_kinds():
    """Type of each field by filter name."""
    rows = [line.split("\t") for line in call("-G", "fields").splitlines() if line.startswith("F\t")]
    return {r[2]: r[3] for r in rows if r[2].startswith((NAME + ".", "mikey."))}


def dissect(packets, *arguments, protocol=NAME, **options):
    """A Dissection per packet; None where the protocol was not found."""
    out = run(packets, *arguments, "-T", "pdml", **options)
    kinds, result = field_kinds(), []
    for packet in ET.fromstring(out):
        found = [p for p in packet.iter() if p.get("name") == protocol]
        dissection = Dissection() if found else None
        for proto in found:
            walk(proto, kinds, protocol, dissection)
        result.append(dissection)
    return result
