#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves this implementation on the vectors: vectors.py DIRECTORY

Everything must come out octet by octet: PRFs, primitives, every message of every exchange with the draws given in the
vectors, the cryptographic trace of every step, the session keys, the Errors.
"""
import json
import pathlib
import sys

import aes
import keys
import kms as model
import mikey
import ue as ues
from mikey import ROLE_R
from ue import first

unhex = bytes.fromhex


def equal(what, got, want):
    if got != want:
        raise AssertionError(f"{what}\n  got  {got.hex() if isinstance(got, bytes) else got}\n"
                             f"  want {want.hex() if isinstance(want, bytes) else want}")


def check_prf(vectors):
    for v in vectors:
        equal(v["name"], keys.prf(v["prf_func"], unhex(v["inkey"]), unhex(v["label"]), v["outkey_len"]).hex(),
              v["outkey"])
    return len(vectors)


def check_primitives(vectors):
    for v in vectors["iv"]:
        equal("t64", keys.time64(v["ts_type"], unhex(v["ts_value"])).hex(), v["t64"])
        equal("IV", keys.make_iv(unhex(v["salt"]), unhex(v["csb_id"]), unhex(v["t64"])).hex(), v["iv"])
    for v in vectors["aes_cm"]:
        equal("AES-CM", aes.counter_mode(unhex(v["key"]), unhex(v["iv"]), unhex(v["plaintext"])).hex(), v["ciphertext"])
    for v in vectors["aes_kw"]:
        equal("AES-KW", aes.key_wrap(unhex(v["key"]), unhex(v["iv"]), unhex(v["plaintext"])).hex(), v["ciphertext"])
        equal("AES-KW", aes.key_unwrap(unhex(v["key"]), unhex(v["iv"]), unhex(v["ciphertext"])).hex(), v["plaintext"])
    for v in vectors["hmac"]:
        equal("HMAC", keys.compute_mac(v["mac_alg"], unhex(v["key"]), unhex(v["data"])).hex(), v["mac"])
    for v in vectors["wildcard"]:
        equal(f"{v['pattern']} {v['name']}", model.matches(v["pattern"].encode(), v["name"].encode()), v["match"])
    return sum(len(v) for v in vectors.values())


class Exchange:
    """Plays an exchange again, step by step."""

    def __init__(self, vector):
        config = vector["config"]
        self.vector, self.names = vector, [s["step"] for s in vector["steps"]]
        self.kms_id = config["kms_identity"].encode()
        self.subscribers = [model.Subscriber(s["psk_id"].encode(), unhex(s["psk"]), [u.encode() for u in s["uids"]])
                            for s in config["subscribers"]]
        self.tpks = [model.Tpk(k["tpk_id"].encode(), unhex(k["tpk"]), k["kind"], k["owner"] and k["owner"].encode())
                     for k in config["tpks"]]
        self.tpk_alice_bob = unhex(config["tpk_alice_bob"])
        alice, bob = (ues.Ue(s.psk_id, s.psk, s.uids, self.kms_id, vector["suite"]) for s in self.subscribers[:2])
        self.initiator, self.responder = alice, bob
        lifetime = 600 if vector["name"] == "mode1_policy_changed" else 1 << 31
        self.kms = model.Kms(self.kms_id, self.subscribers, self.tpks, lifetime)
        self.draws = []
        for party in (alice, bob, self.kms):
            party.draw = self.next_draw
        self.known = {}
        self.sessions = None

    def next_draw(self, what, length):
        for i, (name, value) in enumerate(self.draws):
            if name == what:
                equal(f"length of {what}", len(value), length)
                return self.draws.pop(i)[1]
        raise AssertionError(f"the vector draws no {what}")

    def run(self):
        for step in self.vector["steps"]:
            self.draws = [(t["what"], unhex(t["value"])) for t in step["trace"] if t["op"] == "random"]
            keys.trace.clear()
            message = unhex(step["message"]) if "message" in step else None
            name = step["step"].replace(" ", "_").lower()
            if step["step"] == "derive keys":
                name = f"{step['who']}_derives"
            where = f"{self.vector['name']} {self.vector['suite']} {step['who']} {step['step']}"
            made = getattr(self, name)(message, step)
            if message is not None:
                equal(where, made, message)
                self.known[step["step"]] = message
            self.draws = [d for d in self.draws if d[0] != "SSRC"]
            equal(f"{where}: draws left", self.draws, [])
            done = [t for t in keys.take_trace() if t["op"] != "random"]
            wanted = [t for t in step["trace"] if t["op"] != "random"]
            for got, want in zip(done, wanted):
                equal(f"{where} trace", got, want)
            equal(f"{where}: length of the trace", len(done), len(wanted))
        want = {s["cs_id"]: (unhex(s["tek"]), unhex(s["salt"]) if s["salt"] else None) for s in self.vector["sessions"]}
        equal("sessions", self.sessions, want)

    @staticmethod
    def ts(payload):
        return payload.ts_type, payload.value

    def request_init(self, message, step):
        del step
        _, wish = mikey.parse(message)
        policy = first(wish, mikey.TP).policy
        policy = mikey.Policy(policy.flags, policy.prf, policy.payloads, policy.kind)
        self.sent = self.initiator.request(policy, t=self.ts(wish[0]))
        return self.sent.octets

    def request_resp(self, message, step):
        del step
        _, payloads = mikey.parse(message)
        inner, _, _, name, _ = model.base.parts(first(payloads, mikey.TICKET).data)
        sealing = next(k for k in self.tpks if k.tpk_id == name.data)
        now = ues.unix(payloads[0].value)
        return self.kms.grant(self.known["REQUEST_INIT"], now, self.ts(payloads[0]), self.ts(inner), sealing)

    def process_request_resp(self, message, step):
        del message, step
        self.granted = self.initiator.open_grant(self.sent, self.known["REQUEST_RESP"], clock_slack=None)

    def create_ticket(self, message, step):
        del message
        transfer = next(s["message"] for s in self.vector["steps"] if s["step"] == "TRANSFER_INIT")
        ticket = first(mikey.parse(unhex(transfer))[1], mikey.TICKET)
        t, _, _, name, _ = model.base.parts(ticket.data)
        tpk = {b"psk-alice": self.initiator.psk, b"tpk-ab": self.tpk_alice_bob}[name.data]
        key, spi = (self.next_draw(what, len(unhex(value))) for what, value in
                    [(d["what"], d["value"]) for d in step["trace"] if d["op"] == "random"][:2])
        policy = mikey.Policy(ticket.policy.flags, ticket.policy.prf, ticket.policy.payloads, ticket.policy.kind)
        self.granted = self.initiator.make_grant(policy, name.data, tpk, [ues.Secret(mikey.TGK, key, spi=spi)],
                                                 self.ts(t))

    def transfer_init(self, message, step):
        del step
        header, wish = mikey.parse(message)
        kemac = first(wish, mikey.KEMAC)
        assert kemac is None, "vectors with a KEMAC of the Initiator are not expected"
        sessions = ues.sessions_of(header)
        policies = [p for p in wish if p.kind == mikey.SP]
        to = first(wish, mikey.IDR, ROLE_R).data
        self.transfer = self.initiator.transfer(self.granted, to, sessions, policies, t=self.ts(wish[0]))
        return self.transfer.octets

    def resolve_init(self, message, step):
        del step
        _, wish = mikey.parse(message)
        self.sent_resolve = self.responder.resolve(self.transfer.ticket, t=self.ts(wish[0]),
                                                   identity=first(wish, mikey.IDR, ROLE_R).data)
        return self.sent_resolve.octets

    def resolve_resp(self, message, step):
        del step
        _, payloads = mikey.parse(message)
        now = ues.unix(payloads[0].value)
        return self.kms.resolve(self.known["RESOLVE_INIT"], now, self.ts(payloads[0]))

    def process_resolve_resp(self, message, step):
        del message, step
        self.resolution = self.responder.open_resolution(self.sent_resolve, self.known["RESOLVE_RESP"],
                                                         self.transfer.ticket.policy, clock_slack=None)
        self.responder.check_transfer(self.resolution, self.transfer.octets)

    def resolve_locally(self, message, step):
        del message, step
        ticket = self.transfer.ticket
        name = model.base.parts(ticket.data)[3].data
        tpk = {b"psk-bob": self.responder.psk, b"tpk-ab": self.tpk_alice_bob}[name]
        self.resolution = self.responder.resolve_locally(ticket, tpk)
        self.responder.check_transfer(self.resolution, self.transfer.octets)

    def transfer_resp(self, message, step):
        header, wish = mikey.parse(message)
        sessions = ues.sessions_of(header)
        own_keys = None
        if first(wish, mikey.KEMAC):
            own_keys = model.base.secrets_of(unhex(next(t for t in step["trace"] if t["op"] == "kemac")["plaintext"]))
        octets, self.sessions = self.responder.respond(self.resolution, self.known["TRANSFER_INIT"], sessions,
                                                       [p for p in wish if p.kind == mikey.SP], own_keys,
                                                       t=self.ts(wish[0]))
        return octets

    def process_transfer_resp(self, message, step):
        del message, step
        equal("keys of both", self.initiator.finish(self.transfer, self.known["TRANSFER_RESP"]), self.sessions)

    def initiator_derives(self, message, step):
        del message, step
        self.both(self.initiator.finish(self.transfer, None))

    def responder_derives(self, message, step):
        del message, step
        octets, found = self.responder.respond(self.resolution, self.known["TRANSFER_INIT"])
        equal("TRANSFER_RESP", octets, None)
        self.both(found)

    def both(self, found):
        if self.sessions is not None:
            equal("keys of both", found, self.sessions)
        self.sessions = found


def check_exchanges(vectors):
    for vector in vectors:
        Exchange(vector).run()
    return len(vectors)


def check_errors(vectors):
    for v in vectors:
        kms = Exchange({**v, "steps": []}).kms
        octets, clock = unhex(v["message"]), unhex(v["kms_clock_ntp"])
        keys.trace.clear()
        where = f"{v['name']} {v['suite']}"
        try:
            judge = kms.judge_request if v["entry"] == "request" else kms.judge_resolve
            judge(octets, ues.unix(clock))
        except model.Fault as fault:
            equal(f"{where}: {fault}", fault.number, v["error_no"])
            equal(f"{where}: authenticated", fault.authenticated, v["authenticated"])
            answer = kms.error(octets, fault.number, (mikey.NTP_UTC, clock), fault.authenticated)
            equal(f"{where}: Error message", answer.hex(), v["response"])
        else:
            raise AssertionError(f"{where}: accepted")
        equal(f"{where}: trace", keys.take_trace(), v["trace"])
    return len(vectors)


def main(directory):
    checks = {"prf": check_prf, "primitives": check_primitives, "exchanges": check_exchanges, "errors": check_errors}
    for name, run in checks.items():
        count = run(json.loads((pathlib.Path(directory) / f"{name}.json").read_text()))
        print(f"ok: {count} vectors of {name}.json are reproduced")


if __name__ == "__main__":
    main(sys.argv[1])
