# SPDX-License-Identifier: ISC
"""peer - a whole foreign server: domain document, links in, links out (section 9).

Peer owns a listening socket and one thread for it, and a thread for each link. What its users
would get is in .puts; .answer decides the outcomes. dial() makes a link to a real server,
with any part of the proof changed if asked.
"""
import datetime
import os
import queue
import socket
import threading

from OpenSSL import SSL, crypto
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from . import objects, sign
from .device import Account, Device
from .protocol import CODES, KIND_SEALED, RULES, symbol
from .tlsws import TIMEOUT, Closed, Link, Timeout, Wire


def self_signed(domain):
    """(certificate, key) for pyOpenSSL."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    today = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(days=1))
            .not_valid_after(today + datetime.timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), False)
            .sign(key, hashes.SHA256()))
    return crypto.X509.from_cryptography(cert), crypto.PKey.from_cryptography_key(key)


def server_context(cert, key):
    """TLS 1.3 with that certificate, ALPN http/1.1."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.use_certificate(cert)
    context.use_privatekey(key)
    context.set_alpn_select_callback(
        lambda _, offered: b"http/1.1" if b"http/1.1" in offered else SSL.NO_OVERLAPPING_PROTOCOLS)
    return context


class Refusal(Exception):
    """The dialler of a link to us was refused."""


class Peer:
    """One foreign domain."""

    def __init__(self, domain, trust="pin"):
        """trust: what a real server goes by, "pin", "certificate" or nothing."""
        self.domain, self.trust = domain, trust
        self.root, self.key = sign.new_key(), sign.new_key()
        self.pin = sign.sha(sign.public(self.root))
        self.seq = 0
        self.document = None
        self.renew()
        self.users = {}
        self.pins = {}
        self.puts = queue.Queue()
        self.links = []
        self.fetches = 0
        self.dropped = 0
        self.answer = lambda put, account: CODES["done"]
        self.bad_welcome = {}
        self.refuse = None
        cert, key = self_signed(domain)
        self.certificate = crypto.dump_certificate(crypto.FILETYPE_PEM, cert)
        self.context = server_context(cert, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self.listener.getsockname()
        threading.Thread(target=self.accepting, daemon=True).start()

    def renew(self, **change):
        """A new document with the next seq."""
        self.seq += 1
        self.document = objects.domain_document(self.root, self.domain,
                                                [sign.public(self.key)], self.seq, **change)

    def close(self):
        self.listener.close()
        for link in list(self.links):
            link.close()

    def user(self, name):
        """A user of this domain with one device, which has no link: the peer acts for it."""
        account = Account(f"{name}#{self.domain}")
        device = Device(account)
        entries = [device.entry()]
        account.adopt(entries, account.new_list(entries))
        self.users[account.address] = device
        return device

    def keys_of(self, address):
        """What keys.get answers for a user."""
        device = self.users[address]
        return RULES.encode("keys", {"listkey": device.account.certificate,
                                     "devlist": device.account.devlist,
                                     "prekeys": [device.prekey_object]})

    # Links that others dial.

    def accepting(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            wire = Wire.accept(sock, self.context)
            data = b""
            while b"\r\n\r\n" not in data:
                more = wire.receive()
                if not more:
                    return
                data += more
            path = data.split()[1].decode()
            if path == "/.well-known/emsg":
                self.fetches += 1
                wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/cose\r\n"
                          b"Connection: close\r\nContent-Length: %d\r\n\r\n"
                          % len(self.document) + self.document)
                wire.tls.shutdown()
                wire.close()
            else:
                self.accepted(Link.accept(wire, data, "s2s"))
        except (Closed, Timeout, SSL.Error, OSError, Refusal):
            sock.close()

    def accepted(self, link):
        """A link to us: proof, welcome, then what it brings."""
        nonce = os.urandom(32)
        link.send("hello", domain=self.domain, nonce=nonce, time=objects.now(), version_min=1,
                  version_max=1, features=[],
                  limits={"item": 262144, "message": 524288, "recipients": 100, "idle": 300})
        auth = link.expect("auth")
        if self.refuse is not None:
            link.send("bye", code=CODES[self.refuse])
            link.close()
            return
        claimed = sign.peek(objects.PEER, "peer-proof", auth["proof"])
        self.judge(link, auth, claimed, nonce)
        exporter = link.exporter(objects.LABEL_S2S)
        parts = {"side": 2, "dialler": claimed["dialler"], "acceptor": self.domain,
                 "nonce_dialler": auth["nonce"], "nonce_acceptor": nonce, "exporter": exporter,
                 "document": self.document, **self.bad_welcome}
        link.send("welcome", time=objects.now(), proof=objects.peer_proof(self.key, **parts),
                  credit_bytes=1 << 20, credit_items=256)
        self.links.append(link)
        self.take(link, claimed["dialler"])

    def judge(self, link, auth, claimed, nonce):
        """Verifies a dialler's proof by the document at its own address."""
        pin, document = self.pins[claimed["dialler"]]()
        members = objects.open_document(document, claimed["dialler"], pin)
        proof = objects.by_any(objects.document_keys(members), objects.PEER, "peer-proof",
                               auth["proof"])
        wanted = {"side": 1, "dialler": claimed["dialler"], "acceptor": self.domain,
                  "nonce_dialler": auth["nonce"], "nonce_acceptor": nonce,
                  "exporter": link.exporter(objects.LABEL_S2S),
                  "document": sign.sha(document), "time": proof["time"]}
        if proof != wanted or abs(proof["time"] - objects.now()) > 600000:
            wrong = [k for k, v in wanted.items() if proof.get(k) != v]
            raise Refusal(f"proof: {wrong}")

    def take(self, link, domain):
        """Answers puts and requests of a proved link."""
        while True:
            try:
                name, number, body = link.receive(600)
            except Timeout:
                continue
            if name == "put":
                self.answer_put(link, number, body, domain)
            elif name == "req":
                self.answer_req(link, number, body)

    def answer_put(self, link, number, body, domain):
        answers = [(r["account"], self.answer(body, r["account"])) for r in body["to"]]
        if any(code is None for _, code in answers):
            self.dropped += 1
            link.close()
            raise Closed()
        self.puts.put((domain, body, dict(answers)))
        link.send("result", number,
                  outcomes=[{"account": a, "code": c} for a, c in answers])

    def answer_req(self, link, number, body):
        code, result = CODES["unsupported"], None
        if body["method"] == "keys.get":
            address = RULES.decode("keys-get-args", body["args"])["account"]
            code = CODES["not-accepted"]
            if address in self.users:
                code, result = CODES["done"], self.keys_of(address)
        link.send("res", number, code=code, result=result)

    def next_put(self, timeout=TIMEOUT, wanted=lambda put: True):
        """The next item that a real server handed over and for which wanted() holds."""
        while True:
            try:
                _, put, _ = self.puts.get(timeout=timeout)
            except queue.Empty as fault:
                raise Timeout("no put") from fault
            if wanted(put):
                return put

    # Links that we dial.

    def dial(self, server, domain, key=None, document=None, wire=None, check=True, **change):
        """A proved link to a real server; members of the proof can be changed."""
        link = Link.dial(server.host, server.port, domain, "s2s", wire=wire)
        outbound = Outbound(self, link, domain, link.expect("hello"))
        outbound.auth(server, key or self.key, document or self.document, check, **change)
        return outbound


class Outbound:
    """A link from a peer to a real server."""

    def __init__(self, peer, link, domain, hello):
        self.peer, self.link, self.domain, self.hello = peer, link, domain, hello
        self.next_id = 1
        self.welcome = None
        self.answers, self.results = {}, {}

    def auth(self, server, key, document, check, **change):
        nonce = os.urandom(32)
        parts = {"side": 1, "dialler": self.peer.domain, "acceptor": self.domain,
                 "nonce_dialler": nonce, "nonce_acceptor": self.hello["nonce"],
                 "exporter": self.link.exporter(objects.LABEL_S2S), "document": document,
                 **change}
        self.link.send("auth", version=1, features=[], nonce=nonce,
                       proof=objects.peer_proof(key, **parts))
        self.welcome = self.link.expect("welcome", 15)
        if check:
            theirs = server.document()
            members = objects.open_document(theirs, self.domain, server.pin)
            proof = objects.by_any(objects.document_keys(members), objects.PEER, "peer-proof",
                                   self.welcome["proof"])
            wanted = {"side": 2, "dialler": self.peer.domain, "acceptor": self.domain,
                      "nonce_dialler": nonce, "nonce_acceptor": self.hello["nonce"],
                      "exporter": self.link.exporter(objects.LABEL_S2S),
                      "document": sign.sha(theirs), "time": proof["time"]}
            if proof != wanted:
                raise AssertionError(f"welcome's proof: {proof}")

    def read(self, timeout):
        name, number, body = self.link.receive(timeout)
        if name == "result":
            self.answers.setdefault(number, []).extend(body["outcomes"])
        elif name == "res":
            self.results[number] = body
        elif name not in ("credit", "event", "bye"):
            raise AssertionError(f"unexpected {name}")

    def put_raw(self, **body):
        number = self.next_id
        self.next_id += 1
        self.link.send("put", number, **body)
        return number

    def outcomes(self, number, accounts, timeout=TIMEOUT):
        """{account: symbol} of a put."""
        while len(self.answers.get(number, ())) < accounts:
            self.read(timeout)
        return {o["account"]: symbol(o["code"]) for o in self.answers.pop(number)}

    def put(self, timeout=TIMEOUT, **body):
        return self.outcomes(self.put_raw(**body), len(body["to"]), timeout)

    def put_one(self, **body):
        """Puts an item for one account; gives the outcome's symbol."""
        return self.put(**body)[body["to"][0]["account"]]

    def put_object(self, device, to, data, mid=None):
        return self.put_one(kind=2, outer=device.outer(fmt=0, suite=0, mid=mid), body=data,
                            to=[{"account": to, "stanzas": []}])

    def consent(self, device, typ, to):
        """A request, grant or revocation of one of the peer's users."""
        full = typ != objects.REVOKE
        data = objects.consent(device.key, typ, device.account.address, to,
                               device.account.certificate if full else None,
                               device.account.devlist if full else None,
                               1 if typ == objects.REQUEST else None)
        return self.put_object(device, to, data)

    def ask(self, method, data, asker, timeout=TIMEOUT):
        """A request in the name of one of the peer's users; gives the whole res."""
        number = self.next_id
        self.next_id += 1
        self.link.send("req", number, method=method, args=data, asker=asker)
        while number not in self.results:
            self.read(timeout)
        return self.results.pop(number)

    def keys(self, address, asker):
        res = self.ask("keys.get", RULES.encode("keys-get-args", {"account": address}), asker)
        if res["code"] // 100 != 2:
            raise Refusal(symbol(res["code"]))
        return objects.keys_from(address, res["result"])

    def close(self):
        self.link.close()


__all__ = ["Peer", "Outbound", "Refusal", "KIND_SEALED"]
