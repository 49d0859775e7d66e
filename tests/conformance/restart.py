#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""restart - processes of a real server are killed under links that live on (section 4.1)."""
import os
import signal

from emsgpy.device import Closed, Refused, Timeout, befriend, key_lookup
from emsgpy.people import Town
from emsgpy.protocol import CODES, KIND_SEALED, outcome_class
from emsgpy.runner import Suite, equal, refused, true
from emsgpy.server import until

suite = Suite("restart")
town = Town(suite)


def all_new(now, before, names):
    """Every process is there, and those of the names are others than before."""
    return len(now) == len(before) and all(now[n] != before[n] for n in names)


def can_login():
    """A link can be proved again; until then devices are answered temporary codes."""
    try:
        town.user()
        return True
    except AssertionError:  # emsgctl has no answer yet
        pass
    except Closed as closed:
        true(closed.bye is None or outcome_class(CODES[closed.bye]) == "temporary",
             f"{closed.bye}")
    except Refused as refusal:
        equal(outcome_class(CODES[refusal.symbol]), "temporary", refusal.symbol)
    return False


def kill(*names):
    """Kills processes of the server and waits until all serve again, as new ones."""
    server = town.server()
    before = server.pids()
    for name in names:
        os.kill(before[name], signal.SIGKILL)
    until(lambda: all_new(server.pids(), before, names) and can_login(), 20, "all serve again")
    town.known[server.domain] = server.pids()
    equal([n for n in before if before[n] != town.known[server.domain][n]], list(names),
          "processes that were started anew")


def again(device):
    """The server asked for a new proof on the living link; gives it."""
    device.wait(lambda: device.hellos, 15)
    device.hello = device.hellos.pop(0)
    device.link.send("auth", version=1, features=[], proof=device.proof())
    while True:
        name, _, body = device.link.receive(10)
        if name == "welcome":
            device.welcome = body
            device.credit()
            return
        true(name != "bye", f"bye {body}")


@suite.test("store is killed: a new hello on the living link, and all is there", seconds=60)
def store():
    alice, bob = town.user(), town.user()
    of_bob, of_alice = befriend(alice, bob)
    equal(alice.send(of_bob, b"before")[0], "done")
    kill("store")
    for device in (alice, bob):
        again(device)
    equal(alice.send(of_bob, b"after")[0], "done")
    got = []
    bob.pushes.clear()
    bob.close()
    bob.open()
    while len(got) < 2:
        push = bob.next_push(wanted=lambda p: p["kind"] == KIND_SEALED)
        got.append(bob.opened(push, key_lookup(of_alice))["content"])
    equal(got, [b"before", b"after"])


@suite.test("store is killed: what is put before the new proof is temporary, or done after it",
            seconds=60)
def store_meanwhile():
    alice, bob = town.user(), town.user()
    of_bob, _ = befriend(alice, bob)
    kill("store")
    body = alice.sealed(of_bob, b"meanwhile")
    outcome = alice.put(**body)[bob.account.address]
    true(outcome in ("unknown-handle", "try-later", "starting", "timeout"), outcome)
    again(alice)
    equal(alice.put(**body), {bob.account.address: "done"})


@suite.test("store is killed: an old nonce is of no use", seconds=60)
def store_nonce():
    alice = town.user()
    alice.close()
    alice.connect(prove=False)
    old = alice.hello
    kill("store")
    alice.hello = old
    alice.link.send("auth", version=1, features=[], proof=alice.proof())
    try:
        name, _, body = alice.link.receive(10)
        while name == "hello":
            alice.hello = body
            alice.link.send("auth", version=1, features=[], proof=alice.proof())
            name, _, body = alice.link.receive(10)
        true(name in ("welcome", "bye"), name)
    except Closed as closed:
        true(closed.bye in ("nonce", "try-later", "starting", "timeout"), f"{closed.bye}")
    alice.close()
    alice.open()


@suite.test("queue is killed: links and local messages go on", seconds=60)
def queue():
    alice, bob = town.user(), town.user()
    of_bob, _ = befriend(alice, bob)
    kill("queue")

    def sent():
        if alice.hellos:
            again(alice)
        try:
            return alice.send(of_bob, b"x")[0] == "done"
        except (Refused, Timeout):
            return False

    until(sent, 20, "a local message")


@suite.test("keyd is killed: new links are made as soon as it is back", seconds=60)
def keyd():
    alice = town.user()
    kill("keyd")
    alice.request("consent.list", "none")
    other = town.user()
    other.prove()


@suite.test("relay, dialer and control are killed: devices notice nothing", seconds=60)
def others():
    alice, bob = town.user(), town.user()
    of_bob, _ = befriend(alice, bob)
    kill("relay")
    kill("dialer")
    kill("control")
    equal(alice.send(of_bob, b"x")[0], "done")
    true(not alice.hellos, "a new proof was asked for")


@suite.test("listener is killed: links end, devices come back and lose nothing", seconds=60)
def listener():
    alice, bob = town.user(), town.user()
    of_bob, of_alice = befriend(alice, bob)
    equal(alice.send(of_bob, b"kept")[0], "done")
    kill("listener")
    refused(Closed, alice.request, "consent.list", "none")
    bob.close()
    bob.open()
    push = bob.next_push(wanted=lambda p: p["kind"] == KIND_SEALED)
    equal(bob.opened(push, key_lookup(of_alice))["content"], b"kept")


@suite.test("all is killed: the server starts again with everything that it acknowledged",
            seconds=60)
def master():
    alice, bob = town.user(), town.user()
    of_bob, of_alice = befriend(alice, bob)
    for i in range(10):
        equal(alice.send(of_bob, b"%d" % i)[0], "done")
    server = town.server()
    server.process.kill()
    server.process.wait()
    server.process = None
    server.log.close()
    server.start()
    town.known[server.domain] = server.pids()
    bob.close()
    bob.open()
    got = [bob.opened(bob.next_push(wanted=lambda p: p["kind"] == KIND_SEALED),
                      key_lookup(of_alice))["content"] for _ in range(10)]
    equal(got, [b"%d" % i for i in range(10)])


if __name__ == "__main__":
    suite.run()
