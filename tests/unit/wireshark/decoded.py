# SPDX-License-Identifier: BSD-3-Clause
"""What the C decoder says of messages, in the dissector's names."""
import calendar
import json
import re
import subprocess
import time

GROUPS = {"parameter": "sp.param", **{part: part for part in ("tp_data", "ticket_data", "initiator_data")}}
SAME_NAME = {"first_payload", "next_payload"}
# "meaning" explains a value; "octets" is what was not understood; names of groups and lists are no fields.
NO_FIELD = {"name", "offset", "length", "meaning", "octets", "error"}
ID_NAMES = {"IDRi", "IDRr", "IDRkms", "IDRpsk", "IDRapp"}
TR_NAMES = {"TRi", "TRs", "TRe"}
NUMBERS = {"csb_id", "ssrc", "roc", "seq"}


def filter_of(label):
    return re.sub(r"_$", "", re.sub(r"[^a-z0-9_]+", "_", label.lower().replace("#", "n_")))


def micros(text):
    seconds, fraction = text[:-1].split(".")
    return calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) * 10**6 + int(fraction)


class Flattened:
    """fields: (name, value) in the message's order; names: of values of tables; faulty: an error was found."""

    def __init__(self, decoded):
        self.fields, self.names, self.faulty = [], [], "error" in decoded
        if "hdr" in decoded:
            self.group("hdr", decoded["hdr"])
        self.elements(decoded.get("payloads", []))

    def elements(self, elements):
        for e in elements:
            self.group(GROUPS.get(e["name"], filter_of(e["name"])), e)

    def group(self, prefix, members):
        self.faulty |= "error" in members
        for key, value in members.items():
            if isinstance(value, list):
                self.elements(value)
            elif key in GROUPS:
                self.group(key, value)
            elif key not in NO_FIELD or (key == "length" and isinstance(value, dict)):
                self.leaf(prefix, key, value, members)

    def leaf(self, prefix, key, value, members):
        role = members.get("ts_role", members.get("id_role", {})) or {}
        name = key if key in SAME_NAME and prefix != "hdr" else f"{prefix}.{key}"
        if isinstance(value, dict):
            self.add(name, value["value"])
            if value["name"]:
                self.names.append((name, value["value"], value["name"]))
        elif key == "flags":
            for letter in "DEFGHIJKLMNO":
                self.add(f"{prefix}.flag_{letter.lower()}", int(letter in value))
        elif key == "ps":
            for policy in bytes.fromhex(value):
                self.add(f"{prefix}.policy_no", policy)
        elif key == "time":
            self.add(role["name"].lower() if role.get("name") in TR_NAMES else name, micros(value))
        elif key == "seconds":
            self.add("trr", value)
        elif key == "text":
            of_role = role["name"].lower() if role.get("name") in ID_NAMES else "id.text"
            self.add(of_role if prefix in ("id", "idr") else name, value)
        elif isinstance(value, str):
            octets = bytes.fromhex(value)
            self.add(name, int.from_bytes(octets, "big") if key in NUMBERS else octets)
        else:
            self.add(name, value)

    def add(self, name, value):
        if value not in (b"", ""):
            self.fields.append((name, value))


def decode(program, messages):
    lines = "".join(f"0x{m.hex()}\n" if m else "\n" for m in messages)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(done.stdout.rstrip()):
        decoded, at = decoder.raw_decode(done.stdout, at)
        at += 1
        found.append(Flattened(decoded))
    if len(found) != len(messages):
        raise ValueError(f"{len(messages)} messages, {len(found)} answers")
    return found
