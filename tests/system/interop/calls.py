# SPDX-License-Identifier: BSD-3-Clause
"""Whole calls: ticket requested (or made), transferred, resolved, both UEs with the same session keys."""
import itertools

import mikey
import ue as ues
from mikey import ROLE_APP, ROLE_I, ROLE_KMS, ROLE_PSK, ROLE_R
from ue import Secret
from world import Case, Failure, expect_model

SRTP = [mikey.sp(0, ues.SRTP)]


def sessions_for(session_keys):
    return [(i, [0], (0x11110000 + i).to_bytes(4, "big"), k.spi or b"") for i, k in enumerate(session_keys, 1)]


def transfer_and_resolve(world, name, grant, initiator, responder, responder_keys=None, **options):
    """The rest of a call after the Initiator has a ticket; {CS ID: (TEK, salt)} of both."""
    sessions = sessions_for(grant.keys or responder_keys)
    if responder_keys:
        sessions = [(i, numbers, data, b"") for i, numbers, data, _ in sessions]
    transfer = initiator.transfer(grant, responder.uids[0], sessions, SRTP, **options)
    sent = responder.resolve(transfer.ticket)
    answer = world.link.ask(sent.octets)
    if answer is None:
        raise Failure("no answer to a good RESOLVE_INIT")
    resolution = responder.open_resolution(sent, answer, grant.policy)
    world.judge(Case(name + ", answer of the resolve", responder, sent, expect_model()), [answer])
    responder.check_transfer(resolution, transfer.octets)
    final = sessions_for(responder_keys) if responder_keys else None
    response, of_responder = responder.respond(resolution, transfer.octets, final, SRTP if responder_keys else (),
                                               own_keys=responder_keys)
    return initiator.finish(transfer, response), of_responder


def wanted_all(length):
    keys_wanted = []
    for i, key_type in enumerate((mikey.TGK, mikey.TGK_SALT, mikey.GTGK, mikey.GTGK_SALT, mikey.TEK, mikey.TEK_SALT),
                                 1):
        salt = bytes(14) if key_type in mikey.SALTED else None
        keys_wanted.append(mikey.key_data(key_type, bytes(length), salt, spi=i.to_bytes(4, "big")))
    return keys_wanted


def requests(world, who, length):
    """name: options of World.policy, for every kind of exchange in the vectors and some more."""
    bob = b"bob@tkms.example"
    gtgk = [mikey.key_data(mikey.GTGK, bytes(length), spi=b"\0\0\0\1")]
    app = [mikey.idr(ROLE_APP, b"app.example", mikey.BYTES)]
    kinds = {
        "forked": {},
        "forked without RANDRi in the TEK": {"flags": "DEFGINO"},
        "group of a department": {"to": b"?.department@tkms.example"},
        "group of everybody, GTGK": {"to": b"?@?", "wanted": gtgk},
        "every key type": {"wanted": wanted_all(length)},
        "no session keys": {"wanted": [], "flags": "DEFGHIMNO"},
        "3GPP ticket": {"kind": (2, 0, 0)},
        "lifetime over the limit": {"lifetime": 30 * 86400},
        "applications": {"more": app},
        "TRe as NTP-UTC": {"end_type": mikey.NTP_UTC},
        "TRs given": {"start": -60},
        "nothing but an IDRr": {"omit": (ROLE_I, ROLE_KMS), "lifetime": None},
        "reusable": {"flags": "DEFGHIJNO"},
        "several responders": {"to": [b"nobody@else.example", bob, b"?@third.example"]},
        "salt and SPI of odd lengths": {"wanted": [mikey.key_data(mikey.TGK_SALT, bytes(length), bytes(1), spi=b"\7"),
                                                   mikey.key_data(mikey.TEK_SALT, bytes(length), bytes(32),
                                                                  spi=bytes(60))]},
        "SPIs chosen by the KMS": {"wanted": [mikey.key_data(mikey.TGK, bytes(length)),
                                              mikey.key_data(mikey.TEK, bytes(16))]},
        "key of 16 octets": {"wanted": [mikey.key_data(mikey.TGK, bytes(16), spi=b"abcd")]},
    }
    if world.profile == "rfc6043":
        kinds |= {"not forked": {"flags": "DEFGHNO"}, "one way": {"flags": "DEHNO"},
                  "not forked, resolving optional": {"flags": "DFGHNO"},
                  "Initiator may supply keys": {"flags": "DEFGHILNO"}}
    return {name: {"to": bob, **options} for name, options in kinds.items()}


def run(world):
    for suite in "AB":
        alice, bob = world.ue("alice", suite), world.ue("bob", suite)
        length = 16 if suite == "A" else 32
        for name, options in requests(world, alice, length).items():
            call(world, f"call, suite {suite}, {name}", alice, bob, options)
        for name, flags in (("forked", "EFGHILNO"), ("not forked", "EFGHLNO")):
            own_ticket_call(world, f"call, suite {suite}, mode 3 {name}", alice, bob, flags, length)
        short_psks(world, suite)
        omitted(world, suite)
        timestamps(world, suite)
        names(world, suite)


def call(world, name, initiator, responder, options):
    sent = initiator.request(world.policy(initiator, **options))
    case = Case(name, initiator, sent, expect_model())
    world.run([case])
    grant = world.asked.get(name)
    if grant is None:
        return
    responder_keys = None
    if not grant.keys:
        responder_keys = [Secret(mikey.TEK_SALT, bytes(range(16)), bytes(14), b"\0\0\0\x09")]
    world.count += 1
    try:
        mine, yours = transfer_and_resolve(world, name, grant, initiator, responder, responder_keys)
        if mine != yours:
            raise Failure("the session keys differ")
        if len(mine) != len(grant.keys or responder_keys):
            raise Failure("sessions without keys")
    except (Failure, ues.Refused, ues.ErrorAnswer, mikey.Malformed) as error:
        world.fail(name, f"{type(error).__name__}: {error}")


def own_policy(world, who, to, flags, **options):
    return mikey.Policy(flags, who.prf, world.tp_data(who, to, **options))


def own_ticket_call(world, name, initiator, responder, flags, length):
    session_keys = [Secret(mikey.TGK, initiator.draw("TGK", length), spi=b"own1")]
    policy = own_policy(world, initiator, responder.uids[0], flags)
    grant = initiator.make_grant(policy, initiator.psk_id, initiator.psk, session_keys)
    if world.profile == "3gpp" and "I" not in flags:
        transfer = initiator.transfer(grant, responder.uids[0], sessions_for(session_keys), SRTP)
        world.run([Case(name, responder, responder.resolve(transfer.ticket), expect_model(also=(7, 14)))])
        return
    world.count += 1
    try:
        mine, yours = transfer_and_resolve(world, name, grant, initiator, responder)
        if mine != yours:
            raise Failure("the session keys differ")
    except (Failure, ues.Refused, ues.ErrorAnswer, mikey.Malformed) as error:
        world.fail(name, f"{type(error).__name__}: {error}")


def short_psks(world, suite):
    """PSKs of 16 and 24 octets, a PSK id that is not text."""
    carol, dave = world.ue("carol", suite), world.ue("dave", suite)
    call(world, f"call, suite {suite}, PSKs of 16 and 24 octets", carol, dave, {"to": dave.uids[0]})
    call(world, f"call, suite {suite}, PSKs of 24 and 16 octets", dave, carol, {"to": carol.uids[0]})


def omitted(world, suite):
    """Every combination of identities left out, in both exchanges (N10, N53)."""
    alice, bob = world.ue("alice", suite), world.ue("bob", suite)
    grant = world.granted(alice, b"?@tkms.example")
    ticket = alice.transfer(grant, bob.uids[0], sessions_for(grant.keys), SRTP).ticket
    cases = []
    for role, who, make in ((ROLE_I, alice, lambda **o: alice.request(world.policy(alice, bob.uids[0]), **o)),
                            (ROLE_R, bob, lambda **o: bob.resolve(ticket, **o))):
        for count in range(4):
            for left_out in itertools.combinations((role, ROLE_KMS, ROLE_PSK), count):
                for uid in who.uids if role not in left_out else who.uids[:1]:
                    sent = make(omit=left_out, identity=uid)
                    name = f"suite {suite}, role {role}: identities {left_out} left out, named {uid.decode()}"
                    cases.append(Case(name, who, sent, expect_model(also=(-1,) if len(left_out) > 1 else ())))
    world.run(cases)


def timestamps(world, suite):
    """T of every type that has a date, in both exchanges; the answer has NTP-UTC (checked by the UE)."""
    alice, bob = world.ue("alice", suite), world.ue("bob", suite)
    grant = world.granted(alice, bob.uids[0])
    ticket = alice.transfer(grant, bob.uids[0], sessions_for(grant.keys), SRTP).ticket
    now = world.clock()
    cases = []
    for ts_type, value in ((mikey.NTP_UTC, ues.ntp(now)), (mikey.NTP, ues.ntp(now)), (mikey.NTP_UTC_32, ues.ntp32(now)),
                           (mikey.NTP_UTC, ues.ntp32(now) + b"\xff\xff\xff\xff"),
                           (mikey.NTP_UTC, ues.ntp32(now) + bytes(4))):
        for who, sent in ((alice, alice.request(world.policy(alice, bob.uids[0]), t=(ts_type, value))),
                          (bob, bob.resolve(ticket, t=(ts_type, value)))):
            cases.append(Case(f"suite {suite}, T of type {ts_type} {value.hex()}", who, sent, expect_model()))
    world.run(cases)


def names(world, suite):
    """Which identity of several is returned and forked with (N51)."""
    alice, bob = world.ue("alice", suite), world.ue("bob", suite)
    cases = []
    patterns = [bob.uids[0], bob.uids[1], bob.uids[2], b"?", b"?@?", b"bob?@tkms.example", b"?@other.example",
                b"user?.department@tkms.example", b"??b?b@tkms.example?", b"b?o?b@tkms.example", b"?.department?",
                b"Bob@tkms.example", b"bob@tkms.exampl", b"bob@tkms.example ", b"ob@tkms.example", b"?@tkms.example?x",
                b"?x"]
    for pattern in patterns:
        grant = world.granted(alice, [b"x@y.example", pattern])
        ticket = alice.transfer(grant, bob.uids[0], sessions_for(grant.keys), SRTP).ticket
        for uid in bob.uids:
            sent = bob.resolve(ticket, identity=uid)
            cases.append(Case(f"suite {suite}, ticket for {pattern.decode()}, resolved as {uid.decode()}", bob, sent,
                              expect_model()))
    world.run(cases)
