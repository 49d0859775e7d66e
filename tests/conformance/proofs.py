#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""proofs - what is wrong when a foreign server proves itself, and on its link after that.

Every test has a foreign domain of its own, since trust in a domain outlasts a link. A well-behaved
one holds a link from the beginning, which must go on working (section 9).
"""
import os
import socket

from emsgpy import cborx, objects, sign
from emsgpy.peer import Peer
from emsgpy.people import Town
from emsgpy.protocol import CODES, FRAMES, KIND_OBJECT, LIMIT_BEFORE, RULES
from emsgpy.runner import Suite, equal, refused, true
from emsgpy.tlsws import Closed, Link, Timeout, ws_frame

suite = Suite("proofs")
NAMES = [f"im.p{i}.test" for i in range(40)]
CERTIFIED, UNKNOWN, WRONG = "im.certified.test", "im.unknown.test", "im.wrong.test"
peers = {}
unused = []
good = {}


def peers_of(server):
    """The well-behaved peer and one for each test, all pinned in the configuration."""
    for name in ["im.gamma.test"] + NAMES:
        peers[name] = Peer(name)
    peers[CERTIFIED] = Peer(CERTIFIED, "certificate")
    peers[UNKNOWN], peers[WRONG] = Peer(UNKNOWN, None), Peer(WRONG)
    peers[WRONG].pin = os.urandom(32)
    unused.extend(NAMES)
    for peer in peers.values():
        peer.pins[server.domain] = lambda: (server.pin, server.document())
    return list(peers.values())


town = Town(suite, peers_of)
suite.at_end.append(lambda: [peer.close() for peer in peers.values()])


def peer_asks():
    """The link that was there before delivers still."""
    server = town.server()
    gamma = peers["im.gamma.test"]
    if not good:
        good["link"] = gamma.dial(server, server.domain)
    carol = gamma.user(town.name("carol"))
    equal(good["link"].consent(carol, objects.REQUEST, f"nobody#{server.domain}"), "received")


suite.before_each.append(peer_asks)
suite.after_each.append(peer_asks)


def peer():
    """A foreign server that nobody knows yet."""
    town.server()
    return peers[unused.pop(0)]


def dial(foreign, **change):
    server = town.server()
    link = foreign.dial(server, server.domain, **change)
    town.open.append(link)
    return link


def fresh(foreign):
    """A link to the server's s2s path that has seen hello only; gives (link, nonce)."""
    server = town.server()
    link = Link.dial(server.host, server.port, server.domain, "s2s")
    town.open.append(link)
    return link, link.expect("hello")["nonce"]


def proof_case(title, wanted, change=lambda foreign: {}):
    @suite.test(f"peer proof: {title}: {wanted}")
    def _():
        foreign = peer()
        equal(refused(Closed, dial, foreign, **change(foreign)).bye, wanted)


def with_document(*arguments, **members):
    """A peer that serves another document."""
    def change(foreign):
        foreign.renew(**members)
        return {}
    return change


def other_domain(foreign):
    foreign.document = objects.domain_document(foreign.root, "im.delta.test",
                                               [sign.public(foreign.key)])
    return {}


def other_root(foreign):
    foreign.root = sign.new_key()
    foreign.renew()
    return {}


def other_key(foreign):
    return {"key": sign.new_key()}


def key_is_over(foreign):
    now = objects.now()
    foreign.document = sign.make(
        foreign.root, objects.DOMAIN, "domain-document", domain=foreign.domain, seq=1,
        issued=now - objects.DAY, expires=now + objects.DAY, root=sign.public(foreign.root),
        keys=[{"key": sign.public(foreign.key), "from": now - objects.DAY,
               "until": now - 3600000}], version_min=1, version_max=1)
    return {}


def broken_document(foreign):
    foreign.document = foreign.document[:-1] + bytes([foreign.document[-1] ^ 1])
    return {}


def no_document(foreign):
    foreign.document, real = b"", foreign.document
    return {"document": real}


def too_long_valid(foreign):
    foreign.renew(expires=objects.now() + 500 * objects.DAY)
    return {}


def nonce_of_another(foreign):
    _, nonce = fresh(foreign)
    return {"nonce_acceptor": nonce}


def exporter_of_another(foreign):
    link, _ = fresh(foreign)
    return {"exporter": link.exporter(objects.LABEL_S2S)}


proof_case("a key that is not in the document", "bad-signature", other_key)
proof_case("the nonce of another link", "nonce", nonce_of_another)
proof_case("a random nonce", "nonce", lambda f: {"nonce_acceptor": os.urandom(32)})
proof_case("another nonce than auth's", "nonce", lambda f: {"nonce_dialler": os.urandom(32)})
proof_case("the exporter of another link", "not-authorised", exporter_of_another)
proof_case("a random exporter", "not-authorised",
           lambda f: {"exporter": os.urandom(32)})
proof_case("made for another acceptor", "wrong-domain", lambda f: {"acceptor": "im.beta.test"})
proof_case("the acceptor's side", "wrong-domain", lambda f: {"side": 2})
proof_case("11 minutes old", "clock", lambda f: {"at": objects.now() - 660000})
proof_case("11 minutes ahead", "clock", lambda f: {"at": objects.now() + 660000})
proof_case("the acceptor's own name", "wrong-domain", lambda f: {"dialler": "im.alpha.test"})
proof_case("an expired document", "bad-document",
           with_document(issued=objects.now() - 300 * objects.DAY,
                         expires=objects.now() - objects.DAY))
proof_case("a document from the future", "bad-document",
           with_document(issued=objects.now() + objects.DAY))
proof_case("a document valid for too long", "bad-document", too_long_valid)
proof_case("a document of another domain", "bad-document", other_domain)
proof_case("a document under another root", "root-changed", other_root)
proof_case("a document with a broken signature", "bad-document", broken_document)
proof_case("a key whose time is over", "bad-signature", key_is_over)


proof_case("an empty document", "bad-document", no_document)


@suite.test("the document of a domain that is away: peer-unreachable")
def unreachable():
    foreign = peer()
    foreign.listener.shutdown(socket.SHUT_RDWR)
    foreign.listener.close()
    equal(refused(Closed, dial, foreign).bye, "peer-unreachable")


@suite.test("a domain without a pin is trusted by its certificate")
def certified():
    town.server()
    link = dial(peers[CERTIFIED])
    carol = peers[CERTIFIED].user("carol")
    equal(link.consent(carol, objects.REQUEST, "nobody#im.alpha.test"), "received")


@suite.test("a domain with neither pin nor valid certificate is refused")
def unknown():
    town.server()
    equal(refused(Closed, dial, peers[UNKNOWN]).bye, "bad-document")


@suite.test("nothing is handed to a server with a wrong pin, or with neither pin nor certificate")
def wrong_pin():
    alice = town.user()
    for domain in (UNKNOWN, WRONG):
        equal(alice.consent(objects.REQUEST, f"carol#{domain}"), "accepted")
    for domain in (UNKNOWN, WRONG):
        refused(Timeout, peers[domain].next_put, 2)
    waiting = {row["dest"]: row for row in town.server().emsgq("list")}
    for domain in (UNKNOWN, WRONG):
        equal(waiting[domain]["state"], "deferred")
        true(waiting[domain]["error"], "no reason is shown")


@suite.test("a newer document is fetched once an hour at most; the known one serves meanwhile")
def new_document():
    foreign = peer()
    dial(foreign).close()
    known = foreign.document
    foreign.renew()
    for _ in range(2):
        equal(refused(Closed, dial, foreign).bye, "bad-document")
    dial(foreign, document=known).close()
    equal(foreign.fetches, 1)


@suite.test("a link is made again without another fetch")
def no_fetch():
    foreign = peer()
    for _ in range(3):
        dial(foreign).close()
    equal(foreign.fetches, 1)


@suite.test("a proof replayed on another link is refused")
def replay():
    foreign = peer()
    server = town.server()
    link, nonce = fresh(foreign)
    mine = os.urandom(32)
    proof = objects.peer_proof(foreign.key, 1, foreign.domain, server.domain, mine, nonce,
                               link.exporter(objects.LABEL_S2S), foreign.document)
    link.send("auth", version=1, features=[], nonce=mine, proof=proof)
    link.expect("welcome")
    link.close()
    link, _ = fresh(foreign)
    link.send("auth", version=1, features=[], nonce=mine, proof=proof)
    equal(link.ending()[0], "nonce")


@suite.test("a device's proof is none of a server")
def login_as_peer():
    link, nonce = fresh(None)
    key = sign.new_key()
    link.send("auth", version=1, features=[], nonce=os.urandom(32), proof=objects.login(
        key, "im.alpha.test", "a#im.alpha.test", nonce, link.exporter(objects.LABEL_S2S)))
    true(link.ending()[0] in ("malformed", "bad-signature"), "accepted")


# The link after the proof.

def after(title, frame, bye):
    @suite.test(f"on a peer's link, {title}: {bye}")
    def _():
        link = dial(peer()).link
        frame(link)
        equal(link.ending()[0], bye)


after("done", lambda l: l.send("done", seq=1), "bad-state")
after("credit of the dialler", lambda l: l.send("credit", bytes=1, items=1), "bad-state")
after("push", lambda l: l.send("push", seq=1, kind=1, body=b"x", time=1), "bad-state")
after("result", lambda l: l.send("result", 1, outcomes=[{"account": "a#im.alpha.test",
                                                        "code": 200}]), "bad-state")
after("bytes that are no CBOR", lambda l: l.message(b"\xff"), "malformed")
after("an unknown type", lambda l: l.message(cborx.encode([77, 0, {}])), "bad-state")


@suite.test("put before welcome is bad-state")
def early_put():
    foreign = peer()
    link, _ = fresh(foreign)
    carol = foreign.user("carol")
    link.send("put", 1, kind=KIND_OBJECT, outer=carol.outer(fmt=0, suite=0), body=b"x",
              to=[{"account": "a#im.alpha.test", "stanzas": []}])
    equal(link.ending()[0], "bad-state")


@suite.test("a long message before welcome is cut off")
def early_long():
    link, _ = fresh(None)
    link.raw(ws_frame(bytes(LIMIT_BEFORE + 1)))
    equal(link.ending(), (None, 1009))


@suite.test("requests of devices are not for servers")
def device_requests():
    foreign = peer()
    link = dial(foreign)
    carol = foreign.user("carol")
    for method in ("state.get", "consent.list", "of.the.future"):
        res = link.ask(method, cborx.encode({}), carol.account.address)
        true(res["code"] in (CODES["unsupported"], CODES["not-authorised"]), f"{res['code']}")
    link.consent(carol, objects.REQUEST, "nobody#im.alpha.test")


@suite.test("a request without an asker is refused")
def no_asker():
    foreign = peer()
    link = dial(foreign)
    link.link.send("req", 9, method="keys.get",
                   args=RULES.encode("keys-get-args", {"account": "a#im.alpha.test"}))
    while 9 not in link.results:
        link.read(10)
    equal(link.results[9]["code"] // 100, 5)


@suite.test("an unknown kind of item and unknown members")
def extension():
    foreign = peer()
    link = dial(foreign)
    carol = foreign.user("carol")
    to = [{"account": "nobody#im.alpha.test", "stanzas": []}]
    base = {"kind": 1, "outer": carol.outer(os.urandom(16)), "body": b"x", "to": to}

    def put(**change):
        number = link.next_id
        link.next_id += 1
        link.link.message(cborx.encode([FRAMES["put"], number, {
            **RULES.lower("put", {**base, **{k: v for k, v in change.items() if k != "more"}}),
            **change.get("more", {})}]))
        return link.outcomes(number, 1)["nobody#im.alpha.test"]

    equal(put(), "not-accepted")
    equal(put(more={90: "x"}), "not-accepted")
    equal(put(more={-7: 0}), "unsupported")
    equal(put(kind=9), "unsupported")
    equal(put(outer=b"\xff"), "malformed")
    equal(put(fifo=3, restart=True), "not-accepted")


if __name__ == "__main__":
    suite.run()
