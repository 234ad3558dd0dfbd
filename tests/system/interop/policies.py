# SPDX-License-Identifier: BSD-3-Clause
"""Ticket Requests: what is granted, changed (K) and refused."""
import itertools

import mikey
import ue as ues
from calls import wanted_all
from kms import flag_faults
from mikey import ROLE_APP, ROLE_I, ROLE_KMS, ROLE_PSK, ROLE_R
from world import DAY, RANDOM, SILENCE, Case, anything, errors, expect_model, require_outcome

BOB = b"bob@tkms.example"


def run(world):
    for suite in "AB":
        x = Requests(world, suite)
        for cases in (types, flags, validity, responders, names, wanted, kemac_forms, tp_forms, prfs, sizes):
            world.run(cases(x))
    world.run(random_policies(Requests(world, "B"), 300))


class Requests:
    def __init__(self, world, suite):
        self.world, self.suite = world, suite
        self.alice = world.ue("alice", suite)
        self.key = 16 if suite == "A" else 32

    def case(self, name, expect=None, change=None, sent=None, **options):
        """change(policy) may spoil the policy."""
        policy = self.world.policy(self.alice, options.pop("to", BOB), **options)
        if change:
            policy = change(policy) or policy
        sent = sent(policy) if sent else self.alice.request(policy)
        return Case(f"policy, suite {self.suite}: {name}", self.alice, sent, expect or expect_model())

    def data(self, name, edit, expect=None, **options):
        """edit(payloads of TP Data) gives those that are sent."""
        return self.case(name, expect, lambda p: mikey.Policy(p.flags, p.prf, edit(list(p.payloads)), p.kind, p.res),
                         **options)

    def tgk(self, length=None, spi=b"spi1"):
        return mikey.key_data(mikey.TGK, bytes(length or self.key), spi=spi)


def types(x):
    good = ((1, 1, 1), (2, 0, 0))
    for kind in good:
        yield x.case(f"ticket type {kind}", kind=kind)
    for kind in ((0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 0, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1), (2, 0, 1), (2, 1, 0),
                 (3, 1, 1),
                 (256, 1, 1), (257, 1, 1), (61440, 0, 0), (65535, 255, 255)):
        yield x.case(f"ticket type {kind}", errors(14, authenticated=True), kind=kind)


def flags(x):
    """Every combination of the flags that depend on each other, against the rules of 6.10 (N40: Error 15)."""
    letters = "DEFGHIJLMNO"
    combinations = [c for n in range(len(letters) + 1) for c in itertools.combinations(letters, n)]
    few = [c for c in combinations if "N" in c and "O" in c]
    for number, chosen in enumerate(few if x.suite == "B" else RANDOM.sample(combinations, 500)):
        text = "".join(chosen)
        if x.suite == "B" and number % 2 and not flag_faults(text, True):
            yield x.case(f"flags {text}, K set", flags=text + "K")
        else:
            yield x.case(f"flags {text}", flags=text, **lenient(x, text))
        if number % 4 == 0:
            gtgk = [mikey.key_data(mikey.GTGK, bytes(x.key), spi=b"spi1")]
            yield x.case(f"flags {text}, GTGK", flags=text, wanted=gtgk, **lenient(x, text, False))
            yield x.case(f"flags {text}, no keys", flags=text, wanted=[], **lenient(x, text, False))
    for res in (1, 5, 31):
        yield x.case(f"reserved bits {res}", change=lambda p, res=res: setattr(p, "res", res))


def lenient(x, asked, tgk=True):
    """3gpp overrides flags: to refuse a contradiction instead of correcting it is as good."""
    contradicts = flag_faults(asked + "D", tgk)
    return {"expect": expect_model(also=(15,))} if x.world.profile == "3gpp" and contradicts else {}


def tr_payload(role, when, ts_type=mikey.NTP_UTC_32):
    if ts_type == mikey.COUNTER:
        return mikey.tr(role, ts_type, int(when).to_bytes(8, "big")[-4:])
    return mikey.tr(role, ts_type, ues.ntp32(when) if ts_type == mikey.NTP_UTC_32 else ues.ntp(when))


def validity(x):
    now = x.world.clock()
    def with_times(start, end, types_of=(mikey.NTP_UTC_32, mikey.NTP_UTC_32)):
        def edit(payloads):
            found = payloads[:2]
            if start is not None:
                found.append(tr_payload(mikey.TR_S, now + start, types_of[0]))
            if end is not None:
                found.append(tr_payload(mikey.TR_E, now + end, types_of[1]))
            return found + payloads[2:]
        return edit
    spans = [(None, 3600), (None, None), (-60, 3600), (60, 3600), (3600, 7200), (-DAY, 60), (-30 * DAY, 3600),
             (None, 20),
             (None, 7 * DAY - 60), (None, 7 * DAY + 60), (None, 30 * DAY), (None, 365 * DAY), (0, 3600), (100, 100),
             (None, -20), (None, -3600), (None, -DAY), (None, -20 * 365 * DAY), (3600, 60), (7200, 3600), (-60, -30),
             (-60, None), (60, None), (2 * DAY, None), (8 * DAY, None), (8 * DAY, 9 * DAY), (5 * DAY, 20 * DAY),
             (20 * DAY, 19 * DAY), (None, 10 * 365 * DAY), (None, 70 * 365 * DAY), (10 * 365 * DAY, 11 * 365 * DAY)]
    for start, end in spans:
        # A TRs behind the end that the KMS sets: to refuse it is as right as to grant a period of another kind.
        also = (1, 15)
        for ts_type in (mikey.NTP_UTC_32, mikey.NTP_UTC, mikey.NTP):
            if start is None and end is None and ts_type:
                continue
            yield x.data(f"TRs {start}, TRe {end}, TS type {ts_type}", with_times(start, end, (ts_type, ts_type)),
                         period(also, start))
    for start, end in ((mikey.NTP_UTC, mikey.NTP_UTC_32), (mikey.NTP_UTC_32, mikey.NTP_UTC),
                       (mikey.NTP, mikey.NTP_UTC)):
        yield x.data(f"TRs of type {start}, TRe of type {end}", with_times(-60, 3600, (start, end)))
    for start, end in ((mikey.COUNTER, mikey.NTP_UTC_32), (mikey.NTP_UTC_32, mikey.COUNTER),
                       (mikey.COUNTER, mikey.COUNTER)):
        yield x.data(f"TRs of type {start}, TRe of type {end}", with_times(-60, 3600, (start, end)),
                     errors(15, authenticated=True))
    yield x.data("COUNTER as TRe only", with_times(None, 3600, (0, mikey.COUNTER)), errors(15, authenticated=True))
    for role in (mikey.TR_S, mikey.TR_E, mikey.TR_R):
        yield x.data(f"unknown TS type in TR {role}", lambda p, r=role: p[:2] + [mikey.tr(r, 9, bytes(8))] + p[2:],
                     errors(1, 12, 15, authenticated=True))
    yield x.data("TRr of an hour", lambda p: p[:3] + [mikey.tr(mikey.TR_R, mikey.NTP_UTC_32,
                                                               (3600).to_bytes(4, "big"))] + p[3:])
    yield x.data("TRr of 0", lambda p: p[:3] + [mikey.tr(mikey.TR_R, mikey.NTP_UTC_32, bytes(4))] + p[3:], anything)
    for ts_type, size in ((mikey.NTP_UTC, 8), (mikey.NTP, 8), (mikey.COUNTER, 4)):
        yield x.data(f"TRr of type {ts_type}", lambda p, t=ts_type,
                     n=size: p[:3] + [mikey.tr(mikey.TR_R, t, bytes(n))] + p[3:],
                     expect_model(also=(12,)))
    yield x.data("TRi in TP", lambda p: p[:2] + [tr_payload(mikey.TR_I, now)] + p[2:])
    yield x.data("two TRe, the second in the past", lambda p: p[:3] + [tr_payload(mikey.TR_E, now - 60)] + p[3:])
    yield x.data("two TRe, the first in the past", lambda p: p[:2] + [tr_payload(mikey.TR_E, now - 60)] + p[2:],
                 expect_model(also=(1,)))
    for value in (b"\0\0\0\0", b"\0\0\0\1", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xff\xff\xff"):
        yield x.data(f"TRe {value.hex()} (era rule)", lambda p, v=value: [
            mikey.tr(mikey.TR_E, mikey.NTP_UTC_32, v) if q.kind == mikey.TR else q for q in p], expect_model(also=(1,)))
        yield x.data(f"TRs {value.hex()} (era rule)", lambda p,
                     v=value: p[:2] + [mikey.tr(mikey.TR_S, mikey.NTP_UTC_32, v)]
                     + p[2:], expect_model(also=(1,)))


def period(also, start):
    """TRe never before TRs, never later than asked for, whatever the KMS makes of an odd period."""
    def then(world, case, grant):
        del world, case
        first, last = (grant.policy.first(mikey.TR, role) for role in (mikey.TR_S, mikey.TR_E))
        require_outcome(first is None or ues.unix(first.value) <= ues.unix(last.value), "granted TRs after TRe")
        require_outcome((first is None) == (start is None), "TRs added or dropped")
    return expect_model(also=also, then=then)


def responders(x):
    def count(n):
        return [b"r%d@tkms.example" % i for i in range(n - 1)] + [BOB]
    for n in (1, 2, 16, 31, 32, 33, 34, 64, 100):
        yield x.case(f"{n} responders", expect_model(also=(7, 12)), to=count(n))
    yield x.data("no responder", lambda p: [q for q in p if not (q.kind == mikey.IDR and q.role == ROLE_R)],
                 expect_model(also=(7, 12)))
    for n in range(11):
        pattern = b"a".join([b"?"] * n) if n else b"a@b"
        yield x.case(f"{n} wildcards in an identity", expect_model(also=(7, 12)), to=[pattern])
        yield x.case(f"{n} wildcards in the second identity", expect_model(also=(7, 12)), to=[BOB, pattern + b"@x"])
    for n in (1, 2, 100, 254, 255, 256, 257, 1000, 6000):
        yield x.case(f"responder of {n} octets", expect_model(also=(7, 12)), to=[b"r" * n])
    yield x.case("the same responder twice", to=[BOB, BOB])
    yield x.case("oneself as responder", to=[x.alice.uids[0]])
    yield x.case("an unknown responder", to=[b"nobody@nowhere.example"])
    yield x.case("an empty responder", expect_model(also=(7, 12, 15)), to=[b""])
    yield x.case("a responder of all octets", expect_model(also=(7, 12, 15)),
                 to=[bytes(o for o in range(1, 255) if o != 0x3F)])
    for id_type in (1, 2, 3, 255):
        yield x.data(f"responder of ID type {id_type}", lambda p, t=id_type: p[:-1] + [mikey.idr(ROLE_R, BOB, t)],
                     anything if id_type == 1 else expect_model(also=(7, 12, 15)))


def names(x):
    alice, world = x.alice, x.world
    def idri(name, id_type=0):
        return lambda p: [mikey.idr(ROLE_I, name,
                                    id_type) if q.kind == mikey.IDR and q.role == ROLE_I else q for q in p]
    yield x.data("IDRi in TP is another of one's own", idri(alice.uids[1]))
    for name in (b"mallory@tkms.example", b"bob@tkms.example", b"nobody@x", b"", b"?", b"?@tkms.example",
                 b"Alice@tkms.example"):
        yield x.data(f"IDRi in TP is {name!r}", idri(name), expect_model(also=(15,)))
    yield x.data("IDRi in TP of 256 octets", idri(b"a" * 256), expect_model(also=(12, 15)))
    for i, role in enumerate((ROLE_KMS, ROLE_I)):
        yield x.data(f"role {role} left out of TP", lambda p, i=i: p[:i] + p[i + 1:])
        yield x.data(f"role {role} twice in TP", lambda p, i=i: p[:i + 1] + p[i:])
    yield x.data("a second IDRi in TP is somebody else's",
                 lambda p: p[:2] + [mikey.idr(ROLE_I, b"mallory@tkms.example")] + p[2:])
    yield x.data("a first IDRi in TP is somebody else's", lambda p: [mikey.idr(ROLE_I, b"mallory@tkms.example")] + p,
                 expect_model(also=(15,)))
    for name in (b"kms@else.example", b"", b"?", b"KMS@tkms.example"):
        yield x.data(f"IDRkms in TP is {name!r}", lambda p, n=name: [mikey.idr(ROLE_KMS, n)] + p[1:],
                     expect_model(also=(7, 15)))
    for n in (1, 2, 8, 32):
        apps = [mikey.idr(ROLE_APP, b"app%d" % i, mikey.BYTES) for i in range(n)]
        yield x.case(f"{n} applications", expect_model(also=(12, 15)), more=apps)
    yield x.data("IDRpsk in TP", lambda p: p[:2] + [mikey.idr(ROLE_PSK, b"psk-bob")] + p[2:])
    yield x.data("IDR of an unknown role in TP", lambda p: p[:2] + [mikey.idr(77, b"x")] + p[2:])
    del world


def wanted(x):
    size = x.key
    yield x.case("every key type", wanted=wanted_all(size))
    longest = 16 if x.suite == "A" else 64
    for length in (0, 1, 8, 14, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 66, 128, 255, 1000):
        for key_type in (mikey.TGK, mikey.TEK, mikey.GTGK):
            expect = expect_model(also=(4,) if length > longest else ())
            yield x.case(f"{mikey.KEY_TYPES[key_type]} of {length} octets", expect,
                         wanted=[mikey.key_data(key_type, bytes(length), spi=b"spi1")])
    for count in (1, 2, 8, 15, 16, 17, 18, 40):
        many = [mikey.key_data(mikey.TEK, bytes(16), spi=bytes([i])) for i in range(count)]
        yield x.case(f"{count} keys", expect_model(also=(12,)), wanted=many)
        many = [mikey.key_data(mikey.TGK_SALT, bytes(size), bytes(14)) for i in range(count)]
        yield x.case(f"{count} salted keys without SPI", expect_model(also=(12,)), wanted=many)
    yield x.case("16 keys of full length, salted", expect_model(also=()),
                 wanted=[mikey.key_data(mikey.TGK_SALT, bytes(longest), bytes(14),
                                        spi=bytes([i]) * 4) for i in range(16)])
    yield x.case("MPK asked for", wanted=[mikey.key_data(mikey.MPK, bytes(16), spi=b"a")])
    yield x.case("MPK among others", wanted=[x.tgk(), mikey.key_data(mikey.MPK, bytes(16), spi=b"a")])
    for number in (7, 8, 15):
        yield x.case(f"key type {number}", errors(15, 12, authenticated=True),
                     wanted=[mikey.key_data(number, bytes(16), spi=b"a")])
    yield x.case("KV Interval", wanted=[mikey.key_data(mikey.TGK, bytes(16), interval=(bytes(4), b"\xff" * 4))])
    for kv in (3, 9, 15):
        bad = mikey.Payload(mikey.KEY_DATA, bytes([kv]) + mikey.sized(bytes(16)))
        yield x.case(f"KV {kv}", errors(15, 12, authenticated=True), wanted=[bad])
    yield x.case("two keys with one SPI", wanted=[x.tgk(), mikey.key_data(mikey.TEK, bytes(16), spi=b"spi1")])
    yield x.case("two empty SPIs", wanted=[x.tgk(spi=b""), mikey.key_data(mikey.TEK, bytes(16), spi=b"")])
    for length in (0, 1, 2, 3, 4, 5, 16, 60, 64, 127, 128, 200, 255):
        yield x.case(f"SPI of {length} octets", wanted=[x.tgk(spi=bytes(length))])
    for salt in (0, 1, 13, 14, 15, 16, 32, 64, 65, 255, 1000):
        yield x.case(f"salt of {salt} octets", wanted=[mikey.key_data(mikey.TGK_SALT, bytes(16), bytes(salt),
                                                                      spi=b"spi1")])
    yield x.case("key data that is not zero", wanted=[mikey.key_data(mikey.TGK_SALT, b"\xff" * 16, b"\xff" * 14,
                                                                     spi=b"spi1")],
                 expect=expect_model(then=not_mine))
    yield x.case("some keys with SPI, some without", wanted=[x.tgk(), mikey.key_data(mikey.TEK, bytes(16)),
                                                             mikey.key_data(mikey.GTGK, bytes(16))])


def not_mine(world, case, grant):
    del world, case
    require_outcome(grant.keys[0].key != b"\xff" * 16 and grant.keys[0].salt != b"\xff" * 14,
                    "the Initiator chose the key")


def kemac_forms(x):
    """The KEMAC of TP is NULL/NULL and has whole key data in it."""
    content = mikey.chain([x.tgk()])
    def with_kemac(payload):
        return lambda p: p[:-1] + [payload] + p[-1:]
    for encr_alg in (1, 2, 3, 9):
        yield x.data(f"KEMAC in TP with Encr alg {encr_alg}", with_kemac(mikey.kemac(encr_alg, content)),
                     errors(15, 4, authenticated=True))
    for mac_alg in (1, 2):
        mac = bytes(mikey.MAC_LENGTH[mac_alg])
        yield x.data(f"KEMAC in TP with MAC alg {mac_alg}", with_kemac(mikey.kemac(0, content, mac_alg, mac)),
                     errors(15, 3, authenticated=True))
    for name, bad in (("cut", content[:-1]), ("with an octet behind", content + b"\0"), ("of one octet", b"\0"),
                      ("that announces more", bytes([mikey.KEY_DATA]) + content[1:]),
                      ("with a T", mikey.chain([x.tgk(), mikey.t(0, bytes(8))])),
                      ("with a long key length", b"\0\1\xff\xff" + bytes(16)),
                      ("with a long SPI length", content[:-5] + b"\xff" + content[-4:])):
        yield x.data(f"KEMAC in TP {name}", with_kemac(mikey.kemac(0, bad)), errors(15, 12, authenticated=True))
    yield x.data("two KEMACs in TP", lambda p: p[:-1] + [mikey.kemac(0, content), mikey.kemac(0, content)] + p[-1:],
                 anything)
    yield x.data("KEMAC as first payload of TP", lambda p: [mikey.kemac(0, content)] + p)
    yield x.data("KEMAC as last payload of TP", lambda p: p + [mikey.kemac(0, content)])


def tp_forms(x):
    """TP Data that does not parse, in another order, with unexpected payloads."""
    def data(octets):
        return lambda p: mikey.Policy(p.flags, p.prf, [], p.kind, data=octets)
    good = x.world.policy(x.alice, BOB).payloads
    whole = mikey.tp_chain(good)
    for name, octets in (("empty", b""), ("of one zero octet", b"\0"), ("with an octet behind", whole + b"\0"),
                         ("cut by one octet", whole[:-1]), ("cut in the middle", whole[:len(whole) // 2]),
                         ("of an unknown payload", b"\x63" + whole[1:]), ("that claims a V", b"\x09" + whole[1:]),
                         ("of zeros", bytes(40)), ("of ones", b"\xff" * 40), ("random", RANDOM.randbytes(60))):
        yield x.case(f"TP Data {name}", errors(15, 12, 7, authenticated=True), data(octets))
    for at in range(0, len(whole), 3):
        yield x.case(f"TP Data cut after {at} octets", errors(15, 12, 7, authenticated=True), data(whole[:at]))
    for n in range(8):
        yield x.data(f"TP Data shuffled ({n})", lambda p: RANDOM.sample(p, len(p)))
    yield x.data("TP Data in reverse", lambda p: p[::-1])
    extras = {"SP": mikey.sp(1, ues.SRTP), "T": mikey.t(0, bytes(8)), "RAND": mikey.rand(bytes(16)),
              "RANDR": mikey.randr(1, bytes(16)), "ID": mikey.id_plain(b"x"), "CERT": mikey.cert(b"x"),
              "ERR": mikey.err(3), "extension": mikey.extension(1, b"x"), "V": mikey.v(1, bytes(20)),
              "empty V": mikey.v(0), "CHASH": mikey.chash(2, bytes(32)), "PKE": mikey.pke(b"x"),
              "TP": mikey.tp(mikey.Policy("D", 0, [])), "TR": mikey.tr(99, 3, bytes(4))}
    for name, payload in extras.items():
        for at in (0, 2, len(good)):
            yield x.data(f"{name} in TP Data at {at}", lambda p, q=payload, at=at: p[:at] + [q] + p[at:])
    tp_octets = mikey.tp(x.world.policy(x.alice, BOB)).body
    # TP Data length that does not fit the message: the top level is broken, so nothing can be authenticated.
    longer = tp_octets[:7] + (int.from_bytes(tp_octets[7:9], "big") + 400).to_bytes(2, "big") + tp_octets[9:]
    sent = x.alice.request(x.world.policy(x.alice, BOB), edit=lambda p: [
        mikey.Payload(mikey.TP, longer) if q.kind == mikey.TP else q for q in p])
    yield Case(f"policy, suite {x.suite}: TP Data longer than the message", x.alice, sent,
               errors(0, 12, SILENCE, authenticated=False))


def prfs(x):
    """PRF of the policy against that of the header."""
    for prf in (2, 5, 63, 127):
        yield x.case(f"PRF {prf} in TP", errors(2, 14, 15, authenticated=True), prf=prf)
    other = 1 - x.alice.prf
    yield x.case(f"PRF {other} in TP, keys of 16 octets", expect_model(also=(2, 3, 15)), prf=other, wanted=[x.tgk(16)])
    yield x.case(f"PRF {other} in TP, default key", expect_model(also=(2, 3, 4, 15)), prf=other)
    yield x.case(f"PRF {other} in TP, keys of 32 octets", errors(2, 3, 4, 15, authenticated=True), prf=other,
                 wanted=[x.tgk(32)])


def sizes(x):
    """Messages up to 8192 octets are read, longer ones are not; answers are never cut."""
    def padded(total):
        def make(policy):
            size = len(x.alice.request(policy).octets)
            left = total - size - 4
            return x.alice.request(policy, edit=lambda p: p + [mikey.extension(0, bytes(left))])
        return make
    for total in (1000, 1400, 1472, 1473, 2000, 4096, 8000, 8191, 8192):
        yield x.case(f"message of {total} octets", sent=padded(total))
    for total in (8193, 8200, 8800):
        yield x.case(f"message of {total} octets", errors(SILENCE, 12, authenticated=False), sent=padded(total))
    longest = 16 if x.suite == "A" else 64
    keys_wanted = [mikey.key_data(mikey.TGK_SALT, bytes(longest), bytes(14), spi=bytes([i]) * 4) for i in range(16)]
    for length in (60, 120, 180, 199, 206, 210, 215):
        names_long = [b"%03d" % i + b"r" * length for i in range(31)] + [BOB]
        yield x.case(f"16 long keys, 31 responders of {length + 3} octets", answered_when_read, to=names_long,
                     wanted=keys_wanted)
    names_long = [b"%03d" % i + b"r" * 230 for i in range(31)] + [BOB]
    yield x.case("20 long responders", to=names_long[12:])


def answered_when_read(world, case, answer):
    """To the largest message that is read there is an answer; Error 12 when the grant does not go into a packet."""
    size = len(case.sent.octets)
    require_outcome(answer is not None, f"no answer to {size} octets")
    if size > 8192:
        errors(12, authenticated=False)(world, case, answer)
    else:
        expect_model(also=(12,))(world, case, answer)
        require_outcome(size > 4000 or answer[1] == mikey.REQUEST_RESP, "a grant of moderate size was refused")


def random_policies(x, count):
    """Many fields at once: the model and the KMS must agree about each."""
    now = x.world.clock()
    for n in range(count):
        on = "".join(f for f in mikey.FLAGS if RANDOM.random() < (0.9 if f in "DEFGHINO" else 0.3))
        data = [mikey.idr(ROLE_KMS, x.world.kms)] if RANDOM.random() < 0.8 else []
        if RANDOM.random() < 0.8:
            data.append(mikey.idr(ROLE_I, RANDOM.choice(x.alice.uids)))
        if RANDOM.random() < 0.5:
            data.append(tr_payload(mikey.TR_S, now - RANDOM.randrange(1, 10000), RANDOM.choice((0, 1, 3))))
        if RANDOM.random() < 0.8:
            data.append(tr_payload(mikey.TR_E, now + RANDOM.randrange(100, 12 * DAY), RANDOM.choice((0, 1, 3))))
        if RANDOM.random() < 0.3:
            data.append(mikey.tr(mikey.TR_R, mikey.NTP_UTC_32, RANDOM.randbytes(4)))
        if RANDOM.random() < 0.7:
            made = []
            for i in range(RANDOM.randrange(0, 6)):
                key_type = RANDOM.randrange(6)
                made.append(mikey.key_data(key_type, RANDOM.randbytes(RANDOM.choice((16, 16, 24, 32, 64))),
                                           RANDOM.randbytes(14) if key_type in mikey.SALTED else None,
                                           bytes([i + 1]) * RANDOM.randrange(1, 9) if RANDOM.random() < 0.7 else None))
            data.append(mikey.kemac(0, mikey.chain(made) if made else b""))
        data += [mikey.idr(ROLE_APP, RANDOM.randbytes(5), mikey.BYTES) for _ in range(RANDOM.choice((0, 0, 1, 3)))]
        data += [mikey.idr(ROLE_R, RANDOM.choice((BOB, b"?@?", b"x?y", RANDOM.randbytes(8).replace(b"?", b"!"))))
                 for _ in range(RANDOM.randrange(1, 5))]
        if RANDOM.random() < 0.2:
            data.insert(RANDOM.randrange(len(data)), mikey.sp(0, ues.SRTP))
        if RANDOM.random() < 0.2:
            RANDOM.shuffle(data)
        policy = mikey.Policy(on, RANDOM.choice((1, 1, 1, 1)), data, RANDOM.choice(((1, 1, 1), (2, 0, 0))))
        expect = lenient(x, on).get("expect") or expect_model()
        yield Case(f"policy: random {n}", x.alice, x.alice.request(policy), expect)
