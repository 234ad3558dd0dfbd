# SPDX-License-Identifier: BSD-3-Clause
"""Both roles of a UE in MIKEY-TICKET, strict in what they accept.

Messages are made from a list of payloads that the caller may edit before the MAC is computed: so the same code makes
right and wrong messages. What is received is checked as RFC 6043 4.2 asks; Refused or Malformed says what is wrong.
"""
import secrets
import time

import keys
import mikey
import ticket as base
from clock import ntp, ntp32, unix
from sessions import forked_key, session_keys, sessions_of
from ticket import Refused, Secret, require

SUITES = {"A": 0, "B": 1}
SRTP = [(0, b"\1"), (1, b"\x10"), (2, b"\1"), (3, b"\x14"), (4, b"\x0e"), (11, b"\n")]
ERROR_NAMES = {0: "auth failure", 1: "invalid TS", 2: "invalid PRF", 3: "invalid MAC", 4: "invalid EA", 7: "invalid ID",
               11: "invalid DT", 12: "unspecified", 14: "invalid TICKET", 15: "invalid TPpar"}
def draw(what, length):
    """Random octets; vectors put their own draws here."""
    del what
    return secrets.token_bytes(length)


class ErrorAnswer(Exception):
    """The KMS answered with an Error message. authenticated: it carried a V that verified."""

    def __init__(self, number, authenticated, octets):
        super().__init__(f"Error {number} ({ERROR_NAMES.get(number, '?')}), {'with' if authenticated else 'without'} V")
        self.number, self.authenticated, self.octets = number, authenticated, octets


def signed(what, header, payloads, mac_alg, auth_key, suffix, covered_payloads=None):
    """The message with V behind its payloads. covered_payloads: what the MAC covers instead of them."""
    blank = mikey.v(mac_alg, bytes(mikey.MAC_LENGTH[mac_alg]))
    octets = mikey.message(header, payloads + [blank])[:-len(blank.body) + 1]
    covered = octets if covered_payloads is None else mikey.message(
        header, covered_payloads + [blank])[:-len(blank.body) + 1]
    return octets + keys.make_mac(what, mac_alg, auth_key, covered + suffix)


def first(payloads, kind, role=None):
    return next((p for p in payloads if p.kind == kind and (role is None or p.fields.get("role") == role)), None)


class Sent:
    """A REQUEST_INIT or RESOLVE_INIT that was made: octets, and what its answer needs."""

    def __init__(self, octets, header, protection_of, mac_alg, rand):
        self.octets, self.header, self.protection_of, self.mac_alg, self.rand = (
            octets, header, protection_of, mac_alg, rand)
        self.at = None


class Grant:
    """What an Initiator has of a ticket: policy, MPKi, MPKr, keys; ticket: TICKET payload without Initiator Data."""

    def __init__(self, policy, ticket, mpk_i, mpk_r, session_keys):
        self.policy, self.ticket, self.mpk_i, self.mpk_r, self.keys = policy, ticket, mpk_i, mpk_r, session_keys

    @property
    def forked(self):
        return "I" in self.policy.flags


class Resolution:
    """What a Responder has of a ticket; mpk_r is forked when the policy says so."""

    def __init__(self, policy, mpk_i, mpk_r, session_keys, identity=None, rand_kms=None):
        self.policy, self.mpk_i, self.mpk_r, self.keys = policy, mpk_i, mpk_r, session_keys
        self.identity, self.rand_kms = identity, rand_kms


class Ue:
    def __init__(self, psk_id, psk, uids, kms, suite="B", clock=time.time):
        self.psk_id, self.psk, self.uids, self.kms, self.clock = psk_id, psk, uids, kms, clock
        self.prf = SUITES[suite]
        self.mac_alg = keys.MAC_OF_PRF[self.prf]
        self.draw = draw

    def now(self):
        return mikey.NTP_UTC, ntp(self.clock())

    # Ticket Request

    def request(self, policy, **options):
        """REQUEST_INIT_PSK for a Policy; options as of initial()."""
        return self.initial(mikey.REQUEST_INIT_PSK, mikey.ROLE_I, mikey.tp(policy), **options)

    def initial(self, data_type, role, object_payload, omit=(), t=None, identity=None, rand=None, mac_alg=None,
                prf=None,
                edit=None, header=None, csb_id=None, psk=None, v_flag=1, absent=None):
        """A message to the KMS. omit: roles left out; absent: identity that the KMS takes for the missing ID (N10);
        edit(payloads): last change before the MAC; header(Header): likewise."""
        prf = self.prf if prf is None else prf
        mac_alg = self.mac_alg if mac_alg is None else mac_alg
        identity = self.uids[0] if identity is None else identity
        csb_id = self.draw("CSB ID", 4) if csb_id is None else csb_id
        rand_role = "RANDRi" if role == mikey.ROLE_I else "RANDRr"
        rand = self.draw(rand_role, max(16, len(self.psk))) if rand is None else rand
        payloads = [mikey.t(*(t or self.now())), mikey.randr(role, rand), mikey.idr(role, identity),
                    mikey.idr(mikey.ROLE_KMS, self.kms), object_payload, mikey.idr(mikey.ROLE_PSK, self.psk_id)]
        payloads = [p for p in payloads if p.kind != mikey.IDR or p.body[0] not in omit]
        if edit:
            payloads = edit(payloads)
        head = mikey.Header(data_type, csb_id, prf, v_flag)
        if header:
            header(head)
        named = first(payloads, mikey.IDR, role)
        kms = first(payloads, mikey.IDR, mikey.ROLE_KMS)
        suffix = (named.data if named else absent or self.uids[0]) + (kms.data if kms else self.kms)
        nonce = first(payloads, mikey.RANDR, role)
        nonce = nonce.rand if nonce else rand

        def protection_of(number):
            rands = {"rand_i" if role == mikey.ROLE_I else "rand_r": nonce}
            return keys.message_protection("UE/PSK", min(head.prf, 1), self.psk if psk is None else psk, head.csb_id,
                                           number, **rands)

        auth_key = protection_of(1).auth(mac_alg) if mac_alg else b""
        name = "REQUEST_INIT_PSK" if role == mikey.ROLE_I else "RESOLVE_INIT_PSK"
        if mac_alg:
            octets = signed(name, head, payloads, mac_alg, auth_key, suffix)
        else:
            octets = mikey.message(head, payloads + [mikey.v(0)])
        sent = Sent(octets, head, protection_of, mac_alg, nonce)
        sent.auth_key = auth_key
        return sent

    def open_answer(self, sent, octets, data_type, clock_slack=5):
        """Header and payloads of the KMS's answer after the checks that both exchanges share. An Error message is
        checked too and raised as ErrorAnswer."""
        header, payloads = mikey.parse(octets)
        asked = sent.header
        require((header.version, header.prf, header.csb_id) == (asked.version, asked.prf, asked.csb_id),
                "version, PRF or CSB ID of the answer differ from the request's")
        require((header.cs, header.map_type) == (0, mikey.EMPTY_MAP), "the answer's map is not empty")
        require(header.v_flag == 0, "V flag set in an answer")
        if header.data_type == mikey.ERROR:
            raise self.open_error(sent, octets, payloads, clock_slack)
        require(header.data_type == data_type, f"data type {header.data_type}")
        v = payloads[-1]
        require(v.kind == mikey.V, "the last payload is not V")
        require(v.mac_alg == sent.mac_alg, "the answer's auth alg is not the request's")
        protection = sent.protection_of(2)
        what = "REQUEST_RESP" if data_type == mikey.REQUEST_RESP else "RESOLVE_RESP"
        require(keys.check_mac(what, v.mac_alg, protection.auth(v.mac_alg), octets[:v.mac_at] + sent.octets, v.mac),
                "MAC of the answer")
        self.check_time(payloads[0], clock_slack)
        kms = first(payloads, mikey.IDR, mikey.ROLE_KMS)
        require(kms is None or kms.data == self.kms, "IDRkms of the answer")
        return header, payloads, protection

    def check_time(self, t, slack):
        require(t.kind == mikey.T, "T is not the first payload")
        require(slack is None or t.ts_type == mikey.NTP_UTC, f"TS type {t.ts_type} in the answer")
        require(slack is None or abs(unix(t.value) - self.clock()) < slack, "T of the answer is not fresh")

    def open_error(self, sent, octets, payloads, slack):
        kinds = [p.kind for p in payloads]
        require(kinds in ([mikey.T, mikey.ERR], [mikey.T, mikey.ERR, mikey.V]), f"Error message of {kinds}")
        self.check_time(payloads[0], slack)
        require(payloads[1].reserved == b"\0\0", "reserved octets of ERR")
        if len(payloads) == 3:
            v = payloads[2]
            require(v.mac_alg == sent.mac_alg, "auth alg of the Error message")
            require(keys.check_mac("Error", v.mac_alg, sent.auth_key, octets[:v.mac_at], v.mac), "MAC of the Error")
        else:
            require(len(octets) <= len(sent.octets), "the Error is larger than the unauthenticated message")
        return ErrorAnswer(payloads[1].number, len(payloads) == 3, octets)

    def open_kemac(self, protection, header, payloads, kind_of_algs=True):
        kemac, t = first(payloads, mikey.KEMAC), payloads[0]
        require(kemac is not None and kemac.mac_alg == 0, "no KEMAC with NULL MAC")
        require(not kind_of_algs or kemac.encr_alg == keys.ENCR_OF_PRF[header.prf], f"Encr alg {kemac.encr_alg}")
        encr_key, salt_key = protection.encryption(kemac.encr_alg)
        content = keys.cipher("decrypt", kemac.encr_alg, encr_key, salt_key, header.csb_id,
                              keys.time64(t.ts_type, t.value), kemac.data)
        return base.secrets_of(content)

    @staticmethod
    def split_keys(found, forked):
        """(MPKi, MPKr or None, session keys); every key has an SPI of its own."""
        count = 2 if forked else 1
        kinds = [k.key_type for k in found]
        require(kinds[:count] == [mikey.MPK] * count, f"{count} MPKs must come first, not {kinds}")
        require(mikey.MPK not in kinds[count:], "too many MPKs")
        session_keys = found[count:]
        require(all(k.spi is not None for k in found), "a key without SPI")
        require(len({k.spi for k in session_keys}) == len(session_keys), "two keys with one SPI")
        return found[0].key, found[1].key if forked else None, session_keys

    def open_grant(self, sent, octets, clock_slack=5):
        """Grant from a REQUEST_RESP."""
        header, payloads, protection = self.open_answer(sent, octets, mikey.REQUEST_RESP, clock_slack)
        kinds = [p.kind for p in payloads if p.kind != mikey.IDR]
        require(kinds == [mikey.T, mikey.TICKET, mikey.KEMAC, mikey.V], f"REQUEST_RESP of {kinds}")
        ticket = first(payloads, mikey.TICKET)
        require(ticket.initiator_data == b"", "Initiator Data in REQUEST_RESP")
        found = self.open_kemac(protection, header, payloads)
        mpk_i, mpk_r, session_keys = self.split_keys(found, "I" in ticket.policy.flags)
        return Grant(ticket.policy, ticket, mpk_i, mpk_r, session_keys)

    def make_grant(self, policy, tpk_id, tpk, session_keys, t=None, **options):
        """A ticket of one's own (modes 3 and 4)."""
        size = 32 if policy.prf else 16
        mpk = Secret(mikey.MPK, self.draw("MPK", size), spi=self.draw("MPK SPI", 4))
        rand = self.draw("ticket RAND", max(len(tpk), size))
        data = base.seal(policy, tpk_id, tpk, mpk, session_keys, rand, t or self.now(), **options)
        made = base.Ticket(policy, mpk, rand, session_keys)
        body = mikey.ticket(policy.octets(), data)
        ticket = mikey.chain_from(mikey.Reader(b"\0" + body.body), mikey.TICKET)[0]
        return Grant(policy, ticket, made.mpk_i, made.mpk_r, session_keys)

    # Ticket Transfer, Initiator

    def transfer(self, grant, to, sessions, policies=(), omit=(), t=None, own_keys=None, literal_vi=False, mac_alg=None,
                 edit=None):
        """TRANSFER_INIT: a Transfer. sessions: (CS ID, policy numbers, session data, SPI); own_keys: for a KEMAC."""
        mac_alg = self.mac_alg if mac_alg is None else mac_alg
        csb_id, rand = self.draw("CSB ID", 4), self.draw("RANDRi", len(grant.mpk_i))
        t = t or self.now()
        header = mikey.Header(mikey.TRANSFER_INIT, csb_id, self.prf, int("F" in grant.policy.flags), cs=len(sessions),
                              map_type=mikey.GENERIC_MAP, map_info=b"".join(mikey.crypto_session(*s) for s in sessions))
        protection = keys.message_protection("MPKi", self.prf, grant.mpk_i, csb_id, 1, rand_i=rand)
        before = [mikey.t(*t), mikey.randr(mikey.ROLE_I, rand)]
        before += [mikey.idr(role, name) for role, name in ((mikey.ROLE_I, self.uids[0]), (mikey.ROLE_R, to))
                   if role not in omit] + list(policies)
        after = []
        if own_keys is not None:
            encr_alg = keys.ENCR_OF_PRF[self.prf]
            encr_key, salt_key = protection.encryption(encr_alg)
            after.append(mikey.kemac(encr_alg, keys.cipher("encrypt", encr_alg, encr_key, salt_key, csb_id,
                                                           keys.time64(*t),
                                                           mikey.chain([k.payload() for k in own_keys]))))
        bare = mikey.Payload(mikey.TICKET, grant.ticket.policy_octets + mikey.sized(grant.ticket.data))
        suffix = self.uids[0] + to
        covered = before + [bare] + after
        auth_key = protection.auth(mac_alg)
        mac = signed("TRANSFER_INIT", header, covered, mac_alg, auth_key, suffix)[-mikey.MAC_LENGTH[mac_alg]:]
        initiator = b""
        if grant.forked:
            initiator = base.initiator_data(grant.policy, grant.mpk_r, mac_alg, mac, literal_vi)
        if edit:
            initiator = edit(initiator)
        full = mikey.ticket(grant.ticket.policy_octets, grant.ticket.data, initiator)
        octets = mikey.message(header, before + [full] + after + [mikey.v(mac_alg, mac)])
        return Transfer(octets, header, rand, grant, list(policies), own_keys or ())

    # Ticket Resolve and Transfer, Responder

    def resolve(self, ticket, **options):
        """RESOLVE_INIT_PSK for a TICKET payload; options as of initial()."""
        return self.initial(mikey.RESOLVE_INIT_PSK, mikey.ROLE_R, mikey.Payload(mikey.TICKET, ticket.body), **options)

    def open_resolution(self, sent, octets, policy, clock_slack=5):
        """Resolution from a RESOLVE_RESP."""
        header, payloads, protection = self.open_answer(sent, octets, mikey.RESOLVE_RESP, clock_slack)
        forked = "I" in policy.flags
        kinds = [(p.kind, p.fields.get("role")) for p in payloads]
        if kinds[1] == (mikey.IDR, mikey.ROLE_KMS):
            kinds.pop(1)
        middle = [(mikey.IDR, mikey.ROLE_R), (mikey.RANDR, mikey.ROLE_KMS)] if forked else []
        require(kinds == [(mikey.T, None), (mikey.KEMAC, None)] + middle + [(mikey.V, None)],
                f"RESOLVE_RESP of {kinds}")
        found = self.open_kemac(protection, header, payloads)
        mpk_i, mpk_r, session_keys = self.split_keys(found, forked)
        if not forked:
            return Resolution(policy, mpk_i, None, session_keys)
        identity, rand = first(payloads, mikey.IDR, mikey.ROLE_R), first(payloads, mikey.RANDR, mikey.ROLE_KMS)
        require(identity.data in self.uids, "IDRr of the answer is not the Responder's")
        longest = max([len(mpk_r)] + [len(k.key) for k in session_keys if k.key_type in (mikey.TGK, mikey.TGK_SALT)])
        require(len(rand.rand) >= longest, "RANDRkms shorter than the longest forked key")
        return Resolution(policy, mpk_i, mpk_r, session_keys, identity.data, rand.rand)

    def resolve_locally(self, ticket, tpk):
        opened = base.unseal(ticket, tpk)
        return Resolution(ticket.policy, opened.mpk_i, None, opened.keys)

    def check_transfer(self, resolution, octets):
        """4.2.3.6: MPKi verifies TRANSFER_INIT; with forking its MAC is that of Vi."""
        header, payloads = mikey.parse(octets)
        v, ticket = payloads[-1], first(payloads, mikey.TICKET)
        require(v.kind == mikey.V and v.mac_alg != 0, "V of TRANSFER_INIT")
        rand = first(payloads, mikey.RANDR, mikey.ROLE_I)
        named_i, named_r = first(payloads, mikey.IDR, mikey.ROLE_I), first(payloads, mikey.IDR, mikey.ROLE_R)
        idri = named_i.data if named_i else ticket.policy.first(mikey.IDR, mikey.ROLE_I).data
        idrr = named_r.data if named_r else self.uids[0]
        protection = keys.message_protection("MPKi", header.prf, resolution.mpk_i, header.csb_id, 1, rand_i=rand.rand)
        without = octets[:ticket.initiator_at] + octets[ticket.initiator_at + 2 + len(ticket.initiator_data):v.mac_at]
        require(keys.check_mac("TRANSFER_INIT", v.mac_alg, protection.auth(v.mac_alg), without + idri + idrr, v.mac),
                "MAC of TRANSFER_INIT")
        if "I" in ticket.policy.flags:
            data = ticket.initiator_data
            require(data[3:3 + len(v.mac)] == v.mac, "Vi is not V of TRANSFER_INIT")
        else:
            require(ticket.initiator_data == b"", "Initiator Data without forking")
        return header, payloads

    def respond(self, resolution, octets, sessions=None, policies=(), own_keys=None, t=None):
        """(TRANSFER_RESP or None when F says none, {CS ID: (TEK, salt)})."""
        header, payloads = mikey.parse(octets)
        flags = resolution.policy.flags
        rand_i = first(payloads, mikey.RANDR, mikey.ROLE_I).rand
        rand_r = self.draw("RANDRr", len(resolution.mpk_i)) if "G" in flags else b""
        t = t or self.now()
        sessions = sessions or sessions_of(header)
        received = self.open_own_keys(payloads, keys.message_protection(
            "MPKi", header.prf, resolution.mpk_i, header.csb_id, 1, rand_i=rand_i), header)
        out = None
        if "F" in flags:
            name, mpk = ("MPKr'", resolution.mpk_r) if "I" in flags else ("MPKi", resolution.mpk_i)
            protection = keys.message_protection(name, header.prf, mpk, header.csb_id, 2, rand_i=rand_i, rand_r=rand_r)
            head = mikey.Header(mikey.TRANSFER_RESP, header.csb_id, header.prf, cs=len(sessions),
                                map_type=mikey.GENERIC_MAP,
                                map_info=b"".join(mikey.crypto_session(*s) for s in sessions))
            body = [mikey.t(*t)]
            if rand_r:
                body.append(mikey.randr(mikey.ROLE_R, rand_r))
            body.append(mikey.idr(mikey.ROLE_R, resolution.identity or self.uids[0]))
            if resolution.rand_kms is not None:
                body.append(mikey.randr(mikey.ROLE_KMS, resolution.rand_kms))
            body += list(policies)
            if own_keys is not None:
                encr_alg = keys.ENCR_OF_PRF[header.prf]
                encr_key, salt_key = protection.encryption(encr_alg)
                content = mikey.chain([k.payload() for k in own_keys])
                body.append(mikey.kemac(encr_alg, keys.cipher("encrypt", encr_alg, encr_key, salt_key, header.csb_id,
                                                              keys.time64(*t), content)))
            out = signed("TRANSFER_RESP", head, body, self.mac_alg, protection.auth(self.mac_alg), octets)
        found = resolution.keys + received + (own_keys or [])
        return out, session_keys(flags, header.prf, found, sessions, rand_i, rand_r, payloads + list(policies))

    @staticmethod
    def open_own_keys(payloads, protection, header):
        """Keys that a peer supplied in a KEMAC of its own."""
        kemac, t = first(payloads, mikey.KEMAC), first(payloads, mikey.T)
        if kemac is None:
            return []
        encr_key, salt_key = protection.encryption(kemac.encr_alg)
        return base.secrets_of(keys.cipher("decrypt", kemac.encr_alg, encr_key, salt_key, header.csb_id,
                                           keys.time64(t.ts_type, t.value), kemac.data))

    def finish(self, transfer, octets):
        """Initiator, from TRANSFER_RESP (None: F says there is none): {CS ID: (TEK, salt)}."""
        grant, flags = transfer.grant, transfer.grant.policy.flags
        if octets is None:
            sessions = sessions_of(mikey.parse(transfer.octets)[0])
            return session_keys(flags, self.prf, grant.keys + transfer.own_keys, sessions, transfer.rand, b"",
                                transfer.policies)
        header, payloads = mikey.parse(octets)
        asked = transfer.header
        require((header.version, header.prf, header.csb_id) == (asked.version, asked.prf, asked.csb_id),
                "header of TRANSFER_RESP")
        v = payloads[-1]
        require(v.kind == mikey.V and v.mac_alg != 0, "V of TRANSFER_RESP")
        rand_r = first(payloads, mikey.RANDR, mikey.ROLE_R)
        rand_r = rand_r.rand if rand_r and "G" in flags else b""
        require(bool(rand_r) == ("G" in flags), "RANDRr and G disagree")
        name, mpk, found = "MPKi", grant.mpk_i, grant.keys
        if "I" in flags:
            identity, rand_kms = first(payloads, mikey.IDR, mikey.ROLE_R), first(payloads, mikey.RANDR, mikey.ROLE_KMS)
            require(identity and rand_kms, "modifier missing in TRANSFER_RESP")
            name, mpk = "MPKr'", keys.fork("MPKr'", grant.policy.prf, grant.mpk_r, identity.data, rand_kms.rand)
        protection = keys.message_protection(name, header.prf, mpk, header.csb_id, 2, rand_i=transfer.rand,
                                             rand_r=rand_r)
        require(keys.check_mac("TRANSFER_RESP", v.mac_alg, protection.auth(v.mac_alg),
                               octets[:v.mac_at] + transfer.octets, v.mac), "MAC of TRANSFER_RESP")
        if "I" in flags:
            found = [forked_key(grant.policy.prf, k, identity.data, rand_kms.rand) for k in found]
        found = found + transfer.own_keys + self.open_own_keys(payloads, protection, header)
        sessions = sessions_of(header)
        return session_keys(flags, header.prf, found, sessions, transfer.rand, rand_r, transfer.policies + payloads)


class Transfer:
    """A TRANSFER_INIT that was made."""

    def __init__(self, octets, header, rand, grant, policies, own_keys=()):
        self.octets, self.header, self.rand, self.grant, self.policies = octets, header, rand, grant, policies
        self.own_keys = list(own_keys)

    @property
    def ticket(self):
        return first(mikey.parse(self.octets)[1], mikey.TICKET)


__all__ = ["Ue", "ErrorAnswer", "Refused", "SRTP", "SUITES", "forked_key", "ntp", "ntp32", "unix"]
