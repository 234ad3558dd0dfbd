# SPDX-License-Identifier: BSD-3-Clause
"""A KMS under test, its subscribers, and what may be expected of its answers.

A Case is a message and an expectation. World.run() sends many at a time, waits until the KMS has certainly had its
turn, and counts what is not as expected.
"""
import random
import select
import socket
import time

import keys
import kms as model
import mikey
import ue as ues
from mikey import ROLE_I, ROLE_KMS, ROLE_R
from ticket import Refused, require
from ue import ErrorAnswer, Sent, Ue

RANDOM = random.Random(6043)
SILENCE = -1
# In flight at once: what the smallest buffers on the way hold.
WINDOW, WINDOW_OCTETS = 24, 60000
ATTEMPTS, PATIENCE = 4, 1.0
DAY = 86400

PEOPLE = {
    "alice": ("psk-alice", 32, ["alice@tkms.example", "alice.work@tkms.example"]),
    "bob": ("psk-bob", 32, ["bob@tkms.example", "user1.department@tkms.example", "bobby@other.example"]),
    "carol": ("psk-carol", 16, ["carol@other.example"]),
    "dave": (b"\0\xff\x80dave", 24, ["dave@tkms.example"]),
    "mallory": ("psk-mallory", 32, ["mallory@tkms.example"]),
}


def people():
    """{name: (psk_id, psk, uids)} in octets; the PSKs are always the same."""
    made = {}
    for name, (psk_id, size, uids) in PEOPLE.items():
        psk_id = psk_id.encode() if isinstance(psk_id, str) else psk_id
        psk = keys.prf(1, name.encode(), b"interop", 8 * size)
        made[name] = (psk_id, psk, [u.encode() for u in uids])
    return made


def jsonl():
    """The subscribers as the KMS imports them."""
    import json
    for psk_id, psk, uids in people().values():
        text = psk_id.decode() if psk_id.isascii() else f"hex:{psk_id.hex()}"
        yield json.dumps({"psk_id": text, "psk": psk.hex(), "uids": [u.decode() for u in uids]})


class Failure(Exception):
    """The KMS did not do what it must."""


class Case:
    """who made the message; expect(world, case, answer or None) raises when the answer is wrong."""

    def __init__(self, name, who, sent, expect):
        self.name, self.who, self.sent, self.expect = name, who, sent, expect


def plain(octets, like=None):
    """A Sent for octets that no Ue made (or that were spoiled after the MAC)."""
    head = octets[:10].ljust(10, b"\0")
    header = mikey.Header(head[1], head[4:8], head[3] & 0x7F, version=head[0])
    sent = Sent(octets, header, None, like.mac_alg if like else 0, b"")
    sent.auth_key = like.auth_key if like else b""
    return sent


def windows(messages):
    """messages in portions that may be in flight together."""
    part, octets = [], 0
    for m in messages:
        if part and (len(part) == WINDOW or octets + len(m) > WINDOW_OCTETS):
            yield part
            part, octets = [], 0
        part.append(m)
        octets += len(m)
    if part:
        yield part


class Link:
    """One UDP socket to the KMS. A probe that is always answered tells when everything sent before had its turn."""

    def __init__(self, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.socket.connect((address, port))
        self.sent = 0

    def send(self, octets):
        self.socket.send(octets)
        self.sent += 1

    @staticmethod
    def probe():
        header = mikey.Header(0, RANDOM.randbytes(4), 0)
        return mikey.message(header, [mikey.t(0, bytes(8)), mikey.rand(bytes(32))])

    def ask_all(self, messages):
        """{CSB ID: [answers]} of messages; asks again what was not answered, for datagrams may get lost."""
        answers = {}
        heard = False
        for attempt in range(ATTEMPTS):
            waiting = [m for m in messages if m[4:8] not in answers]
            if not waiting:
                break
            heard = all([self.round(part, answers) for part in windows(waiting)])
            if heard and attempt:
                break
        if not heard and any(m[4:8] not in answers for m in messages):
            raise Failure("the KMS does not even answer what it always answers")
        return answers

    def round(self, messages, answers):
        """Sends messages and a probe; true when the probe was answered: then everything before had its turn."""
        probe = self.probe()
        wanted = {m[4:8] for m in messages}
        for octets in messages:
            self.send(octets)
        self.send(probe)
        deadline = time.monotonic() + PATIENCE
        drain = None
        while True:
            now = time.monotonic()
            if wanted <= answers.keys() or (drain is not None and now > drain):
                return True
            if now > deadline:
                return False
            ready, _, _ = select.select([self.socket], [], [], (drain or deadline) - now)
            if not ready:
                continue
            answer = self.socket.recv(65535)
            if answer[4:8] == probe[4:8]:
                drain = time.monotonic() + 0.01
            else:
                answers.setdefault(answer[4:8], []).append(answer)

    def ask(self, octets):
        found = self.ask_all([octets]).get(octets[4:8])
        return found[0] if found else None


class World:
    def __init__(self, address, port=2269, profile="rfc6043", kms="kms@tkms.example", clock=time.time, sealing=None,
                 default_lifetime=DAY):
        """sealing: (id, key) of the KMS's sealing key when it is known."""
        self.link, self.profile, self.clock, self.kms = Link(address, port), profile, clock, kms.encode()
        self.people = people()
        subscribers = [model.Subscriber(*p) for p in self.people.values()]
        tpks = [model.Tpk(p[0], p[1], "psk", p[0]) for p in self.people.values()]
        if sealing:
            tpks.insert(0, model.Tpk(*sealing))
        self.model = model.Kms(self.kms, subscribers, tpks, 7 * DAY, profile, default_lifetime=default_lifetime)
        self.sealing = sealing
        self.failures, self.count, self.asked = [], 0, {}

    def ue(self, name, suite="B"):
        return Ue(*self.people[name], self.kms, suite, self.clock)

    # making

    def tp_data(self, who, to, lifetime=3600, start=None, omit=(), more=(), end_type=mikey.NTP_UTC_32):
        """Payloads of TP Data as a careful Initiator sends them: nothing left for the KMS to add."""
        now = self.clock()
        stamp = ues.ntp32 if end_type == mikey.NTP_UTC_32 else ues.ntp
        found = [mikey.idr(ROLE_KMS, self.kms), mikey.idr(ROLE_I, who.uids[0])]
        if start is not None:
            found.append(mikey.tr(mikey.TR_S, mikey.NTP_UTC_32, ues.ntp32(now + start)))
        if lifetime is not None:
            found.append(mikey.tr(mikey.TR_E, end_type, stamp(now + lifetime)))
        found += list(more)
        found += [mikey.idr(ROLE_R, r) for r in ([to] if isinstance(to, bytes) else to)]
        return [p for p in found if not (p.kind == mikey.IDR and p.body[0] in omit)]

    def policy(self, who, to, flags="DEFGHINO", wanted=None, kind=(1, 1, 1), prf=None, **options):
        """wanted: key data payloads for a KEMAC; [] asks for no session keys, None for the KMS's default."""
        data = self.tp_data(who, to, **options)
        if wanted is not None:
            at = next((i for i, p in enumerate(data) if p.kind == mikey.IDR and p.body[0] in (5, 2)), len(data))
            data.insert(at, mikey.kemac(0, mikey.chain(wanted) if wanted else b""))
        return mikey.Policy(flags, who.prf if prf is None else prf, data, kind)

    def granted(self, who, to, **options):
        """A Grant from the KMS; the model knows the ticket then."""
        sent = who.request(self.policy(who, to, **options))
        answer = self.link.ask(sent.octets)
        if answer is None:
            raise Failure("no answer to a good REQUEST_INIT")
        return self.learn(who.open_grant(sent, answer))

    def learn(self, grant):
        self.model.known[grant.ticket.policy_octets + grant.ticket.data] = grant
        return grant

    # running

    def run(self, cases):
        cases = list(cases)
        for i in range(0, len(cases), 256):
            part = cases[i:i + 256]
            answers = self.link.ask_all([c.sent.octets for c in part])
            for case in part:
                self.judge(case, answers.get(case.sent.octets[4:8]))

    def judge(self, case, answers):
        self.count += 1
        try:
            first_answer = answers[0] if answers else None
            case.expect(self, case, first_answer)
        except (Failure, Refused, mikey.Malformed, ErrorAnswer) as error:
            self.fail(case.name, f"{type(error).__name__}: {error}", case.sent.octets, answers)
        keys.trace.clear()

    def check(self, name, condition, reason=""):
        self.count += 1
        if not condition:
            self.fail(name, reason)

    def fail(self, name, reason, octets=None, answers=None):
        self.failures.append(name)
        print(f"FAILED: {name}: {reason}")
        if octets is not None and len(self.failures) < 40:
            print(f"    sent     {octets.hex()[:2000]}")
            print(f"    answered {answers and answers[0].hex()[:600]}")


# expectations

def outcome(case, answer, opening):
    """("silence", None), ("error", ErrorAnswer) or ("good", what opening() gives)."""
    if answer is None:
        return "silence", None
    try:
        return "good", opening()
    except ErrorAnswer as error:
        return "error", error


def read_error(case, answer):
    """Raises ErrorAnswer when the answer is a well-formed Error."""
    case.who.open_answer(case.sent, answer, None)


def errors(*numbers, authenticated=None):
    """One of these Errors; SILENCE (-1) among them allows no answer."""
    def expect(world, case, answer):
        del world
        if answer is None:
            require_outcome(SILENCE in numbers, "no answer")
            return
        kind, error = outcome(case, answer, lambda: read_error(case, answer))
        require_outcome(kind == "error", "it was not refused")
        require_outcome(error.number in numbers, f"{error}; expected {numbers}")
        require_outcome(authenticated is None or error.authenticated == authenticated, f"{error}")
    return expect


def require_outcome(condition, reason):
    if not condition:
        raise Failure(reason)


def anything(world, case, answer):
    """A case that the RFC leaves open: the form of an answer is checked, not what it says."""
    expect_model(open_question=True)(world, case, answer)


def expect_model(also=(), open_question=False, then=None):
    """What the model answers. also: further Errors that are right too; then(world, case, result): what else must hold
    of a grant or a resolution."""
    def expect(world, case, answer):
        octets = case.sent.octets
        judged = judge_by_model(world, octets)
        request = octets[1] == mikey.REQUEST_INIT_PSK
        def opening():
            if request:
                return case.who.open_grant(case.sent, answer)
            return case.who.open_resolution(case.sent, answer, ticket_policy(octets))
        kind, result = outcome(case, answer, opening)
        if kind == "good" and not isinstance(judged, model.Fault):
            check_grant(world, judged, result, octets) if request else check_resolution(judged, result)
            world.asked[case.name] = result
        elif not open_question:
            compare_fault(judged, kind, result, also)
        if then and kind == "good":
            then(world, case, result)
    return expect


def ticket_policy(octets):
    """Policy of the first ticket of a RESOLVE_INIT."""
    ticket = ues.first(mikey.parse(octets)[1], mikey.TICKET)
    return ticket.policy if ticket else mikey.Policy("", 0, [])


def judge_by_model(world, octets):
    judge = world.model.judge_request if octets[1] == mikey.REQUEST_INIT_PSK else world.model.judge_resolve
    try:
        return judge(octets, world.clock())
    except model.Fault as fault:
        return fault


def compare_fault(judged, kind, result, also):
    if isinstance(judged, model.Fault):
        require_outcome(kind != "good", f"accepted, but: {judged}")
        if kind == "silence":
            require_outcome(SILENCE in also, f"no answer, but: {judged}")
            return
        require_outcome(result.number in (judged.number, *also), f"{result}, but: {judged}")
        require_outcome(result.authenticated == judged.authenticated,
                        f"{result}, but authenticated: {judged.authenticated}")
    else:
        numbers = [result.number] if kind == "error" else [SILENCE]
        require_outcome(numbers[0] in also, f"{result if kind == 'error' else 'no answer'}, but the model accepts")


def check_grant(world, judged, grant, octets):
    """The granted policy, K flag, keys and Ticket Data against what the model grants."""
    policy, kinds, (_, payloads, _, _) = judged
    asked = ues.first(payloads, mikey.TP).policy
    got = grant.policy
    require(got.kind == asked.kind and got.prf == policy.prf, "type or PRF of the granted ticket")
    spi_added = asked.first(mikey.KEMAC) is not None and any(k[3] is None for k in kinds)
    without = [(p.kind, p.body) for p in asked.payloads if p is not asked.first(mikey.KEMAC)]
    changed = (got.flags.replace("K", "") != asked.flags.replace("K", "") or spi_added
               or without != [(p.kind, p.body) for p in got.payloads])
    require(("K" in got.flags) == changed, f"K flag of {got.flags}: the policy was {'' if changed else 'not '}changed")
    require(got.flags.replace("K", "") == policy.flags.replace("K", ""), f"flags {got.flags}, model {policy.flags}")
    require(got.res == 0, "reserved bits set")
    check_end(policy, got)
    def rest(p):
        return [(q.kind, q.body) for q in p.payloads if not (q.kind == mikey.TR and q.body[0] == mikey.TR_E)]
    require(sorted(rest(got)) == sorted(rest(policy)), f"TP Data {got.payloads}, model {policy.payloads}")
    shapes = [(k.key_type, len(k.key), k.salt and len(k.salt)) for k in grant.keys]
    require(shapes == [k[:3] for k in kinds], f"keys {shapes}, model {kinds}")
    require(all(k[3] in (None, g.spi) for k, g in zip(kinds, grant.keys)), "SPIs are not those asked for")
    require(all(len(g.spi) == 4 for k, g in zip(kinds, grant.keys) if k[3] is None), "SPI of the KMS is not 4 octets")
    size = 32 if got.prf else 16
    require(len(grant.mpk_i) == size and (grant.mpk_r is None or len(grant.mpk_r) == size), "length of the MPKs")
    check_ticket_data(world, grant, size)
    world.learn(grant)


def check_end(policy, got):
    """Every granted ticket has a TRe: the one asked for, or the model's to the second."""
    ends = got.all(mikey.TR, mikey.TR_E)
    require(len(ends) == 1, f"{len(ends)} TRe granted")
    want, have = policy.first(mikey.TR, mikey.TR_E).body, ends[0].body
    require(have == want or abs(ues.unix(have[2:]) - ues.unix(want[2:])) <= 1,
            f"TRe {ues.unix(have[2:])}, model {ues.unix(want[2:])}")


def check_ticket_data(world, grant, size):
    """Appendix A: THDR, T, RAND, KEMAC, IDRpsk, V; algorithms of the policy's suite; RAND long enough (12.1)."""
    _, payloads = mikey.parse_ticket_data(grant.ticket.data)
    kinds = [p.kind for p in payloads]
    require(kinds == [mikey.T, mikey.RAND, mikey.KEMAC, mikey.IDR, mikey.V], f"Ticket Data of {kinds}")
    t, rand, kemac, name, v = payloads
    require(t.ts_type == mikey.NTP_UTC and abs(ues.unix(t.value) - world.clock()) < 310, "T of the ticket")
    require(len(rand.rand) >= max(32, size), "RAND of the ticket is shorter than the TPK")
    require(kemac.encr_alg == keys.ENCR_OF_PRF[grant.policy.prf] and kemac.mac_alg == 0, "KEMAC of the ticket")
    require(v.mac_alg == keys.MAC_OF_PRF[grant.policy.prf], "MAC alg of the ticket")
    require(name.role == mikey.ROLE_PSK and name.id_type == mikey.BYTES, "IDRpsk of the ticket")
    tpk = sealed_with(world, grant.policy, name.data)
    if tpk:
        opened = model.base.unseal(grant.ticket, tpk)
        require(opened.mpk_i == grant.mpk_i and opened.keys == grant.keys, "the ticket has other keys than the KEMAC")
        require(grant.mpk_r in (None, opened.mpk_r), "the ticket has another MPKr")


def sealed_with(world, policy, name):
    """The TPK of a granted ticket when it is known: the KMS's, or (mode 2) that of the only Responder."""
    responders = [p.data for p in policy.all(mikey.IDR, ROLE_R)]
    owner = next((p for p in world.people.values() if p[0] == name), None)
    if owner:
        require("E" not in policy.flags and "I" not in policy.flags, "sealed with a PSK, but E or I is set")
        require(len(responders) == 1 and responders[0] in owner[2], "sealed with the PSK of another than the Responder")
        return owner[1]
    require(world.sealing is None or name == world.sealing[0], "name of the sealing key")
    return world.sealing and world.sealing[1]


def check_resolution(judged, got):
    """Keys against those of the ticket; forked with the modifier that the answer carries."""
    opened, identity, _ = judged
    require(got.mpk_i == opened.mpk_i, "MPKi is not the ticket's")
    if "I" not in opened.policy.flags:
        require(got.keys == opened.keys, "keys are not the ticket's")
        return
    require(got.identity == identity, f"IDRr {got.identity}, model {identity}")
    prf = opened.policy.prf
    require(got.mpk_r == keys.fork("MPKr'", prf, opened.mpk_r, got.identity, got.rand_kms), "MPKr'")
    require(got.keys == [ues.forked_key(prf, k, got.identity, got.rand_kms) for k in opened.keys], "forked keys")
