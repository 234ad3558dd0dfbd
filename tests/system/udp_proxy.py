#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A bad way to a data plane: udp_proxy.py PORT TARGET [FAULT=SHARE...]

Passes datagrams from 127.0.0.1:PORT to TARGET:2269 and the answers back. Faults, each with the share of datagrams it
befalls: lose (either way), twice (an answer), late (an answer comes once more after a second), forge (an Error without
MAC comes before the answer), swap (an answer comes with the CSB ID of another)."""

import heapq
import random
import select
import socket
import sys
import time

PORT, TARGET = int(sys.argv[1]), sys.argv[2]
faults = {name: float(share) for name, share in (a.split("=") for a in sys.argv[3:])}
assert set(faults) <= {"lose", "twice", "late", "forge", "swap"}
random.seed(PORT)

front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
front.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
front.bind(("127.0.0.1", PORT))
back = {}  # client address -> socket to the target
clients = {}  # file descriptor -> (socket, client address)
poll = select.epoll()
poll.register(front, select.EPOLLIN)
later = []
last_csb = b"\0\0\0\0"


def happens(fault):
    return random.random() < faults.get(fault, 0)


def forward(octets, client):
    if happens("lose"):
        return
    if client not in back:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect((TARGET, 2269))
        back[client] = s
        clients[s.fileno()] = (s, client)
        poll.register(s, select.EPOLLIN)
    back[client].send(octets)


def answer(octets, client):
    global last_csb
    if happens("lose"):
        return
    if happens("forge"):
        front.sendto(b"\1\6\x0c\0" + octets[4:8] + bytes(6), client)
    if happens("swap"):
        front.sendto(octets[:4] + last_csb + octets[8:], client)
    last_csb = octets[4:8]
    front.sendto(octets, client)
    if happens("twice"):
        front.sendto(octets, client)
    if happens("late"):
        heapq.heappush(later, (time.monotonic() + 1, octets, client))


print("ready", flush=True)
while True:
    wait = max(0, later[0][0] - time.monotonic()) if later else None
    for fd, _ in poll.poll(wait):
        try:
            if fd == front.fileno():
                forward(*front.recvfrom(65535))
            else:
                s, client = clients[fd]
                answer(s.recv(65535), client)
        except ConnectionRefusedError:
            pass
    while later and later[0][0] <= time.monotonic():
        _, octets, client = heapq.heappop(later)
        front.sendto(octets, client)
