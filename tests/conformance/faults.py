#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""faults - what is wrong on a device's link, and that each gets the documented answer.

After every test a pair of users who were there before it exchanges a message on links that
were open all the time, and no process of the server has been started anew.
"""
import json
import os
import socket

from OpenSSL import SSL

from emsgpy import cborx, objects, sign
from emsgpy.device import Account, Device, Refused, befriend, key_lookup
from emsgpy.people import Town
from emsgpy.protocol import CODES, FRAMES, LIMIT_BEFORE, LIMIT_MESSAGE, RULES, SRC, symbol
from emsgpy.runner import Suite, equal, refused, true
from emsgpy.tlsws import Closed, Link, Wire, client_context, ws_frame

suite = Suite("faults")
town = Town(suite)
bystanders = {}


def bystander_talks():
    """Two links that nothing may disturb."""
    if not town.made:
        return
    if not bystanders:
        alice, bob = town.user(stem="alice"), town.user(stem="bob")
        bystanders["keys"] = befriend(alice, bob)
        bystanders["pair"] = alice, bob
        town.open.remove(alice)
        town.open.remove(bob)
    (alice, bob), (of_bob, of_alice) = bystanders["pair"], bystanders["keys"]
    text = os.urandom(8)
    equal(alice.send(of_bob, text)[0], "done", "the bystanders' message")
    push, message = bob.next_message(key_lookup(of_alice))
    equal(message["content"], text)
    bob.done(push["seq"])


suite.before_each.append(lambda: town.server() and bystander_talks())
suite.after_each.append(bystander_talks)


def fresh():
    """A device with a link that has seen hello only."""
    return town.device().connect(prove=False)


def alive(device):
    """The link still answers."""
    device.request("server.prove", "prove-args", nonce=os.urandom(32))


def ends(device, bye, code=None, timeout=10):
    """The link ends with that bye, and that close code if one is given."""
    got = device.link.ending(timeout)
    equal(got[0], bye, "bye")
    if code is not None:
        equal(got[1], code, "close code")


def stays_or_ends(device, data, verdict):
    device.link.message(data)
    if verdict == "malformed":
        ends(device, "malformed")
    else:
        alive(device)


# TLS and HTTP.

def status_of(text, name="im.alpha.test"):
    """The status of the answer to a request by hand."""
    server = town.server()
    wire = Wire.dial(server.host, server.port, name)
    wire.send(text.encode())
    data = b""
    while b"\r\n" not in data:
        more = wire.receive()
        if not more:
            return None
        data += more
    wire.close()
    return int(data.split()[1])


HOST = "Host: im.alpha.test\r\n"
UPGRADE = ("Upgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n")
C2S = "GET /emsg/v1/c2s HTTP/1.1\r\n"
HEADS = (
    ("another method", f"POST /emsg/v1/c2s HTTP/1.1\r\n{HOST}{UPGRADE}\r\n", 405),
    ("an unknown path", f"GET /other HTTP/1.1\r\n{HOST}\r\n", 404),
    ("HTTP/1.0", f"GET /.well-known/emsg HTTP/1.0\r\n{HOST}\r\n", 505),
    ("no Host", f"{C2S}{UPGRADE}\r\n", 400),
    ("two Hosts", f"{C2S}{HOST}{HOST}{UPGRADE}\r\n", 400),
    ("another Host", f"{C2S}Host: im.beta.test\r\n{UPGRADE}\r\n", 421),
    ("a body", f"{C2S}{HOST}{UPGRADE}Content-Length: 1\r\n\r\nx", 400),
    ("a chunked body", f"{C2S}{HOST}{UPGRADE}Transfer-Encoding: chunked\r\n\r\n", 400),
    ("lines that end in LF alone", f"{C2S}{HOST}{UPGRADE}\r\n".replace("\r\n", "\n"), 400),
    ("a folded line", f"{C2S}{HOST}X-A: 1\r\n 2\r\n{UPGRADE}\r\n", 400),
    ("a space before the colon", f"{C2S}Host : im.alpha.test\r\n{UPGRADE}\r\n", 400),
    ("WebSocket version 8", f"{C2S}{HOST}{UPGRADE}\r\n".replace("Version: 13", "Version: 8"),
     426),
    ("a short key", f"{C2S}{HOST}{UPGRADE}\r\n".replace("A==", "=="), 400),
    ("no upgrade", f"{C2S}{HOST}\r\n", 400),
    ("only other subprotocols", f"{C2S}{HOST}{UPGRADE}Sec-WebSocket-Protocol: chat\r\n\r\n",
     400),
    ("the subprotocol of the other path",
     f"{C2S}{HOST}{UPGRADE}Sec-WebSocket-Protocol: emsg-s2s.1\r\n\r\n", 400),
    ("a head of more than 4,096 bytes", f"{C2S}{HOST}X: {'x' * 4200}\r\n{UPGRADE}\r\n", 431),
)


def http_case(title, text, wanted):
    @suite.test(f"HTTP: {title}")
    def _():
        equal(status_of(text), wanted)


for head in HEADS:
    http_case(*head)


@suite.test("HTTP: the port in Host is allowed")
def host_port():
    equal(status_of(f"{C2S}Host: im.alpha.test:{town.server().port}\r\n{UPGRADE}\r\n"), 101)


@suite.test("TLS: another name is refused in the handshake")
def other_sni():
    server = town.server()
    refused((SSL.Error, Closed), Wire.dial, server.host, server.port, "im.other.test")


@suite.test("TLS: version 1.2 is refused in the handshake")
def tls12():
    server = town.server()
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    refused((SSL.Error, Closed), Wire.dial, server.host, server.port, server.domain, context)


@suite.test("TLS: only other ALPN protocols are refused in the handshake")
def other_alpn():
    server = town.server()
    context = client_context()
    context.set_alpn_protos([b"h2"])
    refused((SSL.Error, Closed), Wire.dial, server.host, server.port, server.domain, context)


@suite.test("TLS: no ALPN is refused in the handshake")
def no_alpn():
    server = town.server()
    refused((SSL.Error, Closed), Wire.dial, server.host, server.port, server.domain,
            SSL.Context(SSL.TLS_CLIENT_METHOD))


@suite.test("bytes that are no TLS")
def no_tls():
    server = town.server()
    with socket.create_connection((server.host, server.port), 10) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.settimeout(10)
        while sock.recv(4096):
            pass


@suite.test("a head that never ends is cut off in time")
def slow_head():
    server = town.server()
    wire = Wire.dial(server.host, server.port, server.domain)
    wire.send(C2S.encode())
    while wire.receive(12):
        pass
    wire.close()


@suite.test("a link without a login is cut off in time")
def no_login():
    ends(fresh(), None, timeout=12)


# WebSocket.

FRAME = cborx.encode([FRAMES["event"], 0, {1: "x"}])
BROKEN = (
    ("an unmasked frame", ws_frame(FRAME, masked=False), 1002),
    ("a text message", ws_frame(b"hello", opcode=1), 1003),
    ("a reserved bit", ws_frame(FRAME, rsv=4), 1002),
    ("a reserved opcode", ws_frame(FRAME, opcode=3), 1002),
    ("a reserved control opcode", ws_frame(b"", opcode=11), 1002),
    ("16-bit length of a short frame", ws_frame(FRAME, length=2), 1002),
    ("64-bit length of a short frame", ws_frame(FRAME, length=8), 1002),
    ("64-bit length of a middle frame", ws_frame(bytes(200), length=8), 1002),
    ("a length above 2^63", b"\x82\xff\xff" + bytes(7) + bytes(4), 1009),
    ("a fragmented ping", ws_frame(b"", opcode=9, fin=False), 1002),
    ("a ping of 126 bytes", ws_frame(bytes(126), opcode=9), 1002),
    ("a continuation of nothing", ws_frame(FRAME, opcode=0), 1002),
    ("a message inside a message", ws_frame(b"\x83", fin=False) + ws_frame(FRAME), 1002),
    ("a close of one byte", ws_frame(b"\x03", opcode=8), 1002),
    ("a close with code 1005", ws_frame(b"\x03\xed", opcode=8), 1002),
)


def ws_case(title, data, code, login):
    @suite.test(f"WebSocket {'after' if login else 'before'} login: {title}")
    def _():
        device = town.user() if login else fresh()
        device.link.raw(data)
        ends(device, None, code)


for case in BROKEN:
    ws_case(*case, False)
    ws_case(*case, True)


@suite.test("WebSocket: a message in fragments, with a ping between them, is one message")
def fragments():
    device = town.user()
    data = device.link.frame("req", 9, {"method": "consent.list", "args": cborx.encode({})})
    device.link.raw(ws_frame(data[:3], fin=False) + ws_frame(b"", opcode=0, fin=False)
                    + ws_frame(b"ping", opcode=9) + ws_frame(data[3:], opcode=0))
    device.wait(lambda: 9 in device.responses)


@suite.test("WebSocket: fragments without end are bounded")
def many_fragments():
    device = fresh()
    device.link.raw(ws_frame(b"", fin=False))
    for _ in range(50):
        try:
            device.link.raw(ws_frame(bytes(100), opcode=0, fin=False))
        except (Closed, SSL.Error, OSError):
            break
    ends(device, None, 1009)


def too_long(login, limit, how):
    @suite.test(f"a message of more than {limit} bytes {'after' if login else 'before'} login, "
                f"{how}")
    def _():
        device = town.user() if login else fresh()
        frame = ws_frame(bytes(limit + 1))
        if how == "by its head alone":
            device.link.raw(frame[:len(frame) - limit - 1])
        elif how == "whole":
            device.link.raw(frame)
        else:
            device.link.raw(ws_frame(bytes(limit), fin=False) + ws_frame(b"\0", opcode=0))
        ends(device, None, 1009)


for way in ("whole", "by its head alone", "in fragments"):
    too_long(False, LIMIT_BEFORE, way)
    too_long(True, LIMIT_MESSAGE, way)


@suite.test("a message of 4,096 bytes before login is read")
def long_enough():
    device = fresh()
    frame = cborx.encode([FRAMES["req"], 7, {1: "x" * 32, 2: b""}])
    args = bytes(LIMIT_BEFORE - len(frame) - 2)
    frame = cborx.encode([FRAMES["req"], 7, {1: "x" * 32, 2: args}])
    equal(len(frame), LIMIT_BEFORE)
    device.link.message(frame)
    device.wait(lambda: 7 in device.responses)


# CBOR and frames: the vectors that any implementation can run.

# Of these the first frame, or its array, is well-formed: done may not come before the login.
STATE_FIRST = ("a byte behind it", "text as a key", "a member is missing",
               "a member of another type", "a member out of range")

with open(os.path.join(SRC, "tests", "vectors", "frames.json"), encoding="utf-8") as vectors:
    FRAME_VECTORS = json.load(vectors)["messages"]


def frame_case(vector):
    data = bytes.fromhex(vector["bytes"])
    if vector["verdict"] == "malformed":
        @suite.test(f"frames before login: {vector['name']}")
        def _():
            device = fresh()
            device.link.message(data)
            ends(device, "bad-state" if vector["name"] in STATE_FIRST else "malformed")

    if vector["name"] not in ("hello", "put"):
        @suite.test(f"frames: {vector['name']}")
        def _():
            stays_or_ends(town.user(), data, vector["verdict"])


for item in FRAME_VECTORS:
    frame_case(item)


# State.

def body_of(name, device):
    """A valid body of each frame that a device may or may not send."""
    return {
        "hello": {"domain": "im.alpha.test", "nonce": bytes(32), "time": 1, "version_min": 1,
                  "version_max": 1, "limits": {"item": 1, "message": 1, "recipients": 1,
                                               "idle": 1}},
        "auth": {"version": 1, "proof": device.proof()},
        "welcome": {"time": 1, "cursor": 0, "head": 0, "credit_bytes": 1, "credit_items": 1},
        "put": {"kind": 1, "outer": device.outer(bytes(16)), "body": b"x",
                "to": [{"account": "bob#im.alpha.test", "stanzas": []}]},
        "result": {"outcomes": [{"account": "bob#im.alpha.test", "code": 200}]},
        "push": {"seq": 1, "kind": 1, "body": b"x", "time": 1},
        "done": {"seq": 1}, "credit": {"bytes": 1, "items": 1},
        "res": {"code": 200}, "event": {"name": "x"}, "bye": {"code": 200},
    }[name]


def state_case(name, login, number):
    @suite.test(f"{name} {'after' if login else 'before'} login is bad-state")
    def _():
        device = town.user() if login else fresh()
        device.link.send(name, number, **body_of(name, device))
        ends(device, "bad-state")


for frame_name, frame_id in (("hello", 0), ("welcome", 0), ("result", 1), ("push", 0),
                             ("res", 1)):
    state_case(frame_name, False, frame_id)
    state_case(frame_name, True, frame_id)
for frame_name, frame_id in (("put", 1), ("done", 0), ("credit", 0), ("event", 0)):
    state_case(frame_name, False, frame_id)
state_case("auth", True, 0)


def id_case(name, number):
    @suite.test(f"{name} with the id {number} is malformed")
    def _():
        device = town.user()
        body = {"method": "consent.list", "args": cborx.encode({})} if name == "req" \
            else body_of(name, device)
        device.link.send(name, number, **body)
        ends(device, "malformed")


id_case("put", 0)
id_case("req", 0)


@suite.test("an id where there should be 0 is not looked at")
def other_id():
    device = town.user()
    for name in ("done", "credit", "event"):
        device.link.send(name, 5, **body_of(name, device))
    alive(device)


@suite.test("an unknown type of frame is bad-state, before and after login")
def unknown_type():
    for device in (fresh(), town.user()):
        device.link.message(cborx.encode([99, 0, {}]))
        ends(device, "bad-state")


@suite.test("bye of a device ends its link")
def bye():
    device = town.user()
    device.link.send("bye", code=CODES["done"])
    device.link.ending()


@suite.test("an unknown event is ignored")
def event():
    device = town.user()
    device.link.send("event", name="nothing-known", data=b"x")
    alive(device)


@suite.test("a request that needs a login before it is bad-state")
def request_state():
    for method, rule, arguments in (("keys.get", "keys-get-args", {"account": "a#b.c"}),
                                    ("state.get", "none", {}), ("consent.list", "none", {})):
        device = fresh()
        device.link.send("req", 1, method=method, args=RULES.encode(rule, arguments))
        ends(device, "bad-state")


@suite.test("an unknown request before the login is unsupported")
def unknown_request():
    equal(fresh().ask("of.the.future", EMPTY)["code"], CODES["unsupported"])


# Login.

def login_case(title, wanted, make):
    @suite.test(f"login: {title}: {wanted}")
    def _():
        device = town.user()
        device.close()
        device.connect()
        body = {"version": 1, "features": [], **make(device)}
        device.link.send("auth", **body)
        ends(device, wanted)
        device.open()


def other_exporter(device):
    second = fresh()
    return {"proof": device.proof(exporter=second.link.exporter(objects.LABEL_C2S))}


def other_nonce(device):
    return {"proof": device.proof(nonce=fresh().hello["nonce"])}


def replayed(device):
    device.link.send("auth", version=1, features=[], proof=device.proof())
    device.link.expect("welcome")
    proof = device.proof()
    device.close()
    device.connect()
    return {"proof": proof}


def foreign_key(device):
    key, device.key = device.key, sign.new_key()
    try:
        return {"proof": objects.sign.make(
            device.key, objects.LOGIN, "login", domain=device.account.domain,
            account=device.account.address, device=device.id, nonce=device.hello["nonce"])}
    finally:
        device.key = key


def of_other_account(device):
    return {"proof": device.proof(account=bystanders["pair"][0].account.address)}


def with_typ(device, typ):
    payload, _ = sign.payload_of(objects.LOGIN, device.proof())
    return {"proof": sign.sign(device.key, typ, payload)}


def with_member(device, key, value):
    payload, _ = sign.payload_of(objects.LOGIN, device.proof())
    members = {**cborx.decode(payload), key: value}
    return {"proof": sign.sign(device.key, objects.LOGIN, cborx.encode(members))}


def flipped(device):
    proof = bytearray(device.proof())
    proof[-1] ^= 1
    return {"proof": bytes(proof)}


login_case("another key", "bad-signature", foreign_key)
login_case("a changed signature", "bad-signature", flipped)
login_case("another typ", "bad-signature", lambda d: with_typ(d, objects.PREKEY))
login_case("the nonce of another link", "nonce", other_nonce)
login_case("a random nonce", "nonce", lambda d: {"proof": d.proof(nonce=os.urandom(32))})
login_case("a proof replayed on another link", "nonce", replayed)
login_case("the exporter of another link", "not-authorised", other_exporter)
login_case("another domain", "wrong-domain", lambda d: {"proof": d.proof(domain="im.beta.test")})
login_case("an account of another domain", "wrong-domain",
           lambda d: {"proof": d.proof(account="a#im.beta.test")})
login_case("nobody's account", "unknown-account",
           lambda d: {"proof": d.proof(account="nobody#im.alpha.test")})
login_case("another account's device", "unknown-account", of_other_account)
login_case("no signed object", "malformed", lambda d: {"proof": b"\x01"})
login_case("an unknown key below 0", "unsupported", lambda d: with_member(d, -1, 0))
login_case("a version that is not spoken", "unsupported",
           lambda d: {"version": 99, "proof": d.proof()})


@suite.test("login: unknown keys from 0 and unknown features are ignored")
def login_extension():
    device = town.user()
    device.close()
    device.connect()
    body = RULES.lower("auth-c2s", {"version": 1, "features": ["of-the-future"],
                                    **with_member(device, 99, "x"), 77: [1, {}]})
    device.link.message(cborx.encode([FRAMES["auth"], 0, body]))
    device.link.expect("welcome")
    alive(device)


# Puts.

def put_case(title, wanted, change):
    @suite.test(f"put: {title}: {wanted}")
    def _():
        device = town.user()
        body = body_of("put", device)
        body["to"] = [{"account": "bob#im.alpha.test", "stanzas": []}]
        change(device, body)
        outcomes = device.put_body(body)
        equal(set(outcomes.values()), {wanted})
        alive(device)


def outer_with(**members):
    def change(device, body):
        outer = RULES.decode("outer", body["outer"])
        extra = {-1: 0} if members.get("negative") else {}
        outer.update({k: v for k, v in members.items() if k != "negative"})
        body["outer"] = RULES.encode("outer", {**outer, **extra})
    return change


def with_body(**members):
    return lambda device, body: body.update(members)


STANZA = {"device": bytes(16), "prekey": bytes(8), "enc": bytes(32), "wrapped": bytes(48)}
BOB = "bob#im.alpha.test"
put_case("another sender", "not-authorised", outer_with(**{"from": BOB}))
put_case("another device", "not-authorised", outer_with(device=bytes(16)))
put_case("a sender of another domain", "not-authorised",
         outer_with(**{"from": "alice#im.beta.test"}))
put_case("an unknown kind", "unsupported", with_body(kind=9))
put_case("an outer header that is no CBOR", "malformed", with_body(outer=b"\xff"))
put_case("an outer header that is not deterministic", "malformed",
         lambda d, b: b.update(outer=b["outer"][:1] + b"\x18" + b["outer"][1:]))
put_case("an outer header with a key below 0", "unsupported", outer_with(negative=True))
put_case("a mid that is no UUIDv7", "malformed", outer_with(mid=bytes(16)))
put_case("a mid of 11 minutes ahead", "clock",
         lambda d, b: outer_with(mid=objects.new_mid(objects.now() + 660000))(d, b))
put_case("a mid 5 days old", "clock",
         lambda d, b: outer_with(mid=objects.new_mid(objects.now() - 5 * objects.DAY))(d, b))
put_case("an address that is not in normal form", "malformed",
         with_body(to=[{"account": "Bob#im.alpha.test", "stanzas": []}]))
put_case("no object", "malformed",
         lambda d, b: b.update(kind=2, outer=d.outer(fmt=0, suite=0), body=b"\x01"))
put_case("an object with stanzas", "malformed",
         lambda d, b: b.update(kind=2, outer=d.outer(fmt=0, suite=0),
                               to=[{"account": BOB, "stanzas": [STANZA]}]))
put_case("fmt and suite of an object for a sealed message", "malformed",
         lambda d, b: b.update(outer=d.outer(fmt=0, suite=0)))
put_case("a member below 0", "unsupported", lambda d, b: b.update({-5: 0}))


@suite.test("put: unknown members from 0 are ignored")
def put_extension():
    device = town.user()
    body = {**body_of("put", device), 50: {1: 2}}
    equal(device.put_body(body), {BOB: "not-accepted"})


@suite.test("put: a recipient twice is malformed")
def twice():
    device = town.user()
    body = body_of("put", device)
    body["to"] = body["to"] * 2
    number = device.put_raw(body)
    device.wait(lambda: number in device.results)
    equal({symbol(o["code"]) for o in device.results[number]}, {"malformed"})
    alive(device)


@suite.test("put: more than 262,144 bytes is too-large")
def too_large():
    device = town.user()
    body = {**body_of("put", device), "body": bytes(262144)}
    equal(device.put(**body), {BOB: "too-large"})
    alive(device)


@suite.test("put: 101 recipients end the link with limit, 65 stanzas for one with malformed")
def many_recipients():
    for to, bye_ in (([{"account": f"u{i}#im.alpha.test", "stanzas": []} for i in range(101)],
                      "limit"),
                     ([{"account": BOB, "stanzas": [STANZA] * 65}], "malformed")):
        device = town.user()
        device.put_raw({**body_of("put", device), "to": to})
        ends(device, bye_)


@suite.test("put: 100 recipients get an outcome each")
def hundred():
    device = town.user()
    body = body_of("put", device)
    body["to"] = [{"account": f"u{i}#im.alpha.test", "stanzas": []} for i in range(100)]
    equal(set(device.put_body(body).values()), {"not-accepted"})


def object_case(title, wanted, make):
    @suite.test(f"object: {title}: {wanted}")
    def _():
        alice, bob = town.user(), town.user()
        equal(alice.put_object(bob.account.address, make(alice, bob)), wanted)
        true(bob.quiet(lambda: bob.pushes, 0.3), "it was delivered")


def request_of(device, to, signer=None, typ=objects.REQUEST, **change):
    parts = {"maker": device.account.address, "to": to,
             "listkey_": device.account.certificate, "devlist_": device.account.devlist,
             "how": 1, **change}
    return objects.consent(signer or device.key, typ, **parts)


def changed_signature(a, b):
    data = bytearray(request_of(a, b.account.address))
    data[-1] ^= 1
    return bytes(data)


object_case("a changed signature", "bad-signature", changed_signature)
object_case("by a key that is in no list", "not-authorised",
            lambda a, b: request_of(a, b.account.address, sign.new_key()))
object_case("of another maker", "not-authorised",
            lambda a, b: request_of(a, b.account.address, maker=BOB))
object_case("to another", "not-authorised", lambda a, b: request_of(a, BOB))
object_case("another's list", "bad-signature",
            lambda a, b: request_of(a, b.account.address, devlist_=b.account.devlist))
object_case("without a list", "malformed",
            lambda a, b: request_of(a, b.account.address, devlist_=None))
object_case("an unknown typ", "unsupported",
            lambda a, b: request_of(a, b.account.address, typ="emsg-other-v1"))


# Requests.

def ask_case(title, wanted, method, make):
    @suite.test(f"{method}: {title}: {wanted}")
    def _():
        device = town.user()
        res = device.ask(method, make(device))
        equal(symbol(res["code"]), wanted)
        alive(device)


def args(rule, **members):
    return lambda device: RULES.encode(rule, members)


EMPTY = cborx.encode({})
ask_case("unknown", "unsupported", "of.the.future", lambda d: EMPTY)
ask_case("no CBOR", "malformed", "keys.get", lambda d: b"\xff")
ask_case("not deterministic", "malformed", "keys.get", lambda d: b"\xbf\xff")
ask_case("a member is missing", "malformed", "keys.get", lambda d: EMPTY)
ask_case("a member of another type", "malformed", "keys.get", lambda d: cborx.encode({1: 7}))
ask_case("an unknown key below 0", "unsupported", "consent.list",
         lambda d: cborx.encode({-1: 0}))
ask_case("an unknown key from 0", "done", "consent.list", lambda d: cborx.encode({40: 0}))
ask_case("not in normal form", "malformed", "keys.get",
         args("keys-get-args", account="Bob#im.alpha.test"))
ask_case("by another key", "bad-signature", "prekey.put", lambda d: RULES.encode(
    "prekey-put-args", {"prekey": sign.make(
        sign.new_key(), objects.PREKEY, "prekey", account=d.account.address, device=d.id,
        key=os.urandom(32), time=objects.now(), suites=[{"fmt": 1, "suite": 1}])}))
ask_case("for another account", "not-authorised", "prekey.put", lambda d: RULES.encode(
    "prekey-put-args", {"prekey": objects.prekey(d.key, BOB, objects.Prekey())}))


def list_args(device, key=None, seq=2, prev=True, account=None, entries=None, **more):
    account_ = device.account
    return RULES.encode("list-put-args", {
        "expect": sign.sha(account_.devlist), "devlist": objects.devlist(
            key or account_.list_key, account or account_.address,
            entries or account_.entries, seq,
            sign.sha(account_.devlist) if prev is True else prev, **more)})


ask_case("by another key", "bad-signature", "list.put",
         lambda d: list_args(d, key=sign.new_key()))
ask_case("a number left out", "conflict", "list.put", lambda d: list_args(d, seq=3))
ask_case("another list before it", "conflict", "list.put",
         lambda d: list_args(d, prev=os.urandom(32)))
ask_case("of another account", "not-authorised", "list.put",
         lambda d: list_args(d, account=BOB))
ask_case("without the calling device", "not-authorised", "list.put", lambda d: list_args(
    d, entries=[objects.device_entry(sign.public(sign.new_key()), "other")]))
ask_case("a device id that is not of its key", "malformed", "list.put", lambda d: list_args(
    d, entries=d.account.entries + [{**objects.device_entry(
        sign.public(sign.new_key()), "x"), "id": bytes(16)}]))
ask_case("of another maker", "not-authorised", "consent.put", lambda d: RULES.encode(
    "consent-put-args", {"object": request_of(d, BOB, maker="eve#im.alpha.test")}))
ask_case("by a key that is in no list", "not-authorised", "consent.put", lambda d: RULES.encode(
    "consent-put-args", {"object": request_of(d, BOB, sign.new_key())}))


def register_case(title, wanted, change):
    @suite.test(f"account.register: {title}: {wanted}")
    def _():
        device = town.device().connect(prove=False)
        account = device.account
        name = account.address.split("#")[0]
        entries = [device.entry()]
        body = {"account": account.address, "token": device.server.invite(name)[0]["token"],
                "listkey": account.certificate, "devlist": account.new_list(entries),
                "prekey": device.prekey_object}
        good = dict(body)
        change(device, body)
        res = device.ask("account.register", RULES.encode("register-args", body))
        equal(symbol(res["code"]), wanted)
        if wanted in ("bad-signature", "malformed"):
            res = device.ask("account.register", RULES.encode("register-args", good))
            equal(symbol(res["code"]), "done", "the token is still good")


def other_account(device):
    return Device(Account(device.account.address))


register_case("another's certificate", "bad-signature", lambda d, b: b.update(
    listkey=other_account(d).account.certificate))
register_case("a list by another key", "bad-signature", lambda d, b: b.update(
    devlist=other_account(d).account.new_list([d.entry()])))
register_case("a prekey by another key", "bad-signature", lambda d, b: b.update(
    prekey=sign.make(sign.new_key(), objects.PREKEY, "prekey", account=d.account.address,
                     device=d.id, key=os.urandom(32), time=objects.now(),
                     suites=[{"fmt": 1, "suite": 1}])))
register_case("a certificate of another address", "not-authorised", lambda d, b: b.update(
    listkey=objects.listkey(d.account.identity, "eve#im.alpha.test", d.account.list_key)))
register_case("a first list with seq 2", "malformed", lambda d, b: b.update(
    devlist=objects.devlist(d.account.list_key, d.account.address, [d.entry()], 2,
                            bytes(32))))
register_case("an address of another domain", "wrong-domain", lambda d, b: b.update(
    account="eve#im.beta.test"))
register_case("an address that is not in normal form", "malformed", lambda d, b: b.update(
    account="Eve#im.alpha.test"))


# Abuse.

@suite.test("a link cut in the middle of a frame")
def cut():
    device = town.user()
    frame = ws_frame(device.link.frame("put", 1, body_of("put", device)))
    device.link.raw(frame[:len(frame) // 2])
    device.close()


@suite.test("many links at once that say nothing")
def silent_links():
    server = town.server()
    links = [Link.dial(server.host, server.port, server.domain, "c2s") for _ in range(30)]
    for link in links:
        link.expect("hello")
    bystander_talks()
    for link in links:
        link.close()


@suite.test("done of what was never pushed")
def done_ahead():
    device = town.user()
    device.link.send("done", seq=1 << 40)
    alive(device)
    device.close()
    device.open()
    true(device.welcome["cursor"] < 1 << 40, "the cursor ran ahead of the mailbox")


@suite.test("requests without waiting for answers are bounded, not fatal")
def request_flood():
    device = town.user()
    frame = device.link.frame("req", 1, {"method": "consent.list", "args": EMPTY})
    for _ in range(20):
        device.link.message(frame * 100)
    while True:
        try:
            alive(device)
            return
        except Refused as busy:
            equal(busy.symbol, "busy")


if __name__ == "__main__":
    suite.run()
