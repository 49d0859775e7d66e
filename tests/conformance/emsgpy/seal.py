# SPDX-License-Identifier: ISC
"""seal - sealed messages of format 1, suite 0x0001 (section 6), and HPKE base mode (RFC 9180)."""
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import sign
from .protocol import FMT, RULES, SUITE

TYP = "emsg-msg-v1"
CONTENT = "application/mimi-content"
STATUS = "application/mimi-message-status"
KEM, KDF, AEAD = 0x0020, 0x0001, 0x0001


class Sealed(Exception):
    """The message does not open, with the step that refused it."""


def u16(x):
    return x.to_bytes(2, "big")


def extract(salt, ikm):
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def expand(prk, info, size):
    out = block = b""
    for i in range(1, -(-size // 32) + 1):
        block = hmac.new(prk, block + info + bytes([i]), hashlib.sha256).digest()
        out += block
    return out[:size]


def labeled_extract(suite, salt, label, ikm):
    return extract(salt, b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, prk, label, info, size):
    return expand(prk, u16(size) + b"HPKE-v1" + suite + label + info, size)


def kem_secret(dh, enc, public):
    """ExtractAndExpand of DHKEM(X25519, HKDF-SHA256)."""
    suite = b"KEM" + u16(KEM)
    prk = labeled_extract(suite, b"", b"eae_prk", dh)
    return labeled_expand(suite, prk, b"shared_secret", enc + public, 32)


def schedule(shared, info):
    """(key, base nonce) of mode base."""
    suite = b"HPKE" + u16(KEM) + u16(KDF) + u16(AEAD)
    context = b"\0" + labeled_extract(suite, b"", b"psk_id_hash", b"") + \
        labeled_extract(suite, b"", b"info_hash", info)
    secret = labeled_extract(suite, shared, b"secret", b"")
    return (labeled_expand(suite, secret, b"key", context, 16),
            labeled_expand(suite, secret, b"base_nonce", context, 12))


def hpke_seal(public, info, aad, plain, ephemeral=None):
    """(enc, ciphertext) for a raw public key."""
    ephemeral = ephemeral or X25519PrivateKey.generate()
    enc = sign.public(ephemeral)
    shared = kem_secret(ephemeral.exchange(X25519PublicKey.from_public_bytes(public)), enc, public)
    key, nonce = schedule(shared, info)
    return enc, AESGCM(key).encrypt(nonce, plain, aad)


def hpke_open(private, enc, info, aad, cipher):
    """The plaintext; InvalidTag or ValueError if it does not open."""
    dh = private.exchange(X25519PublicKey.from_public_bytes(enc))
    key, nonce = schedule(kem_secret(dh, enc, sign.public(private)), info)
    return AESGCM(key).decrypt(nonce, cipher, aad)


def conversation(a, b):
    """The conversation of two accounts."""
    first, second = sorted([a.encode(), b.encode()])
    return sign.sha(b"emsg-conv-v1\0", first, b"\0", second)[:16]


def pad(data):
    step = 256 if len(data) + 1 <= 4096 else 4096
    return data + b"\x80" + bytes(-(len(data) + 1) % step)


def unpad(data):
    plain = data.rstrip(b"\0")
    if not plain.endswith(b"\x80") or pad(plain[:-1]) != data:
        raise Sealed("padding")
    return plain[:-1]


def content_key(cek):
    return expand(extract(b"", cek), b"emsg-content-v1", 16)


def commitment(outer, cek):
    return sign.sha(outer) + sign.sha(b"emsg-cek-v1", cek)


def stanza_info(outer):
    return b"emsg-fmt1" + u16(SUITE) + sign.sha(outer)


def outer_header(mid, account, device, conv, fmt=FMT, suite=SUITE, **extra):
    """The encoded outer header."""
    return RULES.encode("outer", {"fmt": fmt, "suite": suite, "mid": mid, "from": account,
                                  "device": device, "conv": conv, **extra.get("extra", {})})


def seal_inner(key, outer, cek, header, content, typ=CONTENT):
    """The padded plaintext; header is encoded."""
    signed = RULES.encode("inner-signed", {"header": header, "type": typ, "content": content})
    signature = sign.sign_raw(key, TYP, signed, commitment(outer, cek))
    return pad(RULES.encode("inner", {"header": header, "type": typ, "content": content,
                                      "sig": signature}))


def seal_body(cek, outer, inner):
    return AESGCM(content_key(cek)).encrypt(bytes(12), inner, outer)


def seal_stanza(cek, outer, device, prekey, ephemeral=None):
    """A stanza for a device and its raw prekey."""
    number = sign.sha(prekey)[:8]
    enc, wrapped = hpke_seal(prekey, stanza_info(outer), device + number, cek, ephemeral)
    return {"device": device, "prekey": number, "enc": enc, "wrapped": wrapped}


def open_stanza(stanza, outer, device, pairs):
    """The content key; pairs are the device's own prekeys by id."""
    pair = pairs.get(stanza["prekey"])
    if pair is None:
        raise Sealed("prekey")
    try:
        return hpke_open(pair.private, stanza["enc"], stanza_info(outer),
                         device + stanza["prekey"], stanza["wrapped"])
    except (InvalidTag, ValueError) as fault:
        raise Sealed("stanza") from fault


def open_message(account, device, pairs, outer, body, stanzas, key_for):
    """Opens a message as section 6 says. key_for(account, device id) gives the sender's key.

    Returns a dict: outer, header, type, content. Raises Sealed with the step that failed.
    """
    envelope = RULES.decode("outer", outer)
    if (envelope["fmt"], envelope["suite"]) != (FMT, SUITE):
        raise Sealed("format")
    mine = [s for s in stanzas if s["device"] == device]
    if not mine:
        raise Sealed("no stanza")
    fault = Sealed("no stanza")
    for stanza in mine:
        try:
            cek = open_stanza(stanza, outer, device, pairs)
            inner = AESGCM(content_key(cek)).decrypt(bytes(12), body, outer)
            break
        except Sealed as why:
            fault = why
        except (InvalidTag, ValueError):
            fault = Sealed("body")
    else:
        raise fault
    message = RULES.decode("inner", unpad(inner))
    signed = RULES.encode("inner-signed", {k: message[k] for k in ("header", "type", "content")})
    try:
        sign.verify_raw(key_for(envelope["from"], envelope["device"]), TYP, signed,
                        message["sig"], commitment(outer, cek))
    except (sign.BadSignature, KeyError) as why:
        raise Sealed("signature") from why
    header = RULES.decode("inner-header", message["header"])
    if account not in header["to"] and account != envelope["from"]:
        raise Sealed("not for us")
    return {"outer": envelope, "header": header, "type": message["type"],
            "content": message["content"]}


def new_cek():
    return os.urandom(32)


def verification_number(a, b):
    """The 60 digits of two identity keys."""
    first, second = sorted([a, b])
    h = sign.sha(b"emsg-verify-v1\0", first, second)
    for _ in range(5200):
        h = sign.sha(h, first, second)
    digits = f"{int.from_bytes(h, 'big') % 10**60:060d}"
    return " ".join(digits[i:i + 5] for i in range(0, 60, 5))
