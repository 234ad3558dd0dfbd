#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""HTTP that no decent client sends, against tkms-http: http_hostile.py HOST PORT PATH MESSAGE_FILE REQUEST_TIMEOUT_S

Every case is a connection of its own. Whatever comes, one request never gets more than one answer, and nothing of
a body is taken for a request."""

import re
import socket
import struct
import sys
import time

HOST, PORT, PATH, FILE, LIMIT = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], float(sys.argv[5])
MESSAGE = open(FILE, "rb").read()
TYPE = b"Content-Type: application/mikey\r\n"
LINE = b"POST " + PATH.encode() + b" HTTP/1.1\r\n"
HEAD = LINE + b"Host: kms\r\n" + TYPE
INNER = HEAD + b"Content-Length: %d\r\n\r\n" % len(MESSAGE) + MESSAGE
failures = 0


def connect():
    s = socket.create_connection((HOST, PORT), timeout=20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def until_end(s, wait, enough):
    """What comes until the server closes (closed) or is quiet: for wait seconds, or shortly after enough answers."""
    s.settimeout(0.1)
    got, quiet = b"", 0.0
    while quiet < (wait if len(statuses(got)) < enough else 0.3):
        try:
            part = s.recv(65536)
            if not part:
                return got, True
            got, quiet = got + part, 0.0
        except socket.timeout:
            quiet += 0.1
        except ConnectionResetError:
            return got, True
    return got, False


def statuses(octets):
    """Status codes in the order in which they came, but for 100."""
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", octets) if code != b"100"]


def case(name, octets, expected, closes=None, wait=2.0):
    """expected: lists of statuses that are all right."""
    global failures
    s = connect()
    s.sendall(octets)
    # Those that are to be closed are waited for until they are.
    got, closed = until_end(s, wait, 99 if closes else len(expected[0]))
    s.close()
    codes = statuses(got)
    good = codes in expected and (closes is None or closed == closes)
    failures += not good
    print(f"{'ok' if good else 'FAILED'}: {name}: {codes}{', closed' if closed else ''}")


def chunked(*chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"


TE = b"Transfer-Encoding: chunked\r\n"

# What is allowed, so that the rest means something.
case("one request", INNER, [[200]], closes=False, wait=5.0)
case("three in a pipeline", INNER * 3, [[200, 200, 200]], closes=False, wait=5.0)
case("chunked", HEAD + TE + b"\r\n" + chunked(MESSAGE[:7], MESSAGE[7:]), [[200]], closes=False, wait=5.0)
case("HTTP/1.0", INNER.replace(b"HTTP/1.1", b"HTTP/1.0"), [[200]], closes=True, wait=5.0)
case("absolute form", INNER.replace(PATH.encode(), b"http://kms" + PATH.encode(), 1), [[200]], closes=False, wait=5.0)

# Two lengths for one body. Behind each is a request that must not be answered.
case("length and chunks", HEAD + b"Content-Length: 4\r\n" + TE + b"\r\n" + chunked(b"abcd") + INNER, [[400]], closes=True)
case("chunks and length", HEAD + TE + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + INNER, [[400]], closes=True)
for value in (b"4\r\nContent-Length: 4", b"4\r\nContent-Length: 5", b"4, 4", b"+4", b"-4", b"0x4", b"4 4", b"", b"9" * 30):
    # libmicrohttpd 0.9.75 answers some of these itself, with its header twice.
    case(f"Content-Length: {value!r}", HEAD + b"Content-Length: " + value + b"\r\n\r\nabcd" + INNER, [[400], [413], [400, 400], [413, 413]], closes=True)
for value in (b"identity", b"gzip, chunked", b"chunked, chunked", b"xchunked", b"chunked\r\nTransfer-Encoding: identity"):
    case(f"Transfer-Encoding: {value!r}", HEAD + b"Transfer-Encoding: " + value + b"\r\n\r\n0\r\n\r\n" + INNER, [[400]], closes=True)
case("blank before the colon", HEAD + b"Content-Length : 4\r\n\r\nabcd" + INNER, [[400]], closes=True)
case("length folded", HEAD + b"X: y\r\n Content-Length: 4\r\n\r\n" + INNER, [[400], [400, 200], []])
case("first line folded", LINE + b" Host: kms\r\n" + TYPE + b"\r\n" + INNER, [[400]], closes=True)
case("control octet in a value", HEAD + b"X: a\x01b\r\nContent-Length: 4\r\n\r\nabcd" + INNER, [[400]], closes=True)
case("bare CR in a value", HEAD + b"X: a\rContent-Length: 4\r\n\r\n" + INNER, [[400]], closes=True)
case("chunks in HTTP/1.0", (HEAD + TE).replace(b"1.1", b"1.0") + b"\r\n" + chunked(b"abcd") + INNER, [[400]], closes=True)
case("no Host", LINE + TYPE + b"Content-Length: 4\r\n\r\nabcd" + INNER, [[400]], closes=True)
case("two Hosts", HEAD + b"Host: other\r\nContent-Length: 4\r\n\r\nabcd" + INNER, [[400]], closes=True)

# Line ends that are LF alone are read as line ends (RFC 9112 2.2): one request, one answer.
case("bare LF", INNER[: INNER.index(b"\r\n\r\n")].replace(b"\r\n", b"\n") + b"\n\n" + MESSAGE, [[200], [400]], wait=5.0)
# A bare LF inside a chunk size line: to one who reads on to the CRLF the request that follows is in the next chunk.
case("bare LF in a chunk size line", HEAD + TE + b"\r\n5;\nabcde\r\n0\r\n\r\n\r\n%x\r\n" % len(INNER) + INNER + b"\r\n0\r\n\r\n", [[400]], closes=True)
# An octet that may not stand in a chunk size line, then a size that is none.
case("chunk size that is none", HEAD + TE + b"\r\n" + b"4;\x00\r\nabcd\r\nzz\r\n" + INNER, [[400], []], closes=True)
case("chunk size too large", HEAD + TE + b"\r\n" + b"fffffffffffffffff\r\n" + INNER, [[400], [413]], closes=True)
case("negative chunk size", HEAD + TE + b"\r\n-1\r\n" + INNER, [[400]], closes=True)
case("chunk longer than its size", HEAD + TE + b"\r\n2\r\nabcdef\r\n0\r\n\r\n" + INNER, [[400]], closes=True)

# Refused requests do not spoil what follows them: their bodies are read to the end, or the connection ends.
case("404 and then a good one", INNER.replace(PATH.encode(), b"/other", 1) + INNER, [[404, 200]], closes=False, wait=5.0)
case("GET and then a good one", b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: kms\r\n\r\n" + INNER, [[405, 200]], wait=5.0)
case("PUT and then a good one", INNER.replace(b"POST", b"PUT", 1) + INNER, [[405, 200]], wait=5.0)
case("415 and then a good one", INNER.replace(b"application/mikey", b"text/plain", 1) + INNER, [[415, 200]], wait=5.0)
case("413 by length", HEAD + b"Content-Length: 20000\r\n\r\n" + b"x" * 20000 + INNER, [[413, 200]], wait=5.0)
case("413 by chunks", HEAD + TE + b"\r\n" + chunked(b"x" * 9000) + INNER, [[413, 200]], wait=5.0)
case("413 without end", HEAD + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 1000, [[413]], closes=True)
case("400 and then a good one", HEAD + b"Content-Length: 3\r\n\r\nabc" + INNER, [[400, 200]], closes=False, wait=5.0)
case("a body of nothing", HEAD + b"Content-Length: 0\r\n\r\n" + INNER, [[400, 200]], closes=False, wait=5.0)
case("100-continue for what is refused", HEAD + b"Expect: 100-continue\r\nContent-Length: 20000\r\n\r\n", [[413]], closes=True)
case("a header that is too long", HEAD + b"X: " + b"y" * 8000 + b"\r\nContent-Length: 4\r\n\r\nabcd" + INNER, [[431]], closes=True)
case("a target that is too long", b"POST /" + b"y" * 8000 + b" HTTP/1.1\r\nHost: kms\r\n\r\n" + INNER, [[414]], closes=True)
case("not HTTP", bytes(range(256)) * 4, [[400], []], closes=True)
case("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [[505], [400], []], closes=True)


def slow(name, first, drip, least, most):
    """A client that stays: the server has to end it between least and most seconds."""
    global failures
    s = connect()
    s.sendall(first)
    start = time.monotonic()
    s.settimeout(0.2)
    ended = None
    while ended is None and time.monotonic() - start < most + 5:
        try:
            if drip:
                s.sendall(drip)
            if s.recv(4096) == b"":
                ended = time.monotonic() - start
        except socket.timeout:
            pass
        except OSError:
            ended = time.monotonic() - start
    s.close()
    good = ended is not None and least <= ended <= most
    failures += not good
    print(f"{'ok' if good else 'FAILED'}: {name}: ended after {ended and round(ended, 1)} s")


slow("header octet by octet", LINE + b"X: ", b"y", LIMIT * 0.5, LIMIT * 3 + 4)
slow("body octet by octet", HEAD + b"Content-Length: 600\r\n\r\n", b"y", LIMIT * 0.5, LIMIT * 3 + 4)
slow("truncated chunks", HEAD + TE + b"\r\n64\r\nabc", b"", LIMIT * 0.5, LIMIT * 3 + 4)


def patient():
    """A connection on which nothing was sent yet is idle, not slow."""
    global failures
    s = connect()
    time.sleep(LIMIT * 1.5)
    s.sendall(INNER)
    got, closed = until_end(s, 5.0, 1)
    good = statuses(got) == [200] and not closed
    failures += not good
    print(f"{'ok' if good else 'FAILED'}: a first request that comes late: {statuses(got)}")


patient()


def slow_reader():
    """Asks much in a pipeline and takes nothing."""
    global failures
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.connect((HOST, PORT))
    s.settimeout(0.5)
    start = time.monotonic()
    ended = None
    while ended is None and time.monotonic() - start < LIMIT * 6 + 10:
        try:
            s.sendall(INNER * 20)
        except socket.timeout:
            pass
        except OSError:
            ended = time.monotonic() - start
    good = ended is not None
    failures += not good
    print(f"{'ok' if good else 'FAILED'}: a client that takes no answers: ended after {ended and round(ended, 1)} s")


slow_reader()


def reset():
    """Clients that go away with a request in flight leave nothing behind."""
    for _ in range(50):
        s = connect()
        s.sendall(INNER)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    case("after 50 clients that went away", INNER, [[200]], closes=False, wait=5.0)


reset()
sys.exit(failures != 0)
