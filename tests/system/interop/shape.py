# SPDX-License-Identifier: BSD-3-Clause
"""Messages of the wrong shape: payloads missing, doubled, in another order, unknown; headers, times, MACs."""
import mikey
import ue as ues
from calls import SRTP, sessions_for
from mikey import ROLE_APP, ROLE_I, ROLE_KMS, ROLE_PSK, ROLE_R
from world import RANDOM, SILENCE, Case, anything, errors, expect_model, plain

MALFORMED = (SILENCE, 0, 12)


class Exchange:
    """One of the two exchanges with the KMS, to be spoiled."""

    def __init__(self, world, name, suite):
        self.world, self.suite = world, suite
        alice, bob, self.mallory = (world.ue(n, suite) for n in ("alice", "bob", "mallory"))
        if name == "request":
            self.who, self.role, self.object = alice, ROLE_I, mikey.TP
            self.make = lambda **o: alice.request(world.policy(alice, bob.uids[0]), **o)
        else:
            grant = world.granted(alice, bob.uids[0])
            transfer = alice.transfer(grant, bob.uids[0], sessions_for(grant.keys), SRTP)
            self.who, self.role, self.object = bob, ROLE_R, mikey.TICKET
            self.make = lambda **o: bob.resolve(transfer.ticket, **o)
        self.name = f"{name}, suite {suite}"

    def case(self, name, expect=None, **options):
        return Case(f"{self.name}: {name}", self.who, self.make(**options), expect or expect_model())

    def raw(self, name, octets, expect, like=None):
        return Case(f"{self.name}: {name}", self.who, plain(octets, like), expect)


def run(world):
    for suite in "AB":
        for name in ("request", "resolve"):
            exchange = Exchange(world, name, suite)
            for cases in (missing, doubled, reordered, unexpected, unknown, leftovers, headers, data_types, times, macs,
                          identities, rands):
                world.run(cases(exchange))


def missing(x):
    kinds = ["T", "RANDR", "IDR of the role", "IDRkms", "TP or TICKET", "IDRpsk"]
    for i, kind in enumerate(kinds):
        yield x.case(f"without {kind}", expect_model(also=(1, SILENCE) if i in (0, 1, 4) else ()),
                     edit=lambda p, i=i: p[:i] + p[i + 1:])
    yield x.case("nothing but V", expect_model(also=(SILENCE, 0, 1)), edit=lambda p: [])
    yield x.case("T only", expect_model(also=(SILENCE, 0, 1)), edit=lambda p: p[:1])
    sent = x.make()
    _, payloads = mikey.parse(sent.octets)
    for count in range(1, len(payloads)):
        octets = mikey.message(sent.header, payloads[:count])
        yield x.raw(f"V missing, {count} payloads", fresh(octets), errors(*MALFORMED, 1, 3, authenticated=False))


def fresh(octets):
    """The same with a CSB ID of its own, so that its answer can be told from others."""
    return octets[:4] + RANDOM.randbytes(4) + octets[8:]


def doubled(x):
    for i in range(6):
        yield x.case(f"payload {i} twice in a row", edit=lambda p, i=i: p[:i + 1] + p[i:])
        yield x.case(f"payload {i} again at the end", edit=lambda p, i=i: p + [p[i]])
    old = mikey.t(mikey.NTP_UTC, ues.ntp(x.world.clock() - 7200))
    other = {
        "T, the second is old": old,
        "IDR, the second is somebody else's": mikey.idr(x.role, x.mallory.uids[0]),
        "IDRkms, the second is of another KMS": mikey.idr(ROLE_KMS, b"kms@else.example"),
        "IDRpsk, the second is somebody else's": mikey.idr(ROLE_PSK, x.mallory.psk_id),
        "IDRpsk, the second is unknown": mikey.idr(ROLE_PSK, b"nobody"),
        "RANDR, the second differs": mikey.randr(x.role, bytes(16)),
    }
    for name, payload in other.items():
        yield x.case(f"two {name}", edit=lambda p, payload=payload: p + [payload])
        yield x.case(f"two {name}, but it comes first", expect_model(also=(SILENCE,)),
                     edit=lambda p, payload=payload: [payload] + p)
    garbage = mikey.Payload(x.object, mikey.Policy("D", 0, [], (9, 9, 9)).octets() + (
        bytes(4) if x.object == mikey.TICKET else b""))
    yield x.case("two TP or TICKET, the second is bad", edit=lambda p: p + [garbage])
    yield x.case("two TP or TICKET, the first is bad", expect_model(also=(0, 12)), edit=lambda p: [garbage] + p)
    sent = x.make(edit=lambda p: p + [mikey.v(x.who.mac_alg, bytes(mikey.MAC_LENGTH[x.who.mac_alg]))])
    yield Case(f"{x.name}: a V of zeros before the V", x.who, sent, expect_model(also=(0, 12, SILENCE)))


def reordered(x):
    yield x.case("payloads in reverse", edit=lambda p: p[::-1])
    for n in range(12):
        def shuffled(p):
            return RANDOM.sample(p, len(p))
        yield x.case(f"payloads shuffled ({n})", edit=shuffled)
    sent = x.make()
    _, payloads = mikey.parse(sent.octets)
    for at in range(len(payloads) - 1):
        moved = payloads[:-1]
        moved.insert(at, payloads[-1])
        yield x.raw(f"V at place {at}", fresh(mikey.message(sent.header, moved)),
                    errors(*MALFORMED, 3, authenticated=False))


def unexpected_payloads(x):
    """Known payloads that mean nothing here: they are ignored (N6)."""
    other = ROLE_R if x.role == ROLE_I else ROLE_I
    return {
        "SP": mikey.sp(0, ues.SRTP), "SP without parameters": mikey.sp(9, []),
        "CERT": mikey.cert(b"certificate"), "CHASH": mikey.chash(2, bytes(32)),
        "CHASH SHA-1": mikey.chash(0, bytes(20)),
        "CHASH MD5": mikey.chash(1, bytes(16)), "ID": mikey.id_plain(b"alice@tkms.example"),
        "RAND": mikey.rand(bytes(16)), "RAND of 255": mikey.rand(bytes(255)), "empty RAND": mikey.rand(b""),
        "KEMAC": mikey.kemac(1, bytes(40)), "KEMAC with MAC": mikey.kemac(0, b"", 1, bytes(20)),
        "ERR": mikey.err(0), "PKE": mikey.pke(b"envelope"), "extension": mikey.extension(0, b"vendor"),
        "empty extension": mikey.extension(255, b""), "TR": mikey.tr(mikey.TR_E, mikey.NTP_UTC_32, bytes(4)),
        "TR of an unknown role": mikey.tr(77, mikey.NTP_UTC_32, bytes(4)),
        "other RANDR": mikey.randr(other, bytes(16)), "RANDRkms": mikey.randr(3, bytes(16)),
        "other IDR": mikey.idr(other, b"mallory@tkms.example"), "IDRapp": mikey.idr(ROLE_APP, b"app"),
        "IDR of an unknown role": mikey.idr(99, b"who?"), "empty IDR": mikey.idr(98, b""),
        "other object": mikey.ticket(mikey.Policy("D", 0, []).octets(), b"", b"") if x.object == mikey.TP
        else mikey.tp(mikey.Policy("D", 0, [])),
    }


def unexpected(x):
    payloads = unexpected_payloads(x)
    for name, payload in payloads.items():
        for at in (0, 3, 6):
            yield x.case(f"unexpected {name} at {at}", edit=lambda p, payload=payload,
                         at=at: p[:at] + [payload] + p[at:])
    yield x.case("all unexpected payloads at once", edit=lambda p: p + list(payloads.values()))
    yield x.case("a hundred unexpected payloads", expect_model(also=(12,)), edit=lambda p: p + [mikey.rand(b"")] * 100)
    yield x.case("key data outside a KEMAC", anything, edit=lambda p: p + [mikey.key_data(mikey.TGK, bytes(16))])


def unknown(x):
    """Payload types without a meaning cannot be skipped; the message is malformed."""
    for kind in (18, 19, 22, 23, 100, 254, 255):
        for at in (0, 3, 6):
            yield x.case(f"payload type {kind} at {at}", errors(*MALFORMED, authenticated=False),
                         edit=lambda p, kind=kind,
                         at=at: p[:at] + [mikey.Payload(kind, bytes([0, 4]) + bytes(4))] + p[at:])
    for name, payload in {"hash function": mikey.chash(7, bytes(20)), "TS type in TR": mikey.tr(3, 9, bytes(8)),
                          "MAC alg in KEMAC": mikey.kemac(0, b"", 9, bytes(20))}.items():
        yield x.case(f"unknown {name}", errors(*MALFORMED, 1, 3, 4, 5, authenticated=False), edit=lambda p,
                     q=payload: p + [q])


def leftovers(x):
    for count in (1, 2, 7, 100):
        sent = x.make()
        yield x.raw(f"{count} octets after V", sent.octets + bytes(count), errors(*MALFORMED, authenticated=False),
                    sent)
    sent = x.make()
    size = len(sent.octets)
    for length in sorted({*range(0, 30), *RANDOM.sample(range(30, size), 60), *range(size - 40, size)}):
        octets = fresh(sent.octets)[:length]
        if length >= 8:
            yield x.raw(f"{length} octets of {size}", octets, errors(*MALFORMED, 1, 2, 3, 11, authenticated=False),
                        sent)
    for at in RANDOM.sample(range(10, size), 60):
        octets = bytearray(fresh(sent.octets))
        octets[at] ^= RANDOM.randrange(1, 256)
        yield x.raw(f"octet {at} changed after the MAC", bytes(octets),
                    errors(*MALFORMED, 1, 2, 3, 7, 11, authenticated=False), sent)


def headers(x):
    for version in (0, 2, 3, 127, 255):
        yield x.case(f"version {version}", errors(SILENCE, 0, 12, authenticated=False),
                     header=lambda h, n=version: setattr(h, "version", n))
    for prf in range(2, 128, 1 if x.suite == "A" else 25):
        yield x.case(f"PRF {prf}", errors(2, authenticated=False), header=lambda h, n=prf: setattr(h, "prf", n))
    yield x.case("V flag 0", v_flag=0)
    for csb_id in (bytes(4), b"\xff" * 4):
        yield x.case(f"CSB ID {csb_id.hex()}", csb_id=csb_id)
    def with_map(count, kind, info):
        def change(header):
            header.cs, header.map_type, header.map_info = count, kind, info
        return change
    session = mikey.crypto_session(1, [0], bytes(4), b"spi")
    for name, change in (("1 crypto session in a GENERIC-ID map", with_map(1, mikey.GENERIC_MAP, session)),
                         ("GENERIC-ID map without sessions", with_map(0, mikey.GENERIC_MAP, b"")),
                         ("#CS 1 in the Empty map", with_map(1, mikey.EMPTY_MAP, b"")),
                         ("#CS 255 in the Empty map", with_map(255, mikey.EMPTY_MAP, b""))):
        yield x.case(name, header=change)
    srtp = with_map(1, 0, bytes(9))
    yield x.case("SRTP-ID map", errors(SILENCE, 12), header=srtp)
    yield x.case("SRTP-ID map without sessions", errors(SILENCE, 12), header=with_map(0, 0, b""))
    for kind in (3, 4, 100, 255):
        yield x.case(f"map type {kind}", errors(*MALFORMED), header=with_map(0, kind, b""))


def data_types(x):
    """Types 6, 13, 14, 15, 18 are never answered; everything unknown gets Error 11."""
    good = mikey.REQUEST_INIT_PSK if x.role == ROLE_I else mikey.RESOLVE_INIT_PSK
    for number in range(256):
        if number in (11, 16):
            continue
        expect = errors(SILENCE) if number in (6, 13, 14, 15, 18) else errors(11, authenticated=False)
        yield x.case(f"data type {number}", expect, header=lambda h, n=number: setattr(h, "data_type", n))
    other = mikey.RESOLVE_INIT_PSK if good == mikey.REQUEST_INIT_PSK else mikey.REQUEST_INIT_PSK
    yield x.case("data type of the other exchange", errors(*MALFORMED, 1),
                 header=lambda h: setattr(h, "data_type", other))


def times(x):
    now = x.world.clock()
    for seconds in (-299, -290, -60, 60, 290, 298):
        yield x.case(f"T {seconds} s off", t=(mikey.NTP_UTC, ues.ntp(now + seconds)))
    for seconds in (-86400 * 365 * 20, -86400, -3600, -310, -302, 303, 310, 3600, 86400, 86400 * 365 * 9.5,
                    86400 * 365 * 60):
        yield x.case(f"T {seconds} s off", errors(1, SILENCE, authenticated=False),
                     t=(mikey.NTP_UTC, ues.ntp(now + seconds)))
        yield x.case(f"T {seconds} s off, 32 bits", errors(1, SILENCE, authenticated=False),
                     t=(mikey.NTP_UTC_32, ues.ntp32(now + seconds)))
    for value in (bytes(8), b"\xff" * 8, b"\x80" + bytes(7), b"\x7f" + b"\xff" * 7):
        yield x.case(f"T {value.hex()}", errors(1, SILENCE, authenticated=False), t=(mikey.NTP_UTC, value))
    for value in (0, 1, 1 << 31, (1 << 32) - 1, int(now)):
        yield x.case(f"COUNTER {value}", errors(1, authenticated=False),
                     t=(mikey.COUNTER, (value % (1 << 32)).to_bytes(4, "big")))
    for ts_type in (4, 5, 9, 127, 255):
        for size in (4, 8):
            yield x.case(f"TS type {ts_type} with {size} octets", errors(1, *MALFORMED, authenticated=False),
                         t=(ts_type, bytes(size)))


def macs(x):
    good = x.who.mac_alg
    other = 3 - good
    yield x.case("the other suite's MAC", errors(3, 0, authenticated=False), mac_alg=other)
    yield x.case("NULL MAC", errors(3, 0, authenticated=False), mac_alg=0)
    yield x.case("the other suite's PRF", errors(3, 0, authenticated=False), prf=1 - x.who.prf)
    for number in (3, 4, 100, 255):
        sent = x.make()
        octets = bytearray(sent.octets)
        octets[-mikey.MAC_LENGTH[good] - 1] = number
        yield x.raw(f"auth alg {number}", bytes(octets), errors(3, *MALFORMED, authenticated=False), sent)
    for name, psk in (("of somebody else", x.mallory.psk), ("of zeros", bytes(32)), ("empty", b""),
                      ("with a zero octet behind", x.who.psk + b"\0"), ("in half", x.who.psk[:16])):
        yield x.case(f"MAC with a PSK {name}", errors(SILENCE, 0, authenticated=False), psk=psk)
    for bit in (0, 7, 80, 8 * mikey.MAC_LENGTH[good] - 1):
        sent = x.make()
        mac = int.from_bytes(sent.octets[-mikey.MAC_LENGTH[good]:], "big") ^ 1 << bit
        octets = sent.octets[:-mikey.MAC_LENGTH[good]] + mac.to_bytes(mikey.MAC_LENGTH[good], "big")
        yield x.raw(f"bit {bit} of the MAC", octets, errors(SILENCE, 0, authenticated=False), sent)
    sent = x.make()
    for name, mac in (("zeros", bytes(mikey.MAC_LENGTH[good])), ("ones", b"\xff" * mikey.MAC_LENGTH[good])):
        yield x.raw(f"MAC of {name}", fresh(sent.octets)[:-mikey.MAC_LENGTH[good]] + mac,
                    errors(SILENCE, 0, authenticated=False), sent)


def identities(x):
    mine, foreign = x.who, x.mallory
    yield x.case("somebody else's identity", identity=foreign.uids[0])
    yield x.case("an unknown identity", identity=b"nobody@tkms.example")
    yield x.case("an empty identity", identity=b"")
    yield x.case("identity in capitals", identity=mine.uids[0].upper())
    yield x.case("a wildcard as identity", identity=b"?@tkms.example")
    yield x.case("identity of 255 octets", expect_model(also=(12,)), identity=b"a" * 255)
    yield x.case("identity of 256 octets", errors(0, 7, 12, SILENCE), identity=b"a" * 256)
    yield x.case("an unknown identity, no IDRpsk", expect_model(also=(SILENCE, 7)), identity=b"nobody@tkms.example",
                 omit=(ROLE_PSK,))
    for kms in (b"kms@else.example", b"", b"KMS@tkms.example", x.world.kms + b"\0"):
        yield x.case(f"IDRkms {kms!r}", edit=lambda p, kms=kms: [
            mikey.idr(ROLE_KMS, kms) if q.kind == mikey.IDR and q.role == ROLE_KMS else q for q in p])
    for name in (b"nobody", b"", b"psk-alic", b"psk-alice\0", b"PSK-ALICE", b"?", b"x" * 255, b"x" * 1000, b"tpk-1"):
        yield x.case(f"IDRpsk {name[:20]!r}", expect_model(also=(SILENCE, 7, 12)), edit=lambda p, name=name: p[:-1] + [
            mikey.idr(ROLE_PSK, name)])
    yield x.case("IDRpsk of somebody else", expect_model(also=(SILENCE,)),
                 edit=lambda p: p[:-1] + [mikey.idr(ROLE_PSK, foreign.psk_id)])
    yield x.case("IDRpsk and key of somebody else", psk=foreign.psk,
                 edit=lambda p: p[:-1] + [mikey.idr(ROLE_PSK, foreign.psk_id)])
    for id_type in (0, 1, 3, 255):
        yield x.case(f"IDRpsk of ID type {id_type}", edit=lambda p,
                     n=id_type: p[:-1] + [mikey.idr(ROLE_PSK, mine.psk_id, n)])
        yield x.case(f"identity of ID type {id_type}", anything if id_type == 1 else expect_model(),
                     edit=lambda p, n=id_type: [mikey.idr(x.role, mine.uids[0],
                                                          n) if q.kind == mikey.IDR and q.role == x.role
                                                else q for q in p])


def rands(x):
    for size in (0, 1, 15, 16, 17, 31, 32, 33, 64, 65, 128, 200, 254, 255):
        yield x.case(f"RANDR of {size} octets", anything if size == 0 else None, rand=RANDOM.randbytes(size))
    for wrong in (0, 3, 4, 200):
        yield x.case(f"RANDR of role {wrong} only", expect_model(also=(SILENCE,)), edit=lambda p, n=wrong: [
            mikey.randr(n, q.rand) if q.kind == mikey.RANDR else q for q in p])
