# SPDX-License-Identifier: BSD-3-Clause
"""A model of the KMS, written from RFC 6043 and the project's readings of it: what must be answered to a message.

It answers whole messages (so that vectors with given draws can be compared octet by octet), and it is asked beforehand
what the real KMS must do with a message: grant, resolve, an Error.
"""
import keys
import mikey
import ticket as base
from mikey import ROLE_I, ROLE_KMS, ROLE_PSK, ROLE_R
from ticket import Refused, Secret
from ue import draw, first, forked_key, ntp32, signed, unix

AUTH, TS, PRF, MAC, EA, ID, DT, UNSPECIFIED, TICKET, TPPAR = 0, 1, 2, 3, 4, 7, 11, 12, 14, 15
STRENGTH_OF_MAC = {1: 0, 2: 1}


class Fault(Exception):
    """The message is answered with this Error. authenticated: its MAC was right, the Error carries V."""

    def __init__(self, number, reason, authenticated=True):
        super().__init__(f"Error {number}: {reason}")
        self.number, self.authenticated = number, authenticated


def check(condition, number, reason, authenticated=True):
    if not condition:
        raise Fault(number, reason, authenticated)


def matches(pattern, name):
    """'?' is any octets, also none; everything else is itself."""
    parts = pattern.split(b"?")
    if len(parts) == 1:
        return pattern == name
    if not name.startswith(parts[0]):
        return False
    at = len(parts[0])
    for part in parts[1:-1]:
        at = name.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(name) - at >= len(parts[-1]) and name.endswith(parts[-1])


class Subscriber:
    def __init__(self, psk_id, psk, uids):
        self.psk_id, self.psk, self.uids = psk_id, psk, uids


class Tpk:
    """kind: "kms", "responder" or "initiator", or "psk": of an initiator when D is 0, of a responder when it is 1;
    owner: psk_id or None."""

    def __init__(self, tpk_id, tpk, kind="kms", owner=None):
        self.tpk_id, self.tpk, self.kind, self.owner = tpk_id, tpk, kind, owner


def flag_faults(flags, has_tgk):
    """What 6.10 says about flags that contradict each other."""
    on = set(flags)
    rules = (("D" in on or "L" in on, "NOT D implies L"), ("G" not in on or "F" in on, "G implies F"),
             ("G" in on or "H" in on, "NOT G implies H, NOT H implies G"), ("I" not in on or "E" in on, "I implies E"),
             ("K" not in on or "D" in on, "K implies D"), ("M" not in on or "F" in on, "M implies F"),
             (not ("I" in on and has_tgk) or "F" in on, "I with a TGK needs F"))
    return [text for holds, text in rules if not holds]


def has_tgk(session_keys):
    return any(k.key_type in (mikey.TGK, mikey.TGK_SALT) for k in session_keys)


class Kms:
    """settings: max_skew, max_lifetime and default_lifetime in seconds, profile; caps as in the profile."""

    caps = {"message": 8192, "responders": 32, "wildcards": 8, "identity": 255, "keys": 16, "key_min": 16,
            "key_max": 64,
            "salt": 64}

    def __init__(self, identity, subscribers, tpks, max_lifetime, profile="rfc6043", max_skew=300,
                 default_lifetime=None, types=((1, 1, 1), (2, 0, 0))):
        self.identity, self.subscribers, self.tpks, self.profile = identity, subscribers, tpks, profile
        self.max_skew, self.max_lifetime, self.types = max_skew, max_lifetime, types
        self.default_lifetime = default_lifetime or max_lifetime
        self.draw = draw
        # Tickets known without their key: {policy and Ticket Data: what has policy, mpk_i, mpk_r, keys}
        self.known = {}

    # what both exchanges share

    def screen(self, octets, now):
        """(header, payloads, subscriber) of an authenticated message; Fault otherwise (N55 has the order)."""
        check(octets[0] == 1, UNSPECIFIED, "version", False)
        check(octets[1] in (11, 16), DT, f"data type {octets[1]}", False)
        check(octets[3] & 0x7F in (0, 1), PRF, "PRF", False)
        try:
            header, payloads = mikey.parse(octets)
        except mikey.Malformed as error:
            raise Fault(error.number, str(error), False) from None
        role, wanted = (ROLE_I, mikey.TP) if header.data_type == 11 else (ROLE_R, mikey.TICKET)
        check(payloads and payloads[-1].kind == mikey.V, UNSPECIFIED, "V is not last", False)
        v = payloads[-1]
        check(v.mac_alg != 0, MAC, "NULL MAC", False)
        check(STRENGTH_OF_MAC[v.mac_alg] == header.prf, MAC, "suites mixed", False)
        t, nonce = first(payloads, mikey.T), first(payloads, mikey.RANDR, role)
        check(t and nonce and first(payloads, wanted), UNSPECIFIED, "T, RANDR, TP or TICKET missing", False)
        check(t.ts_type != mikey.COUNTER, TS, "COUNTER", False)
        check(abs(unix(t.value) - now) <= self.max_skew, TS, "clock skew", False)
        subscriber = self.find_psk(payloads, role)
        check(subscriber is not None, AUTH, "no pre-shared key", False)
        named, kms = first(payloads, mikey.IDR, role), first(payloads, mikey.IDR, ROLE_KMS)
        rands = {"rand_i" if role == ROLE_I else "rand_r": nonce.rand}
        protections = [keys.message_protection("KMS/PSK", header.prf, subscriber.psk, header.csb_id, number, **rands)
                       for number in (1, 2)]
        covered = (octets[:v.mac_at] + (named.data if named else subscriber.uids[0])
                   + (kms.data if kms else self.identity))
        name = "REQUEST_INIT_PSK" if role == ROLE_I else "RESOLVE_INIT_PSK"
        auth_key = protections[0].auth(v.mac_alg)
        check(keys.check_mac(name, v.mac_alg, auth_key, covered, v.mac), AUTH, "MAC", False)
        self.error_key = auth_key
        check(header.cs == 0 and header.map_type == mikey.EMPTY_MAP, UNSPECIFIED, "map")
        check(kms is None or kms.data == self.identity, ID, "IDRkms is not this KMS")
        check(named is None or named.data in subscriber.uids, ID, "identity is not the subscriber's")
        return header, payloads, subscriber, protections[1]

    def find_psk(self, payloads, role):
        name = first(payloads, mikey.IDR, ROLE_PSK)
        if name is not None:
            return next((s for s in self.subscribers if s.psk_id == name.data), None)
        named = first(payloads, mikey.IDR, role)
        if named is None:
            return None
        return next((s for s in self.subscribers if named.data in s.uids), None)

    def error(self, octets, number, t, authenticated):
        header = mikey.Header(mikey.ERROR, octets[4:8], octets[3] & 0x7F, version=octets[0])
        payloads = [mikey.t(*t), mikey.err(number)]
        if not authenticated:
            return mikey.message(header, payloads)
        mac_alg = mikey.parse(octets)[1][-1].mac_alg
        return signed("Error", header, payloads, mac_alg, self.error_key, b"")

    # Ticket Request

    def judge_request(self, octets, now):
        """(granted policy, session keys as (type, length, salt length, SPI or None), screened message)."""
        screened = self.screen(octets, now)
        header, payloads, subscriber, _ = screened
        asked = first(payloads, mikey.TP).policy
        check(asked.kind in self.types, TICKET, "ticket type")
        check(asked.prf in (0, 1), PRF, "PRF of the policy")
        try:
            wanted = asked.payloads
            kemac = asked.first(mikey.KEMAC)
            kinds = self.wanted_keys(kemac, min(header.prf, asked.prf))
        except mikey.Malformed as error:
            raise Fault(TPPAR, f"TP Data: {error}") from None
        flags = self.granted_flags(asked, kinds)
        t = first(payloads, mikey.T)
        granted = self.granted_payloads(asked, subscriber, unix(t.value), now)
        spi_added = kemac is not None and any(k[3] is None for k in kinds)
        before = [p for p in wanted if p is not kemac]
        changed = (flags != asked.flags.replace("K", "") or [(p.kind, p.body) for p in before]
                   != [(p.kind, p.body) for p in granted] or spi_added)
        if changed:
            flags = "".join(f for f in mikey.FLAGS if f in flags or f == "K")
        return mikey.Policy(flags, asked.prf, granted, asked.kind), kinds, screened

    def wanted_keys(self, kemac, prf):
        strongest = 16 if prf == 0 else 64
        if kemac is None:
            return [(mikey.TGK, 16 if prf == 0 else 32, None, None)]
        check(kemac.encr_alg == 0 and kemac.mac_alg == 0, TPPAR, "KEMAC of TP is not NULL/NULL")
        found = []
        for p in mikey.parse_keys(kemac.data):
            check(p.kind == mikey.KEY_DATA, TPPAR, "KEMAC of TP with other payloads")
            check(p.key_type != mikey.MPK, TPPAR, "MPK asked for")
            check(p.kv != mikey.KV_INTERVAL, TPPAR, "KV Interval")
            check(self.caps["key_min"] <= len(p.key) <= self.caps["key_max"], TPPAR, "key length")
            check(len(p.key) <= strongest, TPPAR, "key too long for the PRF (12.1)")
            check(p.salt is None or 1 <= len(p.salt) <= self.caps["salt"], TPPAR, "salt length")
            check(p.spi is None or p.spi, TPPAR, "empty SPI")
            found.append((p.key_type, len(p.key), None if p.salt is None else len(p.salt), p.spi))
        check(len(found) <= self.caps["keys"], TPPAR, "too many keys")
        spis = [k[3] for k in found if k[3] is not None]
        check(len(spis) == len(set(spis)), TPPAR, "two keys with one SPI")
        return found

    def granted_flags(self, asked, kinds):
        on = set(asked.flags) - {"K"} | {"D", "N", "O"}
        if self.profile == "3gpp":
            on = on - {"L", "M"} | set("EFGHI")
        flags = "".join(f for f in mikey.FLAGS if f in on)
        tgk = any(k[0] in (mikey.TGK, mikey.TGK_SALT) for k in kinds)
        faults = flag_faults(flags, tgk)
        check(not faults, TPPAR, faults and faults[0])
        if "E" not in flags and not self.responder_can_resolve(asked):
            flags = "".join(f for f in mikey.FLAGS if f in flags or f == "E")
        return flags

    def responder_can_resolve(self, asked):
        """Without E the ticket is sealed with the PSK of its only Responder (mode 2)."""
        named = [p.data for p in asked.all(mikey.IDR, ROLE_R)]
        return len(named) == 1 and any(named[0] in s.uids for s in self.subscribers)

    def granted_payloads(self, asked, subscriber, asked_at, now):
        """TP Data of the granted policy: RFC 6043's order, unexpected payloads dropped, missing ones added."""
        kms, idri = asked.first(mikey.IDR, ROLE_KMS), asked.first(mikey.IDR, ROLE_I)
        check(kms is None or kms.data == self.identity, TPPAR, "IDRkms of TP")
        check(idri is None or idri.data in subscriber.uids, ID, "IDRi in TP is not the requester")
        responders = asked.all(mikey.IDR, ROLE_R)
        check(responders, TPPAR, "no IDRr")
        check(len(responders) <= self.caps["responders"], TPPAR, "too many IDRr")
        for p in responders:
            check(len(p.data) <= self.caps["identity"], TPPAR, "identity too long")
            check(p.data.count(b"?") <= self.caps["wildcards"], TPPAR, "too many wildcards")
        start, end = asked.first(mikey.TR, mikey.TR_S), asked.first(mikey.TR, mikey.TR_E)
        rekey = asked.first(mikey.TR, mikey.TR_R)
        for p in (start, end):
            check(p is None or p.ts_type != mikey.COUNTER, TPPAR, "COUNTER as validity period")
        check(rekey is None or rekey.ts_type == mikey.NTP_UTC_32, TPPAR, "TRr is not NTP-UTC-32")
        check(end is None or unix(end.value) >= now, TPPAR, "TRe in the past")
        check(start is None or end is None or unix(start.value) <= unix(end.value), TPPAR, "TRs after TRe")
        if end is None:
            end = mikey.tr(mikey.TR_E, mikey.NTP_UTC_32, ntp32(asked_at + self.default_lifetime))
        elif unix(end.value) > asked_at + self.max_lifetime:
            end = mikey.tr(mikey.TR_E, mikey.NTP_UTC_32, ntp32(asked_at + self.max_lifetime))
        check(start is None or unix(start.value) <= unix(end.value), TPPAR, "TRs after TRe")
        kms = kms or mikey.idr(ROLE_KMS, self.identity)
        idri = idri or mikey.idr(ROLE_I, subscriber.uids[0])
        return [p for p in (kms, idri, start, end, rekey) if p] + asked.all(mikey.IDR, mikey.ROLE_APP) + responders

    def grant(self, octets, now, t, ticket_t=None, sealing=None):
        """REQUEST_RESP; t and ticket_t: (TS type, value) of the message and of the ticket."""
        policy, kinds, (header, payloads, _, protection) = self.judge_request(octets, now)
        sealing = sealing or self.sealing_key(policy)
        size = 32 if policy.prf else 16
        mpk = Secret(mikey.MPK, self.draw("MPK", size), spi=self.draw("MPK SPI", 4))
        session_keys = []
        for key_type, length, salt, spi in kinds:
            key = self.draw(mikey.KEY_TYPES[key_type], length)
            salt = None if salt is None else self.draw("salt", salt)
            session_keys.append(Secret(key_type, key, salt, self.draw("SPI", 4) if spi is None else spi))
        rand = self.draw("ticket RAND", max(len(sealing.tpk), size))
        data = base.seal(policy, sealing.tpk_id, sealing.tpk, mpk, session_keys, rand, ticket_t or t)
        made = base.Ticket(policy, mpk, rand, session_keys)
        out = [Secret(mikey.MPK, made.mpk_i, spi=mpk.spi)]
        if "I" in policy.flags:
            out.append(Secret(mikey.MPK, made.mpk_r, spi=mpk.spi))
        kemac = self.seal_kemac(header, protection, t, out + session_keys)
        body = [mikey.t(*t), mikey.idr(ROLE_KMS, self.identity), mikey.ticket(policy.octets(), data), kemac]
        return self.respond(mikey.REQUEST_RESP, header, body, payloads[-1].mac_alg, protection, octets)

    def sealing_key(self, policy):
        """The KMS's own, or in mode 2 (neither E nor I) the PSK of the only Responder."""
        if "E" not in policy.flags and self.responder_can_resolve(policy):
            name = policy.first(mikey.IDR, ROLE_R).data
            owner = next(s for s in self.subscribers if name in s.uids)
            return next(k for k in self.tpks if k.owner == owner.psk_id)
        return next(k for k in self.tpks if k.kind == "kms")

    @staticmethod
    def seal_kemac(header, protection, t, found):
        encr_alg = keys.ENCR_OF_PRF[header.prf]
        encr_key, salt_key = protection.encryption(encr_alg)
        content = mikey.chain([k.payload() for k in found])
        return mikey.kemac(encr_alg, keys.cipher("encrypt", encr_alg, encr_key, salt_key, header.csb_id,
                                                 keys.time64(*t), content))

    @staticmethod
    def respond(data_type, asked, body, mac_alg, protection, octets):
        header = mikey.Header(data_type, asked.csb_id, asked.prf)
        name = "REQUEST_RESP" if data_type == mikey.REQUEST_RESP else "RESOLVE_RESP"
        return signed(name, header, body, mac_alg, protection.auth(mac_alg), octets)

    # Ticket Resolve

    def judge_resolve(self, octets, now):
        """(Ticket, identity or None, screened message)."""
        screened = self.screen(octets, now)
        header, payloads, subscriber, _ = screened
        ticket = first(payloads, mikey.TICKET)
        policy = ticket.policy
        check(policy.kind in self.types, TICKET, "ticket type")
        check(policy.prf in (0, 1), PRF, "PRF of the ticket")
        try:
            t, _, kemac, name, v = base.parts(ticket.data)
        except (mikey.Malformed, Refused) as error:
            raise Fault(TICKET, f"Ticket Data: {error}") from None
        check(v.mac_alg != 0, MAC, "NULL MAC in the ticket")
        opened = self.known.get(ticket.policy_octets + ticket.data)
        if opened is None:
            opened = self.open_unknown(ticket, subscriber, t, kemac, name, v, now)
        faults = flag_faults(policy.flags, has_tgk(opened.keys))
        check(not faults, TPPAR, faults and faults[0])
        check(header.prf == 1 or all(len(k.key) <= 16 for k in opened.keys), EA, "key too long for the suite (12.1)")
        self.check_validity(policy, now)
        if "I" in policy.flags:
            try:
                base.check_initiator_data(policy, opened.mpk_r, ticket.initiator_data)
            except Refused as error:
                raise Fault(AUTH, f"Initiator Data: {error}") from None
        return opened, self.authorised(policy, payloads, subscriber), screened

    def open_unknown(self, ticket, subscriber, t, kemac, name, v, now):
        policy = ticket.policy
        tpk = next((k for k in self.tpks if name is not None and k.tpk_id == name.data), None)
        if name is None:
            tpk = next((k for k in self.tpks if k.kind == "kms"), None)
        check(tpk is not None, AUTH, "unknown TPK")
        protection = keys.ticket_protection(policy.prf, tpk.tpk, base.parts(ticket.data)[1].rand)
        covered = ticket.policy_octets + mikey.sized(ticket.data)[:2 + v.mac_at]
        check(keys.check_mac("TICKET", v.mac_alg, protection.auth(v.mac_alg), covered, v.mac), AUTH, "ticket MAC")
        opened = self.open(ticket, protection, t, kemac)
        self.check_owner(tpk, policy, subscriber, opened, now)
        return opened

    @staticmethod
    def open(ticket, protection, t, kemac):
        check(kemac.encr_alg in keys.ENCR_BITS, EA, "Encr alg of the ticket")
        check(kemac.mac_alg == 0, TICKET, "MAC in the ticket's KEMAC")
        encr_key, salt_key = protection.encryption(kemac.encr_alg)
        try:
            content = keys.cipher("decrypt", kemac.encr_alg, encr_key, salt_key, keys.NO_CSB,
                                  keys.time64(t.ts_type, t.value), kemac.data)
            found = base.secrets_of(content)
        except (mikey.Malformed, Refused) as error:
            raise Fault(TICKET, f"keys of the ticket: {error}") from None
        check(found and found[0].key_type == mikey.MPK, TICKET, "no MPK in the ticket")
        return base.Ticket(ticket.policy, found[0], base.parts(ticket.data)[1].rand, found[1:])

    def check_owner(self, tpk, policy, subscriber, opened, now):
        """N41."""
        kind = tpk.kind if tpk.kind != "psk" else "responder" if "D" in policy.flags else "initiator"
        if kind == "kms":
            check("D" in policy.flags, TPPAR, "D not set but the TPK is the KMS's")
        elif kind == "initiator":
            check("D" not in policy.flags, TPPAR, "D set but the TPK is an initiator's")
            owner = next(s for s in self.subscribers if s.psk_id == tpk.owner)
            idri = policy.first(mikey.IDR, ROLE_I)
            check(idri is not None and idri.data in owner.uids, ID, "IDRi is not the owner of the TPK")
            self.check_own_ticket(policy, opened, now)
        else:
            check(subscriber.psk_id == tpk.owner, ID, "TPK of another responder")

    def check_own_ticket(self, policy, opened, now):
        """A ticket made by an Initiator is judged as if its owner asked for it now."""
        end = policy.first(mikey.TR, mikey.TR_E)
        check(end is not None, TPPAR, "TRe missing in an Initiator's ticket")
        check(end.ts_type != mikey.COUNTER, TPPAR, "COUNTER as validity period")
        check(unix(end.value) <= now + self.max_lifetime, TPPAR, "an Initiator's ticket lives too long")
        responders = policy.all(mikey.IDR, ROLE_R)
        check(len(responders) <= self.caps["responders"], TPPAR, "too many IDRr")
        check(all(p.data.count(b"?") <= self.caps["wildcards"] and len(p.data) <= self.caps["identity"]
                  for p in responders), TPPAR, "identity over a cap")
        check(len(opened.keys) <= self.caps["keys"], TPPAR, "too many keys")
        longest = 16 if policy.prf == 0 else self.caps["key_max"]
        check(all(self.caps["key_min"] <= len(k.key) <= longest for k in opened.keys), TPPAR, "key length")
        check(all(k.spi for k in opened.keys), TPPAR, "a key without SPI")
        check(len({k.spi for k in opened.keys}) == len(opened.keys), TPPAR, "two keys with one SPI")
        check(all(k.salt is None or 1 <= len(k.salt) <= self.caps["salt"] for k in opened.keys), TPPAR, "salt length")
        check(self.profile != "3gpp" or "I" in policy.flags, TPPAR, "profile 3gpp: keys are forked")

    @staticmethod
    def check_validity(policy, now):
        for role, sign, reason in ((mikey.TR_S, -1, "not yet valid"), (mikey.TR_E, 1, "expired")):
            found = policy.first(mikey.TR, role)
            if found is not None:
                check(found.ts_type != mikey.COUNTER, TPPAR, "COUNTER as validity period")
                check(sign * (unix(found.value) - now) >= 0, TS, f"ticket {reason}")

    @staticmethod
    def authorised(policy, payloads, subscriber):
        patterns = [p.data for p in policy.all(mikey.IDR, ROLE_R)]
        named = first(payloads, mikey.IDR, ROLE_R)
        candidates = ([named.data] if named else []) + subscriber.uids
        found = next((u for u in candidates if any(matches(p, u) for p in patterns)), None)
        check(found is not None, ID, "responder not authorized by the ticket")
        return found

    def resolve(self, octets, now, t):
        """RESOLVE_RESP."""
        opened, identity, (header, payloads, _, protection) = self.judge_resolve(octets, now)
        policy = opened.policy
        found = [Secret(mikey.MPK, opened.mpk_i, spi=opened.mpk.spi)]
        tail = []
        if "I" in policy.flags:
            forked = [k.key for k in opened.keys if has_tgk([k])]
            rand = self.draw("RANDRkms", max(len(key) for key in forked + [opened.mpk_r]))
            mpk_r = keys.fork("MPKr'", policy.prf, opened.mpk_r, identity, rand)
            found.append(Secret(mikey.MPK, mpk_r, spi=opened.mpk.spi))
            tail = [mikey.idr(ROLE_R, identity), mikey.randr(ROLE_KMS, rand)]
            found += [forked_key(policy.prf, k, identity, rand) for k in opened.keys]
        else:
            found += opened.keys
        kemac = self.seal_kemac(header, protection, t, found)
        body = [mikey.t(*t), mikey.idr(ROLE_KMS, self.identity), kemac] + tail
        return self.respond(mikey.RESOLVE_RESP, header, body, payloads[-1].mac_alg, protection, octets)
