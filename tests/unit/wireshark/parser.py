# SPDX-License-Identifier: BSD-3-Clause
"""A parser of MIKEY-TICKET messages, written from RFC 3830, 4563 and 6043 alone, to compare the dissector with.

fields(message) gives (name, offset, octets, value) in the order of the message: what the dissector has to show.
"""

FLAGS = "DEFGHIJKLMNO"
NTP_TO_UNIX = 2208988800
MAC_LEN = {0: 0, 1: 20, 2: 32}
TS_LEN = {0: 8, 1: 8, 2: 4, 3: 4}
HASH_LEN = {0: 20, 1: 16, 2: 32}
DH_LEN = {0: 192, 1: 96, 2: 128}
TR_NAMES = {1: "tri", 2: "trs", 3: "tre"}
ID_NAMES = {1: "idri", 2: "idrr", 3: "idrkms", 4: "idrpsk", 5: "idrapp"}
TRR = 4
DEPTH_MAX = 4  # of tickets in tickets that are looked into


class Stop(Exception):
    """What follows cannot be found; the argument names the expert information that says so."""


class Parser:
    def __init__(self, message):
        self.message, self.pos, self.end = message, 0, len(message)
        self.fields, self.faults, self.depth = [], [], 0

    # octets

    def take(self, n):
        if n > self.end - self.pos:
            raise Stop("malformed")
        self.pos += n
        return self.message[self.pos - n:self.pos]

    def show(self, name, n, value):
        """A field of the n octets before the position."""
        self.fields.append((name, self.pos - n, n, value))
        return value

    def number(self, name, n):
        return self.show(name, n, int.from_bytes(self.take(n), "big"))

    def octets(self, name, n):
        value = self.take(n)
        if n > 0:
            self.show(name, n, value)
        return value

    def typed(self, name, lengths, kind):
        if kind not in lengths:
            raise Stop("unsupported")
        return self.octets(name, lengths[kind])

    def group(self, name, read):
        """What read() reads has a field around it."""
        start, at = self.pos, len(self.fields)
        if start < self.end:
            self.fields.append((name, start, 0, None))
        try:
            return read()
        finally:
            if start < self.end:
                self.fields[at] = (name, start, max(self.pos - start, 1), None)

    def inside(self, start, end, read):
        """read() between start and end; what is wrong there stops nothing outside."""
        outer = self.pos, self.end
        self.pos, self.end = start, end
        try:
            read()
        except Stop as stop:
            self.faults.append(str(stop))
        self.pos, self.end = outer

    def part(self, name, n, needed, read):
        start, end = self.pos, min(self.pos + n, self.end)
        if start < end:
            self.fields.append((name, start, end - start, None))
        if self.depth < DEPTH_MAX and (start < end or (n == 0 and needed)):
            self.depth += 1
            self.inside(start, end, read)
            self.depth -= 1
        self.take(n)

    def last(self, n, read):
        """The n octets before the position are something else too."""
        self.inside(self.pos - n, self.pos, read)

    def repeat(self, name, read):
        while self.pos < self.end:
            self.group(name, read)

    # payloads

    def chain(self, kind, initiator=False):
        seen_v = 0
        while kind != 0:
            if kind not in self.PAYLOADS:
                raise Stop("unsupported")
            name, read = self.PAYLOADS[kind]
            following = self.group(name, lambda k=kind, r=read: self.payload(k, r))
            seen_v += kind == 9
            if initiator and kind == 9 and seen_v == 1 and following == 0 and self.pos < self.end:
                following = 9
            kind = following
        if self.pos < self.end:
            raise Stop("malformed")

    def payload(self, kind, read):
        following = self.number("next_payload", 1) if kind != 4 else 0
        read(self)
        return following

    def time(self, name, kind, value):
        if kind not in (0, 3):
            return
        seconds = int.from_bytes(value[:4], "big")
        fraction = int.from_bytes(value[4:], "big")
        seconds += 0 if seconds >> 31 else 1 << 32
        nanos = fraction * 10**9 >> 32
        self.show(name, len(value), (seconds - NTP_TO_UNIX) * 10**6 + nanos // 1000)

    def t(self):
        kind = self.number("t.ts_type", 1)
        self.time("t.time", kind, self.typed("t.ts_value", TS_LEN, kind))

    def tr(self):
        role = self.number("tr.ts_role", 1)
        kind = self.number("tr.ts_type", 1)
        value = self.typed("tr.ts_value", TS_LEN, kind)
        if role != TRR:
            self.time(TR_NAMES.get(role, "tr.time"), kind, value)
        elif kind == 3:
            self.show("trr", 4, int.from_bytes(value, "big"))

    def identity(self, prefix, text):
        self.number(prefix + "id_type", 1)
        n = self.number(prefix + "id_len", 2)
        value = self.octets(prefix + "id_data", n)
        if n > 0 and all(0x20 <= c <= 0x7E for c in value):
            self.show(text, n, value.decode())

    def id(self):
        self.identity("id.", "id.text")

    def idr(self):
        self.identity("idr.", ID_NAMES.get(self.number("idr.id_role", 1), "id.text"))

    def rand(self, prefix="rand."):
        self.octets(prefix + "rand", self.number(prefix + "rand_length", 1))

    def randr(self):
        self.number("randr.rand_role", 1)
        self.rand("randr.")

    def v(self):
        self.typed("v.ver_data", MAC_LEN, self.number("v.auth_alg", 1))

    def err(self):
        self.number("err.error_no", 1)
        self.octets("err.reserved", 2)

    def validity(self, prefix, kv):
        if kv == 1:
            self.octets(prefix + "spi", self.number(prefix + "spi_length", 1))
        elif kv == 2:
            self.octets(prefix + "valid_from", self.number(prefix + "vf_length", 1))
            self.octets(prefix + "valid_to", self.number(prefix + "vt_length", 1))
        elif kv != 0:
            raise Stop("unsupported")

    def key(self):
        following = self.number("next_payload", 1)
        octet = self.take(1)[0]
        kind = self.show("key_data.type", 1, octet >> 4)
        kv = self.show("key_data.kv", 1, octet & 15)
        if kind > 6:
            raise Stop("unsupported")
        self.octets("key_data.key_data", self.number("key_data.key_data_len", 2))
        if kind in (1, 3, 5):
            self.octets("key_data.salt_data", self.number("key_data.salt_len", 2))
        self.validity("key_data.", kv)
        return following

    def keys(self):
        following = 20 if self.pos < self.end else 0
        while following == 20:
            following = self.group("key_data", self.key)
        if following != 0 or self.pos < self.end:
            raise Stop("malformed")

    def kemac(self):
        encr = self.number("kemac.encr_alg", 1)
        n = self.number("kemac.encr_data_len", 2)
        self.octets("kemac.encr_data", n)
        if encr == 0:
            self.last(n, self.keys)
        self.typed("kemac.mac", MAC_LEN, self.number("kemac.mac_alg", 1))

    def parameter(self):
        self.number("sp.param.type", 1)
        self.octets("sp.param.value", self.number("sp.param.length", 1))

    def sp(self):
        self.number("sp.policy_no", 1)
        self.number("sp.prot_type", 1)
        n = self.number("sp.policy_param_length", 2)
        self.octets("sp.policy_param", n)
        self.last(n, lambda: self.repeat("sp.param", self.parameter))

    def key_id(self):
        self.number("key_id.key_id_type", 1)
        self.octets("key_id.key_id", self.number("key_id.key_id_length", 1))

    def extension(self):
        kind = self.number("general_ext.type", 1)
        n = self.number("general_ext.length", 2)
        value = self.octets("general_ext.data", n)
        if kind == 3:
            self.last(n, lambda: self.repeat("key_id", self.key_id))
        elif kind in (0, 1) and n > 0 and all(0x20 <= c <= 0x7E for c in value):
            self.show("general_ext.text", n, value.decode())

    def pke(self):
        both = int.from_bytes(self.take(2), "big")
        self.show("pke.c", 2, both >> 14)
        self.octets("pke.data", self.show("pke.data_len", 2, both & 0x3FFF))

    def dh(self):
        self.typed("dh.dh_value", DH_LEN, self.number("dh.dh_group", 1))
        octet = self.take(1)[0]
        self.show("dh.reserv", 1, octet >> 4)
        self.validity("dh.", self.show("dh.kv", 1, octet & 15))

    def sign(self):
        both = int.from_bytes(self.take(2), "big")
        self.show("sign.s_type", 2, both >> 12)
        self.octets("sign.signature", self.show("sign.signature_len", 2, both & 0x0FFF))

    def cert(self):
        self.number("cert.cert_type", 1)
        self.octets("cert.certificate_data", self.number("cert.cert_len", 2))

    def chash(self):
        self.typed("chash.hash", HASH_LEN, self.number("chash.hash_func", 1))

    def thdr(self):
        self.octets("thdr.thdr_data", self.number("thdr.thdr_data_length", 2))

    def policy(self, prefix):
        self.number(prefix + "ticket_type", 2)
        self.number(prefix + "subtype", 1)
        self.number(prefix + "version", 1)
        three = int.from_bytes(self.take(3), "big")
        self.show(prefix + "prf_func", 3, three >> 17)
        for i, letter in enumerate(FLAGS):
            self.show(prefix + "flag_" + letter.lower(), 3, three >> 16 - i & 1)
        self.show(prefix + "res", 3, three & 31)
        self.part("tp_data", self.number(prefix + "tp_data_length", 2), True, self.payloads)

    def payloads(self, initiator=False):
        self.chain(self.number("first_payload", 1), initiator)

    def tp(self):
        self.policy("tp.")

    def ticket(self):
        self.policy("ticket.")
        self.part("ticket_data", self.number("ticket.ticket_data_length", 2), True, lambda: self.chain("THDR"))
        self.part("initiator_data", self.number("ticket.initiator_data_length", 2), False,
                  lambda: self.payloads(initiator=True))

    PAYLOADS = {
        1: ("kemac", kemac), 2: ("pke", pke), 3: ("dh", dh), 4: ("sign", sign), 5: ("t", t), 6: ("id", id),
        7: ("cert", cert), 8: ("chash", chash), 9: ("v", v), 10: ("sp", sp), 11: ("rand", rand), 12: ("err", err),
        13: ("tr", tr), 14: ("idr", idr), 15: ("randr", randr), 16: ("tp", tp), 17: ("ticket", ticket),
        21: ("general_ext", extension), "THDR": ("thdr", thdr),
    }

    # HDR

    def srtp_session(self):
        self.number("srtp_id.policy_no", 1)
        self.number("srtp_id.ssrc", 4)
        self.number("srtp_id.roc", 4)

    def generic_session(self):
        self.number("generic_id.cs_id", 1)
        protocol = self.number("generic_id.prot_type", 1)
        octet = self.take(1)[0]
        given = self.show("generic_id.s", 1, octet >> 7)
        for _ in range(self.show("generic_id.n_p", 1, octet & 127)):
            self.number("generic_id.policy_no", 1)
        n = self.number("generic_id.session_data_length", 2)
        self.octets("generic_id.session_data", n)
        if protocol == 0 and n == (10 if given else 4):
            self.last(n, lambda: self.streams(given))
        self.octets("generic_id.spi", self.number("generic_id.spi_length", 1))

    def streams(self, given):
        self.number("generic_id.ssrc", 4)
        if given:
            self.number("generic_id.roc", 4)
            self.number("generic_id.seq", 2)

    def hdr(self):
        version = self.number("hdr.version", 1)
        self.number("hdr.data_type", 1)
        first = self.number("hdr.next_payload", 1)
        octet = self.take(1)[0]
        self.show("hdr.v", 1, octet >> 7)
        self.show("hdr.prf_func", 1, octet & 127)
        self.number("hdr.csb_id", 4)
        sessions = self.number("hdr.n_cs", 1)
        kind = self.number("hdr.cs_id_map_type", 1)
        if version != 1:
            raise Stop("malformed")
        if kind > 2:
            raise Stop("unsupported")
        for _ in range(sessions if kind != 1 else 0):
            if kind == 0:
                self.group("srtp_id", self.srtp_session)
            else:
                self.group("generic_id", self.generic_session)
        return first


def parse(message):
    """A Parser with the fields of the message, and the faults that stopped it in a part or altogether."""
    parser = Parser(message)
    try:
        parser.chain(parser.group("hdr", parser.hdr))
    except Stop as stop:
        parser.faults.append(str(stop))
    return parser
