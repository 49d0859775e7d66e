#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""vectors - what needs no server: the vectors of the tree, the examples of the document."""
import glob
import json
import os

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

import examples
from emsgpy import cborx, cddl, objects, seal, sign
from emsgpy.protocol import CODES, FRAMES, RULES, SRC
from emsgpy.runner import Skip, Suite, equal, true

suite = Suite("vectors")
VECTORS = os.path.join(SRC, "tests", "vectors")


def load(*path):
    name = os.path.join(VECTORS, *path)
    if not os.path.exists(name):
        raise Skip(f"{name} does not exist")
    with open(name, encoding="utf-8") as f:
        return json.load(f)


def unhex(value):
    if isinstance(value, dict):
        return {k: unhex(v) for k, v in value.items()}
    return bytes.fromhex(value)


@suite.test("the rules and tables of the document can be read")
def rules():
    true(len(RULES.rules) >= 50, "too few CDDL rules")
    true(len(CODES) >= 35, "too few codes")
    equal(sorted(FRAMES.values()), list(range(1, 13)), "frame types")


@suite.test("the examples in the document and the vectors are what examples.py makes")
def generated():
    for path, text in examples.files(examples.World()).items():
        with open(path, encoding="utf-8") as f:
            true(f.read() == text, f"{os.path.relpath(path, SRC)} differs; "
                                   "run tests/conformance/examples.py --write")


@suite.test("CBOR: the published vectors")
def cbor():
    counts = {"malformed": 0, "accepted": 0, "refused": 0}
    for vector in load("third-party", "cbor", "index.json"):
        data = bytes.fromhex(vector["encoded"])
        try:
            equal(cborx.encode(cborx.decode(data)), data, vector["encoded"])
            accepted = True
        except cborx.Malformed:
            accepted = False
        if vector.get("fail"):
            true(not accepted, f"{vector['encoded']} is malformed")
            counts["malformed"] += 1
        elif vector.get("roundtrip") is False:
            true(not accepted, f"{vector['encoded']} is not deterministic")
            counts["refused"] += 1
        else:
            counts["accepted" if accepted else "refused"] += 1
    true(all(counts.values()), f"a class is empty: {counts}")


@suite.test("HPKE: RFC 9180 base mode, AES-128-GCM")
def hpke():
    used = 0
    for vector in load("third-party", "hpke", "rfc9180-x25519-p256-sha256.json"):
        if (vector["mode"], vector["kem_id"], vector["kdf_id"], vector["aead_id"]) != \
                (0, seal.KEM, seal.KDF, seal.AEAD):
            continue
        private = X25519PrivateKey.from_private_bytes(bytes.fromhex(vector["skRm"]))
        ephemeral = X25519PrivateKey.from_private_bytes(bytes.fromhex(vector["skEm"]))
        first = {k: bytes.fromhex(v) for k, v in vector["encryptions"][0].items()
                 if isinstance(v, str)}
        info = bytes.fromhex(vector["info"])
        enc, cipher = seal.hpke_seal(sign.public(private), info, first["aad"], first["pt"],
                                     ephemeral)
        equal(enc, bytes.fromhex(vector["enc"]), "enc")
        equal(cipher, first["ct"], "ct")
        equal(seal.hpke_open(private, enc, info, first["aad"], cipher), first["pt"], "pt")
        used += 1
    true(used, "no vector fits")


@suite.test("signed objects")
def signed():
    for vector in load("signed.json")["objects"]:
        try:
            payload = sign.verify(bytes.fromhex(vector["key"]), vector["typ"],
                                  bytes.fromhex(vector["object"]))
            RULES.decode(vector["rule"], payload)
            verdict = "ok"
        except (sign.BadSignature, cborx.Malformed):
            verdict = "bad-signature"
        except cddl.Invalid:
            verdict = "malformed"
        except cddl.Unsupported:
            verdict = "unsupported"
        equal(verdict, vector["verdict"], vector["name"])


def open_vector(file, vector):
    """The message of a vector, or the step that refused it."""
    who, sender = file["recipient"], file["sender"]
    pair = objects.Prekey(X25519PrivateKey.from_private_bytes(bytes.fromhex(who["prekey"])))
    keys = {(sender["account"], bytes.fromhex(sender["device"])): bytes.fromhex(sender["key"])}
    try:
        return seal.open_message(who["account"], bytes.fromhex(who["device"]), {pair.id: pair},
                                 bytes.fromhex(vector["outer"]), bytes.fromhex(vector["body"]),
                                 [unhex(vector["stanza"])], lambda a, d: keys[a, d])
    except seal.Sealed as step:
        return str(step)


@suite.test("sealed messages open, or are refused at the right step")
def sealed():
    file = load("sealed.json")
    for vector in file["messages"]:
        got = open_vector(file, vector)
        if vector["verdict"] == "ok":
            equal(got if isinstance(got, str) else got["content"].hex(), vector["content"],
                  vector["name"])
        else:
            equal(got if isinstance(got, str) else "opened", vector["step"], vector["name"])


@suite.test("sealed messages are sealed to the same bytes")
def resealed():
    file = load("sealed.json")
    key = sign.key_of(bytes.fromhex(file["sender"]["seed"]))
    prekey = X25519PrivateKey.from_private_bytes(bytes.fromhex(file["recipient"]["prekey"]))
    for vector in file["messages"]:
        if vector["verdict"] != "ok":
            continue
        v = {k: bytes.fromhex(vector[k]) for k in
             ("outer", "body", "cek", "ephemeral", "header", "content", "inner")}
        inner = seal.seal_inner(key, v["outer"], v["cek"], v["header"], v["content"])
        equal(inner, v["inner"], f"{vector['name']}: inner")
        equal(seal.seal_body(v["cek"], v["outer"], inner), v["body"], f"{vector['name']}: body")
        stanza = seal.seal_stanza(v["cek"], v["outer"],
                                  bytes.fromhex(file["recipient"]["device"]),
                                  sign.public(prekey),
                                  X25519PrivateKey.from_private_bytes(v["ephemeral"]))
        equal(stanza, unhex(vector["stanza"]), f"{vector['name']}: stanza")


@suite.test("a message that another implementation sealed (seal.json)")
def theirs():
    v = load("seal.json")
    put = RULES.decode("put", bytes.fromhex(v["put"]))
    key, found = bytes.fromhex(v["device_public"]), []
    for who in ("first", "second", "copy"):
        pair = objects.Prekey(
            X25519PrivateKey.from_private_bytes(bytes.fromhex(v[f"{who}_prekey_private"])))
        device = bytes.fromhex(v[f"{who}_device"])
        for recipient in put["to"]:
            if recipient["account"] == v[f"{who}_account"]:
                found.append(seal.open_message(
                    recipient["account"], device, {pair.id: pair}, put["outer"], put["body"],
                    recipient["stanzas"], lambda account, number: key))
    equal(len(found), 3, "devices that open it")
    for message in found:
        equal(message["content"].decode(), v["content"])
        equal(message["type"], v["type"])
        equal(message["header"]["counter"], v["counter"])
        equal(message["outer"]["conv"].hex(), v["conv"])


@suite.test("frames")
def frames():
    names = {number: name for name, number in FRAMES.items()}
    for vector in load("frames.json")["messages"]:
        try:
            for item in cborx.sequence(bytes.fromhex(vector["bytes"])):
                equal(RULES.decode("frame", cborx.encode(item))["type"], item[0])
                name = names[item[0]]
                RULES.lift(name, item[2])
            verdict = "ok"
        except (cborx.Malformed, cddl.Invalid):
            verdict = "malformed"
        except cddl.Unsupported:
            verdict = "unsupported"
        equal(verdict, vector["verdict"], vector["name"])


@suite.test("the verification number of the document")
def number():
    equal(seal.verification_number(bytes(range(32)), bytes(range(255, 223, -1))),
          "50422 24633 37661 74691 84432 30848 22999 63081 96628 48174 64490 01186")


@suite.test("an invitation is read as it was written")
def invitation():
    world = examples.World()
    members = objects.read_invite(world.invite)
    equal(members["account"], examples.ALICE)
    equal(members["pin"], sign.sha(sign.public(world.root)))


if __name__ == "__main__":
    suite.run()
