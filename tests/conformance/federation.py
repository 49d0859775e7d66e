#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""federation - a foreign server in Python and a real one hand items to each other (section 9)."""
import os

from emsgpy import objects, seal, sign
from emsgpy.device import Account, Device, key_lookup
from emsgpy.peer import Peer, Refusal
from emsgpy.people import Town
from emsgpy.protocol import (CODES, KIND_OBJECT, KIND_SEALED, RULES, STATE_ARRIVED,
                             STATE_FAILED, outcome_class)
from emsgpy.runner import Suite, equal, refused, true
from emsgpy.server import until
from emsgpy.tlsws import Timeout

suite = Suite("federation")
GAMMA = "im.gamma.test"
gamma = Peer(GAMMA)


def peers_of(server):
    gamma.pins[server.domain] = lambda: (server.pin, server.document())
    return [gamma]


town = Town(suite, peers_of)
suite.at_end.append(gamma.close)


def calm():
    """gamma as each test finds it."""
    gamma.answer = lambda put, account: CODES["done"]
    gamma.bad_welcome, gamma.refuse = {}, None
    while not gamma.puts.empty():
        gamma.puts.get()


def dial():
    calm()
    server = town.server()
    link = gamma.dial(server, server.domain)
    town.open.append(link)
    return link


def foreigner():
    return gamma.user(town.name("carol"))


def contacts():
    """(link, carol of gamma, alice of the real server, Keys of alice), who are contacts."""
    link, carol, alice = dial(), foreigner(), town.user(stem="alice")
    equal(link.consent(carol, objects.REQUEST, alice.account.address), "received")
    _, data = alice.next_object()
    sign.opened(carol.public, objects.REQUEST, "consent", data)
    equal(alice.consent(objects.GRANT, carol.account.address), "accepted")
    grant = gamma.next_put(wanted=lambda p: p["to"][0]["account"] == carol.account.address)
    sign.opened(alice.public, objects.GRANT, "consent", grant["body"])
    return link, carol, alice, link.keys(alice.account.address, carol.account.address)


def lookup(device):
    return key_lookup(device.account.keys())


def sealed_at_gamma(carol):
    """The next sealed item for carol."""
    return gamma.next_put(wanted=lambda p: p["kind"] == KIND_SEALED
                          and p["to"][0]["account"] == carol.account.address)


def open_at_gamma(put, carol, alice):
    return seal.open_message(carol.account.address, carol.id, carol.pairs, put["outer"],
                             put["body"], put["to"][0]["stanzas"], lookup(alice))


# Towards the real server.

@suite.test("both servers prove their domains")
def proofs():
    link = dial()
    true(link.welcome["credit_items"] >= 1, "no credit")


@suite.test("request and grant across servers, keys for contacts only")
def consent():
    link, carol, alice, keys = contacts()
    equal(keys.identity, sign.public(alice.account.identity))
    equal(keys.prekeys, {alice.id: alice.pair.public})
    stranger = foreigner()
    fault = refused(Refusal, link.keys, alice.account.address, stranger.account.address)
    equal(str(fault), "not-accepted")


@suite.test("a request to nobody is answered like one to somebody")
def request_to_nobody():
    link, carol = dial(), foreigner()
    equal(link.consent(carol, objects.REQUEST, f"nobody#{link.domain}"), "received")
    fault = refused(Refusal, link.keys, f"nobody#{link.domain}", carol.account.address)
    equal(str(fault), "not-accepted")


@suite.test("a sealed message to a real user")
def deliver():
    link, carol, alice, keys = contacts()
    equal(link.put_one(**carol.sealed(keys, b"from gamma")), "done")
    push, message = alice.next_message(lookup(carol))
    equal(message["content"], b"from gamma")
    equal(push["via"], GAMMA)


@suite.test("a stranger's message is not accepted")
def stranger():
    link, _, _, keys = contacts()
    equal(link.put_one(**foreigner().sealed(keys, b"spam")), "not-accepted")


@suite.test("many items in one message, in order")
def batch():
    link, carol, alice, keys = contacts()
    count = min(40, link.welcome["credit_items"])
    link.link.message(b"".join(
        link.link.frame("put", 500 + i, {**carol.sealed(keys, b"%d" % i), "fifo": 1})
        for i in range(count)))
    for i in range(count):
        equal(link.outcomes(500 + i, 1), {alice.account.address: "done"})
    got = [alice.next_message(lookup(carol))[1]["content"] for _ in range(count)]
    equal(got, [b"%d" % i for i in range(count)])


@suite.test("a repeat, also on another link, is known and makes no second entry")
def repeat():
    link, carol, alice, keys = contacts()
    item = carol.sealed(keys, b"once")
    equal(link.put_one(**item), "done")
    equal(link.put_one(**item), "known")
    equal(dial().put_one(**item), "known")
    alice.next_message(lookup(carol))
    true(alice.quiet(lambda: alice.pushes), "a second entry")


@suite.test("a repeat with another stanza is appended with that stanza only")
def repeat_stanza():
    link, carol, alice, keys = contacts()
    item = carol.sealed(keys, b"once")
    good = item["to"][0]["stanzas"]
    bad = [{**good[0], "wrapped": os.urandom(48)}]
    equal(link.put_one(**{**item, "to": [{"account": alice.account.address, "stanzas": bad}]}),
          "done")
    first = alice.next_push(wanted=lambda p: p["kind"] == KIND_SEALED)
    refused(seal.Sealed, alice.opened, first, lookup(carol))
    true(link.put_one(**item) in ("known", "done"), "refused")
    second = alice.next_push()
    equal(second["stanzas"], good)
    equal(alice.opened(second, lookup(carol))["content"], b"once")


@suite.test("more than four stanzas for a device are not kept")
def many_stanzas():
    link, carol, alice, keys = contacts()
    item = carol.sealed(keys, b"once")
    for _ in range(8):
        stanzas = [{**item["to"][0]["stanzas"][0], "wrapped": os.urandom(48)}]
        link.put_one(**{**item, "to": [{"account": alice.account.address,
                                        "stanzas": stanzas}]})
    alice.wait(lambda: len([p for p in alice.pushes if p["kind"] == KIND_SEALED]) >= 4)
    true(alice.quiet(lambda: len([p for p in alice.pushes if p["kind"] == KIND_SEALED]) > 4),
         "a fifth")


@suite.test("the same mid with other bytes: four items, then mid-used")
def mid_used():
    link, carol, _, keys = contacts()
    mid = objects.new_mid()
    for i in range(4):
        equal(link.put_one(**carol.sealed(keys, b"%d" % i, mid=mid)), "done")
    equal(link.put_one(**carol.sealed(keys, b"4", mid=mid)), "mid-used")


@suite.test("a forged item with the true mid first: the true item still arrives")
def forgery():
    link, carol, alice, keys = contacts()
    true_item = carol.sealed(keys, b"the true one")
    mid = RULES.decode("outer", true_item["outer"])["mid"]
    mallory = Device(Account(carol.account.address))
    mallory.account.adopt([mallory.entry()], mallory.account.new_list([mallory.entry()]))
    mallory.id = carol.id
    equal(link.put_one(**mallory.sealed(keys, b"forged", mid=mid)), "done")
    equal(link.put_one(**{**true_item, "body": os.urandom(300)}), "done")
    equal(link.put_one(**true_item), "done")
    shown = []
    for _ in range(3):
        push = alice.next_push(wanted=lambda p: p["kind"] == KIND_SEALED)
        try:
            shown.append(alice.opened(push, lookup(carol))["content"])
        except seal.Sealed:
            pass
    equal(shown, [b"the true one"])


@suite.test("more than the credit allows ends the link with over-credit")
def over_credit():
    link, carol, _, keys = contacts()
    link.link.message(b"".join(
        link.link.frame("put", 500 + i, carol.sealed(keys, b"%d" % i))
        for i in range(link.welcome["credit_items"] + 20)))
    equal(link.link.ending()[0], "over-credit")


@suite.test("a full mailbox is quota, until its devices have taken what is there")
def full():
    link, carol, alice, keys = contacts()
    outcomes = []
    while not outcomes or outcomes[-1] == "done":
        item = carol.sealed(keys, os.urandom(240000))
        outcomes.append(link.put_one(**item))
        true(len(outcomes) < 10, "a mailbox of 1 MiB holds 2 MB")
    equal(outcomes[-1], "quota")
    for _ in outcomes[:-1]:
        push = alice.next_push(wanted=lambda p: p["kind"] == KIND_SEALED)
        alice.done(push["seq"])
    alice.request("consent.list", "none")
    equal(link.put_one(**item), "done")


@suite.test("a sender of a foreign domain is refused, also with a conversation that nobody "
            "registered")
def wrong_sender():
    link, carol, alice, keys = contacts()
    bob = town.user(stem="bob")
    for device in (bob, Peer.user(gamma, town.name("x"))):
        address = f"{town.name('eve')}#im.delta.test" if device is not bob else \
            bob.account.address
        item = device.sealed(keys, b"hello")
        outer = RULES.decode("outer", item["outer"])
        for conv in (outer["conv"], os.urandom(16), None):
            item["outer"] = RULES.encode("outer", {**outer, "from": address, "conv": conv})
            equal(link.put_one(**item), "wrong-domain")
    equal(link.put_one(**carol.sealed(keys, b"fine")), "done")
    equal(alice.next_message(lookup(carol))[1]["content"], b"fine")


@suite.test("a recipient of another domain is refused")
def wrong_recipient():
    link, carol, alice, keys = contacts()
    item = carol.sealed(keys, b"hello")
    item["to"].append({"account": "bob#im.delta.test", "stanzas": []})
    equal(link.put(**item), {alice.account.address: "done", "bob#im.delta.test": "wrong-domain"})


@suite.test("an asker of another domain is refused")
def wrong_asker():
    link, _, alice, _ = contacts()
    res = link.ask("keys.get", RULES.encode("keys-get-args", {"account": alice.account.address}),
                   alice.account.address)
    equal(res["code"], CODES["wrong-domain"])


@suite.test("the time in a mid: 20 days old to 10 minutes ahead")
def clock():
    link, carol, _, keys = contacts()
    now = objects.now()
    for at, wanted in ((now + 11 * 60000, "clock"), (now - 21 * objects.DAY, "clock"),
                       (now + 9 * 60000, "done"), (now - 19 * objects.DAY, "done")):
        equal(link.put_one(**carol.sealed(keys, b"x", mid=objects.new_mid(at))), wanted,
              f"{(at - now) // 60000} minutes")


@suite.test("a mid that is no UUIDv7 is malformed")
def not_v7():
    link, carol, _, keys = contacts()
    mid = bytearray(objects.new_mid())
    mid[6] = 0x40 | mid[6] & 0x0f
    equal(link.put_one(**carol.sealed(keys, b"x", mid=bytes(mid))), "malformed")


@suite.test("a revocation from a foreign server ends consent")
def revoke():
    link, carol, alice, keys = contacts()
    equal(link.consent(carol, objects.REVOKE, alice.account.address), "received")
    alice.next_object()
    equal(link.put_one(**carol.sealed(keys, b"x")), "not-accepted")


@suite.test("two links of one domain at once")
def two_links():
    link, carol, alice, keys = contacts()
    other = dial()
    equal(link.put_one(**carol.sealed(keys, b"1")), "done")
    equal(other.put_one(**carol.sealed(keys, b"2")), "done")
    equal({alice.next_message(lookup(carol))[1]["content"] for _ in range(2)}, {b"1", b"2"})


# From the real server.

@suite.test("a sealed message from a real user: accepted, then arrived")
def receive():
    _, carol, alice, _ = contacts()
    of_carol = alice.keys(carol.account.address)
    outcome, mid = alice.send(of_carol, b"to gamma")
    equal(outcome, "accepted")
    put = sealed_at_gamma(carol)
    equal(open_at_gamma(put, carol, alice)["content"], b"to gamma")
    fate = alice.fate(mid, [STATE_ARRIVED])
    equal(fate["account"], carol.account.address)


@suite.test("items to one server keep their order")
def order_out():
    _, carol, alice, _ = contacts()
    of_carol = alice.keys(carol.account.address)
    for i in range(20):
        equal(alice.send(of_carol, b"%d" % i)[0], "accepted")
    got = [open_at_gamma(sealed_at_gamma(carol), carol, alice)["content"] for i in range(20)]
    equal(got, [b"%d" % i for i in range(20)])


@suite.test("a permanent refusal is a failed fate with its code")
def failed():
    _, carol, alice, _ = contacts()
    of_carol = alice.keys(carol.account.address)
    gamma.answer = lambda put, account: CODES["quota"]
    mid = alice.send(of_carol, b"no")[1]
    equal(alice.fate(mid, [STATE_FAILED])["code"], CODES["quota"])


@suite.test("a temporary refusal is tried again, in order, from a restart", seconds=60)
def temporary():
    _, carol, alice, _ = contacts()
    of_carol = alice.keys(carol.account.address)
    waits, seen = {"left": 1, "stuck": False}, []

    def answer(put, _):
        if put["kind"] == KIND_OBJECT:
            return CODES["done"]
        if put.get("restart"):
            waits["stuck"] = False
        if waits["stuck"]:
            return CODES["after"]
        if waits["left"]:
            waits["left"] -= 1
            waits["stuck"] = True
            return CODES["try-later"]
        seen.append(put)
        return CODES["done"]

    gamma.answer = answer
    for i in range(5):
        alice.send(of_carol, b"%d" % i)
    until(lambda: len(seen) >= 5, 30, "five items")
    equal([open_at_gamma(p, carol, alice)["content"] for p in seen],
          [b"%d" % i for i in range(5)])


@suite.test("a link that dies before the result: the item comes again", seconds=60)
def link_dies():
    _, carol, alice, _ = contacts()
    of_carol = alice.keys(carol.account.address)
    dropped = gamma.dropped
    gamma.answer = lambda put, account: CODES["done"] if gamma.dropped > dropped + 1 else None
    mid = alice.send(of_carol, b"again")[1]
    alice.fate(mid, [STATE_ARRIVED], 30)
    equal(open_at_gamma(sealed_at_gamma(carol), carol, alice)["content"], b"again")


def stays(alice, of_carol):
    """Sends while gamma's links cannot be proved; nothing may come. Gives the mid."""
    outcome, mid = alice.send(of_carol, b"patience")
    equal(outcome, "accepted")
    refused(Timeout, gamma.next_put, 3)
    rows = town.server().emsgq("list")
    true(rows, "emsgq lists nothing")
    return mid


def drop_links():
    """Ends the links that real servers have to gamma."""
    for link in gamma.links:
        link.close()
    gamma.links.clear()


def wrong_welcome(change, seconds=40):
    _, carol, alice, _ = contacts()
    of_carol = alice.keys(carol.account.address)
    drop_links()
    change()
    mid = stays(alice, of_carol)
    calm()
    alice.fate(mid, [STATE_ARRIVED], seconds)
    equal(open_at_gamma(sealed_at_gamma(carol), carol, alice)["content"], b"patience")


@suite.test("a welcome with another exporter: the item stays until the link is proved",
            seconds=60)
def welcome_exporter():
    wrong_welcome(lambda: gamma.bad_welcome.update(exporter=os.urandom(32)))


@suite.test("a welcome for another nonce: the item stays until the link is proved", seconds=60)
def welcome_nonce():
    wrong_welcome(lambda: gamma.bad_welcome.update(nonce_dialler=os.urandom(32)))


@suite.test("a welcome of another domain: the item stays until the link is proved", seconds=60)
def welcome_domain():
    wrong_welcome(lambda: gamma.bad_welcome.update(acceptor="im.delta.test"))


@suite.test("a refused proof (bye): the item stays until the link is accepted", seconds=60)
def refused_auth():
    wrong_welcome(lambda: setattr(gamma, "refuse", "try-later"))


@suite.test("a server that is away: the item waits for it", seconds=60)
def away():
    wrong_welcome(lambda: setattr(gamma, "refuse", "starting"))


@suite.test("every outcome class is known")
def classes():
    equal(outcome_class(299), "ok")
    equal(outcome_class(499), "temporary")
    equal(outcome_class(999), "permanent")


if __name__ == "__main__":
    suite.run()
