# SPDX-License-Identifier: ISC
"""device - an account and its devices, as a client of a server.

Account holds the identity and list keys, Device one signing key, its prekeys and one link.
A device is driven by its caller: every wait reads the link, sorts what comes into results,
responses, pushes and events, and ends by a bound.
"""
import os
import time

from . import objects, seal, sign
from .protocol import (CODES, FMT, KIND_FATES, KIND_OBJECT, KIND_SEALED, RULES, STATE_ON_DEVICE,
                       symbol)
from .tlsws import TIMEOUT, Closed, Link, Timeout

WINDOW_BYTES, WINDOW_ITEMS = 1 << 20, 256


class Refused(Exception):
    """A request or an item was answered with another code than ok."""

    def __init__(self, code, text=None, result=None):
        super().__init__(f"{symbol(code)} ({text})" if text else symbol(code))
        self.symbol, self.result = symbol(code), result


class Account:
    """The keys of an account that are not a device's."""

    def __init__(self, address):
        self.address = address
        self.domain = address.split("#")[1]
        self.identity, self.list_key = sign.new_key(), sign.new_key()
        self.generation, self.seq = 1, 0
        self.entries, self.devlist = [], None
        self.certificate = objects.listkey(self.identity, address, self.list_key)
        self.counters = {}

    def new_list(self, entries):
        """The next device list; the caller publishes it and calls adopt()."""
        prev = sign.sha(self.devlist) if self.seq else None
        return objects.devlist(self.list_key, self.address, entries, self.seq + 1, prev,
                               self.generation)

    def adopt(self, entries, devlist):
        self.entries, self.devlist, self.seq = list(entries), devlist, self.seq + 1

    def keys(self):
        return objects.Keys(self.address, self.certificate, self.devlist)


class Device:
    """One install."""

    def __init__(self, account, name="python", server=None):
        self.account, self.name, self.server = account, name, server
        self.key = sign.new_key()
        self.public = sign.public(self.key)
        self.id = objects.device_id(self.public)
        self.pairs = {}
        self.new_prekey()
        self.link = None
        self.next_id = 1
        self.counter = 0
        self.cursor = 0
        self.hello = self.welcome = None
        self.reset()

    def reset(self):
        self.results, self.responses = {}, {}
        self.pushes, self.events, self.hellos = [], [], []

    def new_prekey(self):
        """Makes another pair; the object is in prekey_object until it is published."""
        self.pair = objects.Prekey()
        self.pairs[self.pair.id] = self.pair
        self.prekey_object = objects.prekey(self.key, self.account.address, self.pair)

    def entry(self):
        return objects.device_entry(self.public, self.name)

    # The link.

    def connect(self, prove=True):
        """Dials; with a pin the server proves itself first."""
        self.reset()
        self.link = Link.dial(self.server.host, self.server.port, self.account.domain, "c2s")
        self.hello = self.link.expect("hello")
        if self.hello["domain"] != self.account.domain:
            raise AssertionError(f"hello of {self.hello['domain']}")
        if prove and self.server.pin is not None:
            self.prove()
        return self

    def prove(self):
        nonce = os.urandom(32)
        result = RULES.decode("prove-result", self.request("server.prove", "prove-args",
                                                           nonce=nonce))
        document = objects.open_document(result["document"], self.account.domain,
                                         self.server.pin)
        proof = objects.by_any(objects.document_keys(document), objects.SERVER, "server-proof",
                               result["proof"])
        if proof["domain"] != self.account.domain or proof["nonce"] != nonce \
                or proof["exporter"] != self.link.exporter(objects.LABEL_C2S) \
                or proof["document"] != sign.sha(result["document"]) \
                or abs(proof["time"] - objects.now()) > 600000:
            raise sign.BadSignature("server proof")

    def proof(self, **change):
        """A login proof for this link."""
        parts = {"domain": self.account.domain, "account": self.account.address,
                 "nonce": self.hello["nonce"],
                 "exporter": self.link.exporter(objects.LABEL_C2S), **change}
        return objects.login(self.key, parts["domain"], parts["account"], parts["nonce"],
                             parts["exporter"])

    def login(self, exporter=True, credit=True):
        change = {} if exporter else {"exporter": None}
        self.link.send("auth", version=1, features=[], proof=self.proof(**change))
        self.welcome = self.link.expect("welcome")
        if credit:
            self.credit()
        return self

    def open(self):
        """Connects and logs in."""
        return self.connect().login()

    def credit(self, items=WINDOW_ITEMS, size=WINDOW_BYTES):
        self.link.send("credit", bytes=size, items=items)

    def close(self):
        if self.link is not None:
            self.link.close()
            self.link = None

    def sort(self, timeout):
        """Reads one frame and puts it where it belongs."""
        name, number, body = self.link.receive(timeout)
        if name == "result":
            self.results.setdefault(number, []).extend(body["outcomes"])
        elif name == "res":
            self.responses[number] = body
        elif name == "push":
            self.pushes.append(body)
        elif name == "event":
            self.events.append(body)
        elif name == "hello":
            self.hellos.append(body)
        elif name != "bye":
            raise AssertionError(f"unexpected {name}")

    def wait(self, ready, timeout=TIMEOUT):
        """Reads until ready() gives something true, and returns it."""
        end = time.monotonic() + timeout
        while True:
            value = ready()
            if value:
                return value
            self.sort(max(end - time.monotonic(), 0))

    def quiet(self, ready, seconds=1.0):
        """Reads for a while and says whether ready() stayed false."""
        try:
            self.wait(ready, seconds)
            return False
        except Timeout:
            return True

    # Requests.

    def ask(self, method, data, timeout=TIMEOUT):
        """Sends a request with encoded arguments; gives the whole res."""
        number = self.next_id
        self.next_id += 1
        self.link.send("req", number, method=method, args=data)
        self.wait(lambda: number in self.responses, timeout)
        return self.responses.pop(number)

    def request(self, method, rule, **members):
        """A request that must be answered ok; gives the encoded result."""
        res = self.ask(method, RULES.encode(rule, members))
        if res["code"] // 100 != 2:
            raise Refused(res["code"], res.get("text"), res.get("result"))
        return res.get("result")

    def register(self, token=None):
        """Makes the account with this device as its first."""
        entries = [self.entry()]
        devlist = self.account.new_list(entries)
        self.request("account.register", "register-args", account=self.account.address,
                     token=token, listkey=self.account.certificate, devlist=devlist,
                     prekey=self.prekey_object)
        self.account.adopt(entries, devlist)

    def keys(self, address, identity=None):
        return objects.keys_from(address, self.request("keys.get", "keys-get-args",
                                                       account=address), identity)

    def put_list(self, entries, prekey=None, expect=None):
        """Publishes a new list with those devices."""
        devlist = self.account.new_list(entries)
        self.request("list.put", "list-put-args", devlist=devlist, prekey=prekey,
                     expect=expect or sign.sha(self.account.devlist))
        self.account.adopt(entries, devlist)

    def rotate(self):
        """A new prekey, published."""
        self.new_prekey()
        self.request("prekey.put", "prekey-put-args", prekey=self.prekey_object)

    def consents(self):
        """{address: state number}"""
        rows = RULES.decode("consent-list-result", self.request("consent.list", "none"))["rows"]
        return {row["account"]: row["state"] for row in rows}

    # Items.

    def put_raw(self, body):
        """A put with those members; gives its number."""
        number = self.next_id
        self.next_id += 1
        self.link.message(self.link.frame("put", number, body))
        return number

    def outcomes(self, number, accounts, timeout=TIMEOUT):
        """{account: symbol} when every recipient of a put is answered."""
        self.wait(lambda: len(self.results.get(number, ())) >= accounts, timeout)
        found = self.results.pop(number)
        if len({o["account"] for o in found}) != accounts:
            raise AssertionError(f"outcomes name {found}")
        return {o["account"]: symbol(o["code"]) for o in found}

    def put(self, timeout=TIMEOUT, **body):
        """Puts and waits for the outcomes."""
        return self.put_body(body, timeout)

    def put_body(self, body, timeout=TIMEOUT):
        """The same with a body that may have unknown members."""
        return self.outcomes(self.put_raw(body), len(body["to"]), timeout)

    def outer(self, conv=None, fmt=FMT, suite=1, mid=None, **extra):
        return seal.outer_header(mid or objects.new_mid(), self.account.address, self.id, conv,
                                 fmt, suite, **extra)

    def put_object(self, to, data, timeout=TIMEOUT, mid=None):
        """Sends a signed object; gives the outcome's symbol."""
        return self.put(timeout, kind=KIND_OBJECT, outer=self.outer(fmt=0, suite=0, mid=mid),
                        body=data, to=[{"account": to, "stanzas": []}])[to]

    def consent(self, typ, to, tell=True, **extra):
        """Notes a request, grant or revocation at the own server and sends it."""
        full = typ != objects.REVOKE
        data = objects.consent(self.key, typ, self.account.address, to,
                               self.account.certificate if full else None,
                               self.account.devlist if full else None,
                               1 if typ == objects.REQUEST else None, **extra)
        if tell:
            self.request("consent.put", "consent-put-args", object=data)
        return self.put_object(to, data)

    def sealed(self, keys, content, typ=seal.CONTENT, mid=None, skip=(), **header):
        """The members of a put with a sealed message to one account, by its Keys."""
        conv = seal.conversation(self.account.address, keys.account)
        outer = self.outer(conv, mid=mid)
        self.counter += 1
        inner_header = RULES.encode("inner-header", {
            "to": [keys.account], "counter": self.counter, "time": objects.now(),
            "own": self.account.keys().head_entry(), "heads": [keys.head_entry()], **header})
        cek = seal.new_cek()
        inner = seal.seal_inner(self.key, outer, cek, inner_header, content, typ)
        stanzas = [seal.seal_stanza(cek, outer, device, prekey)
                   for device, prekey in keys.prekeys.items() if device not in skip]
        to = [{"account": keys.account, "stanzas": stanzas}]
        return {"kind": KIND_SEALED, "outer": outer, "body": seal.seal_body(cek, outer, inner),
                "to": to}

    def send(self, keys, content, **more):
        """Seals and puts; gives (outcome symbol, mid)."""
        body = self.sealed(keys, content, **more)
        mid = RULES.decode("outer", body["outer"])["mid"]
        return self.put(**body)[keys.account], mid

    # The mailbox.

    def next_push(self, timeout=TIMEOUT, wanted=lambda push: True):
        """The next entry for which wanted() holds; others before it are dropped."""
        while True:
            self.wait(lambda: self.pushes, timeout)
            push = self.pushes.pop(0)
            if wanted(push):
                return push

    def done(self, seq):
        self.link.send("done", seq=seq)
        self.cursor = max(self.cursor, seq)

    def opened(self, push, key_for):
        """A sealed entry, opened."""
        return seal.open_message(self.account.address, self.id, self.pairs, push["outer"],
                                 push["body"], push.get("stanzas", []), key_for)

    def next_message(self, key_for, timeout=TIMEOUT):
        """The next sealed message that is not a receipt: (push, opened)."""
        while True:
            push = self.next_push(timeout, lambda p: p["kind"] == KIND_SEALED)
            message = self.opened(push, key_for)
            if message["type"] == seal.CONTENT:
                return push, message

    def next_object(self, timeout=TIMEOUT):
        """The next signed object: (push, encoded object)."""
        push = self.next_push(timeout, lambda p: p["kind"] == KIND_OBJECT)
        return push, push["body"]

    def fate(self, mid, states, timeout=TIMEOUT):
        """The first fate of a mid with one of the states."""
        while True:
            push = self.next_push(timeout, lambda p: p["kind"] == KIND_FATES)
            for fate in RULES.decode("fates", push["body"])["fates"]:
                if fate["mid"] == mid and fate["state"] in states:
                    return fate


def key_lookup(*many):
    """A key_for for open_message over some accounts' Keys."""
    known = {keys.account: keys for keys in many}
    return lambda account, device: known[account].devices[device]


def befriend(asker, granter):
    """Two devices on living links become contacts. Gives each the other's Keys."""
    asker.consent(objects.REQUEST, granter.account.address)
    _, data = granter.next_object()
    sign.payload_of(objects.REQUEST, data)
    outcome = granter.consent(objects.GRANT, asker.account.address)
    if outcome not in ("done", "accepted"):
        raise AssertionError(f"grant: {outcome}")
    asker.next_object()
    return asker.keys(granter.account.address), granter.keys(asker.account.address)


__all__ = ["Account", "Device", "Refused", "Closed", "Timeout", "CODES", "STATE_ON_DEVICE",
           "befriend", "key_lookup"]
