# SPDX-License-Identifier: BSD-3-Clause
"""What is generated: the same for the same message, shared by no two grants or resolves; T of the answers."""
import mikey
import ue as ues
from calls import SRTP, sessions_for
from mikey import ROLE_APP, ROLE_I, ROLE_KMS, ROLE_R
from world import Case, expect_model

BOB = b"bob@tkms.example"


def run(world):
    for suite in "AB":
        granted_apart(world, suite)
        resolved_apart(world, suite)


def secrets_in(grant):
    """Everything that must be secret, fresh or of this grant only."""
    _, payloads = mikey.parse_ticket_data(grant.ticket.data)
    found = [grant.mpk_i, payloads[1].rand] + [k.key for k in grant.keys] + [k.salt for k in grant.keys if k.salt]
    return found + ([grant.mpk_r] if grant.mpk_r else [])


class Fixed:
    """Requests of Alice with everything fixed that is not said to differ."""

    def __init__(self, world, suite):
        self.world, self.alice, self.now = world, world.ue("alice", suite), world.clock()
        self.size = 16 if suite == "A" else 32
        self.options = {"rand": bytes(range(32)), "csb_id": b"same", "t": (mikey.NTP_UTC, ues.ntp(self.now))}

    def end(self, ts_type=mikey.NTP_UTC_32, after=3000):
        value = ues.ntp32(self.now + after)
        return mikey.tr(mikey.TR_E, ts_type, value if ts_type == mikey.NTP_UTC_32 else value + bytes(4))

    def key(self, kind=mikey.TGK, salt=None, spi=b"abcd"):
        return mikey.key_data(kind, bytes(self.size), salt, spi)

    def request(self, flags="DEFGHINO", to=(BOB,), kind=(1, 1, 1), wanted=None, end=None, more=(), uid=0, **options):
        data = [mikey.idr(ROLE_KMS, self.world.kms), mikey.idr(ROLE_I, self.alice.uids[uid]), end or self.end(), *more]
        if wanted is not None:
            data.append(mikey.kemac(0, mikey.chain(wanted)))
        policy = mikey.Policy(flags, self.alice.prf, data + [mikey.idr(ROLE_R, r) for r in to], kind)
        return self.alice.request(policy, **{**self.options, **options})


def requests(f):
    """{what differs: options of Fixed.request}."""
    tgk, tek = f.key(), f.key(mikey.TEK, spi=b"b")
    flags = {text or "none": {"flags": text} for text in
             ("DEFGHIJNO", "DEFGHIMNO", "DEFHINO", "DEFGHNO", "DEFGHILNO", "DFGHNO", "DEFGINO")}
    key_lists = {
        "KEMAC": [tgk], "another SPI": [f.key(spi=b"abce")], "a longer SPI": [f.key(spi=b"abcd\0")],
        "no SPI": [f.key(spi=None)], "another type": [f.key(mikey.GTGK)],
        "salted": [f.key(mikey.TGK_SALT, bytes(14))], "salt of 15": [f.key(mikey.TGK_SALT, bytes(15))],
        "two keys": [tgk, tek], "two keys, other order": [tek, tgk],
    }
    return {
        "nothing": {}, **flags, **{name: {"wanted": wanted} for name, wanted in key_lists.items()},
        "another responder": {"to": (b"carol@other.example",)}, "two responders": {"to": (BOB, BOB)},
        "3GPP": {"kind": (2, 0, 0)}, "another TRe": {"end": f.end(after=3001)},
        "TRe of another type": {"end": f.end(mikey.NTP_UTC)}, "application": {"more": [mikey.idr(ROLE_APP, b"a", 2)]},
        "another IDRi in TP": {"uid": 1}, "another IDRi": {"identity": f.alice.uids[1]},
        "another RANDR": {"rand": bytes(range(1, 33))}, "a longer RANDR": {"rand": bytes(range(32)) + b"\0"},
        "another CSB ID": {"csb_id": b"sane"}, "another T": {"t": (mikey.NTP_UTC, ues.ntp(f.now + 1e-3))},
        "T of another type": {"t": (mikey.NTP, f.options["t"][1])}, "without IDRkms": {"omit": (ROLE_KMS,)},
        "V flag": {"v_flag": 0}, "an SP": {"edit": lambda p: p + [mikey.sp(0, ues.SRTP)]},
    }


def ask_twice(world, name, who, sent):
    """[(what was opened, the answer)] of the same message sent twice."""
    found = []
    for _ in range(2):
        answer = world.link.ask(sent.octets)
        world.judge(Case(name, who, sent, expect_model()), answer and [answer])
        opened = world.asked.pop(name, None)
        if opened is not None:
            found.append((opened, answer))
    world.check(f"{name}: answered twice", len(found) == 2)
    return found


def share_nothing(world, what, secrets):
    """secrets: {name: what must be in no other's list}."""
    seen = {}
    for name, values in secrets.items():
        for value in values:
            owner = seen.setdefault(value, name)
            world.check(f"{what} that differ in '{name}' and '{owner}' share no key", owner == name)


def granted_apart(world, suite):
    """The same REQUEST gives the same keys and ticket; two grants share no key, whatever little differs between their
    requests; under one CSB ID and RANDR each plaintext has a T, and so an IV, of its own."""
    f, secrets, times = Fixed(world, suite), {}, {}
    for name, options in requests(f).items():
        where = f"generated, suite {suite}, REQUEST that differs in {name}"
        sent = f.request(**options)
        for grant, answer in ask_twice(world, where, f.alice, sent):
            got = secrets_in(grant) + [grant.ticket.body]
            world.check(f"{where}: the same again", secrets.setdefault(name, got) == got)
            keys_of = [k.key for k in grant.keys] + [grant.mpk_i, grant.mpk_r]
            stamp = (sent.octets[4:8], mikey.parse(answer)[1][0].value)
            world.check(f"{where}: one T, one plaintext", times.setdefault(stamp, keys_of) == keys_of)
    share_nothing(world, f"suite {suite}: requests", secrets)


def resolved_apart(world, suite):
    """The same RESOLVE gives the same keys; another one has another RANDRkms and so other forked keys."""
    alice, bob = world.ue("alice", suite), world.ue("bob", suite)
    grant = world.granted(alice, [b"?@tkms.example", b"?@other.example"])
    ticket = alice.transfer(grant, bob.uids[0], sessions_for(grant.keys), SRTP).ticket
    now = world.clock()
    fixed = {"rand": bytes(range(32)), "csb_id": b"same", "t": (mikey.NTP_UTC, ues.ntp(now))}
    variants = {"nothing": {}, "UID": {"identity": bob.uids[1]}, "RANDR": {"rand": bytes(32)},
                "CSB ID": {"csb_id": b"sane"},
                "T": {"t": (mikey.NTP_UTC, ues.ntp(now + 1))}, "no IDRr": {"omit": (ROLE_R,)}, "V flag": {"v_flag": 0}}
    secrets = {}
    for name, options in variants.items():
        where = f"generated, suite {suite}, RESOLVE that differs in {name}"
        for got, _ in ask_twice(world, where, bob, bob.resolve(ticket, **{**fixed, **options})):
            values = [got.rand_kms, got.mpk_r] + [k.key for k in got.keys]
            world.check(f"{where}: the same again", secrets.setdefault(name, values) == values)
    share_nothing(world, f"suite {suite}: resolves", secrets)
