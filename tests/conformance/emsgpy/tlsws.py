# SPDX-License-Identifier: ISC
"""tlsws - section 2: TLS 1.3 (pyOpenSSL), one HTTP request, WebSocket (websockets, sans-I/O).

Wire carries bytes over TLS, Link carries EMSG frames over WebSocket on either side. Both wait
with a bound only. raw() and message() send what no careful implementation would.
"""
import os
import select
import socket
import struct
import time

from OpenSSL import SSL
from websockets.client import ClientConnection
from websockets.frames import Opcode
from websockets.server import ServerConnection
from websockets.uri import parse_uri

from . import cborx
from .protocol import FRAMES, RULES, symbol

TIMEOUT = 10
PATHS = {"c2s": ("/emsg/v1/c2s", "emsg-c2s.1"), "s2s": ("/emsg/v1/s2s", "emsg-s2s.1")}
NAMES = {number: name for name, number in FRAMES.items()}
PLAIN = {"put", "result", "push", "done", "credit", "req", "res", "event", "bye", "hello"}


class Timeout(Exception):
    """Nothing came in time."""


class Closed(Exception):
    """The link ended. bye: symbol of the bye frame, code: WebSocket close code; or None."""

    def __init__(self, bye=None, code=None):
        super().__init__(f"link ended, bye {bye}, close code {code}")
        self.bye, self.code = bye, code


def client_context():
    """TLS 1.3 without a judgement of certificates: links prove domain keys (9.2)."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_alpn_protos([b"http/1.1"])
    return context


class Wire:
    """TLS over a connected socket."""

    def __init__(self, sock, connection):
        self.sock, self.tls = sock, connection
        sock.setblocking(False)

    @classmethod
    def dial(cls, host, port, name, context=None):
        sock = socket.create_connection((host, port), TIMEOUT)
        connection = SSL.Connection(context or client_context(), sock)
        connection.set_tlsext_host_name(name.encode())
        connection.set_connect_state()
        wire = cls(sock, connection)
        wire.retry(connection.do_handshake)
        return wire

    @classmethod
    def accept(cls, sock, context):
        connection = SSL.Connection(context, sock)
        connection.set_accept_state()
        wire = cls(sock, connection)
        wire.retry(connection.do_handshake)
        return wire

    def retry(self, call, *arguments, timeout=TIMEOUT):
        end = time.monotonic() + timeout
        while True:
            try:
                return call(*arguments)
            except SSL.WantReadError:
                wait = ([self.sock], [])
            except SSL.WantWriteError:
                wait = ([], [self.sock])
            except (SSL.ZeroReturnError, SSL.SysCallError) as fault:
                raise Closed() from fault
            left = end - time.monotonic()
            if left <= 0 or not any(select.select(*wait, [], left)):
                raise Timeout(f"nothing in {timeout} s")

    def send(self, data):
        view = memoryview(data)
        while view:
            view = view[self.retry(self.tls.send, bytes(view[:16384])):]

    def receive(self, timeout=TIMEOUT):
        """Some bytes; b"" at the end."""
        try:
            return self.retry(self.tls.recv, 65536, timeout=timeout)
        except Closed:
            return b""
        except SSL.Error:
            return b""

    def exporter(self, label):
        return self.tls.export_keying_material(label, 32)

    def close(self):
        """At once and without a word, as a machine does that loses power."""
        self.sock.close()


def http_get(host, port, name, path, extra=""):
    """(status, headers, body) of a plain GET, with the connection closed after it."""
    wire = Wire.dial(host, port, name)
    wire.send(f"GET {path} HTTP/1.1\r\nHost: {name}\r\n{extra}\r\n".encode())
    data = b""
    while True:
        more = wire.receive()
        data += more
        head, _, body = data.partition(b"\r\n\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:]
                       if ": " in line)
        if not more or b"\r\n\r\n" in data and \
                len(body) >= int(headers.get("content-length", 1 << 30)):
            break
    wire.close()
    return int(head.split()[1]) if head else None, headers, body


class Link:
    """EMSG frames on a WebSocket, either side."""

    def __init__(self, wire, kind, server):
        self.wire, self.kind, self.server = wire, kind, server
        self.queue = []
        self.parts = b""
        self.bye = None
        self.code = None
        self.ended = False
        self.ws = None

    @classmethod
    def dial(cls, host, port, name, kind, subprotocol=True, wire=None):
        wire = wire or Wire.dial(host, port, name)
        link = cls(wire, kind, False)
        path, proto = PATHS[kind]
        link.ws = ClientConnection(parse_uri(f"wss://{name}{path}"),
                                   subprotocols=[proto] if subprotocol else None)
        link.ws.max_size = 1 << 20
        link.ws.send_request(link.ws.connect())
        link.flush()
        response = None
        while response is None:
            data = wire.receive()
            if not data:
                raise Closed()
            link.ws.receive_data(data)
            if link.ws.handshake_exc is not None:
                raise link.ws.handshake_exc
            for event in link.ws.events_received():
                if response is None:
                    response = event
                else:
                    link.on_event(event)
        if subprotocol and link.ws.subprotocol != proto:
            raise AssertionError(f"subprotocol {link.ws.subprotocol}")
        return link

    @classmethod
    def accept(cls, wire, request_data, kind):
        """The server's side; request_data is what was read of the request already."""
        link = cls(wire, kind, True)
        link.ws = ServerConnection(subprotocols=[PATHS[kind][1]])
        link.ws.receive_data(request_data)
        while True:
            events = link.ws.events_received()
            if events:
                break
            data = wire.receive()
            if not data:
                raise Closed()
            link.ws.receive_data(data)
        link.ws.send_response(link.ws.accept(events[0]))
        link.flush()
        return link

    def flush(self):
        for data in self.ws.data_to_send():
            if data:
                self.wire.send(data)

    def raw(self, data):
        """Bytes below the WebSocket."""
        self.wire.send(data)

    def message(self, data):
        """One binary WebSocket message."""
        self.ws.send_binary(data)
        self.flush()

    def rule(self, name):
        """The CDDL rule of a frame's body on this link."""
        return name if name in PLAIN else f"{name}-{self.kind}"

    def frame(self, name, number, body):
        """An encoded frame; body by member names, or integers for unknown members."""
        return cborx.encode([FRAMES[name], number, RULES.lower(self.rule(name), body)])

    def send(self, name, number=0, /, **body):
        """One frame in one message."""
        self.message(self.frame(name, number, body))

    def on_event(self, event):
        if event.opcode in (Opcode.BINARY, Opcode.CONT):
            self.parts += event.data
            if event.fin:
                data, self.parts = self.parts, b""
                for number, reply, body in cborx.sequence(data):
                    name = NAMES[number]
                    body = RULES.lift(self.rule(name), body)
                    if name == "bye":
                        self.bye = symbol(body["code"])
                    self.queue.append((name, reply, body))
        elif event.opcode is Opcode.TEXT:
            raise AssertionError("a text message from the server")
        elif event.opcode is Opcode.CLOSE:
            self.code = struct.unpack(">H", event.data[:2])[0] if len(event.data) >= 2 else 1005

    def receive(self, timeout=TIMEOUT):
        """The next frame as (name, id, body). Closed at the end, Timeout if nothing comes."""
        end = time.monotonic() + timeout
        while not self.queue:
            if self.ended:
                raise Closed(self.bye, self.code)
            data = self.wire.receive(max(end - time.monotonic(), 0))
            if data:
                self.ws.receive_data(data)
            else:
                self.ended = True
                if not self.ws.eof_sent:
                    self.ws.receive_eof()
            for event in self.ws.events_received():
                self.on_event(event)
            try:
                self.flush()
            except (Closed, SSL.Error, OSError):
                self.ended = True
        return self.queue.pop(0)

    def expect(self, name, timeout=TIMEOUT):
        """The body of the next frame, which must be of that name."""
        got, _, body = self.receive(timeout)
        if got == "bye" and name != "bye":
            raise Closed(*self.ending())
        if got != name:
            raise AssertionError(f"{got} instead of {name}: {body}")
        return body

    def ending(self, timeout=TIMEOUT):
        """Waits for the end; gives (bye symbol, close code)."""
        end = time.monotonic() + timeout
        while True:
            try:
                self.receive(max(end - time.monotonic(), 0))
            except Closed as closed:
                return closed.bye, closed.code

    def exporter(self, label):
        return self.wire.exporter(label)

    def close(self):
        self.wire.close()


def ws_frame(payload, opcode=2, fin=True, masked=True, rsv=0, length=None):
    """A WebSocket frame by hand, right or wrong. length: 0, 2 or 8 bytes of extended length."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size = len(payload)
    if length is None:
        length = 0 if size < 126 else 2 if size < 65536 else 8
    short = {0: size, 2: 126, 8: 127}[length]
    out = bytes([first, (0x80 if masked else 0) | short])
    out += size.to_bytes(length, "big") if length else b""
    if masked:
        mask = os.urandom(4)
        key = mask * (size // 4 + 1)
        payload = bytes(a ^ b for a, b in zip(payload, key))
        out += mask
    return out + payload
