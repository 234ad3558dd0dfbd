# SPDX-License-Identifier: BSD-3-Clause
"""Captures made of nothing but the octets to dissect: pcap files with raw IPv4 packets."""
import base64
import pathlib
import struct

RAW_IP = 101
SNAP_LEN = 262144
PAYLOAD_OFFSET = 28  # of a UDP payload


def ip(protocol, payload):
    addresses = b"\x0a\x00\x00\x01\x0a\x00\x00\x02"
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + addresses + payload


def udp(payload, port=2269):
    return ip(17, struct.pack(">HHHH", 40000, port, 8 + len(payload), 0) + payload)


def tcp(payload, source, destination):
    push_ack = 0x5018
    return ip(6, struct.pack(">HHIIHHHH", source, destination, 1, 1, push_ack, 65535, 0, 0) + payload)


def http_request(body, client_port=40000):
    head = (f"POST /keymanagement?requesttype=ticketrequest HTTP/1.1\r\nHost: kms.company.example\r\n"
            f"Content-Type: application/mikey\r\nContent-Length: {len(body)}\r\n\r\n")
    return tcp(head.encode() + body, client_port, 80)


def http_response(body):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/mikey\r\nContent-Length: {len(body)}\r\n\r\n"
    return tcp(head.encode() + body, 80, 40000)


def sip_invite(message):
    sdp = ("v=0\r\no=alice 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
           f"a=key-mgmt:mikey {base64.b64encode(message).decode()}\r\nm=audio 4000 RTP/SAVP 0\r\n")
    head = ("INVITE sip:bob@company.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n"
            "From: <sip:alice@company.example>;tag=1\r\nTo: <sip:bob@company.example>\r\nCall-ID: 1\r\n"
            f"CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n")
    return udp((head + sdp).encode(), 5060)


def write(path, packets, captured=SNAP_LEN):
    """captured: octets of a packet that the capture keeps."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP_LEN, RAW_IP)]
    for i, packet in enumerate(packets):
        kept = packet[:captured]
        out += [struct.pack("<IIII", i, 0, len(kept), len(packet)), kept]
    pathlib.Path(path).write_bytes(b"".join(out))
