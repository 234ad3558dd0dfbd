# SPDX-License-Identifier: BSD-3-Clause
"""Every error of the vectors (errors.json), made again with the parties and the clock of now."""
import json
import pathlib
import time

import mikey
import ue as ues
from mikey import ROLE_I, ROLE_KMS, ROLE_PSK, ROLE_R
from tickets import Resolves
from world import Case, Failure, errors, plain

BOB = b"bob@tkms.example"
VECTORS = pathlib.Path(__file__).resolve().parents[2] / "vectors" / "errors.json"


def run(world):
    for v in json.loads(VECTORS.read_text()):
        maker = globals().get(v["name"])
        if maker is None:
            raise Failure(f"no case for the vector {v['name']}")
        x = Resolves(world, v["suite"])
        # What is refused before the MAC is looked at cannot carry V; afterwards ours always does.
        expect = errors(*v["acceptable"], authenticated=v["authenticated"])
        who, sent = maker(x)
        world.run([Case(f"errors.json, {v['name']}, suite {v['suite']}", who, sent, expect)])


def request(x, change=None, **options):
    policy = x.world.policy(x.alice, BOB)
    return x.alice, x.alice.request(change(policy) if change else policy, **options)


def ticket(x):
    return x.transfer(x.world.granted(x.alice, BOB)).ticket


def resolve(x, made=None, who=None, **options):
    who = who or x.bob
    return who, who.resolve(made or ticket(x), **options)


def after_mac(pair, spoil):
    who, sent = pair
    octets = bytearray(sent.octets)
    return who, plain(bytes(spoil(octets) or octets), sent)


def changed_csb(octets):
    octets[4] ^= 1


def replaced(kind, role, payload):
    return lambda p: [payload if q.kind == kind and (role is None or q.role == role) else q for q in p]


def typed(number):
    return {"header": lambda h: setattr(h, "data_type", number)}


def policy_with(edit=None, **fields):
    def change(p):
        kept = {"flags": p.flags, "prf": p.prf, "payloads": edit(p.payloads) if edit else p.payloads, "kind": p.kind}
        return mikey.Policy(**{**kept, **fields})
    return change


def times(x, start, end):
    now = x.world.clock()
    def edit(payloads):
        found = [p for p in payloads if p.kind != mikey.TR]
        return found[:2] + [mikey.tr(role, 3, ues.ntp32(now + at)) for role,
                            at in ((2, start), (3, end)) if at is not None] + found[2:]
    return edit


def hour_off(x, sign):
    return {"t": (mikey.NTP_UTC, ues.ntp(x.world.clock() + sign * 3600))}


PSK_OF_OTHER = {"edit": replaced(mikey.IDR, ROLE_PSK, mikey.idr(ROLE_PSK, b"psk-carol"))}
PSK_UNKNOWN = {"edit": replaced(mikey.IDR, ROLE_PSK, mikey.idr(ROLE_PSK, b"psk-nobody"))}
NO_T = {"edit": lambda p: [q for q in p if q.kind != mikey.T]}
TS_9 = {"t": (9, bytes(8))}


def request_bad_csb_id(x): return after_mac(request(x), changed_csb)
def request_wrong_psk(x): return request(x, **PSK_OF_OTHER)
def request_old_timestamp(x): return request(x, **hour_off(x, -1))
def request_future_timestamp(x): return request(x, **hour_off(x, 1))
def request_unknown_ts_type(x): return request(x, **TS_9)
def request_unknown_prf(x): return request(x, header=lambda h: setattr(h, "prf", 5))
def request_public_key(x): return request(x, **typed(mikey.REQUEST_INIT_PK))
def request_rfc3830_data_type(x): return request(x, **typed(0))
def request_version_2(x): return request(x, header=lambda h: setattr(h, "version", 2))
def request_no_T(x): return request(x, **NO_T)
def resolve_bad_csb_id(x): return after_mac(resolve(x), changed_csb)
def resolve_unknown_psk(x): return resolve(x, **PSK_UNKNOWN)
def resolve_wrong_psk(x): return resolve(x, **PSK_OF_OTHER)
def resolve_old_timestamp(x): return resolve(x, **hour_off(x, -1))
def resolve_future_timestamp(x): return resolve(x, **hour_off(x, 1))
def resolve_unknown_ts_type(x): return resolve(x, **TS_9)
def resolve_null_mac(x): return resolve(x, mac_alg=0)
def resolve_wrong_kms(x): return resolve(x, edit=replaced(mikey.IDR, ROLE_KMS,
                                                          mikey.idr(ROLE_KMS, b"kms@other.example")))
def resolve_rfc3830_data_type(x): return resolve(x, **typed(0))
def resolve_truncated(x): return after_mac(resolve(x), lambda octets: octets[:-1])
def resolve_no_T(x): return resolve(x, **NO_T)
def request_ticket_version(x): return request(x, policy_with(kind=(1, 1, 2)))
def resolve_ticket_type(x): return resolve(x, x.own(kind=(3, 1, 1)))
def request_flags_DEHMNO(x): return request(x, policy_with(flags="DEHMNO"))
def request_TRs_after_TRe(x): return request(x, policy_with(times(x, 3600, 1800)))
def request_TRe_past(x): return request(x, policy_with(times(x, None, -60)))
def request_tp_data_garbage(x): return request(x, policy_with(payloads=[], data=b"\x0e\x0e\x02"))
def request_tp_identity(x): return request(x, policy_with(replaced(mikey.IDR, ROLE_I, mikey.idr(ROLE_I, BOB))))


def request_long_key_weak_suite(x):
    wanted = [mikey.key_data(mikey.TGK, bytes(32), spi=b"spi1")]
    return x.alice, x.alice.request(x.world.policy(x.alice, BOB, wanted=wanted))


def resolve_ticket_encr_alg(x):
    return resolve(x, x.own(edit=lambda p: [mikey.kemac(9, q.data) if q.kind == mikey.KEMAC else q for q in p]))


def spoilt(x, at, bit=1):
    good = ticket(x)
    body = bytearray(good.body)
    body[at(good)] ^= bit
    return resolve(x, mikey.Payload(mikey.TICKET, bytes(body)))


def resolve_ticket_mac(x): return spoilt(x, lambda t: t.initiator_at - t.at - 2)


def resolve_ticket_ciphertext(x):
    def last_of_kemac(t):
        # KEMAC ends with its MAC alg; IDRpsk and V follow.
        _, payloads = mikey.parse_ticket_data(t.data)
        behind = sum(1 + len(p.body) for p in payloads[3:])
        return t.initiator_at - t.at - 1 - behind - 2
    return spoilt(x, last_of_kemac)


def resolve_ticket_policy(x):
    good = ticket(x)
    more = mikey.Policy(good.policy.flags, good.policy.prf,
                        good.policy.payloads + [mikey.idr(ROLE_R, b"carol@other.example")],
                        good.policy.kind)
    return resolve(x, mikey.ticket(more.octets(), good.data, good.initiator_data), x.carol)


def resolve_ticket_flag_I_cleared(x):
    good = ticket(x)
    less = mikey.Policy(good.policy.flags.replace("I", ""), good.policy.prf, good.policy.payloads, good.policy.kind)
    return resolve(x, mikey.ticket(less.octets(), good.data, good.initiator_data))


def resolve_unknown_tpk(x): return resolve(x, x.own("DEFGHINO", tpk=(b"tpk-unknown", bytes(range(32)))))


def resolve_expired(x):
    """A ticket of the KMS whose TRe passes while we wait."""
    grant = x.world.granted(x.alice, BOB, lifetime=1)
    made = x.transfer(grant).ticket
    time.sleep(1.2)
    return resolve(x, made)


def resolve_not_yet_valid(x): return resolve(x, x.transfer(x.world.granted(x.alice, BOB, start=60)).ticket)
def resolve_unauthorized(x): return resolve(x, who=x.carol)
def resolve_mode3_D_flag(x): return resolve(x, x.own("DEFGHINO"))
