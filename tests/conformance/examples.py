#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""examples - makes the worked examples of doc/protocol.md and the vectors in tests/vectors.

examples.py --write puts them into the tree; vectors.py compares them with it. Nothing here is
random: the private keys and nonces come from names, as section 14 says.
"""
import json
import os
import sys
import textwrap

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emsgpy import cborx, objects, seal, sign
from emsgpy.protocol import DOCUMENT, FRAMES, RULES, SRC, TEXT

MARK = "<!-- examples -->"
AT = 1767225600000  # 2026-01-01 00:00:00 UTC
ALPHA, BETA = "im.alpha.test", "im.beta.test"
ALICE, BOB = f"alice#{ALPHA}", f"bob#{BETA}"
VECTORS = os.path.join(SRC, "tests", "vectors")


def secret(name):
    """The 32 secret bytes of a name."""
    return sign.sha(f"emsg example {name}".encode())


class Person:
    """An account with one device, all of it from names."""

    def __init__(self, address):
        name = address.split("#")[0]
        self.address = address
        self.identity = sign.key_of(secret(f"{name} identity"))
        self.list_key = sign.key_of(secret(f"{name} list"))
        self.device = sign.key_of(secret(f"{name} device"))
        self.pair = objects.Prekey(
            X25519PrivateKey.from_private_bytes(secret(f"{name} prekey")))
        self.device_id = objects.device_id(sign.public(self.device))
        self.certificate = objects.listkey(self.identity, address, self.list_key, at=AT)
        self.devlist = objects.devlist(
            self.list_key, address,
            [objects.device_entry(sign.public(self.device), "laptop", AT)], at=AT)
        self.prekey = objects.prekey(self.device, address, self.pair, at=AT)
        self.keys = objects.Keys(address, self.certificate, self.devlist, [self.prekey])


def frame(name, number, rule, **body):
    return cborx.encode([FRAMES[name], number, RULES.lower(rule, body)])


class World:
    """Everything that the examples show."""

    def __init__(self):
        self.alice, self.bob = Person(ALICE), Person(BOB)
        self.root = sign.key_of(secret("root"))
        self.signing = sign.key_of(secret("signing"))
        self.document = objects.domain_document(
            self.root, ALPHA, [sign.public(self.signing)], issued=AT,
            next_root=sign.key_of(secret("next root")))
        self.nonce = secret("nonce acceptor")
        self.exporter = secret("exporter")
        self.hello = frame("hello", 0, "hello", domain=ALPHA, nonce=self.nonce, time=AT,
                           version_min=1, version_max=1, features=[],
                           limits={"item": 262144, "message": 524288, "recipients": 100,
                                   "idle": 300})
        self.login = objects.login(self.alice.device, ALPHA, ALICE, self.nonce, self.exporter)
        self.auth = frame("auth", 0, "auth-c2s", version=1, features=[], proof=self.login)
        self.peer = objects.peer_proof(
            self.signing, 1, ALPHA, BETA, secret("nonce dialler"), secret("nonce acceptor"),
            self.exporter, self.document, at=AT)
        self.request = objects.consent(
            self.alice.device, objects.REQUEST, ALICE, BOB, self.alice.certificate,
            self.alice.devlist, 1, at=AT)
        self.invite = objects.write_invite(
            kind=1, domain=ALPHA, host="127.0.0.1", port=7443,
            pin=sign.sha(sign.public(self.root)), token=secret("token")[:16], account=ALICE,
            expires=AT + objects.DAY)
        self.sealed = self.message("hello", "one")

    def message(self, text, name, content=None):
        """A sealed message from alice to bob with all its parts."""
        alice, bob = self.alice, self.bob
        part = {"name": name, "cek": secret(f"cek {name}"),
                "mid": objects.new_mid(AT, secret(f"mid {name}")[:10])}
        part["outer"] = seal.outer_header(part["mid"], ALICE, alice.device_id,
                                          seal.conversation(ALICE, BOB))
        part["header"] = RULES.encode("inner-header", {
            "to": [BOB], "counter": 1, "time": AT, "own": alice.keys.head_entry(),
            "heads": [bob.keys.head_entry()]})
        part["content"] = mimi(text, secret(f"salt {name}")[:16]) if content is None else content
        part["inner"] = seal.seal_inner(alice.device, part["outer"], part["cek"],
                                        part["header"], part["content"])
        part["body"] = seal.seal_body(part["cek"], part["outer"], part["inner"])
        part["ephemeral"] = secret(f"ephemeral {name}")
        part["stanza"] = seal.seal_stanza(
            part["cek"], part["outer"], bob.device_id, bob.pair.public,
            X25519PrivateKey.from_private_bytes(part["ephemeral"]))
        part["put"] = frame("put", 1, "put", kind=1, outer=part["outer"], body=part["body"],
                            to=[{"account": BOB, "stanzas": [part["stanza"]]}])
        return part


def mimi(text, salt):
    """An application/mimi-content of one text part, as section 6 describes it."""
    return cborx.encode([salt, None, b"", None, None, {}, [1, "", 1, "text/plain;charset=utf-8",
                                                           text.encode()]])


def hexes(data):
    return "\n".join(textwrap.wrap(data.hex(), 96))


def example(title, words, *parts):
    """A subsection with named byte strings."""
    out = f"\n### {title}\n{words}\n\n```\n"
    for name, data in parts:
        out += f"{name} ({len(data)} bytes)\n{hexes(data)}\n"
    return out + "```\n"


def section(world):
    """Section 14 below its mark."""
    m = world.sealed
    out = MARK + "\n" + """
Made by `tests/conformance/examples.py` and compared by its tests. Every private key, nonce, salt and content key is SHA-256 of the text
`emsg example NAME`, cut to its length; NAME is "alice identity", "alice list", "alice device", "alice prekey", the same of bob, "root", "signing",
"next root", "exporter", "nonce dialler", "nonce acceptor", "cek one", "ephemeral one" (the HPKE ephemeral key of the stanza). All times are
2026-01-01 00:00:00 UTC. `tests/vectors/` has more, with what must be refused.
"""
    out += example("14.1 hello", "The frame that im.alpha.test opens with.", ("frame", world.hello))
    out += example("14.2 Login proof", "Alice's device answers with its proof, in a frame auth.",
                   ("device signing key, public", sign.public(world.alice.device)),
                   ("Sig_structure", sign.structure(
                       sign.protected(objects.LOGIN),
                       sign.payload_of(objects.LOGIN, world.login)[0])),
                   ("proof", world.login), ("frame", world.auth))
    out += example("14.3 Certificate, device list, prekey", "Alice's account with one device.",
                   ("identity key, public", sign.public(world.alice.identity)),
                   ("list-key certificate", world.alice.certificate),
                   ("device list", world.alice.devlist),
                   ("head: SHA-256 of the device list", world.alice.keys.head),
                   ("prekey", world.alice.prekey))
    out += example("14.4 Sealed message", "Alice writes \"hello\" to bob's one device.",
                   ("outer", m["outer"]), ("header", m["header"]), ("content", m["content"]),
                   ("inner, padded", m["inner"]), ("body", m["body"]),
                   ("stanza: device", m["stanza"]["device"]),
                   ("stanza: prekey", m["stanza"]["prekey"]),
                   ("stanza: enc", m["stanza"]["enc"]),
                   ("stanza: wrapped", m["stanza"]["wrapped"]), ("frame put", m["put"]))
    out += example("14.5 Domain document and peer proof",
                   "im.alpha.test dials im.beta.test. The document is valid for 300 days.",
                   ("domain root key, public", sign.public(world.root)),
                   ("domain document", world.document), ("proof", world.peer))
    return out


def new_text(world):
    """The document with its examples renewed."""
    before, mark, _ = TEXT.partition(MARK)
    if not mark:
        raise SystemExit("doc/protocol.md has no mark for the examples")
    return before + section(world)


def jsonable(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {k: jsonable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [jsonable(v) for v in value]
    return value


def signed_vectors(w):
    """Signed objects that verify, and some that must not."""
    good = [
        ("certificate", objects.LISTKEY, "listkey", w.alice.identity, w.alice.certificate),
        ("device-list", objects.DEVLIST, "devlist", w.alice.list_key, w.alice.devlist),
        ("prekey", objects.PREKEY, "prekey", w.alice.device, w.alice.prekey),
        ("login", objects.LOGIN, "login", w.alice.device, w.login),
        ("request", objects.REQUEST, "consent", w.alice.device, w.request),
        ("document", objects.DOMAIN, "domain-document", w.root, w.document),
        ("peer-proof", objects.PEER, "peer-proof", w.signing, w.peer),
    ]
    out = []
    for name, typ, rule, key, data in good:
        out.append({"name": name, "typ": typ, "rule": rule, "key": sign.public(key),
                    "object": data, "payload": sign.verify(sign.public(key), typ, data),
                    "verdict": "ok"})
    payload = sign.verify(sign.public(w.alice.device), objects.LOGIN, w.login)
    protected, signature = sign.protected(objects.LOGIN), w.login[-64:]

    def wrong(name, data, verdict="bad-signature", typ=objects.LOGIN):
        out.append({"name": name, "typ": typ, "rule": "login", "object": data,
                    "key": sign.public(w.alice.device), "verdict": verdict})

    def whole(parts):
        return cborx.encode(cborx.Signed(parts))

    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    wrong("signature of other bytes", whole([protected, {}, payload, flipped]))
    wrong("another typ", w.login, typ=objects.PEER)
    wrong("by another key", sign.sign(w.bob.device, objects.LOGIN, payload))
    wrong("alg EdDSA (-8)", sign.sign(w.alice.device, objects.LOGIN, payload,
                                      cborx.encode({1: -8, 16: objects.LOGIN})))
    wrong("no typ", sign.sign(w.alice.device, objects.LOGIN, payload, cborx.encode({1: -19})))
    wrong("typ by number", sign.sign(w.alice.device, objects.LOGIN, payload,
                                     cborx.encode({1: -19, 16: 1})))
    wrong("one more header", sign.sign(w.alice.device, objects.LOGIN, payload,
                                       cborx.encode({1: -19, 4: b"k", 16: objects.LOGIN})))
    wrong("unprotected header", whole([protected, {4: b"k"}, payload, signature]))
    wrong("without the tag", cborx.encode([protected, {}, payload, signature]))
    wrong("payload detached", whole([protected, {}, None, signature]))
    wrong("signature too short", whole([protected, {}, payload, signature[:63]]))
    wrong("long form of a head", b"\xd8\x12" + w.login[1:])
    wrong("a byte behind it", w.login + b"\0")
    members = cborx.decode(payload)
    wrong("unknown key 99", sign.sign(w.alice.device, objects.LOGIN,
                                      cborx.encode({**members, 99: 1})), "ok")
    wrong("unknown key -1", sign.sign(w.alice.device, objects.LOGIN,
                                      cborx.encode({**members, -1: 1})), "unsupported")
    missing = {k: v for k, v in members.items() if k != 4}
    wrong("a member is missing", sign.sign(w.alice.device, objects.LOGIN,
                                           cborx.encode(missing)), "malformed")
    return {"about": "COSE_Sign1 objects of doc/protocol.md section 5. verdict ok: the headers "
                     "are right, the signature verifies by key, and the payload is an object of "
                     "the CDDL rule; bad-signature: refused before the payload is read; "
                     "malformed and unsupported: verifies, but the payload is refused. All "
                     "bytes in hex.", "objects": out}


def sealed_vectors(w):
    """Sealed messages that open, and what must not."""
    out = []

    def add(part, verdict, step=None, **change):
        item = {**part, **change}
        out.append({"name": item["name"], "outer": item["outer"], "body": item["body"],
                    "stanza": item["stanza"], "cek": item["cek"],
                    "ephemeral": item["ephemeral"], "header": item["header"],
                    "content": item["content"], "inner": item["inner"], "verdict": verdict,
                    **({"step": step} if step else {})})

    one = w.sealed
    add(one, "ok")
    for size in (0, 1, 255, 3000, 3900, 5000):
        add(w.message("", f"content of {size} bytes", content=bytes(size)), "ok")
    m = w.message("other", "two")
    add(m, "refused", "stanza", name="stanza of another message", stanza=one["stanza"])
    add(m, "refused", "body", name="body changed",
        body=m["body"][:-1] + bytes([m["body"][-1] ^ 1]))
    add(m, "refused", "stanza", name="outer changed", outer=w.message("", "three")["outer"])
    short = m["inner"][:m["inner"].rindex(b"\x80")]
    for name, inner, step in (
            ("padding without its mark", short + bytes(-len(short) % 256), "padding"),
            ("padding of another step", short + b"\x80" + bytes(511 - len(short) % 256),
             "padding"),
            ("signature by another device", seal.seal_inner(
                w.bob.device, m["outer"], m["cek"], m["header"], m["content"]), "signature"),
            ("signed for another content key", seal.seal_inner(
                w.alice.device, m["outer"], secret("cek other"), m["header"], m["content"]),
             "signature"),
            ("signed for another outer", seal.seal_inner(
                w.alice.device, one["outer"], m["cek"], m["header"], m["content"]),
             "signature"),
            ("recipient is not named", seal.seal_inner(
                w.alice.device, m["outer"], m["cek"], RULES.encode("inner-header", {
                    "to": ["eve#im.beta.test"], "counter": 1, "time": AT,
                    "own": w.alice.keys.head_entry(), "heads": []}), m["content"]),
             "not for us")):
        add(m, "refused", step, name=name, inner=inner,
            body=seal.seal_body(m["cek"], m["outer"], inner))
    return {"about": "Sealed messages of doc/protocol.md section 6 from alice's device to bob's. "
                     "With the private prekey, outer, body and stanza give inner (padded) and "
                     "header and content; a sender with cek and ephemeral makes the same bytes. "
                     "refused: the step of section 6 that must refuse. All bytes in hex.",
            "sender": {"account": ALICE, "device": w.alice.device_id,
                       "key": sign.public(w.alice.device), "seed": secret("alice device")},
            "recipient": {"account": BOB, "device": w.bob.device_id,
                          "prekey": secret("bob prekey"), "prekey_id": w.bob.pair.id},
            "type": seal.CONTENT, "messages": out}


def frame_vectors(w):
    """WebSocket messages: sequences of frames, right and wrong."""
    done = frame("done", 0, "done", seq=7)
    body = done[2:]
    items = [
        ("one frame", done, "ok"),
        ("two frames", done + frame("credit", 0, "credit", bytes=1, items=1), "ok"),
        ("hello", w.hello, "ok"), ("put", w.sealed["put"], "ok"),
        ("nothing", b"", "ok"),
        ("unknown key 24", cborx.encode([7, 0, {1: 7, 24: "x"}]), "ok"),
        ("unknown key 99 with null", cborx.encode([7, 0, {1: 7, 99: None}]), "ok"),
        ("unknown key -1", cborx.encode([7, 0, {1: 7, -1: 0}]), "unsupported"),
        ("truncated", done[:-1], "malformed"),
        ("a byte behind it", done + b"\xff", "malformed"),
        ("type in long form", b"\x83\x18\x07\x00" + body[1:], "malformed"),
        ("integer in long form", b"\x83\x07\x00\xa1\x01\x18\x07", "malformed"),
        ("integer of 8 bytes in long form", b"\x83\x07\x00\xa1\x01\x1b" + bytes(7) + b"\x07",
         "malformed"),
        ("array of indefinite length", b"\x9f\x07\x00\xa1\x01\x07\xff", "malformed"),
        ("map of indefinite length", b"\x83\x07\x00\xbf\x01\x07\xff", "malformed"),
        ("keys in wrong order", b"\x83\x08\x00\xa2\x02\x01\x01\x01", "malformed"),
        ("a key twice", b"\x83\x08\x00\xa3\x01\x01\x01\x01\x02\x01", "malformed"),
        ("key -1 before 24", b"\x83\x07\x00\xa3\x01\x07\x20\x00\x18\x18\x00", "malformed"),
        ("floating point", b"\x83\x07\x00\xa2\x01\x07\x18\x63\xf9\x3c\x00", "malformed"),
        ("undefined", b"\x83\x07\x00\xa2\x01\x07\x18\x63\xf7", "malformed"),
        ("a tag", b"\x83\x07\x00\xa2\x01\x07\x18\x63\xc1\x00", "malformed"),
        ("text that is no UTF-8", b"\x83\x07\x00\xa2\x01\x07\x18\x63\x62\xc3\x28", "malformed"),
        ("a surrogate in UTF-8", b"\x83\x07\x00\xa2\x01\x07\x18\x63\x63\xed\xa0\x80",
         "malformed"),
        ("text as a key", b"\x83\x07\x00\xa2\x01\x07\x61\x61\x00", "malformed"),
        ("nested too deep", b"\x83\x07\x00\xa2\x01\x07\x18\x63" + b"\x81" * 9 + b"\x00",
         "malformed"),
        ("an array of two", b"\x82\x07\x00", "malformed"),
        ("an array of four", b"\x84\x07\x00\xa1\x01\x07\x00", "malformed"),
        ("no array", b"\xa1\x01\x07", "malformed"),
        ("type below zero", b"\x83\x20\x00\xa1\x01\x07", "malformed"),
        ("body is no map", b"\x83\x07\x00\x80", "malformed"),
        ("a member is missing", b"\x83\x07\x00\xa0", "malformed"),
        ("a member of another type", b"\x83\x07\x00\xa1\x01\x41\x07", "malformed"),
        ("a member out of range", b"\x83\x07\x00\xa1\x01\x00", "malformed"),
    ]
    return {"about": "WebSocket messages after welcome (doc/protocol.md sections 3, 4 and 13). "
                     "ok: read, unknown keys included; malformed: ends the link with bye "
                     "malformed; unsupported: well-formed with an unknown key below 0. All "
                     "bytes in hex.",
            "messages": [{"name": n, "bytes": b, "verdict": v} for n, b, v in items]}


def files(world):
    """{path: text} of all that is generated."""
    made = {os.path.join(VECTORS, name): json.dumps(jsonable(value), indent=1) + "\n"
            for name, value in (("signed.json", signed_vectors(world)),
                                ("sealed.json", sealed_vectors(world)),
                                ("frames.json", frame_vectors(world)))}
    made[DOCUMENT] = new_text(world)
    return made


def main():
    if sys.argv[1:] != ["--write"]:
        raise SystemExit("usage: examples.py --write")
    for path, text in files(World()).items():
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
