# SPDX-License-Identifier: BSD-3-Clause
"""Tickets that Initiators made (mode 3): in whose name, for how long, for whom, with which keys and payloads."""
import keys
import mikey
import ue as ues
from kms import flag_faults
from mikey import ROLE_I, ROLE_KMS
from tickets import BOB, REFUSED, Resolves, named
from ue import Secret
from world import DAY, RANDOM, anything, errors, expect_model


REFUSAL = errors(*REFUSED, authenticated=True)


def run(world):
    for suite in "AB":
        x = Resolves(world, suite)
        for cases in (own_tickets, own_flags, own_validity, own_contents, own_forms, random_tickets):
            world.run(cases(x))


def own_tickets(x):
    """Mode 3: made with the PSK of the Initiator, in its own name, D = 0."""
    world = x.world
    yield x.case("mode 3", x.own())
    yield x.case("mode 3, IDRi is another of one's own", x.own(initiator=named(world, x, x.alice.uids[1])))
    yield x.case("mode 3, 3GPP ticket type", x.own(kind=(2, 0, 0)))
    for name in (b"bob@tkms.example", b"mallory@tkms.example", b"nobody@x", b"", b"?", world.kms):
        yield x.case(f"mode 3 in the name of {name!r}", x.own(initiator=named(world, x, name)),
                     expect_model(also=(0, 14, 15)))
    yield x.case("mode 3 without IDRi", x.own(omit=(ROLE_I,)), expect_model(also=(0, 14, 15)))
    yield x.case("mode 3 without IDRkms", x.own(omit=(ROLE_KMS,)))
    yield x.case("mode 3, a second IDRi is somebody else's", x.own(more=[mikey.idr(ROLE_I, b"mallory@tkms.example")]))
    data = world.tp_data(x.alice, BOB)
    yield x.case("mode 3, a first IDRi is somebody else's",
                 x.own(data=[mikey.idr(ROLE_I, b"mallory@tkms.example")] + data),
                 expect_model(also=(0, 14, 15)))
    yield x.case("mode 3, Mallory's ticket with Alice's IDRpsk",
                 x.own(who=x.mallory, initiator=x.alice, tpk=(b"psk-alice", x.mallory.psk)),
                 expect_model(also=(7, 12, 14, 15)))
    yield x.case("mode 3, Alice's PSK as the key of Mallory", x.own(tpk=(b"psk-mallory", x.alice.psk)),
                 expect_model(also=(7, 12, 14, 15)))
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


def spliced(x):
    """Alice's ticket with Initiator Data that Mallory made with an MPKr of her own."""
    good, bad = x.own(), x.own(who=x.mallory)
    return mikey.ticket(good.policy_octets, good.data, bad.initiator_data)


def own_flags(x):
    """Flags of an Initiator's ticket: contradictions are refused, D must be 0."""
    letters = "DEFGHIJKLMNO"
    few = ["".join(f for f in letters if RANDOM.random() < 0.65) for _ in range(120)]
    few += ["EFGHILNO", "FGHLNO", "EFGHLNO", "EFGILNO", "EFHILNO", "EHLNO", "EFGHIJLNO", "EFGHILMNO", "EFGHINO",
            "DEFGHILNO",
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
    for start, end in ((None, 3600), (-60, 3600), (-30 * DAY, 60), (None, 5), (None, 7 * DAY - 400), (None, None),
                       (-60, None)):
        yield x.case(f"mode 3 valid from {start} to {end}", period(start, end), expect_model(also=() if end else late))
    for start, end in ((None, -5), (None, -3600), (5, 3600), (3600, 7200), (-7200, -3600), (3600, 60),
                       (None, 7 * DAY + 60),
                       (None, 365 * DAY), (None, 20 * 365 * DAY), (10 * 365 * DAY, 11 * 365 * DAY),
                       (None, -100 * 365 * DAY + 1)):
        yield x.case(f"mode 3 valid from {start} to {end}", period(start, end), expect_model(also=late))
    for kinds in ((0, 0), (1, 1), (3, 0), (0, 3)):
        yield x.case(f"mode 3, TRs and TRe of types {kinds}", period(-60, 3600, kinds))
    for kinds in ((2, 3), (3, 2), (2, 2)):
        yield x.case(f"mode 3, TRs and TRe of types {kinds}", period(-60, 3600, kinds),
                     errors(*late, authenticated=True))
    for value in (b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xff\xff\xff"):
        data = x.world.tp_data(x.alice, BOB, lifetime=None)
        yield x.case(f"mode 3, TRe {value.hex()} (era rule)", x.own(data=data + [mikey.tr(mikey.TR_E, 3, value)]),
                     expect_model(also=late))
        yield x.case(f"mode 3, TRs {value.hex()} (era rule)", x.own(more=[mikey.tr(mikey.TR_S, 3, value)]),
                     expect_model(also=late))


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
        yield x.case(f"mode 3 with {n} keys", x.own(session_keys=[key(mikey.TEK, 16,
                                                                      spi=bytes([i])) for i in range(n)]),
                     expect_model(also=(4, 12, 14, 15)))
    for size in (0, 1, 15, 16, 24, 31, 32, 33, 63, 64, 65, 100, 500):
        yield x.case(f"mode 3 with a TGK of {size} octets", x.own(session_keys=[key(size=size)]),
                     expect_model(also=(4, 12, 14, 15)))
    yield x.case("mode 3, two keys with one SPI", x.own(session_keys=[key(), key(mikey.TEK)]),
                 expect_model(also=(12, 14)))
    yield x.case("mode 3, a key without SPI", x.own(session_keys=[key(spi=None)]), expect_model(also=(12, 14)))
    yield x.case("mode 3, a key with an empty SPI", x.own(session_keys=[key(spi=b"")]), expect_model(also=(12, 14)))
    yield x.case("mode 3, a second MPK", x.own(session_keys=[key(), key(mikey.MPK)]), errors(*REFUSED))
    yield x.case("mode 3, SPI of 255 octets", x.own(session_keys=[key(spi=bytes(255))]))
    for size in (0, 1, 14, 64, 65, 255, 1000):
        yield x.case(f"mode 3, salt of {size} octets", x.own(session_keys=[key(mikey.TGK_SALT, salt=bytes(size))]),
                     expect_model(also=(12, 14) if not 0 < size < 65 else ()))
    big = [key(mikey.TGK_SALT, x.key, bytes(64), bytes([i]) * 255) for i in range(16)]
    yield x.case("mode 3, 16 keys with the longest salts and SPIs", x.own(session_keys=big))
    usual = 32 if x.alice.prf else 16
    for size in (0, 15, 16, 24, 32, 33, 64, 200):
        # Which other lengths a KMS takes is its own choice (N25).
        yield x.case(f"mode 3 with an MPK of {size} octets", drawn(x, "MPK", size),
                     expect_model() if size == usual else anything)


def drawn(x, name, size):
    """A ticket for which as many octets were drawn of what has that name."""
    x.alice.draw = lambda what, length: RANDOM.randbytes(size if what == name else length)
    made = x.own()
    x.alice.draw = ues.draw
    return made


def own_forms(x):
    """Ticket Data with payloads missing, doubled, unexpected; algorithms; THDR."""
    for size in (0, 1, 100, 1000):
        yield x.case(f"mode 3, THDR Data of {size} octets", x.own(thdr=bytes(size)))
    for i, name in enumerate(("T", "RAND", "KEMAC", "IDRpsk")):
        yield x.case(f"mode 3, Ticket Data without {name}", x.own(edit=lambda p, i=i: p[:i] + p[i + 1:]), REFUSAL)
        yield x.case(f"mode 3, Ticket Data with {name} twice", x.own(edit=lambda p, i=i: p[:i + 1] + p[i:]))
    yield x.case("mode 3, Ticket Data in reverse", x.own(edit=lambda p: p[::-1]))
    for n in range(5):
        yield x.case(f"mode 3, Ticket Data shuffled ({n})", x.own(edit=lambda p: RANDOM.sample(p, len(p))))
    for name, payload in {"SP": mikey.sp(0, ues.SRTP), "CERT": mikey.cert(b"x"),
                          "extension": mikey.extension(1, bytes(9)),
                          "IDRi": mikey.idr(ROLE_I, b"mallory@tkms.example"), "RANDR": mikey.randr(1, bytes(16)),
                          "TR": mikey.tr(3, 3, bytes(4)), "ID": mikey.id_plain(b"x"), "ERR": mikey.err(1)}.items():
        for at in (0, 2, 4):
            yield x.case(f"mode 3, {name} in Ticket Data at {at}",
                         x.own(edit=lambda p, q=payload, at=at: p[:at] + [q] + p[at:]))
    yield x.case("mode 3, unknown payload in Ticket Data", x.own(edit=lambda p: p + [mikey.Payload(99, bytes(4))]),
                 REFUSAL)
    for ts_type in (mikey.NTP_UTC, mikey.NTP, mikey.COUNTER, mikey.NTP_UTC_32):
        yield x.case(f"mode 3, T of the ticket of type {ts_type}", x.own(t=(ts_type, stamp(ts_type, x.world.clock()))))
    yield x.case("mode 3, T of the ticket long ago", x.own(t=(0, ues.ntp(0))))
    def swapped(kind, payload):
        return lambda p: [payload if q.kind == kind else q for q in p]
    for size in (0, 1, 15, 16, 64, 255):
        yield x.case(f"mode 3, RAND of the ticket of {size} octets", drawn(x, "ticket RAND", size),
                     expect_model(also=(12, 14)) if size < 16 else None)
    other = 3 - x.alice.mac_alg
    yield x.case("mode 3, the other suite's MAC in the ticket", x.own(mac_alg=other), anything)
    yield x.case("mode 3, the other suite's cipher in the ticket", x.own(encr_alg=4 - keys.ENCR_OF_PRF[x.alice.prf]),
                 anything)
    for number in (0, 4, 9, 255):
        yield x.case(f"mode 3, Encr alg {number} in the ticket", x.own(edit=lambda p, n=number: [
            mikey.kemac(n, q.data) if q.kind == mikey.KEMAC else q for q in p]), errors(4, 12, 14, authenticated=True))
    yield x.case("mode 3, MAC in the ticket's KEMAC", x.own(edit=lambda p: [
        mikey.kemac(q.encr_alg, q.data, 1, bytes(20)) if q.kind == mikey.KEMAC else q for q in p]),
                 expect_model(also=(3, 12, 14)))
    for cut in (1, 5, 20):
        yield x.case(f"mode 3, KEMAC of the ticket without {cut} octets", x.own(edit=lambda p, n=cut: [
            mikey.kemac(q.encr_alg, q.data[:-n]) if q.kind == mikey.KEMAC else q for q in p]), REFUSAL)
    yield x.case("mode 3, empty KEMAC", x.own(edit=swapped(mikey.KEMAC,
                                                           mikey.kemac(keys.ENCR_OF_PRF[x.alice.prf], b""))),
                 REFUSAL)
    yield x.case("mode 3, random KEMAC", x.own(edit=swapped(mikey.KEMAC,
                                                            mikey.kemac(keys.ENCR_OF_PRF[x.alice.prf],
                                                                        RANDOM.randbytes(60)))),
                 REFUSAL)
    for prf in (2, 63, 127):
        good = x.own()
        octets = bytearray(good.policy_octets)
        octets[4] = prf << 1 | octets[4] & 1
        yield x.case(f"PRF {prf} in the ticket", mikey.ticket(bytes(octets), good.data, good.initiator_data), REFUSAL)


def random_tickets(x):
    """Many fields of an Initiator's ticket at once."""
    now = x.world.clock()
    for n in range(60):
        to = [RANDOM.choice((BOB, b"?@?", b"x?y", b"carol@other.example",
                             b"?.department@?")) for _ in range(RANDOM.randrange(1, 4))]
        session_keys = []
        for i in range(RANDOM.randrange(0, 5)):
            kind = RANDOM.randrange(6)
            session_keys.append(Secret(kind, RANDOM.randbytes(RANDOM.choice((16, 16, x.key))),
                                       RANDOM.randbytes(14) if kind in mikey.SALTED else None,
                                       bytes([i + 1]) * RANDOM.randrange(1, 9)))
        data = x.world.tp_data(named(x.world, x, RANDOM.choice(x.alice.uids * 3 + [BOB])), to, lifetime=None)
        data[2:2] = [mikey.tr(mikey.TR_S, 3, ues.ntp32(now + RANDOM.choice((-100, -10, 100)))),
                     mikey.tr(mikey.TR_E, 3, ues.ntp32(now + RANDOM.choice((-100, 100, 3600, DAY, 8 * DAY))))]
        made = x.own(RANDOM.choice(("EFGHILNO", "EFGILNO", "EFGHIJLMNO")), data=data, session_keys=session_keys)
        yield x.case(f"random ticket {n}", made, expect_model(also=(0, 1, 7, 12, 14, 15)),
                     who=RANDOM.choice((x.bob, x.bob, x.carol)))
