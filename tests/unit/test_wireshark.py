#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The Wireshark dissector in tshark, compared with a parser of the tests, the C decoder and Wireshark's own dissector.

usage: test_wireshark.py PROGRAM [unittest arguments]; PROGRAM: the built wireshark-decode
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from wireshark import decoded, messages, parser, pcap, tshark  # noqa: E402

DECODER = ""
ALL_METHODS = ("-o", "mikey_ticket.all_methods:TRUE")
OWN = ("-d", "udp.port==2269,mikey")
MESSAGE_START = re.compile(rb"\x01[\x06\x0b-\x12]")
FAULTS = ("malformed", "unsupported")
VECTORS = messages.vectors()
MADE = [m for m in messages.made() if m]
BROKEN = [m for m in messages.broken(VECTORS + MADE, 1000) if m]


def as_parsed(message, offset=pcap.PAYLOAD_OFFSET):
    return [(name, at + offset, n, value) for name, at, n, value in parser.parse(message).fields]


def leaves(fields):
    return [(name, value) for name, _, _, value in fields if value is not None]


def first_of(data_types):
    """The longest vector of each of those types."""
    return [max((m for m in VECTORS if m[1] == t), key=len) for t in data_types]


def with_flags(bits):
    head = b"\x00\x01\x01\x01" + bits.to_bytes(3, "big")
    return messages.chain([messages.T, (16, head + messages.octets16(b"\x00")), messages.V], 11)


class Agreement(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        sources = VECTORS + MADE + BROKEN
        found = tshark.dissect(tshark.packets_of(sources), *ALL_METHODS)
        if len(found) != len(sources):
            raise ValueError(f"{len(sources)} messages, {len(found)} dissected")
        cls.dissections = dict(zip(sources, found))

    def same_as_parsed(self, sources):
        for message in sources:
            dissection = self.dissections[message]
            with self.subTest(message.hex()):
                self.assertEqual(dissection.fields, as_parsed(message))
                self.assertEqual([e for e in dissection.experts if e in FAULTS], parser.parse(message).faults)

    def test_vectors_are_dissected_as_the_parser_reads_them(self):
        self.assertGreater(len(VECTORS), 300)
        self.same_as_parsed(VECTORS)

    def test_every_payload_role_and_type_is_dissected_as_the_parser_reads_it(self):
        seen = {name for m in MADE for name, _ in leaves(as_parsed(m))}
        groups = {name for m in MADE for name, _, _, value in as_parsed(m) if value is None}
        without = {n.split(".", 1)[1] for n in tshark.field_kinds() if n.startswith("mikey_ticket.")} - seen - groups
        self.assertEqual({n for n in without if n not in FAULTS and n not in (
            "unknown", "cut", "contradiction", "clear_key", "no_mac", "refused")}, set())
        self.same_as_parsed(MADE)

    def test_broken_messages_are_dissected_as_far_as_the_parser_reads_them(self):
        self.same_as_parsed(BROKEN)

    def test_the_decoder_of_tkms_says_the_same_by_the_same_names(self):
        sources = VECTORS + MADE + BROKEN
        whole = 0
        for message, expected in zip(sources, decoded.decode(DECODER, sources)):
            dissection = self.dissections[message]
            with self.subTest(message.hex()):
                self.assertEqual(any(e in FAULTS for e in dissection.experts), expected.faulty)
                ours = leaves(dissection.fields)
                if expected.faulty:
                    rest = iter(ours)
                    self.assertTrue(all(f in rest for f in expected.fields), (expected.fields, ours))
                    continue
                # The decoder leaves out lengths, reserved bits, and what is below the limit of nesting.
                ours = [f for f in ours if not re.search(r"(len|length|\.reserv)$", f[0])]
                self.assertEqual(ours, expected.fields)
                for name, value, text in expected.names:
                    texts = (f"{text} ({value})", f"Parameter: {text}")
                    self.assertTrue(any(t in shown for shown in dissection.shown for t in texts), (name, text))
                whole += 1
        self.assertGreater(whole, 300)

    def test_wiresharks_own_dissector_confirms_what_it_knows(self):
        """It knows no RANDR, and no map but SRTP-ID: it stops there."""
        names = {"mikey.version": "hdr.version", "mikey.type": "hdr.data_type", "mikey.v.set": "hdr.v",
                 "mikey.prf_func": "hdr.prf_func", "mikey.csb_id": "hdr.csb_id", "mikey.cs_count": "hdr.n_cs",
                 "mikey.cs_id_map_type": "hdr.cs_id_map_type", "mikey.srtp_id.ssrc": "srtp_id.ssrc",
                 "mikey.srtp_id.roc": "srtp_id.roc", "mikey.t.ts_type": "t.ts_type", "mikey.t.ntp": "t.time",
                 "mikey.rand.data": "rand.rand", "mikey.id.type": "id_type", "mikey.id.role": "idr.id_role",
                 "mikey.kemac.encr_alg": "kemac.encr_alg", "mikey.kemac.key_data": "kemac.encr_data",
                 "mikey.v.auth_alg": "v.auth_alg", "mikey.v.ver_data": "v.ver_data", "mikey.sp.no": "sp.policy_no",
                 "mikey.err.no": "err.error_no", "mikey.cert.data": "cert.certificate_data",
                 "mikey.pke.data": "pke.data", "mikey.sign.data": "sign.signature",
                 "mikey.ext.len": "general_ext.length"}
        sources = [m for m in VECTORS if m[0] == 1 and m[9] == 1] + messages.known_to_wireshark()
        ours = tshark.dissect(tshark.packets_of(sources), *ALL_METHODS)
        own = tshark.dissect(tshark.packets_of(sources), *OWN, protocol="mikey", scripts=())
        confirmed = set()
        for message, mine, other in zip(sources, ours, own):
            with self.subTest(message.hex()):
                mine = [(n[4:] if n == "idr.id_type" else n[3:] if n == "id.id_type" else n, v)
                        for n, v in leaves(mine.fields)]
                theirs = [(names[n], v) for n, v in leaves(other.fields) if n in names and v != b""]
                self.assertGreaterEqual(len(theirs), 7)
                rest = iter(mine)
                self.assertTrue(all(f in rest for f in theirs), (theirs, mine))
                confirmed |= {n for n, _ in theirs}
        self.assertEqual(confirmed, set(names.values()))


class Robustness(unittest.TestCase):
    def test_every_truncation_is_marked(self):
        sources = first_of([6, 11, 12, 13, 14, 15, 16, 18]) + MADE[:10]
        sources = messages.truncated([m for m in sources if not parser.parse(m).faults])
        rows = tshark.columns(tshark.packets_of(sources), ["mikey_ticket", *(f"mikey_ticket.{f}" for f in FAULTS)],
                              *ALL_METHODS)
        for message, row in zip(sources, rows):
            if message:
                self.assertTrue(row[0] and any(row[1:]), message.hex())
        self.assertGreater(len(rows), 4000)

    def test_broken_messages_raise_no_lua_error_wherever_they_come_from(self):
        sources = BROKEN[:400]
        for packets in (tshark.packets_of(sources), tshark.packets_of(sources, 5555),
                        [pcap.http_request(m, 1024 + i) for i, m in enumerate(sources)],
                        [pcap.sip_invite(m) for m in sources]):
            rows = tshark.columns(packets, ["mikey_ticket"])
            self.assertEqual(len(rows), len(sources))
            self.assertGreater(sum(bool(row[0]) for row in rows), 50)

    def test_what_the_capture_cut_off_is_not_called_malformed(self):
        sources = [m for m in VECTORS if not parser.parse(m).faults]
        for captured in (pcap.PAYLOAD_OFFSET + 5, 128):
            found = tshark.dissect(tshark.packets_of(sources), *ALL_METHODS, captured=captured)
            for message, dissection in zip(sources, found):
                is_cut = len(message) + pcap.PAYLOAD_OFFSET > captured
                self.assertEqual("cut" in dissection.experts, is_cut, (captured, message.hex()))
                self.assertFalse(set(FAULTS) & set(dissection.experts), (captured, message.hex()))
                whole = as_parsed(message)
                shown = [f for f in dissection.fields if f[3] is not None]
                self.assertEqual(shown, [f for f in whole if f[3] is not None][:len(shown)])

    def test_the_largest_messages_are_dissected_in_time(self):
        room = 65507 - 31
        many = [messages.chain([messages.T, (10, b"\x00\x00" + messages.octets16(bytes(room)))]),
                messages.chain([messages.T] + [(11, b"\x00")] * (room // 2)),
                messages.hdr(0, sessions=255, map_type=2, map_info=bytes.fromhex("01007f" + "00" * 130) * 255)]
        for message in many:
            found = tshark.columns(tshark.packets_of([message]), ["mikey_ticket", "mikey_ticket.malformed"])
            self.assertEqual([bool(c) for c in found[0]], [True, False])

    def test_a_lua_error_would_be_seen(self):
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder) / "bad.lua"
            script.write_text('local p = Proto("bad", "bad")\n'
                              'function p.dissector(tvb) tvb:range(0, tvb:len() + 1) end\n'
                              'DissectorTable.get("udp.port"):add(2269, p)\n')
            for read in (lambda s: tshark.dissect(tshark.packets_of(VECTORS[:1]), scripts=s),
                         lambda s: tshark.columns(tshark.packets_of(VECTORS[:1]), ["frame.number"], scripts=s)):
                with self.assertRaises(tshark.LuaError):
                    read([tshark.SCRIPT, script])
            script.write_text("not Lua\n")
            with self.assertRaises(tshark.LuaError):
                tshark.columns(tshark.packets_of(VECTORS[:1]), ["frame.number"], scripts=[script])


class Wireshark(unittest.TestCase):
    def protocols(self, packets, *arguments):
        return [row[0].split(":")[-1] for row in tshark.columns(packets, ["frame.protocols"], *arguments)]

    def test_messages_of_other_methods_are_left_to_wireshark(self):
        found = self.protocols(tshark.packets_of(VECTORS))
        expected = ["mikey" if m[0] == 1 and m[1] in messages.OTHER_METHODS else "mikey_ticket" for m in VECTORS]
        self.assertEqual(found, expected)
        self.assertIn("mikey", expected)

    def test_the_port_can_be_chosen_and_given_back(self):
        ours, packets = VECTORS[0], tshark.packets_of(VECTORS[:1])
        self.assertEqual(self.protocols(packets, *OWN), ["mikey"])
        self.assertEqual(self.protocols(packets, "-o", "mikey_ticket.udp_port:0"), ["mikey"])
        self.assertEqual(self.protocols(packets, "-o", "mikey_ticket.udp_port:5000"), ["mikey"])
        broken = tshark.packets_of([ours[:-1]], 5000)
        self.assertEqual(self.protocols(broken, "-o", "mikey_ticket.udp_port:5000"), ["mikey_ticket"])
        self.assertEqual(self.protocols(broken, "-d", "udp.port==5000,mikey_ticket"), ["mikey_ticket"])

    def test_whole_messages_are_found_on_any_port(self):
        sources = VECTORS + [b"\x01", bytes(64), b"GET / HTTP/1.1", b"\x01\x0b" + bytes(40)]
        found = self.protocols(tshark.packets_of(sources, 5555))
        for message, protocol in zip(sources, found):
            # A value without a name is no fault, but makes a message doubtful: it is not asserted.
            if not MESSAGE_START.match(message) or parser.parse(message).faults:
                self.assertNotEqual(protocol, "mikey_ticket", message.hex())
        self.assertGreater(found.count("mikey_ticket"), len(VECTORS) * 9 // 10)

    def test_http_bodies_are_dissected(self):
        sources = first_of([11, 13])
        packets = [pcap.http_request(sources[0]), pcap.http_response(sources[1])]
        for message, dissection in zip(sources, tshark.dissect(packets)):
            self.assertEqual(leaves(dissection.fields), leaves(as_parsed(message)))
        rows = tshark.columns(packets, ["_ws.col.Protocol", "_ws.col.Info"])
        self.assertEqual([r[0] for r in rows], ["HTTP", "HTTP"])
        self.assertIn("REQUEST_INIT_PSK", rows[0][1])

    def test_key_management_lines_of_sdp_are_dissected(self):
        message = first_of([14])[0]
        packets = [pcap.sip_invite(message), pcap.sip_invite(messages.known_to_wireshark()[1][:1] + b"\x00" +
                                                             messages.known_to_wireshark()[1][2:])]
        found = tshark.dissect(packets)
        self.assertEqual(leaves(found[0].fields), leaves(as_parsed(message)))
        self.assertIsNone(found[1])
        self.assertIsNotNone(tshark.dissect(packets, protocol="mikey")[1])
        columns = tshark.columns(packets[:1], ["_ws.col.Protocol", "_ws.col.Info"])[0]
        self.assertIn("SIP", columns[0])
        self.assertRegex(columns[1], "INVITE.*TRANSFER_INIT")

    def test_the_list_of_packets_says_what_a_message_is(self):
        sources = [VECTORS[0], first_of([6])[0], VECTORS[0][:40], b"\x01\x0b"]
        rows = tshark.columns(tshark.packets_of(sources), ["_ws.col.Protocol", "_ws.col.Info"])
        self.assertEqual({r[0] for r in rows}, {"MIKEY-TICKET"})
        self.assertRegex(rows[0][1], r"^REQUEST_INIT_PSK CSB 0x02ab81d9 IDRi alice@company\.example ")
        self.assertRegex(rows[1][1], r"^Error CSB 0x[0-9a-f]{8} \d+ \([A-Z]")
        self.assertRegex(rows[2][1], r"\[incomplete\]$")
        self.assertRegex(rows[3][1], r"^REQUEST_INIT_PSK \[incomplete\]$")

    def test_what_is_remarkable_is_marked(self):
        t, v = messages.T, messages.V
        cases = {
            "contradiction": messages.chain([t, messages.ticket(b"\x00", b"\x00\x00\x00", b"", 0x0040), v]),
            "clear_key": messages.chain([t, messages.KEYS, v]),
            "no_mac": messages.chain([t, (9, b"\x00")]),
            "refused": messages.chain([t, messages.ERR], 6),
            "unknown": messages.chain([t, (14, b"\x09\x00" + messages.octets16(b"x")), v]),
        }
        quiet = messages.chain([t, messages.ticket(b"\x00", b"\x00\x00\x00", b""), messages.KEMAC, v])
        found = tshark.dissect(tshark.packets_of([*cases.values(), quiet]))
        for name, dissection in zip(cases, found):
            self.assertIn(name, dissection.experts)
        self.assertEqual(found[-1].experts, [])

    def test_contradictory_flags_are_marked_whatever_the_others_are(self):
        def contradictory(d, e, f, g, h, i, _j, k, l, m, _n, _o):
            return (not d and not l) or (g and not f) or (not g and not h) or (i and not e) or (k and not d) or \
                (m and not f)
        sources = [with_flags(bits << 5) for bits in range(1 << 12)]
        rows = tshark.columns(tshark.packets_of(sources), ["mikey_ticket.contradiction"])
        for bits, row in enumerate(rows):
            self.assertEqual(bool(row[0]), contradictory(*(bits >> (11 - i) & 1 for i in range(12))), bin(bits))

    def test_the_flags_are_shown_with_their_meaning(self):
        """One bit alone, each in turn, and its opposite."""
        flags = [1 << (16 - i) for i in range(12)]
        on = tshark.dissect(tshark.packets_of([with_flags(b) for b in flags]))
        off = tshark.dissect(tshark.packets_of([with_flags(b ^ 0x1FFE0) for b in flags]))
        for i, letter in enumerate("DEFGHIJKLMNO"):
            name = f"tp.flag_{letter.lower()}"
            self.assertEqual([n for n, v in leaves(on[i].fields) if ".flag_" in n and v], [name])
            self.assertEqual([n for n, v in leaves(off[i].fields) if ".flag_" in n and not v], [name])
            texts = [next(s for s in d.shown if f"= {letter}: " in s).split(f"{letter}: ")[1] for d in (on[i], off[i])]
            self.assertGreater(min(map(len, texts)), 10)
            self.assertNotEqual(*texts)

    def test_a_copy_in_the_plugin_folder_is_enough(self):
        with tempfile.TemporaryDirectory() as home:
            plugins = pathlib.Path(home) / ".local" / "lib" / "wireshark" / "plugins"
            plugins.mkdir(parents=True)
            shutil.copy(tshark.SCRIPT, plugins)
            capture = pathlib.Path(home) / "capture.pcap"
            pcap.write(capture, tshark.packets_of(VECTORS[:1]))
            command = ["tshark", "-r", str(capture), "-Y", "mikey_ticket", "-T", "fields", "-e", "frame.number"]
            done = subprocess.run(command, env={**os.environ, "HOME": home}, capture_output=True, text=True, check=True,
                                  timeout=tshark.LIMIT_SECONDS)
        self.assertEqual(done.stdout, "1\n")

    def test_the_filters_of_the_readme_are_filters(self):
        readme = (tshark.SCRIPT.parent / "README.md").read_text()
        documented = [f.replace("\\|", "|") for f in re.findall(r"`(mikey_ticket\.[^`*]+[^`.*])`", readme)
                      if not f.endswith(".lua") and ":" not in f.split('"')[0]]
        self.assertGreater(len(documented), 15)
        any_of_them = " || ".join(f"({f})" for f in documented)
        tshark.columns(tshark.packets_of(VECTORS[:1]), ["frame.number"], "-Y", any_of_them)
        with self.assertRaises(tshark.LuaError):
            tshark.columns(tshark.packets_of(VECTORS[:1]), ["frame.number"], "-Y", "mikey_ticket.no_such_field")


if __name__ == "__main__":
    DECODER = sys.argv.pop(1)
    unittest.main()
