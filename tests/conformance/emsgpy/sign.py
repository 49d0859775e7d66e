# SPDX-License-Identifier: ISC
"""sign - COSE_Sign1 with alg -19 (Ed25519 of RFC 9864) and typ (RFC 9596), section 5."""
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (Ed25519PrivateKey,
                                                               Ed25519PublicKey)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import cborx
from .protocol import RULES

ALG, TYP = 1, 16
EDDSA = -19


class BadSignature(Exception):
    """No valid object of that type by that key."""


def sha(*parts):
    """SHA-256 over the parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def public(key):
    """The raw public key of a private one (Ed25519 or X25519)."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def new_key():
    """A fresh signing key."""
    return Ed25519PrivateKey.generate()


def key_of(seed):
    """The signing key of 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def protected(typ):
    """The encoded protected header."""
    return cborx.encode({ALG: EDDSA, TYP: typ})


def structure(header, payload, aad=b""):
    """What is signed: the Sig_structure of RFC 9052 section 4.4."""
    return cborx.encode(["Signature1", header, aad, payload])


def sign_raw(key, typ, payload, aad=b""):
    """The 64 bytes of a signature."""
    return key.sign(structure(protected(typ), payload, aad))


def verify_raw(key, typ, payload, signature, aad=b""):
    """Raises BadSignature unless the signature of the raw public key verifies."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(
            signature, structure(protected(typ), payload, aad))
    except (InvalidSignature, ValueError) as fault:
        raise BadSignature(typ) from fault


def sign(key, typ, payload, header=None):
    """A whole COSE_Sign1; another protected header makes an invalid one, for tests."""
    header = protected(typ) if header is None else header
    return cborx.encode(cborx.Signed([header, {}, payload, key.sign(structure(header, payload))]))


def payload_of(typ, data):
    """(payload, signature) of an object whose headers are as they must be."""
    item = cborx.decode(data)
    if not isinstance(item, cborx.Signed) or len(item.parts) != 4:
        raise BadSignature("no COSE_Sign1")
    header, loose, payload, signature = item.parts
    if header != protected(typ) or loose != {} or not isinstance(payload, bytes) \
            or not isinstance(signature, bytes) or len(signature) != 64:
        raise BadSignature(f"headers are not those of {typ}")
    return payload, signature


def verify(key, typ, data):
    """The payload, after the signature of the raw public key was verified."""
    payload, signature = payload_of(typ, data)
    verify_raw(key, typ, payload, signature)
    return payload


def make(key, typ, rule, /, **members):
    """Signs the object of a CDDL rule."""
    extra = members.pop("extra", {})
    return sign(key, typ, RULES.encode(rule, {**members, **extra}))


def peek(typ, rule, data):
    """The members of an object, unverified (to learn which key it claims)."""
    return RULES.decode(rule, payload_of(typ, data)[0])


def opened(key, typ, rule, data):
    """The members of an object, verified."""
    return RULES.decode(rule, verify(key, typ, data))
