# SPDX-License-Identifier: BSD-3-Clause
"""Ticket Resolves: tickets spoiled, foreign, stolen, made by Initiators; Initiator Data."""
import keys
import mikey
import ticket as base
import ue as ues
from calls import SRTP, sessions_for
from kms import flag_faults
from mikey import ROLE_I, ROLE_KMS, ROLE_PSK, ROLE_R
from ue import Secret
from world import DAY, RANDOM, Case, anything, errors, expect_model

BOB = b"bob@tkms.example"
REFUSED = (0, 1, 2, 3, 4, 7, 12, 14, 15)


def run(world):
    for suite in "AB":
        x = Resolves(world, suite)
        for cases in (flipped, initiator_data, entitled, foreign, own_tickets, own_flags, own_validity, own_contents, own_forms,
                      confusion, suites, random_tickets):
            world.run(cases(x))


class Resolves:
    def __init__(self, world, suite):
        self.world, self.suite = world, suite
        self.alice, self.bob, self.carol, self.mallory = (world.ue(n, suite) for n in ("alice", "bob", "carol", "mallory"))
        self.key = 16 if suite == "A" else 32

    def transfer(self, grant, who=None, **options):
        found = sessions_for(grant.keys) or [(1, [0], bytes(4), b"none")]
        return (who or self.alice).transfer(grant, BOB, found, SRTP, **options)

    def case(self, name, ticket, expect=None, who=None, **options):
        who = who or self.bob
        return Case(f"resolve, suite {self.suite}: {name}", who, who.resolve(ticket, **options), expect or expect_model())

    def own(self, flags="EFGHILNO", who=None, to=BOB, tpk=None, session_keys=None, change=None, prf=None, kind=(1, 1, 1),
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
    yield x.case("Ticket Data of ones", mikey.ticket(policy, b"\xff" * len(data), initiator), errors(*REFUSED, authenticated=True))
    for n in range(20):
        yield x.case(f"random Ticket Data {n}", mikey.ticket(policy, RANDOM.randbytes(RANDOM.randrange(300)), initiator),
                     errors(*REFUSED, authenticated=True))
    other = x.world.granted(x.alice, b"?")
    yield x.case("policy of another ticket", mikey.ticket(other.ticket.policy_octets, data, initiator))
    yield x.case("Ticket Data of another ticket", mikey.ticket(policy, other.ticket.data, initiator))
    for letter in mikey.FLAGS:
        changed = mikey.Policy("".join(f for f in mikey.FLAGS if (f in ticket.policy.flags) != (f == letter)),
                               ticket.policy.prf, ticket.policy.payloads, ticket.policy.kind)
        yield x.case(f"flag {letter} turned", mikey.ticket(changed.octets(), data, initiator), errors(*REFUSED, authenticated=True))


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
        yield x.case(f"Initiator Data without its last {cut} octets", with_data(data[:-cut]), expect_model(also=(12, 14)))
    for extra in (1, 2, 32):
        yield x.case(f"Initiator Data with {extra} octets behind", with_data(data + bytes(extra)), expect_model(also=(12, 14)))
    size = mikey.MAC_LENGTH[x.alice.mac_alg]
    for bit in (0, 8 * size - 1):
        for at, name in ((3, "Vi"), (5 + size, "Vr")):
            spoilt = bytearray(data)
            spoilt[at + bit // 8] ^= 1 << bit % 8
            yield x.case(f"bit {bit} of {name}", with_data(bytes(spoilt)), expect_model(also=(12, 14)))
    for n in (0, 1, 20, 40, len(data), 300):
        yield x.case(f"random Initiator Data of {n} octets", with_data(RANDOM.randbytes(n)), expect_model(also=(12, 14)))
    other = x.world.granted(x.alice, BOB)
    yield x.case("Initiator Data of another ticket", with_data(x.transfer(other).ticket.initiator_data), expect_model(also=(12, 14)))
    yield x.case("Initiator Data of another transfer", with_data(x.transfer(grant).ticket.initiator_data))
    thief = base.initiator_data(grant.policy, grant.mpk_i, x.alice.mac_alg, bytes(size))
    yield x.case("Vr made with MPKi", with_data(thief), expect_model(also=(12, 14)))
    forked_mpk = keys.fork("MPKr'", grant.policy.prf, grant.mpk_r, BOB, bytes(32))
    yield x.case("Vr made with a forked MPKr", with_data(base.initiator_data(grant.policy, forked_mpk, x.alice.mac_alg, bytes(size))),
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
    for to in ([BOB], [b"carol@other.example"], [b"?@other.example"], [b"?"], [b"?@?"], [b"x@y"], [BOB, b"?@other.example"],
               [b"user1.department@tkms.example"], [b"alice?"], [b"?.work@?"], [b"mallory@tkms.example", b"dave@tkms.example"]):
        grant = world.granted(x.alice, to)
        ticket = x.transfer(grant).ticket
        for name in people:
            yield x.case(f"ticket for {to} resolved by {name}", ticket, expect_model(also=(0, 12)), who=world.ue(name, x.suite))
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
    yield x.case("ticket without IDRpsk, key unknown", x.own("DEFGHINO", tpk=(None, bytes(range(32)))), errors(*REFUSED, authenticated=True))
    yield x.case("ticket without IDRpsk, mode 3", x.own(tpk=(None, x.alice.psk)), errors(*REFUSED, authenticated=True))
    real = x.world.granted(x.alice, BOB)
    name = base.parts(real.ticket.data)[3].data
    for key in (bytes(32), x.alice.psk, x.bob.psk):
        for flags in ("DEFGHINO", "EFGHILNO"):
            yield x.case(f"a ticket in the name of the KMS's key, flags {flags}", x.own(flags, tpk=(name, key)),
                         expect_model(also=(7, 12, 14, 15)) if world.sealing else errors(0, 7, 12, 14, 15, authenticated=True))
    other = [mikey.idr(ROLE_KMS, b"kms@else.example")] + data[1:]
    yield x.case("IDRkms of a mode 3 ticket is another KMS", x.own(data=other), anything)


def own_tickets(x):
    """Mode 3: made with the PSK of the Initiator, in its own name, D = 0."""
    world = x.world
    yield x.case("mode 3", x.own())
    yield x.case("mode 3, IDRi is another of one's own", x.own(initiator=named(world, x, x.alice.uids[1])))
    yield x.case("mode 3, 3GPP ticket type", x.own(kind=(2, 0, 0)))
    for name in (b"bob@tkms.example", b"mallory@tkms.example", b"nobody@x", b"", b"?", world.kms):
        yield x.case(f"mode 3 in the name of {name!r}", x.own(initiator=named(world, x, name)), expect_model(also=(0, 14, 15)))
    yield x.case("mode 3 without IDRi", x.own(omit=(ROLE_I,)), expect_model(also=(0, 14, 15)))
    yield x.case("mode 3 without IDRkms", x.own(omit=(ROLE_KMS,)))
    yield x.case("mode 3, a second IDRi is somebody else's", x.own(more=[mikey.idr(ROLE_I, b"mallory@tkms.example")]))
    data = world.tp_data(x.alice, BOB)
    yield x.case("mode 3, a first IDRi is somebody else's", x.own(data=[mikey.idr(ROLE_I, b"mallory@tkms.example")] + data),
                 expect_model(also=(0, 14, 15)))
    yield x.case("mode 3, Mallory's ticket with Alice's IDRpsk", x.own(who=x.mallory, initiator=x.alice, tpk=(b"psk-alice", x.mallory.psk)),
                 expect_model(also=(7, 12, 14, 15)))
    yield x.case("mode 3, Alice's PSK as the key of Mallory", x.own(tpk=(b"psk-mallory", x.alice.psk)), expect_model(also=(7, 12, 14, 15)))
    yield x.case("mode 3, MPKr of another", spliced(x), expect_model(also=(12, 14)))
    for n in (1, 2, 32, 33, 60):
        to = [b"r%d@x" % i for i in range(n - 1)] + [BOB]
        yield x.case(f"mode 3 for {n} responders", x.own(to=to), expect_model(also=(7, 12, 14)))
    for n in (1, 8, 9, 20):
        yield x.case(f"mode 3 with {n} wildcards", x.own(to=b"?" * n), expect_model(also=(7, 12, 14)))
    yield x.case("mode 3, identity of 256 octets", x.own(to=[BOB, b"r" * 256]), expect_model(also=(7, 12, 14)))
    yield x.case("mode 3, identity of 255 octets", x.own(to=[BOB, b"r" * 255]))
    yield x.case("mode 3 for nobody", x.own(data=data[:-1]), expect_model(also=(12, 14, 15)))
    yield x.case("mode 3, responder is somebody else", x.own(to=b"carol@other.example"), expect_model(also=(0, 12)))
    for kind in ((1, 1, 2), (3, 0, 0), (0, 0, 0), (2, 1, 1)):
        yield x.case(f"mode 3, ticket type {kind}", x.own(kind=kind), errors(14, authenticated=True))


def named(world, x, name):
    other = world.ue("alice", x.suite)
    other.uids = [name]
    return other


def spliced(x):
    """Alice's ticket with Initiator Data that Mallory made with an MPKr of her own."""
    good, bad = x.own(), x.own(who=x.mallory)
    return mikey.ticket(good.policy_octets, good.data, bad.initiator_data)


def own_flags(x):
    """Flags of an Initiator's ticket: contradictions are refused, D must be 0."""
    letters = "DEFGHIJKLMNO"
    few = ["".join(f for f in letters if RANDOM.random() < 0.65) for _ in range(120)]
    few += ["EFGHILNO", "FGHLNO", "EFGHLNO", "EFGILNO", "EFHILNO", "EHLNO", "EFGHIJLNO", "EFGHILMNO", "EFGHINO", "DEFGHILNO",
            "EFGHIKLNO", "EFGHIL", "EFGHILN", "EFGHILO"]
    for text in few:
        text = "".join(f for f in letters if f in text)
        questionable = not {"N", "O"} <= set(text) or x.world.profile == "3gpp"
        faults = flag_faults(text, True)
        expect = expect_model(also=(0, 7, 12, 14, 15) if faults or questionable or "D" in text else ())
        yield x.case(f"mode 3, flags {text}", x.own(text), expect)


def own_validity(x):
    now = x.world.clock()
    def period(start, end, types_of=(3, 3)):
        data = x.world.tp_data(x.alice, BOB, lifetime=None)
        extra = [mikey.tr(role, kind, stamp(kind, now + at)) for role, kind, at in
                 ((mikey.TR_S, types_of[0], start), (mikey.TR_E, types_of[1], end)) if at is not None]
        return x.own(data=data[:2] + extra + data[2:])
    late = (1, 7, 12, 14, 15)
    for start, end in ((None, 3600), (-60, 3600), (-30 * DAY, 60), (None, 5), (None, 7 * DAY - 400), (None, None), (-60, None)):
        yield x.case(f"mode 3 valid from {start} to {end}", period(start, end), expect_model(also=() if end else late))
    for start, end in ((None, -5), (None, -3600), (5, 3600), (3600, 7200), (-7200, -3600), (3600, 60), (None, 7 * DAY + 60),
                       (None, 365 * DAY), (None, 20 * 365 * DAY), (10 * 365 * DAY, 11 * 365 * DAY), (None, -100 * 365 * DAY + 1)):
        yield x.case(f"mode 3 valid from {start} to {end}", period(start, end), expect_model(also=late))
    for kinds in ((0, 0), (1, 1), (3, 0), (0, 3)):
        yield x.case(f"mode 3, TRs and TRe of types {kinds}", period(-60, 3600, kinds))
    for kinds in ((2, 3), (3, 2), (2, 2)):
        yield x.case(f"mode 3, TRs and TRe of types {kinds}", period(-60, 3600, kinds), errors(*late, authenticated=True))
    for value in (b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xff\xff\xff"):
        data = x.world.tp_data(x.alice, BOB, lifetime=None)
        yield x.case(f"mode 3, TRe {value.hex()} (era rule)", x.own(data=data + [mikey.tr(mikey.TR_E, 3, value)]), expect_model(also=late))
        yield x.case(f"mode 3, TRs {value.hex()} (era rule)", x.own(more=[mikey.tr(mikey.TR_S, 3, value)]), expect_model(also=late))


def stamp(kind, when):
    if kind == mikey.COUNTER:
        return int(when).to_bytes(8, "big")[-4:]
    return ues.ntp32(when) if kind == mikey.NTP_UTC_32 else ues.ntp(when)


def own_contents(x):
    """What the KEMAC of an Initiator's ticket carries."""
    def key(kind=mikey.TGK, size=x.key, salt=None, spi=b"own1"):
        return Secret(kind, RANDOM.randbytes(size), salt, spi)
    every = [key(k, x.key, RANDOM.randbytes(14) if k in mikey.SALTED else None, bytes([65 + k])) for k in range(6)]
    yield x.case("mode 3 with every key type", x.own(session_keys=every))
    yield x.case("mode 3 without session keys", x.own(session_keys=[]))
    for n in (16, 17, 40):
        yield x.case(f"mode 3 with {n} keys", x.own(session_keys=[key(mikey.TEK, 16, spi=bytes([i])) for i in range(n)]),
                     expect_model(also=(4, 12, 14, 15)))
    for size in (0, 1, 15, 16, 24, 31, 32, 33, 63, 64, 65, 100, 500):
        yield x.case(f"mode 3 with a TGK of {size} octets", x.own(session_keys=[key(size=size)]), expect_model(also=(4, 12, 14, 15)))
    yield x.case("mode 3, two keys with one SPI", x.own(session_keys=[key(), key(mikey.TEK)]), expect_model(also=(12, 14)))
    yield x.case("mode 3, a key without SPI", x.own(session_keys=[key(spi=None)]), expect_model(also=(12, 14)))
    yield x.case("mode 3, a key with an empty SPI", x.own(session_keys=[key(spi=b"")]), expect_model(also=(12, 14)))
    yield x.case("mode 3, a second MPK", x.own(session_keys=[key(), key(mikey.MPK)]), errors(*REFUSED))
    yield x.case("mode 3, SPI of 255 octets", x.own(session_keys=[key(spi=bytes(255))]))
    for size in (0, 1, 14, 64, 65, 255, 1000):
        yield x.case(f"mode 3, salt of {size} octets", x.own(session_keys=[key(mikey.TGK_SALT, salt=bytes(size))]),
                     expect_model(also=(12, 14) if not 0 < size < 65 else ()))
    big = [key(mikey.TGK_SALT, x.key, bytes(64), bytes([i]) * 255) for i in range(16)]
    yield x.case("mode 3, 16 keys with the longest salts and SPIs", x.own(session_keys=big))
    who = x.alice
    for size in (0, 15, 16, 24, 32, 33, 64, 200):
        name = f"mode 3 with an MPK of {size} octets"
        who.draw = lambda what, length, size=size: RANDOM.randbytes(size if what == "MPK" else length)
        own = x.own()
        who.draw = ues.draw
        yield x.case(name, own, expect_model(also=() if size in (16, 32) else (0, 4, 12, 14, 15)) if size == who_size(x) else anything)


def who_size(x):
    return 32 if x.suite == "B" else 16


def own_forms(x):
    """Ticket Data with payloads missing, doubled, unexpected; algorithms; THDR."""
    for size in (0, 1, 100, 1000):
        yield x.case(f"mode 3, THDR Data of {size} octets", x.own(thdr=bytes(size)))
    for i, name in enumerate(("T", "RAND", "KEMAC", "IDRpsk")):
        yield x.case(f"mode 3, Ticket Data without {name}", x.own(edit=lambda p, i=i: p[:i] + p[i + 1:]), errors(*REFUSED, authenticated=True))
        yield x.case(f"mode 3, Ticket Data with {name} twice", x.own(edit=lambda p, i=i: p[:i + 1] + p[i:]))
    yield x.case("mode 3, Ticket Data in reverse", x.own(edit=lambda p: p[::-1]))
    for n in range(5):
        yield x.case(f"mode 3, Ticket Data shuffled ({n})", x.own(edit=lambda p: RANDOM.sample(p, len(p))))
    for name, payload in {"SP": mikey.sp(0, ues.SRTP), "CERT": mikey.cert(b"x"), "extension": mikey.extension(1, bytes(9)),
                          "IDRi": mikey.idr(ROLE_I, b"mallory@tkms.example"), "RANDR": mikey.randr(1, bytes(16)),
                          "TR": mikey.tr(3, 3, bytes(4)), "ID": mikey.id_plain(b"x"), "ERR": mikey.err(1)}.items():
        for at in (0, 2, 4):
            yield x.case(f"mode 3, {name} in Ticket Data at {at}", x.own(edit=lambda p, q=payload, at=at: p[:at] + [q] + p[at:]))
    yield x.case("mode 3, unknown payload in Ticket Data", x.own(edit=lambda p: p + [mikey.Payload(99, bytes(4))]), errors(*REFUSED, authenticated=True))
    for ts_type in (mikey.NTP_UTC, mikey.NTP, mikey.COUNTER, mikey.NTP_UTC_32):
        yield x.case(f"mode 3, T of the ticket of type {ts_type}", x.own(t=(ts_type, stamp(ts_type, x.world.clock()))))
    yield x.case("mode 3, T of the ticket long ago", x.own(t=(0, ues.ntp(0))))
    def swapped(kind, payload):
        return lambda p: [payload if q.kind == kind else q for q in p]
    for size in (0, 1, 15, 16, 64, 255):
        yield x.case(f"mode 3, RAND of the ticket of {size} octets", own_with_rand(x, size), expect_model(also=(12, 14)) if size < 16 else None)
    other = 3 - x.alice.mac_alg
    yield x.case("mode 3, the other suite's MAC in the ticket", x.own(mac_alg=other), anything)
    yield x.case("mode 3, the other suite's cipher in the ticket", x.own(encr_alg=4 - keys.ENCR_OF_PRF[x.alice.prf]), anything)
    for number in (0, 4, 9, 255):
        yield x.case(f"mode 3, Encr alg {number} in the ticket", x.own(edit=lambda p, n=number: [
            mikey.kemac(n, q.data) if q.kind == mikey.KEMAC else q for q in p]), errors(4, 12, 14, authenticated=True))
    yield x.case("mode 3, MAC in the ticket's KEMAC", x.own(edit=lambda p: [
        mikey.kemac(q.encr_alg, q.data, 1, bytes(20)) if q.kind == mikey.KEMAC else q for q in p]), expect_model(also=(3, 12, 14)))
    for cut in (1, 5, 20):
        yield x.case(f"mode 3, KEMAC of the ticket without {cut} octets", x.own(edit=lambda p, n=cut: [
            mikey.kemac(q.encr_alg, q.data[:-n]) if q.kind == mikey.KEMAC else q for q in p]), errors(*REFUSED, authenticated=True))
    yield x.case("mode 3, empty KEMAC", x.own(edit=swapped(mikey.KEMAC, mikey.kemac(keys.ENCR_OF_PRF[x.alice.prf], b""))),
                 errors(*REFUSED, authenticated=True))
    yield x.case("mode 3, random KEMAC", x.own(edit=swapped(mikey.KEMAC, mikey.kemac(keys.ENCR_OF_PRF[x.alice.prf], RANDOM.randbytes(60)))),
                 errors(*REFUSED, authenticated=True))
    for prf in (2, 63, 127):
        good = x.own()
        octets = bytearray(good.policy_octets)
        octets[4] = prf << 1 | octets[4] & 1
        yield x.case(f"PRF {prf} in the ticket", mikey.ticket(bytes(octets), good.data, good.initiator_data), errors(*REFUSED, authenticated=True))


def own_with_rand(x, size):
    who = x.alice
    who.draw = lambda what, length: RANDOM.randbytes(size if what == "ticket RAND" else length)
    made = x.own()
    who.draw = ues.draw
    return made


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
                yield x.case(f"{who}'s PSK, flags {flags}, resolved by {reader.uids[0].decode()}", ticket, expect, who=reader)
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
    yield x.case("default keys, resolved in the other suite", x.transfer(long_key).ticket, expect_model(also=(15,)), who=other)
    yield x.case("key of 16 octets, resolved in the other suite", x.transfer(short_key).ticket, anything, who=other)
    mixed = x.alice.transfer(short_key, BOB, sessions_for(short_key.keys), SRTP, mac_alg=x.alice.mac_alg)
    yield x.case("Vi of the other suite", mixed.ticket, who=x.bob)


def random_tickets(x):
    """Many fields of an Initiator's ticket at once."""
    now = x.world.clock()
    for n in range(60):
        to = [RANDOM.choice((BOB, b"?@?", b"x?y", b"carol@other.example", b"?.department@?")) for _ in range(RANDOM.randrange(1, 4))]
        session_keys = []
        for i in range(RANDOM.randrange(0, 5)):
            kind = RANDOM.randrange(6)
            session_keys.append(Secret(kind, RANDOM.randbytes(RANDOM.choice((16, 16, x.key))),
                                       RANDOM.randbytes(14) if kind in mikey.SALTED else None, bytes([i + 1]) * RANDOM.randrange(1, 9)))
        data = x.world.tp_data(named(x.world, x, RANDOM.choice(x.alice.uids * 3 + [BOB])), to, lifetime=None)
        data[2:2] = [mikey.tr(mikey.TR_S, 3, ues.ntp32(now + RANDOM.choice((-100, -10, 100)))),
                     mikey.tr(mikey.TR_E, 3, ues.ntp32(now + RANDOM.choice((-100, 100, 3600, DAY, 8 * DAY))))]
        made = x.own(RANDOM.choice(("EFGHILNO", "EFGILNO", "EFGHIJLMNO")), data=data, session_keys=session_keys)
        yield x.case(f"random ticket {n}", made, expect_model(also=(0, 1, 7, 12, 14, 15)), who=RANDOM.choice((x.bob, x.bob, x.carol)))
