# SPDX-License-Identifier: ISC
"""objects - the signed objects of sections 5 and 8: made and judged."""
import base64
import hashlib
import hmac
import os
import time

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from . import sign
from .protocol import FMT, RULES, SUITE

DAY = 86400 * 1000
LISTKEY, DEVLIST, PREKEY = "emsg-listkey-v1", "emsg-devlist-v1", "emsg-prekey-v1"
LOGIN, PEER, SERVER, DOMAIN = "emsg-login-v1", "emsg-peer-v1", "emsg-server-v1", "emsg-domain-v1"
REQUEST, GRANT, REVOKE = "emsg-request-v1", "emsg-grant-v1", "emsg-revoke-v1"
LABEL_C2S, LABEL_S2S = b"EXPORTER-emsg-c2s-v1", b"EXPORTER-emsg-s2s-v1"
INVITE_PREFIX = "emsg:invite:"


def now():
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


def new_mid(at=None, random=None):
    """A UUIDv7 of that time."""
    at = now() if at is None else at
    tail = bytearray(random or os.urandom(10))
    tail[0] = 0x70 | tail[0] & 0x0f
    tail[2] = 0x80 | tail[2] & 0x3f
    return at.to_bytes(6, "big") + bytes(tail)


def device_id(key):
    """The id of a device with that raw public key."""
    return sign.sha(key)[:16]


class Prekey:
    """An X25519 pair that a device published."""

    def __init__(self, private=None):
        self.private = private or X25519PrivateKey.generate()
        self.public = sign.public(self.private)
        self.id = sign.sha(self.public)[:8]


def listkey(identity, account, key, generation=1, at=None, **extra):
    """The certificate of a list key."""
    return sign.make(identity, LISTKEY, "listkey", account=account,
                     identity=sign.public(identity), generation=generation,
                     key=sign.public(key), time=at or now(), **extra)


def device_entry(key, name, at=None):
    """A device in a list, by its raw public key."""
    return {"id": device_id(key), "key": key, "name": name, "added": at or now()}


def devlist(key, account, devices, seq=1, prev=None, generation=1, at=None, **extra):
    """A device list."""
    return sign.make(key, DEVLIST, "devlist", account=account, generation=generation, seq=seq,
                     prev=prev, devices=devices, time=at or now(), **extra)


def prekey(key, account, pair, at=None, suites=None, **extra):
    """A signed prekey."""
    return sign.make(key, PREKEY, "prekey", account=account, device=device_id(sign.public(key)),
                     key=pair.public, time=at or now(),
                     suites=suites or [{"fmt": FMT, "suite": SUITE}], **extra)


def login(key, domain, account, nonce, exporter, **extra):
    """A login proof."""
    return sign.make(key, LOGIN, "login", domain=domain, account=account,
                     device=device_id(sign.public(key)), nonce=nonce, exporter=exporter, **extra)


def consent(key, typ, maker, to, listkey_=None, devlist_=None, how=None, ticket=None, at=None,
            **extra):
    """A request, grant or revocation."""
    return sign.make(key, typ, "consent", **{"from": maker}, to=to, time=at or now(),
                     device=device_id(sign.public(key)), listkey=listkey_, devlist=devlist_,
                     how=how, ticket=ticket, **extra)


def domain_document(root, domain, keys, seq=1, issued=None, expires=None, next_root=None,
                    **extra):
    """A domain document; keys are raw public keys that may sign as long as it is valid."""
    issued = now() - DAY if issued is None else issued
    expires = issued + 300 * DAY if expires is None else expires
    return sign.make(root, DOMAIN, "domain-document", domain=domain, seq=seq, issued=issued,
                     expires=expires, root=sign.public(root),
                     next_root_hash=sign.sha(sign.public(next_root)) if next_root else None,
                     keys=[{"key": k, "from": issued, "until": expires} for k in keys],
                     version_min=1, version_max=1, **extra)


def peer_proof(key, side, dialler, acceptor, nonce_dialler, nonce_acceptor, exporter, document,
               at=None, **extra):
    """A peer proof; document is the signer's own."""
    return sign.make(key, PEER, "peer-proof", side=side, dialler=dialler, acceptor=acceptor,
                     nonce_dialler=nonce_dialler, nonce_acceptor=nonce_acceptor,
                     exporter=exporter, document=sign.sha(document), time=at or now(), **extra)


def open_document(data, domain, pin=None, at=None):
    """The members of a domain document, judged by section 9.2 against a pin."""
    claimed = sign.peek(DOMAIN, "domain-document", data)
    members = sign.opened(claimed["root"], DOMAIN, "domain-document", data)
    at = at or now()
    if pin is not None and sign.sha(members["root"]) != pin:
        raise sign.BadSignature("document under another root")
    if members["domain"] != domain:
        raise sign.BadSignature("document of another domain")
    if not members["issued"] - 600000 <= at < members["expires"] \
            or members["expires"] - members["issued"] > 400 * DAY:
        raise sign.BadSignature("document is not valid now")
    return members


def document_keys(members, at=None):
    """The keys of a document that may sign now."""
    at = at or now()
    return [k["key"] for k in members["keys"] if k["from"] <= at < k["until"]]


def by_any(keys, typ, rule, data):
    """An object that one of the keys must have signed."""
    for key in keys:
        try:
            return sign.opened(key, typ, rule, data)
        except sign.BadSignature:
            pass
    raise sign.BadSignature(f"{typ} by none of {len(keys)} keys")


class Keys:
    """What is known of an account: certificate, list, prekeys; all verified."""

    def __init__(self, account, certificate, devices, prekeys=(), identity=None):
        claimed = sign.peek(LISTKEY, "listkey", certificate)
        cert = sign.opened(claimed["identity"], LISTKEY, "listkey", certificate)
        if identity is not None and cert["identity"] != identity:
            raise sign.BadSignature("identity key changed")
        members = sign.opened(cert["key"], DEVLIST, "devlist", devices)
        if cert["account"] != account or members["account"] != account \
                or members["generation"] != cert["generation"]:
            raise sign.BadSignature("certificate and list do not agree")
        self.account, self.identity = account, cert["identity"]
        self.certificate, self.devlist = certificate, devices
        self.generation, self.seq = members["generation"], members["seq"]
        self.head = sign.sha(devices)
        self.devices = {d["id"]: d["key"] for d in members["devices"]}
        for number, key in self.devices.items():
            if device_id(key) != number:
                raise sign.BadSignature("device id is not that of its key")
        self.prekeys = {}
        for data in prekeys:
            device = sign.peek(PREKEY, "prekey", data)["device"]
            opened = sign.opened(self.devices[device], PREKEY, "prekey", data)
            if opened["account"] != account:
                raise sign.BadSignature("prekey of another account")
            self.prekeys[device] = opened["key"]

    def head_entry(self):
        """The head as inner headers carry it."""
        return {"account": self.account, "generation": self.generation, "seq": self.seq,
                "head": self.head}


def keys_from(account, result, identity=None):
    """Keys from the result of keys.get or enrol.wait."""
    members = RULES.decode("keys", result)
    return Keys(account, members["listkey"], members["devlist"], members["prekeys"], identity)


def read_invite(text):
    """The members of an invitation."""
    if not text.startswith(INVITE_PREFIX):
        raise ValueError("no invitation")
    data = text[len(INVITE_PREFIX):]
    return RULES.decode("invite", base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)))


def write_invite(**members):
    """The text of an invitation."""
    data = RULES.encode("invite", members)
    return INVITE_PREFIX + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def enrol_mac(secret, key, name, pre):
    """The mac of an enrol-blob."""
    return hmac.new(secret, b"emsg-enrol-v1" + key + name.encode() + pre,
                    hashlib.sha256).digest()
