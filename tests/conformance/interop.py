#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""interop - this implementation and the program emsg talk, at one server and across two."""
import os
import time

from emsgpy import cborx, objects, seal, sign
from emsgpy.device import Account, Device, key_lookup
from emsgpy.peer import Peer
from emsgpy.people import Town
from emsgpy.protocol import CODES, KIND_SEALED, RULES
from emsgpy.runner import Suite, equal, true
from emsgpy.server import Client, until

suite = Suite("interop")
gamma = Peer("im.gamma.test")


def peers_of(server):
    gamma.pins[server.domain] = lambda: (server.pin, server.document())
    return [gamma]


town = Town(suite, peers_of)
suite.at_end.append(gamma.close)


def mimi(text, sender=None, recipient=None):
    """A plain text as section 6 describes it; the URIs may be left out."""
    uris = {}
    if sender:
        uris = {1: "emsg:" + sender.replace("#", "@"), 2: "emsg:" + recipient.replace("#", "@")}
    return cborx.encode([os.urandom(16), None, b"", None, None, uris,
                         [1, "", 1, "text/plain;charset=utf-8", text.encode()]])


def message_id(content):
    """The message id of a content."""
    members = cborx.decode(content)
    uris = members[5].get(1, "") + members[5].get(2, "")
    return b"\x01" + sign.sha(uris.encode(), content, members[0])[:31]


def text_of(message):
    """The text of an opened message of one part."""
    equal(message["type"], seal.CONTENT)
    part = cborx.decode(message["content"])[6]
    true(part[3].startswith("text/"), f"part of type {part[3]}")
    return part[4].decode()


def client(stem="bob"):
    """A user of the program emsg; gives (address, Client)."""
    server = town.server()
    name = town.name(stem)
    return f"{name}#{server.domain}", Client(town.world.base, name, server.invite(name)[1])


def contacts():
    """(alice in Python, bob's address, bob of emsg, Keys of bob)."""
    bob, emsg = client()
    alice = town.user(stem="alice")
    equal(alice.consent(objects.REQUEST, bob), "received")
    rows = emsg.run("contact", "list")
    equal([(r["address"], r["state"]) for r in rows], [(alice.account.address, "pending")])
    emsg.run("contact", "grant", alice.account.address)
    alice.next_object()
    return alice, bob, emsg, alice.keys(bob)


def texts(emsg):
    return [row["text"] for row in emsg.run("receive")]


@suite.test("emsg grants our request; both show the same verification number")
def granted():
    alice, _, emsg, keys = contacts()
    number = emsg.run("verify", alice.account.address)[0]["number"]
    equal(number, seal.verification_number(keys.identity,
                                           sign.public(alice.account.identity)))


@suite.test("we grant a request of emsg")
def grant():
    bob, emsg = client()
    alice = town.user(stem="alice")
    emsg.run("contact", "add", alice.account.address)
    _, data = alice.next_object()
    request = sign.peek(objects.REQUEST, "consent", data)
    equal(request["from"], bob)
    of_bob = objects.Keys(bob, request["listkey"], request["devlist"])
    sign.opened(of_bob.devices[request["device"]], objects.REQUEST, "consent", data)
    equal(alice.consent(objects.GRANT, bob), "done")
    emsg.run("receive")
    equal(emsg.run("contact", "show", alice.account.address)[0]["state"], "full")
    equal(alice.keys(bob).identity, of_bob.identity)


@suite.test("our sealed message is shown by emsg, once")
def to_emsg():
    alice, bob, emsg, keys = contacts()
    body = alice.sealed(keys, mimi("hello bob"))
    equal(alice.put(**body), {bob: "done"})
    equal(alice.put(**body), {bob: "known"})
    equal(texts(emsg), ["hello bob"])
    equal(texts(emsg), [])
    row = emsg.run("history")[0]
    equal((row["from"], row["text"]), (alice.account.address, "hello bob"))


@suite.test("a sealed message of emsg opens here")
def from_emsg():
    alice, bob, emsg, keys = contacts()
    emsg.run("send", alice.account.address, "hello alice")
    push, message = alice.next_message(key_lookup(keys))
    equal(text_of(message), "hello alice")
    equal(message["header"]["to"], [alice.account.address])
    equal(message["header"]["own"]["head"], keys.head)
    equal(message["header"]["heads"][0]["head"], alice.account.keys().head)
    equal(message["outer"]["conv"], seal.conversation(alice.account.address, bob))
    alice.done(push["seq"])


@suite.test("counters of emsg grow, and order survives")
def counters():
    alice, _, emsg, keys = contacts()
    for i in range(3):
        emsg.run("send", alice.account.address, f"text {i}")
    got = [alice.next_message(key_lookup(keys))[1] for _ in range(3)]
    equal([text_of(m) for m in got], ["text 0", "text 1", "text 2"])
    numbers = [m["header"]["counter"] for m in got]
    true(numbers == sorted(set(numbers)), f"counters {numbers}")


@suite.test("what is forged is not shown by emsg, the true message of the same mid is")
def forged():
    alice, bob, emsg, keys = contacts()
    mid = objects.new_mid()
    eve = Device(Account(alice.account.address))
    eve.account.adopt([eve.entry()], eve.account.new_list([eve.entry()]))
    eve.id = alice.id
    equal(alice.put(**eve.sealed(keys, mimi("forged"), mid=mid)), {bob: "done"})
    good = alice.sealed(keys, mimi("true"), mid=mid)
    equal(alice.put(**{**good, "body": os.urandom(400)}), {bob: "done"})
    equal(alice.put(**good), {bob: "done"})
    equal(texts(emsg), ["true"])


@suite.test("a message signed for others is not shown by emsg")
def surreptitious():
    alice, bob, emsg, keys = contacts()
    body = alice.sealed(keys, mimi("not for bob"), to=["eve#im.alpha.test"])
    equal(alice.put(**body), {bob: "done"})
    equal(alice.send(keys, mimi("for bob"))[0], "done")
    equal(texts(emsg), ["for bob"])


@suite.test("a receipt of emsg opens here and names our message")
def receipt():
    alice, bob, emsg, keys = contacts()
    emsg.run("receipts", "on")
    content = mimi("did you get it?", alice.account.address, bob)
    alice.send(keys, content)
    equal(texts(emsg), ["did you get it?"])
    push = alice.next_push(wanted=lambda p: p["kind"] == KIND_SEALED)
    message = alice.opened(push, key_lookup(keys))
    equal(message["type"], seal.STATUS)
    equal(message["outer"]["from"], bob)
    reports = cborx.decode(message["content"])[0]
    true([message_id(content), 1] in reports or [message_id(content), 2] in reports,
         f"{reports} does not name the message")


@suite.test("our second device enrols at an account of emsg", seconds=60)
def enrol_at_emsg():
    alice, bob, emsg, _ = contacts()
    waiting = emsg.start("device", "invite", "--wait")
    invite = objects.read_invite(next_json(waiting)["invite"])
    equal(invite["account"], bob)
    new = Device(Account(bob), "python", town.server())
    town.open.append(new)
    new.connect()
    new.request("enrol.put", "enrol-put-args", token=invite["token"],
                blob=RULES.encode("enrol-blob", {
                    "key": new.public, "name": new.name, "prekey": new.prekey_object,
                    "mac": objects.enrol_mac(invite["secret"], new.public, new.name,
                                             new.prekey_object)}))
    wait = RULES.encode("enrol-wait-args", {"token": invite["token"], "device": new.id})
    res = until(lambda: enrolled(new, wait), 15, "enrolled")
    keys = objects.keys_from(bob, res["result"], invite["identity"])
    true(new.id in keys.devices, "not in the list")
    Client.finished(waiting)
    new.login()
    of_bob = alice.keys(bob)
    equal(len(of_bob.prekeys), 2)
    equal(alice.send(of_bob, mimi("to both"))[0], "done")
    lookup = key_lookup(alice.account.keys(), of_bob)  # emsg sends its receipts to us, too
    equal(text_of(new.next_message(lookup)[1]), "to both")
    equal(texts(emsg), ["to both"])


def next_json(process):
    """The first object that a running command prints."""
    import json
    return json.loads(process.stdout.readline())


def enrolled(device, wait):
    time.sleep(0.2)
    res = device.ask("enrol.wait", wait)
    return res if res["code"] // 100 == 2 else None


@suite.test("emsg enrols as second device of our account", seconds=60)
def enrol_emsg():
    alice, friend = town.user(stem="alice"), town.user(stem="friend")
    server = town.server()
    token, secret = os.urandom(16), os.urandom(32)
    alice.request("enrol.open", "enrol-open-args", token_hash=sign.sha(token), ttl=600000)
    text = objects.write_invite(
        kind=2, domain=server.domain, host=server.host, port=server.port, pin=server.pin,
        token=token, account=alice.account.address, expires=objects.now() + 600000,
        secret=secret, identity=sign.public(alice.account.identity))
    emsg = Client.__new__(Client)
    emsg.home = os.path.join(town.world.base, "second-" + alice.account.address.split("#")[0])
    os.mkdir(emsg.home, 0o700)
    waiting = emsg.start("register", text, "--no-passphrase")
    alice.wait(lambda: [e for e in alice.events if e["name"] == "enrol"])
    poll = RULES.decode("enrol-poll-result", alice.request(
        "enrol.poll", "enrol-poll-args", token_hash=sign.sha(token)))
    blob = RULES.decode("enrol-blob", poll["blob"])
    equal(blob["mac"], objects.enrol_mac(secret, blob["key"], blob["name"], blob["prekey"]))
    alice.put_list(alice.account.entries + [objects.device_entry(blob["key"], blob["name"])],
                   prekey=blob["prekey"])
    Client.finished(waiting, 30)
    devices = {row["id"] for row in emsg.run("device", "list")}
    equal(devices, {alice.id.hex(), objects.device_id(blob["key"]).hex()})
    friend.consent(objects.REQUEST, alice.account.address)
    alice.next_object()
    alice.consent(objects.GRANT, friend.account.address)
    friend.next_object()
    equal(friend.send(friend.keys(alice.account.address), mimi("to both"))[0], "done")
    equal(texts(emsg), ["to both"])


# Across servers.

def abroad():
    """(link of gamma, carol of gamma, bob's address, bob of emsg, Keys of bob)."""
    gamma.answer = lambda put, account: CODES["done"]
    bob, emsg = client()
    link = gamma.dial(town.server(), town.server().domain)
    town.open.append(link)
    carol = gamma.user(town.name("carol"))
    equal(link.consent(carol, objects.REQUEST, bob), "received")
    emsg.run("contact", "grant", carol.account.address)
    gamma.next_put(wanted=lambda p: p["to"][0]["account"] == carol.account.address)
    return link, carol, bob, emsg, link.keys(bob, carol.account.address)


@suite.test("a user of the foreign server writes to emsg")
def abroad_to_emsg():
    link, carol, _, emsg, keys = abroad()
    equal(link.put_one(**carol.sealed(keys, mimi("from gamma"))), "done")
    equal(texts(emsg), ["from gamma"])


@suite.test("emsg writes to a user of the foreign server and sees it arrive", seconds=60)
def abroad_from_emsg():
    _, carol, bob, emsg, keys = abroad()
    mid = emsg.run("send", carol.account.address, "to gamma")[0]["mid"]
    put = gamma.next_put(wanted=lambda p: p["kind"] == KIND_SEALED
                         and p["to"][0]["account"] == carol.account.address)
    message = seal.open_message(carol.account.address, carol.id, carol.pairs, put["outer"],
                                put["body"], put["to"][0]["stanzas"], key_lookup(keys))
    equal(text_of(message), "to gamma")
    equal(message["outer"]["mid"].hex(), mid)

    def state():
        emsg.run("receive")
        return emsg.run("fates", mid)[0]["state"] == "arrived"

    until(state, 15, "arrived")
    true(bob, "no address")


if __name__ == "__main__":
    suite.run()
