#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Many connections to tkms-http.

  http_clients.py idle HOST PORT PATH N [FROM]  opens N connections, one answered request each, says "ready", holds
                                                them until its input ends, then says how many the server closed
  http_clients.py busy HOST PORT PATH N FILE    N connections that ask and ask, until the server is gone. Each has to
                                                end between two answers: never within one, never by a reset
  http_clients.py open HOST PORT PATH N         opens N connections, sends nothing and says how many stay open for 2 s
  http_clients.py fresh HOST PORT PATH N FILE   as busy, but with a connection for every request
  http_clients.py queue HOST PORT PATH N FILE   opens N connections at once, asks on each, says "ready", waits for the answers
  http_clients.py count HOST PORT PATH N [FROM] opens N connections at once and says how many get an answer"""

import resource
import select
import socket
import sys
import threading
import time

MODE, HOST, PORT, PATH, N = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
SOURCE = (sys.argv[6], 0) if MODE in ("idle", "count") and len(sys.argv) > 6 else None
GET = f"GET {PATH} HTTP/1.1\r\nHost: kms\r\n\r\n".encode()


def answer(s):
    """One whole answer: (status, whether it is the last). None: the end came instead of its first octet."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = s.recv(65536)
        if not part:
            if got:
                raise EOFError("end within a header")
            return None
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    lines = [l.lower() for l in head.split(b"\r\n")]
    length = next(int(l.split(b":")[1]) for l in lines if l.startswith(b"content-length:"))
    while len(body) < length:
        part = s.recv(65536)
        if not part:
            raise EOFError("end within a body")
        body += part
    return int(lines[0].split()[1]), b"connection: close" in lines


def idle():
    resource.setrlimit(resource.RLIMIT_NOFILE, (N + 100, N + 100))
    connections = []
    for _ in range(N):
        s = socket.create_connection((HOST, PORT), timeout=20, source_address=SOURCE)
        s.sendall(GET)
        if answer(s) != (405, False):
            sys.exit("a request was not answered as it should be")
        connections.append(s)
    print("ready", flush=True)
    sys.stdin.read()
    poll = select.poll()
    for s in connections:
        poll.register(s, select.POLLIN)
    print(f"closed={len(poll.poll(0))}")


def busy():
    body = open(sys.argv[6], "rb").read()
    post = (f"POST {PATH} HTTP/1.1\r\nHost: kms\r\nContent-Type: application/mikey\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
    totals, troubles = [], []

    def ask():
        asked = 0
        try:
            s = socket.create_connection((HOST, PORT), timeout=20)
            while True:
                s.sendall(post)
                got = answer(s)
                if got is None:
                    raise EOFError("end instead of an answer")
                if got[0] != 200:
                    raise EOFError(f"status {got[0]}")
                asked += 1
                if got[1]:
                    break
        except (OSError, EOFError) as e:
            troubles.append(f"after {asked}: {e}")
        totals.append(asked)

    threads = [threading.Thread(target=ask) for _ in range(N)]
    for t in threads:
        t.start()
    print("ready", flush=True)
    for t in threads:
        t.join()
    print(f"answered={sum(totals)} troubles={troubles}")
    sys.exit(bool(troubles) or sum(totals) < N)


def count():
    answered = 0
    connections = [socket.create_connection((HOST, PORT), timeout=20, source_address=SOURCE) for _ in range(N)]
    for s in connections:
        try:
            s.sendall(GET)
            answered += answer(s) is not None
        except OSError:
            pass
    print(f"answered={answered}")


def stay_open():
    poll, connections = select.poll(), []
    for _ in range(N):
        try:
            s = socket.create_connection((HOST, PORT), timeout=20)
        except ConnectionResetError:
            continue
        connections.append(s)
        poll.register(s, select.POLLIN)
    time.sleep(2)
    print(f"open={len(connections) - len(poll.poll(0))}")


def queue():
    body = open(sys.argv[6], "rb").read()
    post = (f"POST {PATH} HTTP/1.1\r\nHost: kms\r\nContent-Type: application/mikey\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
    connections = [socket.create_connection((HOST, PORT), timeout=20) for _ in range(N)]
    for s in connections:
        s.sendall(post)
    print("ready", flush=True)
    answered = 0
    for s in connections:
        try:
            got = answer(s)
            answered += got is not None and got[0] == 200
        except (OSError, EOFError) as e:
            print(repr(e))
    print(f"answered={answered}")
    sys.exit(answered != N)


def fresh():
    """A connection for every request, N at a time, until nobody listens any more."""
    body = open(sys.argv[6], "rb").read()
    post = (f"POST {PATH} HTTP/1.1\r\nHost: kms\r\nContent-Type: application/mikey\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
    totals, troubles = [], []

    def ask():
        asked = 0
        try:
            while True:
                try:
                    s = socket.create_connection((HOST, PORT), timeout=20)
                except ConnectionRefusedError:
                    break
                s.sendall(post)
                got = answer(s)
                if got is None or got[0] != 200:
                    raise EOFError(f"{got} instead of an answer")
                s.close()
                asked += 1
        except (OSError, EOFError) as e:
            troubles.append(f"after {asked}: {e!r}")
        totals.append(asked)

    threads = [threading.Thread(target=ask) for _ in range(N)]
    for t in threads:
        t.start()
    print("ready", flush=True)
    for t in threads:
        t.join()
    print(f"answered={sum(totals)} troubles={troubles}")
    sys.exit(bool(troubles) or sum(totals) < N)


{"open": stay_open, "queue": queue, "fresh": fresh, "idle": idle, "busy": busy, "count": count}[MODE]()
