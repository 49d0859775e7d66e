#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The real emsg-listener, caged, with this test at the other ends: as master, store, queue and
keyd over its channels, and as devices and peers over TLS. TLS, WebSocket and CBOR come from
Debian's Python modules, so that both sides of the protocol are not our own code."""
import array
import datetime
import io
import os
import queue
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from websockets.frames import OP_BINARY, OP_CLOSE
from websockets.uri import parse_uri
try:
    from websockets.client import ClientProtocol as WsClient
except ImportError:
    from websockets.client import ClientConnection as WsClient

SRC = os.environ.get("EMSG_SRC", os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("EMSG_BUILD", ".")
DOMAIN = "im.alpha.test"
WAIT = 10
DEVICE = b"alice's device.."
C2S, S2S = "/emsg/v1/c2s", "/emsg/v1/s2s"
LABEL = {C2S: b"EXPORTER-emsg-c2s-v1", S2S: b"EXPORTER-emsg-s2s-v1"}
HELLO, AUTH, WELCOME, PUT, RESULT, PUSH, DONE, CREDIT, REQ, RES, EVENT, BYE = range(1, 13)


def source(name):
    with open(os.path.join(SRC, name), encoding="utf-8") as f:
        return f.read()


def enumerated(text, prefix):
    """The numbers of a C enum whose names begin so."""
    numbers, at = {}, 0
    for name, given in re.findall(r"^\t(%s\w+)\s*(?:=\s*(\d+))?," % prefix, text, re.M):
        at = int(given) if given else at
        numbers[name[len(prefix):]] = at
        at += 1
    return numbers


MSG = enumerated(re.sub(r"=\s*\n\s*", "= ", source("lib/ipc/msg.h")), "MSG_")
ROLE = enumerated(source("lib/base/role.h"), "ROLE_")
CONF = enumerated(source("lib/conf/schema.h"), "CONF_")
NAME = {v: k for k, v in MSG.items() if k not in ("FD", "SECRET", "WORK")}


def sp(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">I", len(data)) + data


def unspan(data, at):
    n, = struct.unpack_from(">I", data, at)
    return data[at + 4:at + 4 + n], at + 4 + n


class End:
    """The other end of one channel: what comes is put into a queue by a thread."""

    def __init__(self):
        self.sock, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.lock = threading.Lock()
        self.inbox = queue.Queue()
        self.on = {}
        threading.Thread(target=self.read, daemon=True).start()

    def say(self, kind, ident, payload, fd=None):
        n = 16 + len(payload)
        head = struct.pack("=IHHQ", n | (0x80000000 if fd is not None else 0),
                           MSG[kind] if kind else 0, 0, ident)
        extra = [] if fd is None else [
            (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        with self.lock:
            sent = self.sock.sendmsg([head + payload], extra)
            # Nothing may be left to send, and to a process that ends at once (STOP) even an
            # empty send would be a broken pipe.
            if sent < len(head + payload):
                self.sock.sendall((head + payload)[sent:])

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def read(self):
        try:
            while True:
                n, kind, _, ident = struct.unpack("=IHHQ", self.exactly(16))
                data = self.exactly((n & 0x7fffffff) - 16)
                name = NAME.get(kind, "credit")
                if name in self.on:
                    self.on[name](ident, data)
                elif name != "credit":
                    self.inbox.put((name, ident, data))
        except (EOFError, OSError):
            pass

    def hear(self, want):
        name, ident, data = self.inbox.get(timeout=WAIT)
        assert name == want, (name, want)
        return ident, data

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def configuration(**limits):
    values = {"DOMAIN": DOMAIN, "SANDBOX": 0, "LIMITS_ITEM_SIZE": 65536,
              "LIMITS_RECIPIENTS": 10, "LIMITS_CONNECTIONS": 100,
              "LIMITS_UNAUTHENTICATED": 50, "LIMITS_CONNECTIONS_PER_ADDRESS": 40,
              "LIMITS_HANDSHAKE_TIMEOUT": 2000, "LIMITS_IDLE_TIMEOUT": 60000,
              "LOG_LEVEL": 2, "LOG_ADDRESSES": 0}
    values.update(limits)
    out = struct.pack(">IHQBH", 0x454d4346, 1, 1, ROLE["LISTENER"], len(values))
    for key, value in sorted((CONF[k], v) for k, v in values.items()):
        out += struct.pack(">HB", key, 1)
        if isinstance(value, int):
            out += struct.pack(">Q", value)
        else:
            out += struct.pack(">H", len(value)) + value.encode()
    return out


class Listener:
    """emsg-listener, started as master would, and its neighbours."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.tcp.setblocking(False)
        self.port = self.tcp.getsockname()[1]
        self.master = End()
        self.sign = True
        self.nonces = 0
        fd = self.master.theirs.fileno()
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$0" 3<&{fd} {fd}<&-', os.path.join(BUILD, "emsg-listener")],
            pass_fds=[fd], stdin=subprocess.DEVNULL)
        self.master.theirs.close()
        self.master.say("BOOT", 0, struct.pack(">QBBBB", 1, ROLE["LISTENER"], 0, 0, 2) +
                        sp("") * 3)
        self.resources()
        self.master.say("CONF", 0, struct.pack(">Q", 1) + sp(configuration()))
        for role in ("STORE", "QUEUE", "KEYD"):
            self.connect(role)
        self.master.say("START", 0, b"\0")
        self.master.hear("READY")
        self.keyd.say("DOC_OWN", 0, sp(b"our document"))

    def resources(self):
        self.master.say("RESOURCE", 0, b"\x01" + sp("127.0.0.1"), self.tcp.fileno())
        with tempfile.TemporaryFile() as f:
            f.write(self.certificate())
            f.flush()
            self.master.say("RESOURCE", 0, b"\x02" + sp("cert.pem"), f.fileno())

    def connect(self, role):
        end = End()
        setattr(self, role.lower(), end)
        if role == "STORE":
            end.on["NONCE_ASK"] = self.nonce
        if role == "KEYD":
            end.on["TLS_SIGN"] = self.tls_sign
        self.master.say("PEER", 0, bytes([ROLE[role]]), end.theirs.fileno())
        end.theirs.close()

    def certificate(self):
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
        now = datetime.datetime.utcnow()
        return (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                .public_key(self.key.public_key()).serial_number(7)
                .not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=1))
                .add_extension(x509.SubjectAlternativeName([x509.DNSName(DOMAIN)]), False)
                .sign(self.key, hashes.SHA256())
                .public_bytes(serialization.Encoding.PEM))

    def nonce(self, ident, _):
        self.nonces += 1
        self.store.say("NONCE", ident, struct.pack(">Q", self.nonces) + bytes(24))

    def tls_sign(self, ident, data):
        if not self.sign:
            return
        content, _ = unspan(data, 32)
        signed = self.key.sign(content, ec.ECDSA(hashes.SHA256()))
        self.keyd.say("SIGNED", ident, struct.pack(">H", 202) + sp(signed))

    def stop(self):
        self.master.say("STOP", 0, b"\0")
        return self.process.wait(timeout=WAIT)


class Client:
    """A device or a peer."""
    everybody = []

    def __init__(self, listener, path=C2S, headers=True):
        self.everybody.append(self)
        self.frames = []
        self.closed = None
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_alpn_protos([b"http/1.1"])
        raw = socket.create_connection(("127.0.0.1", listener.port), timeout=WAIT)
        raw.settimeout(None)
        self.raw_socket = raw
        self.tls = SSL.Connection(context, raw)
        self.tls.set_tlsext_host_name(DOMAIN.encode())
        self.tls.set_connect_state()
        self.tls.do_handshake()
        self.exporter = self.tls.export_keying_material(LABEL.get(path, b"x"), 32, None)
        if not headers:
            return
        self.ws = WsClient(parse_uri("wss://" + DOMAIN + path),
                           subprotocols=["emsg-c2s.1" if path == C2S else "emsg-s2s.1"])
        self.ws.send_request(self.ws.connect())
        self.flush()
        while not self.ws.events_received() and self.ws.handshake_exc is None:
            self.feed()
            if self.ws.state.name == "OPEN":
                break

    def flush(self):
        for data in self.ws.data_to_send():
            if data:
                self.tls.sendall(data)

    def feed(self):
        try:
            self.ws.receive_data(self.tls.recv(65536))
        except (SSL.ZeroReturnError, SSL.SysCallError):
            self.ws.receive_eof()
            self.closed = self.closed or "eof"
        for event in self.ws.events_received():
            if getattr(event, "opcode", None) == OP_BINARY:
                data, at = event.data, 0
                while at < len(data):
                    frame, at = decode(data, at)
                    self.frames.append(frame)
            elif getattr(event, "opcode", None) == OP_CLOSE:
                self.closed = struct.unpack(">H", event.data[:2])[0]
        self.flush()

    def send(self, *frames):
        self.raw(b"".join(cbor2.dumps(f, canonical=True) for f in frames))

    def raw(self, data):
        self.ws.send_binary(data)
        self.flush()

    def get(self, kind):
        """The next frame, which must be of this kind: (id, body)."""
        while not self.frames and self.closed is None:
            self.feed()
        assert self.frames, ("closed", self.closed)
        frame = self.frames.pop(0)
        assert frame[0] == kind, (frame, kind)
        return frame[1], frame[2]

    def ends(self, code):
        """The link ends with this bye."""
        assert self.get(BYE)[1][1] == code, code
        while self.closed is None:
            self.feed()

    @classmethod
    def all_leave(cls, listener):
        """After a test: nothing of it comes into the next one."""
        for c in cls.everybody:
            try:
                c.raw_socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        cls.everybody.clear()
        time.sleep(0.1)
        for end in (listener.store, listener.queue, listener.keyd):
            while not end.inbox.empty():
                end.inbox.get()


def decode(data, at):
    stream = io.BytesIO(data[at:])
    frame = cbor2.CBORDecoder(stream).decode()
    return frame, at + stream.tell()


def device(listener, handle):
    """A device that has logged in."""
    c = Client(listener)
    c.nonce = c.get(HELLO)[1][2]
    login(listener, c, handle)
    return c


def login(listener, c, handle):
    c.send([AUTH, 0, {1: 1, 3: b"proof"}])
    ident, data = listener.store.hear("LOGIN")
    link, = struct.unpack_from(">Q", data)
    assert data[8:40] == c.nonce
    assert data[40:72] == c.exporter, "the exporter is not that of the connection"
    addr, at = unspan(data, 72)
    assert addr.startswith(b"127.0.0.1:")
    assert cbor2.loads(unspan(data, at)[0]) == {1: 1, 3: b"proof"}
    welcome = cbor2.dumps({1: 1, 2: 0, 3: 0, 4: 4194304, 5: 256})
    listener.store.say("LOGIN_RES", ident,
                       struct.pack(">QQH", link, handle, 202) + sp(welcome))
    assert c.get(WELCOME)[1][5] == 256


def mid(age_ms=0):
    now = int(time.time() * 1000) - age_ms
    raw = bytearray(now.to_bytes(6, "big") + os.urandom(10))
    raw[6] = 0x70 | raw[6] & 0x0f
    raw[8] = 0x80 | raw[8] & 0x3f
    return bytes(raw)


def put(to, kind=1, body=b"sealed", age_ms=0, **more):
    outer = cbor2.dumps({1: 1, 2: 1, 3: more.get("mid", mid(age_ms)),
                         4: "alice#" + more.get("sender", DOMAIN), 5: DEVICE})
    stanzas = [[DEVICE, b"prekey..", bytes(32), bytes(48)]]
    return {1: kind, 2: outer, 3: body, 4: [[a, stanzas] for a in to]}


def outcome(body):
    return {o[1]: o[2] for o in body[1]}


BOB, CAROL, DAVE = "bob#" + DOMAIN, "carol#" + DOMAIN, "dave#im.beta.test"


def results(*pairs):
    return sp(cbor2.dumps({1: [{1: a, 2: c} for a, c in pairs]}, canonical=True))


# --- what is tested ------------------------------------------------------------------------

def test_document(listener):
    for path, status, body in (("/.well-known/emsg", 200, b"our document"),
                               ("/elsewhere", 404, b""), (C2S, 400, b"")):
        c = Client(listener, path, headers=False)
        c.tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n".encode())
        got = b""
        try:
            while True:
                got += c.tls.recv(65536)
        except (SSL.ZeroReturnError, SSL.SysCallError):
            pass
        head, _, rest = got.partition(b"\r\n\r\n")
        assert head.split()[1] == str(status).encode(), head
        assert rest == body or status != 200, rest


def test_hello(listener):
    c = Client(listener)
    _, hello = c.get(HELLO)
    assert hello[1] == DOMAIN and len(hello[2]) == 32
    assert abs(hello[3] - time.time() * 1000) < 5000
    assert hello[4] == hello[5] == 1
    assert hello[7] == {1: 65536, 2: 524288, 3: 10, 4: 60000}
    other = Client(listener)
    assert other.get(HELLO)[1][2] != hello[2], "two links got the same nonce"


def test_bad_frames(listener):
    """Each in its own link: what is sent before a login, and the code of the bye."""
    for frame, code in (([PUT, 1, put([BOB])], 502), ([DONE, 0, {1: 1}], 502),
                        ([CREDIT, 0, {1: 1, 2: 1}], 502), ([EVENT, 0, {1: "x"}], 502),
                        ([WELCOME, 0, {}], 502), ([99, 0, {}], 502),
                        ([AUTH, 0, {1: 1}], 500), ([AUTH, 0, {1: 9, 3: b"x"}], 501),
                        ([REQ, 1, {1: "state.get", 2: cbor2.dumps({})}], 502),
                        ([REQ, 0, {1: "account.register", 2: cbor2.dumps({})}], 500)):
        c = Client(listener)
        c.get(HELLO)
        c.send(frame)
        c.ends(code)
    for raw in (b"\xff", b"\x83\x01\x00", b"\x83\x18\x02\x00\xa0", b"\x80"):
        c = Client(listener)
        c.get(HELLO)
        c.raw(raw)
        c.ends(500)


def test_refused(listener):
    c = Client(listener)
    c.get(HELLO)
    c.send([AUTH, 0, {1: 1, 3: b"forged"}])
    ident, data = listener.store.hear("LOGIN")
    listener.store.say("LOGIN_RES", ident, data[:8] + struct.pack(">QH", 0, 511) + sp(b""))
    c.ends(511)


def test_early_requests(listener):
    c = Client(listener)
    c.get(HELLO)
    args = cbor2.dumps({1: bytes(32)})
    c.send([REQ, 1, {1: "server.prove", 2: args}], [REQ, 2, {1: "no.such", 2: args}])
    assert c.get(RES) == (2, {1: 501})
    ident, data = listener.keyd.hear("PROVE_SERVER")
    assert data == sp(b"") + bytes(64) + c.exporter
    listener.keyd.say("SIGNED", ident, struct.pack(">H", 202) + sp(b"server proof"))
    number, res = c.get(RES)
    assert number == 1 and res[1] == 202
    assert cbor2.loads(res[2]) == {1: b"our document", 2: b"server proof"}
    body = {1: "account.register", 2: args}
    c.send([REQ, 3, body])
    ident, data = listener.store.hear("REQ")
    assert data[:8] == bytes(8), "nobody has a handle"
    assert cbor2.loads(unspan(data, 16)[0]) == body
    listener.store.say("RES", ident, data[8:16] + sp(cbor2.dumps({1: 513})))
    assert c.get(RES) == (3, {1: 513})
    # Whoever guesses on is slowed down, and store does not hear of it.
    for number in range(4, 18):
        c.send([REQ, number, body])
        ident, data = listener.store.hear("REQ")
        listener.store.say("RES", ident, data[8:16] + sp(cbor2.dumps({1: 513})))
        assert c.get(RES) == (number, {1: 513})
    c.send([REQ, 18, body], [REQ, 19, body], [REQ, 20, body])
    assert c.get(RES)[1] == {1: 422}


def test_split(listener):
    c = device(listener, 5)
    body = put([BOB, DAVE, CAROL])
    c.send([PUT, 9, body])
    ident, data = listener.store.hear("PUT")
    assert struct.unpack_from(">Q", data)[0] == 5
    assert cbor2.loads(unspan(data, 8)[0]) == {**body, 4: [body[4][0], body[4][2]]}
    other, data = listener.queue.hear("SUBMIT")
    assert cbor2.loads(unspan(data, 8)[0]) == {**body, 4: [body[4][1]]}
    listener.queue.say("SUBMIT_RES", other, results((DAVE, 200)))
    assert c.get(RESULT) == (9, {1: [{1: DAVE, 2: 200}]})
    listener.store.say("PUT_RES", ident, results((BOB, 202), (CAROL, 520)))
    number, got = c.get(RESULT)
    assert number == 9 and outcome(got) == {BOB: 202, CAROL: 520}


def test_judged(listener):
    c = device(listener, 6)
    for body, code in ((put([BOB], body=bytes(65536)), 503),
                       (put(["u%d#%s" % (i, DOMAIN) for i in range(11)]), 504),
                       (put([BOB, CAROL, BOB]), 500), (put(["Bob#" + DOMAIN]), 500),
                       (put([BOB], mid=bytes(16)), 500), (put([BOB], kind=3), 501),
                       (put([BOB], age_ms=-3600000), 521),
                       (put([BOB], age_ms=5 * 86400000), 521),
                       ({**put([BOB]), 5: 1}, 500), ({**put([BOB]), -1: 0}, 501),
                       ({**put([BOB]), 99: 0, 6: True}, 500)):
        c.send([PUT, 3, body])
        number, got = c.get(RESULT)
        assert number == 3
        want = {a: code for a, _ in body[4]}
        assert outcome(got) == want, (outcome(got), want)
        assert (2 in got) == (code == 521)
    c.send([DONE, 0, {1: 1, -1: 0}], [EVENT, 0, {1: "unknown"}], [CREDIT, 0, {-5: 1}])
    c.send([PUT, 4, {1: 1}])
    c.ends(500)
    assert struct.unpack(">QH", listener.store.hear("LINK_END")[1]) == (6, 0)


def test_push(listener):
    c = device(listener, 7)
    c.send([CREDIT, 0, {1: 1 << 40, 2: 100}])
    handle, size, items = struct.unpack(">QQQ", listener.store.hear("CREDIT")[1])
    assert (handle, items) == (7, 100) and size < 1 << 40, "credit without bounds"
    for seq in (1, 2):
        push = cbor2.dumps({1: seq, 2: 1, 3: b"o", 4: b"b", 6: 1}, canonical=True)
        listener.store.say("PUSH", 0, struct.pack(">QQ", 7, seq) + sp(push))
    assert c.get(PUSH)[1][1] == 1 and c.get(PUSH)[1][1] == 2
    c.send([DONE, 0, {1: 2}])
    assert struct.unpack(">QQ", listener.store.hear("DONE")[1]) == (7, 2)
    listener.store.say("REVOKE", 0, struct.pack(">QH", 7, 510))
    c.ends(510)


def test_peer(listener):
    c = Client(listener, S2S)
    nonce = c.get(HELLO)[1][2]
    c.send([AUTH, 0, {1: 1, 3: b"proof", 4: b"n" * 32}])
    ident, data = listener.store.hear("PEER_AUTH")
    assert data[8:40] == nonce and data[40:72] == c.exporter
    listener.store.say("PEER_AUTH_RES", ident, data[:8] + struct.pack(">QH", 8, 202) +
                       b"n" * 32 + sp("im.beta.test") + sp(""))
    ident, data = listener.keyd.hear("PROVE_ACCEPT")
    assert data == sp("im.beta.test") + b"n" * 32 + nonce + c.exporter
    listener.keyd.say("SIGNED", ident, struct.pack(">H", 202) + sp(b"our proof"))
    _, welcome = c.get(WELCOME)
    assert welcome[2] == b"our proof" and (welcome[3], welcome[4]) == (4194304, 256)
    c.send([PUT, 1, {**put([BOB, DAVE], sender="im.beta.test"), 5: 4, 6: True}])
    ident, data = listener.store.hear("PUT")
    assert cbor2.loads(unspan(data, 8)[0])[4][0][0] == BOB
    assert c.get(RESULT) == (1, {1: [{1: DAVE, 2: 516}]})
    listener.store.say("PUT_RES", ident, results((BOB, 202)))
    assert outcome(c.get(RESULT)[1]) == {BOB: 202}
    c.send([REQ, 2, {1: "keys.get", 2: b"\xa0"}], [REQ, 3, {1: "state.get", 2: b"\xa0",
                                                            3: DAVE}])
    assert c.get(RES) == (2, {1: 500}) and c.get(RES) == (3, {1: 510})


def test_over_credit(listener):
    c = device(listener, 10)
    c.send(*[[PUT, i + 1, put([DAVE])] for i in range(256)])
    ids = [listener.queue.hear("SUBMIT")[0] for _ in range(256)]
    listener.queue.say("SUBMIT_RES", ids[0], results((DAVE, 200)))
    c.get(RESULT)
    c.send([PUT, 300, put([DAVE])], [PUT, 301, put([DAVE])])
    listener.queue.hear("SUBMIT")
    c.ends(421)
    listener.store.hear("LINK_END")


def test_pressure(listener):
    """Queue takes 1,024 items and no more until it gives credit: the links wait, and nothing
    is lost. The credit of the tests before comes first."""
    listener.queue.say(None, 1 + 257, b"")
    devices = [device(listener, 20 + i) for i in range(5)]
    for c in devices:
        c.send(*[[PUT, i + 1, put([DAVE])] for i in range(250)])
    ids = [listener.queue.hear("SUBMIT")[0] for _ in range(1024)]
    time.sleep(0.3)
    assert listener.queue.inbox.empty(), "more than the window"
    for _ in range(8):
        listener.queue.say(None, 128, b"")
    ids += [listener.queue.hear("SUBMIT")[0] for _ in range(5 * 250 - 1024)]
    for ident in ids:
        listener.queue.say("SUBMIT_RES", ident, results((DAVE, 200)))
    for c in devices:
        assert sorted(c.get(RESULT)[0] for _ in range(250)) == list(range(1, 251))


def test_restarts(listener):
    c = device(listener, 11)
    c.send([PUT, 1, put([DAVE])])
    listener.queue.hear("SUBMIT")
    listener.queue.close()
    assert outcome(c.get(RESULT)[1]) == {DAVE: 410}
    c.send([PUT, 2, put([DAVE])])
    assert outcome(c.get(RESULT)[1]) == {DAVE: 410}
    listener.connect("QUEUE")
    early = Client(listener)
    early.get(HELLO)
    c.send([PUT, 3, put([BOB])])
    listener.store.hear("PUT")
    listener.store.close()
    assert outcome(c.get(RESULT)[1]) == {BOB: 410}
    early.ends(411)
    c.send([PUT, 4, put([BOB])], [REQ, 5, {1: "state.get", 2: b"\xa0"}])
    assert outcome(c.get(RESULT)[1]) == {BOB: 414}
    assert c.get(RES) == (5, {1: 414})
    waits = Client(listener)  # the pool of nonces is void: no hello yet
    listener.connect("STORE")
    c.nonce = c.get(HELLO)[1][2]
    waits.get(HELLO)
    login(listener, c, 12)
    c.send([PUT, 6, put([DAVE])])
    ident, data = listener.queue.hear("SUBMIT")
    assert struct.unpack_from(">Q", data)[0] == 12
    listener.queue.say("SUBMIT_RES", ident, results((DAVE, 200)))
    assert outcome(c.get(RESULT)[1]) == {DAVE: 200}


def test_limits(listener):
    """A link that says nothing ends by itself; more than the limit get no TLS."""
    quiet, began = Client(listener), time.time()
    quiet.get(HELLO)
    while quiet.closed is None:
        quiet.feed()
    assert 1 < time.time() - began < 6
    held = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(60)]
    time.sleep(0.3)
    shut = 0
    for s in held:
        s.setblocking(False)
        try:
            shut += s.recv(1) == b""
        except BlockingIOError:
            pass
        s.close()
    assert 20 <= shut <= 30, shut
    time.sleep(0.3)
    Client(listener).get(HELLO)


def test_descriptors(listener):
    """Out of descriptors: what comes is closed, what is there lives, nothing spins."""
    pid = listener.process.pid
    c = device(listener, 30)
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (24, hard))
    used = cpu(pid)
    more = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(35)]
    time.sleep(1)
    assert cpu(pid) - used < 0.3, "it spins"
    shut = 0
    for s in more:
        s.setblocking(False)
        try:
            shut += s.recv(1) == b""
        except (BlockingIOError, ConnectionResetError):
            pass
    assert shut >= 10, shut
    c.send([PUT, 1, put([DAVE])])
    ident, _ = listener.queue.hear("SUBMIT")
    listener.queue.say("SUBMIT_RES", ident, results((DAVE, 200)))
    assert outcome(c.get(RESULT)[1]) == {DAVE: 200}
    for s in more:
        s.close()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    time.sleep(1.5)
    Client(listener).get(HELLO)


def cpu(pid):
    """Seconds of a processor that it has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_silent_keyd(listener):
    listener.sign = False
    for most in (4, 1):
        began = time.time()
        try:
            Client(listener)
            raise AssertionError("a handshake without a signature")
        except SSL.Error:
            assert time.time() - began < most, "it waited too long"
    listener.sign = True
    time.sleep(3.2)
    Client(listener).get(HELLO)


def main():
    signal.alarm(100)
    listener = Listener()
    failed = False
    for name, test in list(globals().items()):
        if not name.startswith("test_") or failed:
            continue
        try:
            test(listener)
            Client.all_leave(listener)
        except Exception:  # its log and its status tell more
            traceback.print_exc()
            failed = True
        print("not ok" if failed else "ok", name[5:], flush=True)
    if listener.process.poll() is None:
        failed = listener.stop() != 0 or failed
    else:
        failed = True
    print("status", listener.process.returncode)
    return 1 if failed else 0


sys.exit(main())
