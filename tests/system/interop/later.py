#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The same messages before and after something happened to the KMS.

later.py ADDRESS FILE                     asks for a ticket and has it resolved; what was sent and got goes to FILE
later.py ADDRESS FILE REQUEST RESOLVE     sends the same again and says what came; each of REQUEST and RESOLVE must be
                                          same (the same keys), other (answered, no key shared) or refused
"""
import pickle
import sys

import mikey
import ue as ues
import world as worlds
from calls import SRTP, sessions_for
from apart import secrets_in
from world import Failure

BOB = b"bob@tkms.example"


def ask(world, who, sent, opening):
    """("refused", ErrorAnswer) or ("answered", secrets)."""
    answer = world.link.ask(sent)
    if answer is None:
        raise Failure("no answer")
    try:
        return "answered", opening(answer)
    except ues.ErrorAnswer as error:
        if not error.authenticated:
            raise Failure(f"{error}") from None
        return "refused", str(error)


def secrets_of(resolution):
    return [resolution.rand_kms, resolution.mpk_r] + [k.key for k in resolution.keys]


class Exchange:
    """A REQUEST for a ticket that rfc6043 grants without forking, and a RESOLVE of a forked one."""

    def __init__(self, world):
        self.alice, self.bob = world.ue("alice"), world.ue("bob")
        self.request = self.alice.request(world.policy(self.alice, BOB, flags="DEFGHNO"))
        grant = world.granted(self.alice, BOB)
        self.transfer = self.alice.transfer(grant, BOB, sessions_for(grant.keys), SRTP)
        self.resolve = self.bob.resolve(self.transfer.ticket)
        self.policy = grant.policy

    def send(self, world):
        return {
            "REQUEST": ask(world, self.alice, self.request.octets,
                           lambda answer: secrets_in(self.alice.open_grant(self.request, answer))),
            "RESOLVE": ask(world, self.bob, self.resolve.octets,
                           lambda answer: secrets_of(self.bob.open_resolution(self.resolve, answer, self.policy)))}


def rebuilt(world, saved):
    """The exchange of another run: only octets are kept."""
    x = Exchange.__new__(Exchange)
    x.alice, x.bob = world.ue("alice"), world.ue("bob")
    for name, who, number in (("request", x.alice, 1), ("resolve", x.bob, 2)):
        octets, rand = saved[name]
        header, _ = mikey.parse(octets)
        sent = who.initial(header.data_type, number, mikey.tp(mikey.Policy("D", 1, [])), csb_id=header.csb_id,
                           rand=rand)
        sent.octets = octets
        setattr(x, name, sent)
    x.policy = ues.first(mikey.parse(x.resolve.octets)[1], mikey.TICKET).policy
    return x


def compare(before, now):
    if now[0] == "refused":
        return "refused"
    if now[1] == before[1]:
        return "same"
    return "other" if not set(before[1]) & set(now[1]) else "partly the same"


def main(address, file, *expected):
    world = worlds.World(address)
    if not expected:
        x = Exchange(world)
        got = x.send(world)
        with open(file, "wb") as out:
            pickle.dump({"request": (x.request.octets, x.request.rand), "resolve": (x.resolve.octets, x.resolve.rand),
                         "got": got}, out)
        return 0 if all(kind == "answered" for kind, _ in got.values()) else 1
    with open(file, "rb") as saved:
        saved = pickle.load(saved)
    got = rebuilt(world, saved).send(world)
    outcome = [compare(saved["got"][name], got[name]) for name in ("REQUEST", "RESOLVE")]
    print(f"REQUEST: {outcome[0]}, RESOLVE: {outcome[1]}")
    return 0 if outcome == list(expected) else 1


if __name__ == "__main__":
    if len(sys.argv) not in (3, 5):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
