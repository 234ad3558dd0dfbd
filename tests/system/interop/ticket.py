# SPDX-License-Identifier: BSD-3-Clause
"""The MIKEY base ticket (RFC 6043 appendix A) and the Initiator Data that authenticates its user (6.10)."""
import keys
import mikey


class Refused(Exception):
    """A check that RFC 6043 asks for failed."""


def require(condition, reason):
    if not condition:
        raise Refused(reason)


class Secret:
    """A key in a ticket or KEMAC: type, key, salt or None, SPI or None."""

    def __init__(self, key_type, key, salt=None, spi=None):
        self.key_type, self.key, self.salt, self.spi = key_type, key, salt, spi

    def payload(self):
        return mikey.key_data(self.key_type, self.key, self.salt, self.spi)

    def __eq__(self, other):
        return (self.key_type, self.key, self.salt, self.spi) == (other.key_type, other.key, other.salt, other.spi)

    def __repr__(self):
        return f"{mikey.KEY_TYPES[self.key_type]}({len(self.key)} octets, SPI {self.spi and self.spi.hex()})"


def secrets_of(content):
    """Keys of the content of a KEMAC."""
    found = []
    for p in mikey.parse_keys(content):
        require(p.kind == mikey.KEY_DATA, "KEMAC with other payloads than key data")
        found.append(Secret(p.key_type, p.key, p.salt, p.spi))
    return found


class Ticket:
    """What a resolved ticket gives: policy, MPKi, MPKr, SPI of the MPK, keys."""

    def __init__(self, policy, mpk, rand, session_keys):
        self.policy, self.mpk, self.keys = policy, mpk, session_keys
        self.mpk_i = keys.ticket_mpk("MPKi", policy.prf, mpk.key, rand)
        self.mpk_r = keys.ticket_mpk("MPKr", policy.prf, mpk.key, rand)


def seal(policy, tpk_id, tpk, mpk, session_keys, rand, t, thdr=b"", encr_alg=None, mac_alg=None, edit=None):
    """Octets of Ticket Data. t: (TS type, value); edit(payloads) may spoil them before the MAC is made."""
    octets = policy.octets()
    encr_alg = keys.ENCR_OF_PRF[policy.prf] if encr_alg is None else encr_alg
    mac_alg = keys.MAC_OF_PRF[policy.prf] if mac_alg is None else mac_alg
    protection = keys.ticket_protection(policy.prf, tpk, rand)
    content = mikey.chain([k.payload() for k in [mpk] + session_keys])
    encr_key, salt_key = protection.encryption(encr_alg)
    hidden = keys.cipher("encrypt", encr_alg, encr_key, salt_key, keys.NO_CSB, keys.time64(*t), content)
    payloads = [mikey.t(*t), mikey.rand(rand), mikey.kemac(encr_alg, hidden)]
    if tpk_id is not None:
        payloads.append(mikey.idr(mikey.ROLE_PSK, tpk_id))
    if edit:
        payloads = edit(payloads)
    blank = bytes(mikey.MAC_LENGTH[mac_alg])
    data = mikey.ticket_data(thdr, payloads + [mikey.v(mac_alg, blank)])
    covered = (octets + mikey.sized(data))[:-len(blank)]
    return data[:-len(blank)] + keys.make_mac("TICKET", mac_alg, protection.auth(mac_alg), covered)


def parts(data):
    """(T, RAND, KEMAC, IDRpsk or None, V) of Ticket Data."""
    _, payloads = mikey.parse_ticket_data(data)
    found = [next((p for p in payloads if p.kind == kind), None) for kind in (mikey.T, mikey.RAND, mikey.KEMAC)]
    name = next((p for p in payloads if p.kind == mikey.IDR and p.role == mikey.ROLE_PSK), None)
    require(all(found), "T, RAND or KEMAC missing in Ticket Data")
    require(payloads[-1].kind == mikey.V, "V is not the last payload of Ticket Data")
    return (*found, name, payloads[-1])


def unseal(ticket, tpk):
    """Ticket from a TICKET payload; Refused when it was not sealed with tpk."""
    t, rand, kemac, _, v = parts(ticket.data)
    protection = keys.ticket_protection(ticket.policy.prf, tpk, rand.rand)
    covered = ticket.policy_octets + mikey.sized(ticket.data)[:2 + v.mac_at]
    require(v.mac_alg != 0, "NULL MAC in the ticket")
    require(keys.check_mac("TICKET", v.mac_alg, protection.auth(v.mac_alg), covered, v.mac), "ticket MAC")
    encr_key, salt_key = protection.encryption(kemac.encr_alg)
    content = keys.cipher("decrypt", kemac.encr_alg, encr_key, salt_key, keys.NO_CSB,
                          keys.time64(t.ts_type, t.value), kemac.data)
    found = secrets_of(content)
    require(found and found[0].key_type == mikey.MPK, "no MPK first in the ticket")
    return Ticket(ticket.policy, found[0], rand.rand, found[1:])


def initiator_data(policy, mpk_r, mac_alg, mac, literal_vi=False):
    """Vi repeats the V of TRANSFER_INIT; literal_vi: with its Next Payload 0 as well."""
    covered = (bytes([mikey.V, mikey.LAST if literal_vi else mikey.V, mac_alg]) + mac + bytes([mikey.LAST, mac_alg]))
    auth_key = keys.initiator_protection(policy.prf, mpk_r).auth(mac_alg)
    return covered + keys.make_mac("Initiator Data", mac_alg, auth_key, covered)


def check_initiator_data(policy, mpk_r, data):
    """The MAC of Vi, after that of Vr was verified."""
    require(len(data) > 2, "no Initiator Data")
    mac_alg = data[2]
    length = mikey.MAC_LENGTH.get(mac_alg, 0)
    require(length and len(data) == 5 + 2 * length and data[0] == mikey.V and data[1] in (mikey.V, mikey.LAST)
            and data[3 + length] == mikey.LAST and data[4 + length] == mac_alg, "form of Initiator Data")
    auth_key = keys.initiator_protection(policy.prf, mpk_r).auth(mac_alg)
    require(keys.check_mac("Initiator Data", mac_alg, auth_key, data[:-length], data[-length:]), "MAC of Vr")
    return data[3:3 + length]
