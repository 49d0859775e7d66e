#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""devices - devices at one real server: accounts, consent, mailboxes, as section 4 to 8 say."""
import os

from emsgpy import objects, seal, sign
from emsgpy.device import Account, Device, Refused, Timeout, befriend, key_lookup
from emsgpy.people import Town
from emsgpy.protocol import KIND_SEALED, RULES
from emsgpy.runner import Suite, equal, refused, true
from emsgpy.tlsws import Closed, Link, Wire, http_get

suite = Suite("devices")
town = Town(suite)


def friends():
    """Two users who are contacts, and the Keys that each has of the other."""
    alice, bob = town.user(stem="alice"), town.user(stem="bob")
    of_bob, of_alice = befriend(alice, bob)
    return alice, bob, of_bob, of_alice


def symbol_of(function, *arguments, **named):
    return refused(Refused, function, *arguments, **named).symbol


# Transport.

@suite.test("the domain document is served and valid")
def document():
    server = town.server()
    status, headers, body = http_get(server.host, server.port, server.domain,
                                     "/.well-known/emsg")
    equal(status, 200)
    equal(headers.get("content-type"), "application/cose")
    members = objects.open_document(body, server.domain, server.pin)
    true(objects.document_keys(members), "no key may sign now")
    true(members["version_min"] <= 1 <= members["version_max"], "version 1 is not in its range")


@suite.test("TLS 1.3, ALPN http/1.1")
def alpn():
    server = town.server()
    wire = Wire.dial(server.host, server.port, server.domain)
    equal(wire.tls.get_protocol_version_name(), "TLSv1.3")
    equal(wire.tls.get_alpn_proto_negotiated(), b"http/1.1")
    wire.close()


@suite.test("a client may offer no subprotocol")
def no_subprotocol():
    server = town.server()
    link = Link.dial(server.host, server.port, server.domain, "c2s", subprotocol=False)
    hello = link.expect("hello")
    equal(hello["domain"], server.domain)
    equal(link.ws.subprotocol, None)
    link.close()


@suite.test("hello: fresh nonce, time, range, limits")
def hello():
    seen = set()
    for _ in range(3):
        device = town.device().connect(prove=False)
        seen.add(device.hello["nonce"])
        true(abs(device.hello["time"] - objects.now()) < 60000, "time is wrong")
        true(device.hello["version_min"] <= 1 <= device.hello["version_max"], "range")
        equal(device.hello["limits"]["item"], 262144)
        equal(device.hello["limits"]["message"], 524288)
        equal(device.hello["limits"]["recipients"], 100)
    equal(len(seen), 3, "different nonces")


@suite.test("the server proves its pinned domain key")
def server_proof():
    device = town.device().connect()
    device.prove()


# Accounts.

@suite.test("register with an invitation, log in")
def register():
    device = town.user()
    equal(device.welcome["cursor"], 0)
    true(device.welcome["credit_items"] >= 1, "no credit")
    device.close()
    device.open()


@suite.test("log in without the exporter, as browsers must")
def login_without_exporter():
    device = town.user()
    device.close()
    device.connect().login(exporter=False)


@suite.test("a name is registered once, a token used once")
def name_taken():
    first = town.device().connect()
    name = first.account.address.split("#")[0]
    token = first.server.invite(name)[0]["token"]
    first.register(token)
    equal(symbol_of(town.device().connect().register, token), "bad-token")
    again = Device(Account(first.account.address), server=first.server)
    town.open.append(again)
    again.connect()
    equal(symbol_of(again.register, first.server.invite()[0]["token"]), "name-taken")


@suite.test("an unknown token is refused")
def bad_token():
    device = town.device().connect()
    equal(symbol_of(device.register, os.urandom(16)), "bad-token")


@suite.test("no token where policy asks for one")
def no_token():
    device = town.device().connect()
    true(symbol_of(device.register, None) in ("not-authorised", "bad-token"), "registered")


@suite.test("an account may ask for its own keys")
def own_keys():
    device = town.user()
    keys = device.keys(device.account.address, sign.public(device.account.identity))
    equal(keys.head, device.account.keys().head)
    equal(keys.prekeys, {device.id: device.pair.public})


# Consent.

@suite.test("nothing is accepted and no key given before consent")
def before_consent():
    alice, bob = town.user(), town.user()
    keys = objects.Keys(bob.account.address, bob.account.certificate, bob.account.devlist,
                        [bob.prekey_object])
    equal(alice.send(keys, b"hello")[0], "not-accepted")
    equal(symbol_of(alice.keys, bob.account.address), "not-accepted")
    nobody = f"{town.name('nobody')}#{alice.account.domain}"
    equal(symbol_of(alice.keys, nobody), "not-accepted")
    body = alice.sealed(keys, b"hello")
    body["to"][0]["account"] = nobody
    equal(alice.put(**body), {nobody: "not-accepted"})


@suite.test("request, grant: both rows become full")
def consent():
    alice, bob = town.user(), town.user()
    equal(alice.consent(objects.REQUEST, bob.account.address), "received")
    push, data = bob.next_object()
    equal(RULES.decode("outer", push["outer"])["from"], alice.account.address)
    request = sign.opened(alice.public, objects.REQUEST, "consent", data)
    equal(request["to"], bob.account.address)
    equal(request["how"], 1)
    of_alice = objects.Keys(alice.account.address, request["listkey"], request["devlist"])
    equal(of_alice.identity, sign.public(alice.account.identity))
    before = bob.consents(), alice.consents()
    equal(bob.consent(objects.GRANT, alice.account.address), "done")
    _, grant = alice.next_object()
    equal(sign.opened(bob.public, objects.GRANT, "consent", grant)["to"],
          alice.account.address)
    full = bob.consents()[alice.account.address]
    equal(alice.consents()[bob.account.address], full, "both rows")
    true(before[0][alice.account.address] != full, "pending is not full")
    true(before[1][bob.account.address] != full, "asked is not full")
    equal(alice.keys(bob.account.address).identity, sign.public(bob.account.identity))


@suite.test("a request is answered alike for who does not exist")
def request_to_nobody():
    alice = town.user()
    equal(alice.consent(objects.REQUEST, f"{town.name('nobody')}#{alice.account.domain}"),
          "received")


@suite.test("a grant that nobody asked for is not accepted")
def grant_unasked():
    alice, bob = town.user(), town.user()
    equal(alice.consent(objects.GRANT, bob.account.address), "not-accepted")


@suite.test("a repeated request is one entry")
def request_twice():
    alice, bob = town.user(), town.user()
    for _ in range(2):
        equal(alice.consent(objects.REQUEST, bob.account.address), "received")
    bob.next_object()
    true(bob.quiet(lambda: bob.pushes), "a second entry")


@suite.test("after a revocation nothing is accepted any more")
def revoke():
    alice, bob, of_bob, of_alice = friends()
    equal(alice.send(of_bob, b"before")[0], "done")
    equal(bob.consent(objects.REVOKE, alice.account.address), "received")
    equal(alice.send(of_bob, b"after")[0], "not-accepted")
    alice.next_object()
    equal(bob.send(of_alice, b"after")[0], "not-accepted")


# Messages.

@suite.test("sealed messages both ways")
def messages():
    alice, bob, of_bob, of_alice = friends()
    for sender, keys, receiver, lookup, text in (
            (alice, of_bob, bob, key_lookup(of_alice), b"to bob"),
            (bob, of_alice, alice, key_lookup(of_bob), b"to alice")):
        outcome, mid = sender.send(keys, text)
        equal(outcome, "done")
        push, message = receiver.next_message(lookup)
        equal(message["content"], text)
        equal(message["outer"]["mid"], mid)
        equal(message["header"]["own"]["head"], sender.account.keys().head)
        equal(message["outer"]["conv"], seal.conversation(alice.account.address,
                                                          bob.account.address))
        receiver.done(push["seq"])


@suite.test("messages arrive in order, in batches")
def order():
    alice, bob, of_bob, of_alice = friends()
    frames = b"".join(alice.link.frame("put", 1000 + i, alice.sealed(of_bob, b"%d" % i))
                      for i in range(50))
    alice.link.message(frames)
    for i in range(50):
        equal(alice.outcomes(1000 + i, 1), {bob.account.address: "done"})
    got = [bob.next_message(key_lookup(of_alice))[1]["content"] for _ in range(50)]
    equal(got, [b"%d" % i for i in range(50)])


@suite.test("an entry comes again until it is confirmed")
def redelivery():
    alice, bob, of_bob, of_alice = friends()
    alice.send(of_bob, b"one")
    alice.send(of_bob, b"two")
    first = bob.next_push(wanted=lambda p: p["kind"] == KIND_SEALED)
    second = bob.next_push()
    true(first["seq"] < second["seq"], "seq does not grow")
    bob.close()
    bob.open()
    equal(bob.next_push(wanted=lambda p: p["kind"] == KIND_SEALED)["seq"], first["seq"])
    bob.done(first["seq"])
    bob.request("consent.list", "none")
    bob.close()
    bob.open()
    equal(bob.welcome["cursor"], first["seq"])
    equal(bob.next_push()["seq"], second["seq"])
    bob.done(second["seq"])
    bob.request("consent.list", "none")
    bob.close()
    bob.open()
    equal(bob.welcome["cursor"], second["seq"])
    true(bob.welcome["head"] >= second["seq"], "head")
    true(bob.quiet(lambda: bob.pushes), "a push of what was confirmed")


@suite.test("nothing is pushed before the first credit, and no more than it allows")
def credit():
    alice, bob, of_bob, _ = friends()
    bob.close()
    for i in range(4):
        alice.send(of_bob, b"%d" % i)
    bob.connect().login(credit=False)
    true(bob.quiet(lambda: bob.pushes), "a push without credit")
    bob.credit(items=2)
    bob.wait(lambda: len(bob.pushes) >= 2)
    true(bob.quiet(lambda: len(bob.pushes) > 2), "more than the window")
    bob.done(bob.pushes[1]["seq"])
    bob.wait(lambda: len(bob.pushes) >= 4)


@suite.test("the same item again: known, and no second entry")
def repeat():
    alice, bob, of_bob, of_alice = friends()
    body = alice.sealed(of_bob, b"once")
    equal(alice.put(**body), {bob.account.address: "done"})
    equal(alice.put(**body), {bob.account.address: "known"})
    bob.next_message(key_lookup(of_alice))
    true(bob.quiet(lambda: bob.pushes), "a second entry")


@suite.test("the same item with a new stanza: another entry with that stanza only")
def repeat_stanza():
    alice, bob, of_bob, of_alice = friends()
    body = alice.sealed(of_bob, b"once")
    good = body["to"][0]["stanzas"]
    stale = [{**good[0], "wrapped": bytes(48)}]
    true(alice.put(**{**body, "to": [{"account": bob.account.address, "stanzas": stale}]})
         == {bob.account.address: "done"}, "refused")
    first = bob.next_push(wanted=lambda p: p["kind"] == KIND_SEALED)
    refused(seal.Sealed, bob.opened, first, key_lookup(of_alice))
    outcome = alice.put(**{**body, "to": [{"account": bob.account.address,
                                           "stanzas": stale + good}]})
    true(outcome[bob.account.address] in ("known", "done"), f"{outcome}")
    second = bob.next_push()
    equal(second["stanzas"], good)
    equal(bob.opened(second, key_lookup(of_alice))["content"], b"once")


@suite.test("the same mid with other bytes: four items, then mid-used")
def mid_used():
    alice, bob, of_bob, _ = friends()
    mid = objects.new_mid()
    for i in range(4):
        equal(alice.send(of_bob, b"%d" % i, mid=mid)[0], "done")
    equal(alice.send(of_bob, b"5", mid=mid)[0], "mid-used")


@suite.test("several recipients get one result each")
def recipients():
    alice, bob, of_bob, _ = friends()
    stranger = town.user()
    body = alice.sealed(of_bob, b"hello")
    body["to"].append({"account": stranger.account.address, "stanzas": []})
    equal(alice.put(**body), {bob.account.address: "done",
                              stranger.account.address: "not-accepted"})


@suite.test("a message up to the limit of an item arrives")
def large():
    alice, bob, of_bob, of_alice = friends()
    content = os.urandom(250000)
    equal(alice.send(of_bob, content)[0], "done")
    true(bob.next_message(key_lookup(of_alice))[1]["content"] == content, "content differs")


# Devices.

def second_device(first):
    """Enrols another device as section 8 says."""
    token, secret = os.urandom(16), os.urandom(32)
    first.request("enrol.open", "enrol-open-args", token_hash=sign.sha(token), ttl=600000)
    new = Device(first.account, "second", first.server)
    town.open.append(new)
    new.connect()
    new.request("enrol.put", "enrol-put-args", token=token, blob=RULES.encode("enrol-blob", {
        "key": new.public, "name": new.name, "prekey": new.prekey_object,
        "mac": objects.enrol_mac(secret, new.public, new.name, new.prekey_object)}))
    wait = RULES.encode("enrol-wait-args", {"token": token, "device": new.id})
    res = new.ask("enrol.wait", wait)
    true(res["code"] // 100 == 4, f"enrol.wait before the list: {res['code']}")
    poll = RULES.decode("enrol-poll-result", first.request(
        "enrol.poll", "enrol-poll-args", token_hash=sign.sha(token)))
    blob = RULES.decode("enrol-blob", poll["blob"])
    equal(blob["mac"], objects.enrol_mac(secret, blob["key"], blob["name"], blob["prekey"]))
    first.put_list(first.account.entries + [objects.device_entry(blob["key"], blob["name"])],
                   prekey=blob["prekey"])
    res = new.ask("enrol.wait", wait)
    equal(res["code"] // 100, 2, "enrol.wait after the list")
    keys = objects.keys_from(first.account.address, res["result"],
                             sign.public(first.account.identity))
    true(new.id in keys.devices, "the new device is not in the list")
    return new.login()


@suite.test("a second device enrols and gets messages")
def enrol():
    alice, bob, _, of_alice = friends()
    second = second_device(bob)
    of_bob = alice.keys(bob.account.address)
    equal(len(of_bob.prekeys), 2)
    equal(alice.send(of_bob, b"to both")[0], "done")
    for device in (bob, second):
        equal(device.next_message(key_lookup(of_alice))[1]["content"], b"to both")


@suite.test("an entry without a stanza for a device is not pushed to it")
def enrol_stanza():
    alice, bob, _, of_alice = friends()
    second = second_device(bob)
    of_bob = alice.keys(bob.account.address)
    alice.send(of_bob, b"first only", skip=[second.id])
    alice.send(of_bob, b"both")
    equal(second.next_message(key_lookup(of_alice))[1]["content"], b"both")
    equal(bob.next_message(key_lookup(of_alice))[1]["content"], b"first only")


@suite.test("the event enrol tells of a device that left its keys")
def enrol_event():
    alice = town.user()
    token = os.urandom(16)
    alice.request("enrol.open", "enrol-open-args", token_hash=sign.sha(token), ttl=600000)
    new = Device(alice.account, "second", alice.server)
    town.open.append(new)
    new.connect()
    new.request("enrol.put", "enrol-put-args", token=token, blob=RULES.encode("enrol-blob", {
        "key": new.public, "name": new.name, "prekey": new.prekey_object, "mac": bytes(32)}))
    event = alice.wait(lambda: [e for e in alice.events if e["name"] == "enrol"])[0]
    equal(event["data"], sign.sha(token))


@suite.test("an enrolment token that nobody opened is refused")
def enrol_unknown():
    new = town.device().connect()
    blob = RULES.encode("enrol-blob", {"key": new.public, "name": "x", "mac": bytes(32),
                                       "prekey": new.prekey_object})
    equal(symbol_of(new.request, "enrol.put", "enrol-put-args", token=os.urandom(16),
                    blob=blob), "bad-token")


@suite.test("a removed device's link ends, and it may not log in")
def remove():
    alice = town.user()
    second = second_device(alice)
    alice.put_list([alice.entry()])
    second.link.ending()
    second.connect()
    equal(refused(Closed, second.login).bye, "unknown-account")
    alice.request("consent.list", "none")


@suite.test("a list is taken only upon the head that it follows")
def list_conflict():
    alice = town.user()
    equal(symbol_of(alice.put_list, alice.account.entries, expect=os.urandom(32)), "conflict")
    alice.put_list(alice.account.entries)
    equal(alice.keys(alice.account.address).seq, 2)


@suite.test("a new prekey is what others get, and messages to the old one still open")
def prekeys():
    alice, bob, of_bob, of_alice = friends()
    old = bob.pair
    bob.rotate()
    newer = alice.keys(bob.account.address)
    equal(newer.prekeys[bob.id], bob.pair.public)
    true(old.public != bob.pair.public, "the same pair")
    for keys, text in ((of_bob, b"old"), (newer, b"new")):
        equal(alice.send(keys, text)[0], "done")
        equal(bob.next_message(key_lookup(of_alice))[1]["content"], text)


@suite.test("the state object: compare and swap")
def state():
    alice = town.user()

    def put(version, blob):
        return RULES.decode("state", alice.request("state.put", "state-put-args",
                                                   version=version, blob=blob))["version"]

    start = RULES.decode("state", alice.request("state.get", "none"))
    equal(start.get("blob"), None)
    first = put(start["version"], b"first")
    true(first > start["version"], "version does not grow")
    fault = refused(Refused, put, start["version"], b"lost")
    equal(fault.symbol, "conflict")
    equal(RULES.decode("state", fault.result)["version"], first)
    second = put(first, b"second")
    now = RULES.decode("state", alice.request("state.get", "none"))
    equal(now, {"version": second, "blob": b"second"})


@suite.test("an account's list and prekeys are given to contacts only, also after a change")
def keys_after_change():
    alice, bob, _, _ = friends()
    stranger = town.user()
    second_device(bob)
    equal(len(alice.keys(bob.account.address).devices), 2)
    equal(symbol_of(stranger.keys, bob.account.address), "not-accepted")


@suite.test("an idle link lives, and pings are answered")
def ping():
    alice = town.user()
    alice.link.ws.send_ping(b"there?")
    alice.link.flush()
    refused(Timeout, alice.link.receive, 0.5)
    alice.request("consent.list", "none")


if __name__ == "__main__":
    suite.run()
