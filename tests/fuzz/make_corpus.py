#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes seed inputs of the fuzz targets from tests/vectors. The results are in the repository; run this after
the vectors change: tests/fuzz/make_corpus.py [TARGET...]"""

import base64
import hashlib
import json
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
KEPT_PREFIXES = ("found-", "grown-")  # inputs of fuzzing, crashes and those that reach more: never removed here


def load(name):
    return json.loads((TESTS / "vectors" / name).read_text())


def ticket_parts(message):
    """TP Data, Ticket Data and Initiator Data of the TICKET right after the message's identities, if there is one."""
    for off in range(10, len(message) - 10):
        if message[off + 1 : off + 3] not in (b"\0\1", b"\0\2"):
            continue
        parts, pos = [], off + 8
        while len(parts) < 3 and pos + 2 <= len(message):
            length = int.from_bytes(message[pos : pos + 2], "big")
            parts.append(message[pos + 2 : pos + 2 + length])
            pos += 2 + length
        if len(parts) == 3 and pos <= len(message) and parts[0][:1] == b"\x0e":
            return parts
    return []


def message_inputs():
    """One message of each step, suite and error; the parts of tickets; plain key data; other forms of input."""
    seen = set()
    for exchange in load("exchanges.json"):
        for step in exchange["steps"]:
            if "message" not in step:
                continue
            octets = bytes.fromhex(step["message"])
            kind = (step["step"], exchange["suite"], exchange["name"])
            if exchange["name"] in ("mode1_forked", "mode1_not_forked", "mode1_all_key_types"):
                yield octets
            if kind[0] == "REQUEST_INIT" and exchange["suite"] == "B":
                yield octets
            if kind[:2] not in seen:
                seen.add(kind[:2])
                yield octets
                yield from ticket_parts(octets)
            for trace in step.get("trace", []):
                if trace.get("op") == "kemac" and exchange["name"] == "mode1_all_key_types":
                    yield bytes.fromhex(trace["plaintext"])
    for error in load("errors.json"):
        if error["suite"] == "A":
            yield bytes.fromhex(error["message"])
    octets = bytes.fromhex(load("errors.json")[0]["message"])
    yield octets.hex().encode()
    yield base64.b64encode(octets)
    yield b"v=0\r\na=key-mgmt:mikey " + base64.b64encode(octets) + b"\r\n"


def crypto_inputs():
    """Batches of like and of unlike operations; lengths on both sides of block boundaries."""
    lengths = [0, 1, 26, 44, 54, 55, 56, 63, 64, 65, 118, 119, 120, 128, 300, 640]
    pool = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(40))
    for kind in range(4):
        for i, length in enumerate(lengths):
            for n in (1, 17, 40):
                ops = b"".join(
                    bytes([kind if n < 40 else k % 4, 31 + 16 * (k % 3 if n > 17 else 0)])
                    + (length + (k if n == 40 else 0)).to_bytes(2, "big")
                    + (lengths[(i + k) % 16]).to_bytes(2, "big")
                    + bytes([k, 31 if n == 17 else 37 * k % 128])
                    for k in range(n)
                )
                if n == 1 or i % 4 == kind:
                    yield bytes([n]) + ops + pool


def ue_inputs():
    """Who listens, then what is said to a UE: responses with their KEMAC in plain text, TRANSFER_INIT, Errors."""
    listeners = {"REQUEST_RESP": 0, "RESOLVE_RESP": 1, "TRANSFER_RESP": 2, "TRANSFER_INIT": 3}
    for exchange in load("exchanges.json"):
        if exchange["suite"] != "B":
            continue
        for step in exchange["steps"]:
            if step["step"] not in listeners:
                continue
            message = step["message"]
            for trace in step["trace"]:
                if trace["op"] == "kemac" and trace["csb_id"] != "ffffffff":
                    message = message.replace(trace["ciphertext"], trace["plaintext"])
            yield bytes([listeners[step["step"]]]) + bytes.fromhex(message)
    for error in load("errors.json"):
        if error["suite"] == "B" and error.get("response"):
            yield bytes([error["entry"] == "resolve"]) + bytes.fromhex(error["response"])


def engine_inputs():
    """Initial messages of the exchanges; the CSB ID asks fuzz_engine.c to put MACs, time and keys right."""
    for exchange in load("exchanges.json"):
        for step in exchange["steps"]:
            if step["step"] not in ("REQUEST_INIT", "RESOLVE_INIT"):
                continue
            octets = bytearray.fromhex(step["message"])
            yield bytes(octets[:4]) + b"\0\0\0\x03" + bytes(octets[8:])
            if step["step"] == "REQUEST_INIT":
                continue
            response = exchange["steps"][exchange["steps"].index(step) + 1]
            ticket = next(t for t in response["trace"] if t["op"] == "kemac" and t["direction"] == "decrypt")
            octets = bytes(octets).replace(bytes.fromhex(ticket["ciphertext"]), bytes.fromhex(ticket["plaintext"]))
            yield octets[:4] + b"\0\0\0\x1f" + octets[8:]


def heartbeat_inputs():
    """Heartbeats: of a node alone, of one with keys, cursors and claims, of a newer version, cut and disordered."""

    def field(tag, octets):
        return tag.to_bytes(2, "big") + len(octets).to_bytes(2, "big") + octets

    def number(value):
        return value.to_bytes(8, "big")

    name = field(1, b"node1")
    plain = name + field(2, b"1.0") + b"".join(field(tag, number(tag)) for tag in range(3, 12))
    held = field(12, b"\1\5tpk-1") + field(12, b"\0\5tpk-2")
    cursors = field(13, number(7) + number(9)) + field(13, number(8) + number(1))
    claims = field(14, b"\4\1" + bytes(16) + number(3)) + field(14, b"\6\0" + bytes(range(16)) + number(4))
    yield name
    yield plain
    yield plain + held + cursors + claims
    yield plain + field(12, b"\1\5tpk-1newer") + field(14, b"\4\1" + bytes(16) + number(3) + b"newer") + field(99, b"x")
    yield plain[:-3]
    yield name + name
    yield claims + plain
    yield plain + field(14, b"\5\1" + bytes(16) + number(3))
    yield field(1, b"a b")
    yield plain + cursors * 200


def http_inputs():
    """Exchanges through the edge's relay: an answer in time, late, twice, on another socket, an Error first, all addresses silent."""

    def record(what, octets=b""):
        return bytes([what]) + len(octets).to_bytes(2, "big") + octets

    later = record(0xF0, bytes(10))
    seen = set()
    for exchange in load("exchanges.json"):
        for init, resp in zip(exchange["steps"], exchange["steps"][1:]):
            kind = (init["step"], exchange["suite"])
            if init["step"] not in ("REQUEST_INIT", "RESOLVE_INIT") or kind in seen:
                continue
            seen.add(kind)
            question, answer = bytes.fromhex(init["message"]), bytes.fromhex(resp["message"])
            other = question[:-1] + bytes([question[-1] ^ 1])
            error = b"\1\6\x0c\0" + question[4:8] + bytes(6)
            ask = record(0xE1, question)
            yield ask + record(1, answer)
            yield ask + record(1, answer) + record(1, answer) + record(0xE2, other) + record(1, answer) + record(2, answer)
            yield ask + later + record(1, answer) + record(5, answer)
            yield ask + record(1, error) + record(5, answer)
            yield ask + record(1, error) + record(5, error)
            yield ask + record(0xE2, other) + record(0xE3, question) + record(3, answer) + record(1, answer) + record(2, error)
            yield ask + later * 20 + record(1, answer)
            yield ask + record(1, answer[:-1]) + record(1, answer[:9]) + record(1)


def reassembly_inputs():
    """Fragments as fuzz_reassembly.c reads them: in order and not, twice, overlapping, unfinished, from many hosts."""
    more, other, six, tagged, settle = 1, 2, 4, 8, 16

    def piece(host, ident, offset, length, flags=0, ticks=0):
        return bytes((host, ident)) + (offset // 8).to_bytes(2, "big") + length.to_bytes(2, "big") + bytes((flags, ticks))

    def cut(host, ident, length, size, flags=0):
        return [piece(host, ident, at, min(size, length - at), flags | (more if at + size < length else 0))
                for at in range(0, length, size)]

    whole = cut(1, 2, 5000, 1480)
    yield b"".join(whole)
    yield b"".join(whole[::-1] + whole)
    yield b"".join(p for p in whole for _ in (1, 2))
    yield b"".join(cut(1, 3, 16392, 256, six) + cut(1, 3, 16392, 1232, tagged | settle))
    yield piece(1, 2, 0, 1024, more) + piece(1, 2, 512, 24) + piece(1, 2, 1024, 8)
    yield piece(1, 2, 0, 512, more) + piece(1, 2, 0, 512, more | other) + piece(1, 2, 512, 8)
    yield piece(1, 2, 512, 256) + piece(1, 2, 512, 256, more) + piece(1, 2, 1000, 8) + piece(1, 2, 0, 512, more)
    yield b"".join(piece(host, ident, 0, 512, more, 1) for host in range(20) for ident in range(20))
    yield b"".join(p for ident in range(20) for p in cut(7, ident, 600, 512))
    yield piece(1, 2, 0, 512, more, 200) + piece(1, 2, 512, 8) + piece(1, 2, 0, 512, more | settle)
    yield piece(1, 2, 65528, 65535) + piece(1, 2, 0, 0, more) + piece(1, 2, 0, 9, more) + piece(1, 2, 0, 8, more)


SUBSCRIBERS = [
    '{"psk_id": "alice", "psk": "000102030405060708090a0b0c0d0e0f", "uids": ["alice@ims.example"]}',
    '{"psk_id": "hex:00ff", "psk": "' + "5a" * 32 + '", "uids": ["a@d", "b@d"], "expires": "2040-02-29T23:59:60Z", "roles": ["function"]}',
    '{"psk_id": "tpk-1", "psk": "00", "uids": []}',
    '{"psk_id": "x", "psk": "' + "00" * 16 + '", "uids": ["?@d"], "expires": "2040-01-01T00:00:00+14:00"}',
    '{"psk_id": "é\\u0000", "psk": "zz", "uids": [7, null], "roles": "function"}',
]


def subscriber_inputs():
    """Lines of a subscriber file, right and wrong."""
    for line in SUBSCRIBERS + ["", "{", "[]", '"x"', '{"psk_id": "a", "psk_id": "b"}', "\ufeff" + SUBSCRIBERS[0]]:
        yield line.encode()


def admin_inputs():
    """Requests of tkmsctl, alone and one after the other, right and wrong."""

    def lines(*requests):
        return b"".join(json.dumps(r).encode() + b"\n" for r in requests)

    def command(name, **more):
        return {"command": name, **more}

    begin, commit = command("subscriber.import.begin", replace=True), command("subscriber.import.commit")
    load_lines = command("subscriber.import.lines", lines=[[n + 1, line] for n, line in enumerate(SUBSCRIBERS[:2])])
    texts = command("subscriber.import.lines", lines=SUBSCRIBERS, first=1)
    for name in ("status", "key.list", "key.rotate", "subscriber.count", "subscriber.list", "node.list", "node.drain",
                 "node.undrain", "nothing", "subscriber.import.commit", "key.export", "key.import", "subscriber.add"):
        yield lines(command(name))
    yield lines(begin, load_lines, commit, command("subscriber.show", psk_id="alice"), command("subscriber.remove", psk_id="alice"))
    yield lines(begin, texts, commit)
    yield lines(begin, begin, load_lines)
    yield lines(command("subscriber.list", after="a"), command("subscriber.show", psk_id="hex:0"))
    key = command("key.import", id="tpk-x", key="5a" * 32, activate=True, allow_short=False)
    yield lines(key, command("key.revoke", id="tpk-x"), command("key.export", id="tpk-x", passphrase="p"))
    yield lines(command("node.forget", node="n"), command("key.revoke"), 7, [], None)
    yield b"{\n\n\xff\xfe\n" + b"[" * 3000 + b"\n"


def config_inputs():
    """The example with every setting; each section alone; what YAML has besides."""
    example = (TESTS.parent / "deploy" / "tkms.yaml").read_text()
    bare = "\n".join(line for line in example.splitlines() if line.strip() and not line.lstrip().startswith("#")) + "\n"
    must = 'kms: {identity: kms@d}\nservice: {addresses: [192.0.2.1/24, "2001:db8::1/64"]}\n'
    yield bare.encode()
    yield must.encode()
    section = []
    for line in bare.splitlines():
        if not line.startswith(" ") and section:
            yield "\n".join(section).encode()
            section = []
        section.append(line)
    yield (must + "policy: {rules: [{from: '?@a', to: '?@b', allow: false}], ticket_types: [{type: 2, subtype: 0, version: 0}]}\n").encode()
    yield (must + "policy: &a {max_skew: 1d}\nlimits: *a\n").encode()
    yield (must + "kms: {identity: twice@d}\nunknown: 1\n").encode()
    yield (must + "keys: {rotation_interval: 99999999999999999999d, activation_lead: -1s}\n").encode()
    yield b"- a\n- b\n"
    yield b"\xef\xbb\xbf" + must.encode() + b"---\n%YAML 1.2\n"


TARGETS = {
    "admin": admin_inputs,
    "config": config_inputs,
    "crypto": crypto_inputs,
    "engine": engine_inputs,
    "heartbeat": heartbeat_inputs,
    "http": http_inputs,
    "message": message_inputs,
    "reassembly": reassembly_inputs,
    "subscriber": subscriber_inputs,
    "ue": ue_inputs,
}


def make(target):
    directory = TESTS / "fuzz" / "corpus" / target
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        if not old.name.startswith(KEPT_PREFIXES):
            old.unlink()
    for octets in TARGETS[target]():
        (directory / hashlib.sha1(octets).hexdigest()[:16]).write_bytes(octets)
    print(f"{target}: {len(list(directory.iterdir()))} inputs")


for name in sys.argv[1:] or TARGETS:
    make(name)
