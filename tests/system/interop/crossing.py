#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tkms-ue and the UE in Python in the same calls: crossing.py TKMS_UE ADDRESS [PORT]

Each is Initiator and Responder once, over the KMS at ADDRESS; then tkms-ue talks to the model of the KMS. Every message
of tkms-ue is parsed and judged here.
"""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

import keys
import kms as model
import mikey
import ue as ues
import world as worlds
from calls import SRTP, sessions_for
from mikey import ROLE_I, ROLE_KMS, ROLE_PSK, ROLE_R
from ticket import Refused, require
from ue import Secret, first

BOB = "bob@tkms.example"
KMS = "kms@tkms.example"


class Program:
    """tkms-ue with its files in a directory."""

    def __init__(self, program, directory):
        self.program, self.directory = program, pathlib.Path(directory)
        for name, (psk_id, psk, uids) in worlds.people().items():
            text = psk_id.decode() if psk_id.isascii() else f"hex:{psk_id.hex()}"
            ue = {"psk_id": text, "psk": psk.hex(), "uids": [u.decode() for u in uids], "kms_identity": KMS}
            self.file(f"{name}.json").write_text(json.dumps(ue))
            self.file(f"{name}.json").chmod(0o600)
        self.tpk = keys.prf(1, b"alice and bob", b"interop", 256)
        self.file("tpk.json").write_text(json.dumps({"id": "tpk-ab", "key": self.tpk.hex()}))
        self.file("tpk.json").chmod(0o600)

    def file(self, name):
        return self.directory / name

    def run(self, command, *options):
        done = subprocess.run([self.program, command, *options, "--json"], cwd=self.directory, capture_output=True,
                              text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise Refused(f"tkms-ue {command} {' '.join(options)}: status {done.returncode}: "
                          f"{done.stdout[-500:]} {done.stderr}")
        return json.loads(done.stdout)


def sessions_of(report):
    return {s["cs_id"]: (bytes.fromhex(s["tek"]), bytes.fromhex(s["salt"]) if s.get("salt") else None)
            for s in report["sessions"]}


def check_transfer_init(octets, psk_length):
    """What 4.2.2.1 and 12.1 say about the form of TRANSFER_INIT."""
    header, payloads = mikey.parse(octets)
    require(header.data_type == mikey.TRANSFER_INIT and header.version == 1, "header of TRANSFER_INIT")
    require(header.map_type == mikey.GENERIC_MAP, "map of TRANSFER_INIT")
    ticket = first(payloads, mikey.TICKET)
    require(header.v_flag == ("F" in ticket.policy.flags), "V flag does not agree with F")
    kinds = [p.kind for p in payloads if p.kind != mikey.SP]
    wanted = [mikey.T, mikey.RANDR, mikey.IDR, mikey.IDR, mikey.TICKET, mikey.V]
    require(kinds == wanted, f"TRANSFER_INIT of {kinds}")
    require([p.role for p in payloads if p.kind == mikey.IDR] == [ROLE_I, ROLE_R], "identities of TRANSFER_INIT")
    require(abs(ues.unix(payloads[0].value) - time.time()) < 10, "T of TRANSFER_INIT")
    require(len(payloads[1].rand) >= min(psk_length, 32), "RANDRi shorter than the MPK")
    require(bool(ticket.initiator_data) == ("I" in ticket.policy.flags), "Initiator Data and I disagree")
    require("K" not in ticket.policy.flags or "D" in ticket.policy.flags, "K without D")
    return ticket


def plays(suite):
    """(name, mode, options of tkms-ue) of calls that it makes."""
    size = 16 if suite == "A" else 32
    every = ",".join(f"{kind}:{size}:0{i}" for i, kind in enumerate(mikey.KEY_TYPES[:6]))
    yield "plain", 1, ()
    yield "TGK and TEK", 1, ("--keys", f"TGK:{size},TEK:{size}")
    yield "every key type", 1, ("--keys", every)
    yield "not forked", 1, ("--flags", "DEFGHNO")
    yield "one way", 1, ("--flags", "DEHNO")
    yield "without RANDRi", 1, ("--flags", "DEFGINO")
    yield "3GPP ticket", 1, ("--ticket-type", "2,0,0")
    yield "32-bit timestamps", 1, ("--ts-type", "utc32")
    yield "a group", 1, ("--recipient", "?@tkms.example")
    yield "applications", 1, ("--app", "one", "--app", "two")
    yield "mode 2", 2, ()
    yield "mode 3", 3, ()
    yield "mode 3, every key type", 3, ("--keys", every)
    yield "mode 4", 4, ()


def initiated_by_program(program, link, kms_option, suite, name, mode, options):
    """tkms-ue calls, Python answers."""
    bob = ues.Ue(*worlds.people()["bob"], KMS.encode(), suite)
    shared = ("--tpk", "tpk.json") if mode == 4 else ()
    to = () if "--recipient" in options else ("--recipient", BOB)
    kms = kms_option if mode < 3 else ()
    program.run("request", *kms, "--as", "alice.json", *to, "--ticket", "ticket", "--suite", suite, "--mode", str(mode),
                *shared, *options)
    program.run("transfer", "--as", "alice.json", "--ticket", "ticket", "--callee", BOB, "--message", "message",
                "--format",
                "binary", "--suite", suite)
    octets = program.file("message").read_bytes()
    ticket = check_transfer_init(octets, 16 if suite == "A" else 32)
    if mode in (2, 4):
        resolution = bob.resolve_locally(ticket, bob.psk if mode == 2 else program.tpk)
    else:
        sent = bob.resolve(ticket)
        resolution = bob.open_resolution(sent, link.ask(sent.octets), ticket.policy)
    bob.check_transfer(resolution, octets)
    answer, mine = bob.respond(resolution, octets)
    more = ()
    if answer is not None:
        program.file("answer").write_bytes(answer)
        more = ("--answer", "answer")
    report = program.run("finish", "--as", "alice.json", "--ticket", "ticket", "--message", "message", *more,
                         "--show-keys",
                         "--suite", suite)
    require(sessions_of(report) == mine, f"{name}: the session keys differ")
    require(len(mine) > 0, f"{name}: no sessions")


def answered_by_program(program, link, kms_option, suite, flags, wanted, mode, literal_vi=False):
    """Python calls, tkms-ue answers."""
    world = worlds.World.__new__(worlds.World)
    world.link, world.kms, world.clock, world.people = link, KMS.encode(), time.time, worlds.people()
    alice = world.ue("alice", suite)
    if mode in (1, 2):
        sent = alice.request(world.policy(alice, BOB.encode(), flags=flags, wanted=wanted))
        grant = alice.open_grant(sent, link.ask(sent.octets))
    else:
        name, key = (alice.psk_id, alice.psk) if mode == 3 else (b"tpk-ab", program.tpk)
        size = 32 if suite == "B" else 16
        found = [Secret(mikey.TGK, alice.draw("TGK", size), spi=b"abcd"),
                 Secret(mikey.TEK_SALT, bytes(range(16)), bytes(14), b"e")]
        grant = alice.make_grant(world.policy(alice, BOB.encode(), flags=flags), name, key, found)
    transfer = alice.transfer(grant, BOB.encode(), sessions_for(grant.keys), SRTP, literal_vi=literal_vi)
    program.file("message").write_bytes(transfer.octets)
    options = ("--tpk", "tpk.json") if mode == 4 else ()
    kms = kms_option if mode in (1, 3) else ()
    one_way = "F" not in flags
    program.file("answer").unlink(missing_ok=True)
    report = program.run("resolve", *kms, "--as", "bob.json", "--message", "message", "--answer", "answer", "--format",
                         "binary", "--show-keys", "--suite", suite, "--mode", str(mode), *options)
    answer = None if one_way else program.file("answer").read_bytes()
    mine = alice.finish(transfer, answer)
    require(sessions_of(report) == mine, "the session keys differ")
    if answer is not None:
        header, payloads = mikey.parse(answer)
        require(header.v_flag == 0 and payloads[-1].kind == mikey.V, "form of TRANSFER_RESP")


class ModelServer:
    """The model of the KMS behind a UDP socket, with what it has against the messages it got."""

    def __init__(self):
        people = worlds.people()
        tpks = [model.Tpk(b"tpk-model", bytes(range(32)))] + [model.Tpk(p[0], p[1], "psk",
                                                                        p[0]) for p in people.values()]
        self.kms = model.Kms(KMS.encode(), [model.Subscriber(*p) for p in people.values()], tpks, 7 * worlds.DAY)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.received, self.faults = [], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            octets, sender = self.socket.recvfrom(65535)
            self.received.append(octets)
            now = time.time()
            t = (mikey.NTP_UTC, ues.ntp(now))
            answer = self.kms.grant if octets[1] == mikey.REQUEST_INIT_PSK else self.kms.resolve
            try:
                self.check_form(octets)
                self.socket.sendto(answer(octets, now, t), sender)
            except (model.Fault, Refused, mikey.Malformed) as error:
                self.faults.append(f"{type(error).__name__}: {error}: {octets.hex()}")

    @staticmethod
    def check_form(octets):
        """4.2.1.1, 4.2.1.2, 4.2.3.1, 4.2.3.2 and 12.1: what a careful UE sends."""
        header, payloads = mikey.parse(octets)
        request = header.data_type == mikey.REQUEST_INIT_PSK
        role, kind = (ROLE_I, mikey.TP) if request else (ROLE_R, mikey.TICKET)
        require((header.v_flag, header.cs, header.map_type) == (1, 0, mikey.EMPTY_MAP), "V flag or map")
        order = [(mikey.T, None), (mikey.RANDR, role), (mikey.IDR, role), (mikey.IDR, ROLE_KMS), (kind, None),
                 (mikey.IDR, ROLE_PSK), (mikey.V, None)]
        require([(p.kind, p.fields.get("role")) for p in payloads] == order, f"payloads {payloads}")
        require(len(payloads[1].rand) >= 32, "RANDR shorter than the PSK")
        if request:
            tp = payloads[4].policy
            require("K" not in tp.flags and tp.res == 0, "K flag or reserved bits in TP")
            for p in tp.all(mikey.KEMAC):
                require(all(not any(k.key) for k in mikey.parse_keys(p.data)), "Key data in TP are not zero")


def modelled(program, suite, name, mode, options):
    """tkms-ue on both sides, the model between."""
    server = ModelServer()
    program.run("call", "--kms", f"127.0.0.1:{server.port}", "--from", "alice.json", "--to", "bob.json", "--suite",
                suite,
                "--mode", str(mode), *options)
    require(not server.faults, f"{server.faults}")
    wanted = {1: 2, 2: 1, 3: 1, 4: 0}[mode]
    # Asked again when the model was slow: the same octets.
    got = len(set(server.received))
    require(got == wanted, f"{name}: {got} messages to the KMS, not {wanted}")


def main(program, address, port="2269"):
    link = worlds.Link(address, int(port))
    kms_option = ("--kms", f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
    failed = count = 0
    with tempfile.TemporaryDirectory() as directory:
        program = Program(program, directory)
        played = []
        for suite in "AB":
            size = 16 if suite == "A" else 32
            for name, mode, options in plays(suite):
                played.append((f"tkms-ue calls Python, suite {suite}, {name}", initiated_by_program,
                               (program, link, kms_option, suite, name, mode, options)))
                played.append((f"tkms-ue with the model, suite {suite}, {name}", modelled,
                               (program, suite, name, mode, options)))
            tgk = [mikey.key_data(mikey.TGK, bytes(size), spi=b"abcd"), mikey.key_data(mikey.GTGK, bytes(16), spi=b"e")]
            for flags, wanted, mode, literal in (
                    ("DEFGHINO", None, 1, False), ("DEFGHINO", tgk, 1, False), ("DEFGINO", None, 1, False),
                ("DEFGHNO", None, 1, False),
                    ("DEHNO", None, 1, False), ("DEFHNO", None, 1, False), ("DFGHNO", None, 2, False),
                ("EFGHILNO", None, 3, False),
                    ("EFGHLNO", None, 3, False), ("FGHLNO", None, 4, False)):
                played.append((f"Python calls tkms-ue, suite {suite}, flags {flags}, mode {mode}", answered_by_program,
                               (program, link, kms_option, suite, flags, wanted, mode, literal)))
        for name, play, arguments in played:
            count += 1
            try:
                play(*arguments)
            except (Refused, ues.ErrorAnswer, mikey.Malformed, worlds.Failure, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"FAILED: {name}: {type(error).__name__}: {error}")
    print(f"{count} calls between tkms-ue and Python, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
