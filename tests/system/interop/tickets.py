# SPDX-License-Identifier: BSD-3-Clause
"""Ticket Resolves: tickets spoiled, foreign, stolen; Initiator Data; who may resolve; whose key it is."""
import keys
import mikey
import ticket as base
import ue as ues
from calls import SRTP, sessions_for
from mikey import ROLE_I, ROLE_KMS, ROLE_PSK, ROLE_R
from ue import Secret
from world import RANDOM, Case, anything, errors, expect_model

BOB = b"bob@tkms.example"
REFUSED = (0, 1, 2, 3, 4, 7, 12, 14, 15)


def run(world):
    for suite in "AB":
        x = Resolves(world, suite)
        for cases in (flipped, initiator_data, entitled, foreign, confusion, suites):
            world.run(cases(x))


class Resolves:
    def __init__(self, world, suite):
        self.world, self.suite = world, suite
        self.alice, self.bob, self.carol, self.mallory = (world.ue(n, suite) for n in ("alice", "bob", "carol",
                                                                                       "mallory"))
        self.key = 16 if suite == "A" else 32

    def transfer(self, grant, who=None, **options):
        found = sessions_for(grant.keys) or [(1, [0], bytes(4), b"none")]
        return (who or self.alice).transfer(grant, BOB, found, SRTP, **options)

    def case(self, name, ticket, expect=None, who=None, **options):
        who = who or self.bob
        return Case(f"resolve, suite {self.suite}: {name}", who, who.resolve(ticket, **options),
                    expect or expect_model())

    def own(self, flags="EFGHILNO", who=None, to=BOB, tpk=None, session_keys=None, change=None, prf=None,
            kind=(1, 1, 1),
            initiator=None, transfer=None, t=None, data=None, **options):
        """Ticket that an Initiator made (mode 3), in TRANSFER_INIT. tpk: (name, key)."""
        who = who or self.alice
        seal = {k: options.pop(k) for k in ("thdr", "encr_alg", "mac_alg", "edit") if k in options}
        payloads = data if data is not None else self.world.tp_data(initiator or who, to, **options)
        policy = mikey.Policy(flags, who.prf if prf is None else prf, payloads, kind)
        if change:
            policy = change(policy)
        if session_keys is None:
            session_keys = [Secret(mikey.TGK, who.draw("TGK", self.key), spi=b"own1")]
        name, key = tpk or (who.psk_id, who.psk)
        grant = who.make_grant(policy, name, key, session_keys, t, **seal)
        return self.transfer(grant, who, **(transfer or {})).ticket


def named(world, x, name):
    other = world.ue("alice", x.suite)
    other.uids = [name]
    return other


def spoiled(ticket, at, value=None):
    body = bytearray(ticket.body)
    body[at] ^= RANDOM.randrange(1, 256) if value is None else value
    return mikey.Payload(mikey.TICKET, bytes(body))


def flipped(x):
    """Every octet of the ticket but the lengths changed; the message's MAC is right each time."""
    grant = x.world.granted(x.alice, BOB)
    ticket = x.transfer(grant).ticket
    end = len(ticket.body)
    lengths = {7, 8, ticket.data_at - 2 - ticket.at - 1, ticket.data_at - 1 - ticket.at - 1,
               ticket.initiator_at - ticket.at - 1, ticket.initiator_at - ticket.at}
    for at in range(end):
        expect = errors(*REFUSED) if at in lengths else errors(*REFUSED, authenticated=True)
        yield x.case(f"octet {at} of {end} of the ticket changed", spoiled(ticket, at), expect)
        if x.suite == "B":
            yield x.case(f"lowest bit of octet {at} of the ticket changed", spoiled(ticket, at, 1), expect)
    policy, data, initiator = ticket.policy_octets, ticket.data, ticket.initiator_data
    for cut in (1, 2, 20, 32, 33, len(data) - 3, len(data)):
        yield x.case(f"Ticket Data without its last {cut} octets", mikey.ticket(policy, data[:-cut], initiator),
                     errors(*REFUSED, authenticated=True))
    for extra in (b"\0", b"\0\1", bytes(32)):
        yield x.case(f"Ticket Data with {len(extra)} octets behind", mikey.ticket(policy, data + extra, initiator),
                     errors(*REFUSED, authenticated=True))
    yield x.case("no Ticket Data", mikey.ticket(policy, b"", initiator), errors(*REFUSED, authenticated=True))
    yield x.case("Ticket Data of ones", mikey.ticket(policy, b"\xff" * len(data), initiator),
                 errors(*REFUSED, authenticated=True))
    for n in range(20):
        yield x.case(f"random Ticket Data {n}", mikey.ticket(policy, RANDOM.randbytes(RANDOM.randrange(300)),
                                                             initiator),
                     errors(*REFUSED, authenticated=True))
    other = x.world.granted(x.alice, b"?")
    yield x.case("policy of another ticket", mikey.ticket(other.ticket.policy_octets, data, initiator))
    yield x.case("Ticket Data of another ticket", mikey.ticket(policy, other.ticket.data, initiator))
    for letter in mikey.FLAGS:
        changed = mikey.Policy("".join(f for f in mikey.FLAGS if (f in ticket.policy.flags) != (f == letter)),
                               ticket.policy.prf, ticket.policy.payloads, ticket.policy.kind)
        yield x.case(f"flag {letter} turned", mikey.ticket(changed.octets(), data, initiator),
                     errors(*REFUSED, authenticated=True))


def initiator_data(x):
    """Vi and Vr: present, whole, right, in both readings of Vi's Next Payload (N36)."""
    grant = x.world.granted(x.alice, BOB)
    good = x.transfer(grant).ticket
    data = good.initiator_data
    yield x.case("both readings of Vi: 9", good)
    yield x.case("both readings of Vi: 0", x.transfer(grant, literal_vi=True).ticket, literal(x))
    def with_data(octets):
        return mikey.ticket(good.policy_octets, good.data, octets)
    yield x.case("no Initiator Data", with_data(b""), expect_model(also=(12, 14)))
    for cut in range(1, len(data)):
        yield x.case(f"Initiator Data without its last {cut} octets", with_data(data[:-cut]),
                     expect_model(also=(12, 14)))
    for extra in (1, 2, 32):
        yield x.case(f"Initiator Data with {extra} octets behind", with_data(data + bytes(extra)),
                     expect_model(also=(12, 14)))
    size = mikey.MAC_LENGTH[x.alice.mac_alg]
    for bit in (0, 8 * size - 1):
        for at, name in ((3, "Vi"), (5 + size, "Vr")):
            spoilt = bytearray(data)
            spoilt[at + bit // 8] ^= 1 << bit % 8
            yield x.case(f"bit {bit} of {name}", with_data(bytes(spoilt)), expect_model(also=(12, 14)))
    for n in (0, 1, 20, 40, len(data), 300):
        yield x.case(f"random Initiator Data of {n} octets", with_data(RANDOM.randbytes(n)),
                     expect_model(also=(12, 14)))
    other = x.world.granted(x.alice, BOB)
    yield x.case("Initiator Data of another ticket", with_data(x.transfer(other).ticket.initiator_data),
                 expect_model(also=(12, 14)))
    yield x.case("Initiator Data of another transfer", with_data(x.transfer(grant).ticket.initiator_data))
    thief = base.initiator_data(grant.policy, grant.mpk_i, x.alice.mac_alg, bytes(size))
    yield x.case("Vr made with MPKi", with_data(thief), expect_model(also=(12, 14)))
    forked_mpk = keys.fork("MPKr'", grant.policy.prf, grant.mpk_r, BOB, bytes(32))
    yield x.case("Vr made with a forked MPKr", with_data(base.initiator_data(grant.policy, forked_mpk, x.alice.mac_alg,
                                                                             bytes(size))),
                 expect_model(also=(12, 14)))
    weak = 3 - x.alice.mac_alg
    yield x.case("Initiator Data of the other suite's MAC", with_data(base.initiator_data(
        grant.policy, grant.mpk_r, weak, bytes(mikey.MAC_LENGTH[weak]))), anything)
    null = bytes([9, 9, 0, 0, 0])
    yield x.case("Initiator Data with NULL MACs", with_data(null), expect_model(also=(3, 12, 14)))
    alone = bytes([9, 0, x.alice.mac_alg]) + data[3:3 + size]
    yield x.case("Vi alone", with_data(alone), expect_model(also=(12, 14)))
    yield x.case("Vr alone", with_data(bytes([9]) + data[3 + size:]), expect_model(also=(12, 14)))
    if x.world.profile == "rfc6043":
        plain = x.world.granted(x.alice, BOB, flags="DEFGHNO")
        ticket = x.transfer(plain).ticket
        for n, octets in enumerate((data, bytes([0]), RANDOM.randbytes(50), b"\xff")):
            yield x.case(f"Initiator Data {n} in a ticket that is not forked is ignored",
                         mikey.ticket(ticket.policy_octets, ticket.data, octets))


def literal(x):
    """N36: the KMS may take Vi with Next Payload 0 or refuse it; but what it returns must be right."""
    del x
    return expect_model(also=(0, 12, 14))


def entitled(x):
    """Who may resolve: one of whose UIDs an IDRr of the ticket matches."""
    world, people = x.world, ("alice", "bob", "carol", "dave", "mallory")
    for to in ([BOB], [b"carol@other.example"], [b"?@other.example"], [b"?"], [b"?@?"], [b"x@y"],
               [BOB, b"?@other.example"],
               [b"user1.department@tkms.example"], [b"alice?"], [b"?.work@?"],
               [b"mallory@tkms.example", b"dave@tkms.example"]):
        grant = world.granted(x.alice, to)
        ticket = x.transfer(grant).ticket
        for name in people:
            yield x.case(f"ticket for {to} resolved by {name}", ticket, expect_model(also=(0, 12)),
                         who=world.ue(name, x.suite))
    grant = world.granted(x.alice, BOB)
    ticket = x.transfer(grant).ticket
    yield x.case("mallory calls herself bob", ticket, expect_model(also=(0, 12)), who=x.mallory, identity=BOB)
    yield x.case("mallory calls herself '?'", ticket, expect_model(also=(0, 12)), who=x.mallory, identity=b"?")
    wide = x.transfer(world.granted(x.alice, b"?")).ticket
    yield x.case("mallory calls herself bob, ticket for everybody", wide, who=x.mallory, identity=BOB)
    yield x.case("mallory sends bob's IDRpsk", ticket, errors(0, -1, authenticated=False), who=x.mallory,
                 edit=lambda p: p[:-1] + [mikey.idr(ROLE_PSK, b"psk-bob")])
    yield x.case("a second IDRr is one of bob's", ticket, expect_model(also=(0, 12)), who=x.mallory,
                 edit=lambda p: p + [mikey.idr(ROLE_R, BOB)])


def foreign(x):
    """Tickets of another KMS, with unknown or missing IDRpsk."""
    world = x.world
    data = world.tp_data(x.alice, BOB)
    for name in (b"tpk-else", b"", b"psk-nobody", b"x" * 300, bytes(16)):
        yield x.case(f"ticket sealed with the unknown key {name[:20]!r}",
                     x.own("DEFGHINO", tpk=(name, bytes(range(32)))), expect_model(also=(7, 12, 14)))
    yield x.case("ticket without IDRpsk, key unknown", x.own("DEFGHINO", tpk=(None, bytes(range(32)))),
                 errors(*REFUSED, authenticated=True))
    yield x.case("ticket without IDRpsk, mode 3", x.own(tpk=(None, x.alice.psk)), errors(*REFUSED, authenticated=True))
    real = x.world.granted(x.alice, BOB)
    name = base.parts(real.ticket.data)[3].data
    for key in (bytes(32), x.alice.psk, x.bob.psk):
        for flags in ("DEFGHINO", "EFGHILNO"):
            yield x.case(f"a ticket in the name of the KMS's key, flags {flags}", x.own(flags, tpk=(name, key)),
                         expect_model(also=(7, 12, 14, 15)) if world.sealing else errors(0, 7, 12, 14, 15,
                                                                                         authenticated=True))
    other = [mikey.idr(ROLE_KMS, b"kms@else.example")] + data[1:]
    yield x.case("IDRkms of a mode 3 ticket is another KMS", x.own(data=other), anything)


def confusion(x):
    """The D flag against the table in which the key was found."""
    world = x.world
    refused = errors(0, 7, 12, 14, 15, authenticated=True)
    for flags in ("DEFGHINO", "DEFGHNO", "DFGHNO"):
        yield x.case(f"Alice's PSK, flags {flags}: said to be made by the KMS", x.own(flags), refused)
        for who in ("bob", "mallory", "alice"):
            owner = world.ue(who, x.suite)
            ticket = x.own(flags, tpk=(owner.psk_id, owner.psk), initiator=world.ue("alice", x.suite), to=b"?")
            for reader in (x.bob, x.mallory, x.alice):
                expect = expect_model(also=(0, 7, 12, 14, 15)) if reader.psk_id == owner.psk_id else refused
                yield x.case(f"{who}'s PSK, flags {flags}, resolved by {reader.uids[0].decode()}", ticket, expect,
                             who=reader)
    if world.sealing:
        for flags in ("EFGHILNO", "EFGHLNO", "FGHLNO"):
            if world.profile == "3gpp" and "I" not in flags:
                continue
            yield x.case(f"the KMS's key, flags {flags}", x.own(flags, tpk=world.sealing), refused)
        yield x.case("the KMS's key, flags DEFGHINO", x.own("DEFGHINO", tpk=world.sealing))


def suites(x):
    """Tickets of one suite resolved with the other (N45)."""
    world = x.world
    other = world.ue("bob", "AB"[x.suite == "A"])
    long_key = world.granted(x.alice, BOB)
    short_key = world.granted(x.alice, BOB, wanted=[mikey.key_data(mikey.TGK, bytes(16), spi=b"spi1")])
    yield x.case("default keys, resolved in the other suite", x.transfer(long_key).ticket, expect_model(also=(15,)),
                 who=other)
    yield x.case("key of 16 octets, resolved in the other suite", x.transfer(short_key).ticket, anything, who=other)
    mixed = x.alice.transfer(short_key, BOB, sessions_for(short_key.keys), SRTP, mac_alg=x.alice.mac_alg)
    yield x.case("Vi of the other suite", mixed.ticket, who=x.bob)
