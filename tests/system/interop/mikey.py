# SPDX-License-Identifier: BSD-3-Clause
"""The wire format of MIKEY-TICKET (RFC 6043 section 6 over RFC 3830 section 6).

A payload is a type and a body; the body is everything after the Next Payload octet, so that a chain of payloads can be
put together in any order, right or wrong. `Payload` objects made by parse() also say where they stood.
"""
import struct

REQUEST_INIT_PSK, REQUEST_INIT_PK, REQUEST_RESP = 11, 12, 13
TRANSFER_INIT, TRANSFER_RESP = 14, 15
RESOLVE_INIT_PSK, RESOLVE_INIT_PK, RESOLVE_RESP = 16, 17, 18
ERROR = 6

(LAST, KEMAC, PKE, DH, SIGN, T, ID, CERT, CHASH, V, SP, RAND, ERR, TR, IDR, RANDR, TP, TICKET) = range(18)
KEY_DATA, EXTENSION = 20, 21
NAMES = {KEMAC: "KEMAC", PKE: "PKE", SIGN: "SIGN", T: "T", ID: "ID", CERT: "CERT", CHASH: "CHASH", V: "V", SP: "SP",
         RAND: "RAND", ERR: "ERR", TR: "TR", IDR: "IDR", RANDR: "RANDR", TP: "TP", TICKET: "TICKET",
         KEY_DATA: "KEY_DATA", EXTENSION: "EXTENSION"}

ROLE_I, ROLE_R, ROLE_KMS, ROLE_PSK, ROLE_APP = 1, 2, 3, 4, 5
TR_I, TR_S, TR_E, TR_R = 1, 2, 3, 4
NAI, URI, BYTES = 0, 1, 2
NTP_UTC, NTP, COUNTER, NTP_UTC_32 = 0, 1, 2, 3
TS_LENGTH = {NTP_UTC: 8, NTP: 8, COUNTER: 4, NTP_UTC_32: 4}
MAC_LENGTH = {0: 0, 1: 20, 2: 32}
HASH_LENGTH = {0: 20, 1: 16, 2: 32}
KEY_TYPES = ("TGK", "TGK+SALT", "TEK", "TEK+SALT", "GTGK", "GTGK+SALT", "MPK")
TGK, TGK_SALT, TEK, TEK_SALT, GTGK, GTGK_SALT, MPK = range(7)
SALTED = (TGK_SALT, TEK_SALT, GTGK_SALT)
KV_NULL, KV_SPI, KV_INTERVAL = 0, 1, 2
EMPTY_MAP, GENERIC_MAP = 1, 2
FLAGS = "DEFGHIJKLMNO"


class Malformed(Exception):
    """What was received cannot be parsed. number: the Error that says so."""

    def __init__(self, reason, number=12):
        super().__init__(reason)
        self.number = number


class Reader:
    def __init__(self, data, pos=0, end=None):
        self.data, self.pos, self.end = data, pos, len(data) if end is None else end

    def take(self, length):
        if self.pos + length > self.end:
            raise Malformed(f"{length} octets wanted at {self.pos}, {self.end - self.pos} left")
        self.pos += length
        return self.data[self.pos - length:self.pos]

    def u8(self):
        return self.take(1)[0]

    def u16(self):
        return int.from_bytes(self.take(2), "big")

    def sized(self):
        """A field with a 16-bit length before it."""
        return self.take(self.u16())


def sized(data):
    return struct.pack("!H", len(data)) + data


class Payload:
    """`at`: offset of the Next Payload octet in what was parsed. What the body says are its attributes."""

    def __init__(self, kind, body, at=None, fields=None):
        self.kind, self.body, self.at, self.found = kind, body, at, fields

    @property
    def fields(self):
        """What the body says; nothing when it cannot be parsed (hostile messages have such)."""
        if self.found is None:
            try:
                self.found = chain_from(Reader(b"\0" + self.body), self.kind)[0].found
            except Malformed:
                self.found = {}
        return self.found

    def __getattr__(self, name):
        if name.startswith("_") or name == "found":
            raise AttributeError(name)
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self):
        return f"{NAMES.get(self.kind, self.kind)}{self.fields or self.body.hex()}"

    def __eq__(self, other):
        return (self.kind, self.body) == (other.kind, other.body)


def t(ts_type, value):
    return Payload(T, bytes([ts_type]) + value)


def tr(role, ts_type, value):
    return Payload(TR, bytes([role, ts_type]) + value)


def idr(role, data, id_type=None):
    id_type = (BYTES if role == ROLE_PSK else NAI) if id_type is None else id_type
    return Payload(IDR, bytes([role, id_type]) + sized(data))


def id_plain(data, id_type=NAI):
    return Payload(ID, bytes([id_type]) + sized(data))


def rand(data):
    return Payload(RAND, bytes([len(data)]) + data)


def randr(role, data):
    return Payload(RANDR, bytes([role, len(data)]) + data)


def v(mac_alg, mac=b""):
    return Payload(V, bytes([mac_alg]) + mac)


def err(number):
    return Payload(ERR, bytes([number, 0, 0]))


def kemac(encr_alg, data, mac_alg=0, mac=b""):
    return Payload(KEMAC, bytes([encr_alg]) + sized(data) + bytes([mac_alg]) + mac)


def sp(number, params, prot=0):
    return Payload(SP, bytes([number, prot]) + sized(b"".join(bytes([k, len(x)]) + x for k, x in params)))


def cert(data, cert_type=0):
    return Payload(CERT, bytes([cert_type]) + sized(data))


def chash(function, digest):
    return Payload(CHASH, bytes([function]) + digest)


def pke(data, cache=0):
    return Payload(PKE, struct.pack("!H", cache << 14 | len(data)) + data)


def extension(kind, data):
    return Payload(EXTENSION, bytes([kind]) + sized(data))


def key_data(key_type, key, salt=None, spi=None, interval=None):
    """salt: for the +SALT types; spi: KV SPI; interval: (from, to) for KV Interval."""
    kv = KV_SPI if spi is not None else KV_INTERVAL if interval is not None else KV_NULL
    body = bytes([key_type << 4 | kv]) + sized(key)
    if salt is not None:
        body += sized(salt)
    if spi is not None:
        body += bytes([len(spi)]) + spi
    elif interval is not None:
        body += b"".join(bytes([len(x)]) + x for x in interval)
    return Payload(KEY_DATA, body)


def flags_word(flags):
    word = 0
    for i, letter in enumerate(FLAGS):
        if letter in flags:
            word |= 1 << (16 - i)
    return word


def flags_text(word):
    return "".join(letter for i, letter in enumerate(FLAGS) if word >> (16 - i) & 1)


class Policy:
    """A Ticket Policy: the part that TP and TICKET share. payloads: those of TP Data."""

    def __init__(self, flags, prf, payloads, kind=(1, 1, 1), res=0, data=None):
        self.flags, self.prf, self.kind, self.res, self.data = flags, prf, kind, res, data
        self.found = payloads

    @property
    def payloads(self):
        """TP Data is parsed when it is looked at: a message with bad TP Data can still be authenticated."""
        if self.found is None:
            self.found = parse_tp(self.data)
        return self.found

    def octets(self):
        """From Ticket Type to the end of TP Data. data, when given, stands in for the payloads."""
        data = tp_chain(self.payloads) if self.data is None else self.data
        word = self.prf << 17 | flags_word(self.flags) | self.res
        return struct.pack("!HBB", *self.kind) + word.to_bytes(3, "big") + sized(data)

    def all(self, kind, role=None):
        return [p for p in self.payloads if p.kind == kind and (role is None or p.fields.get("role") == role)]

    def first(self, kind, role=None):
        return next(iter(self.all(kind, role)), None)


def policy_from(reader):
    kind = (reader.u16(), reader.u8(), reader.u8())
    word = int.from_bytes(reader.take(3), "big")
    return Policy(flags_text(word), word >> 17, None, kind, word & 0x1F, reader.sized())


def parse_tp(data):
    """Payloads of TP Data or Initiator Data, whose first octet names the first payload."""
    reader = Reader(data)
    first = reader.u8()
    return chain_from(reader, first)


def tp(policy):
    return Payload(TP, policy.octets())


def ticket(policy_octets, ticket_data, initiator_data=b""):
    return Payload(TICKET, policy_octets + sized(ticket_data) + sized(initiator_data))


def chain(payloads, after=LAST):
    """Octets of payloads that follow each other; `after`: Next Payload of the last."""
    kinds = [p.kind for p in payloads[1:]] + [after]
    return b"".join(bytes([kind]) + p.body for kind, p in zip(kinds, payloads))


def tp_chain(payloads):
    return bytes([payloads[0].kind if payloads else LAST]) + chain(payloads)


class Header:
    def __init__(self, data_type, csb_id, prf, v_flag=0, version=1, cs=0, map_type=EMPTY_MAP, map_info=b""):
        self.version, self.data_type, self.v_flag, self.prf = version, data_type, v_flag, prf
        self.csb_id, self.cs, self.map_type, self.map_info = csb_id, cs, map_type, map_info

    def octets(self, following):
        return (bytes([self.version, self.data_type, following, self.v_flag << 7 | self.prf]) + self.csb_id
                + bytes([self.cs, self.map_type]) + self.map_info)


def message(header, payloads):
    return header.octets(payloads[0].kind if payloads else LAST) + chain(payloads)


def crypto_session(cs_id, policies, session_data, spi, prot=0, s_flag=0):
    """A block of the GENERIC-ID map."""
    return (bytes([cs_id, prot, s_flag << 7 | len(policies)]) + bytes(policies) + sized(session_data)
            + bytes([len(spi)]) + spi)


def generic_map_from(reader, count):
    sessions = []
    for _ in range(count):
        cs_id, prot, number = reader.u8(), reader.u8(), reader.u8()
        policies = reader.take(number & 0x7F)
        data = reader.sized()
        sessions.append({"cs_id": cs_id, "prot": prot, "s": number >> 7, "policies": list(policies), "data": data,
                         "spi": reader.take(reader.u8())})
    return sessions


def parse(data):
    """(Header, payloads) of a whole message; Malformed when an octet is missing or left over."""
    reader = Reader(data)
    version, data_type, following, prf = reader.take(4)
    header = Header(data_type, reader.take(4), prf & 0x7F, prf >> 7, version)
    header.cs, header.map_type = reader.u8(), reader.u8()
    header.sessions = []
    start = reader.pos
    if header.map_type == GENERIC_MAP:
        header.sessions = generic_map_from(reader, header.cs)
    elif header.map_type != EMPTY_MAP:
        raise Malformed(f"map type {header.map_type}")
    header.map_info = data[start:reader.pos]
    return header, chain_from(reader, following)


def chain_from(reader, following):
    payloads = []
    while following != LAST:
        kind, at = following, reader.pos
        following = reader.u8()
        fields = FIELDS.get(kind)
        if fields is None:
            raise Malformed(f"payload type {kind}")
        found = fields(reader)
        payloads.append(Payload(kind, reader.data[at + 1:reader.pos], at, found))
    if reader.pos != reader.end:
        raise Malformed(f"{reader.end - reader.pos} octets after the last payload")
    return payloads


def known(table, value, what, number=12):
    if value not in table:
        raise Malformed(f"{what} {value}", number)
    return table[value]


def kemac_fields(reader):
    encr_alg, data, mac_alg = reader.u8(), reader.sized(), reader.u8()
    return {"encr_alg": encr_alg, "data": data, "mac_alg": mac_alg,
            "mac": reader.take(known(MAC_LENGTH, mac_alg, "MAC alg"))}


def t_fields(reader):
    ts_type = reader.u8()
    return {"ts_type": ts_type, "value": reader.take(known(TS_LENGTH, ts_type, "TS type", 1))}


def v_fields(reader):
    mac_alg = reader.u8()
    at = reader.pos
    return {"mac_alg": mac_alg, "mac_at": at, "mac": reader.take(known(MAC_LENGTH, mac_alg, "auth alg", 3))}


def sp_fields(reader):
    number, prot = reader.u8(), reader.u8()
    inner, params = Reader(reader.sized()), []
    while inner.pos < inner.end:
        params.append((inner.u8(), inner.take(inner.u8())))
    return {"number": number, "prot": prot, "params": params}


def key_fields(reader):
    head = reader.u8()
    key_type, kv = head >> 4, head & 15
    fields = {"key_type": key_type, "kv": kv, "key": reader.sized(), "salt": None, "spi": None, "interval": None}
    if key_type >= len(KEY_TYPES) or kv > KV_INTERVAL:
        raise Malformed(f"key type {key_type}, KV {kv}")
    if key_type in SALTED:
        fields["salt"] = reader.sized()
    if kv == KV_SPI:
        fields["spi"] = reader.take(reader.u8())
    elif kv == KV_INTERVAL:
        fields["interval"] = (reader.take(reader.u8()), reader.take(reader.u8()))
    return fields


def tp_fields(reader):
    return {"policy": policy_from(reader)}


def ticket_fields(reader):
    start = reader.pos
    policy = policy_from(reader)
    policy_octets = reader.data[start:reader.pos]
    data_at = reader.pos + 2
    data = reader.sized()
    initiator_at = reader.pos
    return {"policy": policy, "policy_octets": policy_octets, "data": data, "data_at": data_at,
            "initiator_at": initiator_at, "initiator_data": reader.sized()}


def sign_fields(reader):
    """SIGN has no Next Payload octet: what was read as one is the head of its 4-bit type and 12-bit length."""
    reader.pos -= 1
    word = reader.u16()
    reader.take(word & 0xFFF)
    if reader.pos != reader.end:
        raise Malformed("octets after SIGN")
    return {}


FIELDS = {
    KEMAC: kemac_fields,
    PKE: lambda r: {"data": r.take(r.u16() & 0x3FFF)},
    T: t_fields,
    ID: lambda r: {"id_type": r.u8(), "data": r.sized()},
    CERT: lambda r: {"cert_type": r.u8(), "data": r.sized()},
    CHASH: lambda r: {"digest": r.take(known(HASH_LENGTH, r.u8(), "hash"))},
    V: v_fields,
    SP: sp_fields,
    RAND: lambda r: {"rand": r.take(r.u8())},
    ERR: lambda r: {"number": r.u8(), "reserved": r.take(2)},
    TR: lambda r: {"role": r.u8(), **t_fields(r)},
    IDR: lambda r: {"role": r.u8(), "id_type": r.u8(), "data": r.sized()},
    RANDR: lambda r: {"role": r.u8(), "rand": r.take(r.u8())},
    TP: tp_fields,
    TICKET: ticket_fields,
    KEY_DATA: key_fields,
    EXTENSION: lambda r: {"ext_type": r.u8(), "data": r.sized()},
}


def parse_keys(content):
    """Key data sub-payloads of a decrypted KEMAC; no octets mean no keys."""
    return chain_from(Reader(content), KEY_DATA) if content else []


def parse_ticket_data(data):
    """(THDR Data, payloads): THDR comes first without being announced."""
    reader = Reader(data)
    following = reader.u8()
    return reader.sized(), chain_from(reader, following)


def ticket_data(thdr, payloads):
    return bytes([payloads[0].kind if payloads else LAST]) + sized(thdr) + chain(payloads)
