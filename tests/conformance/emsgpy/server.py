# SPDX-License-Identifier: ISC
"""server - real servers and the real client, run below a temporary directory.

EMSG_BUILD names the folder of the built programs. Server has what device and peer need of a
server (host, port, pin, document()), Client runs the program emsg for one user.
"""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

from . import objects
from .protocol import SRC
from .tlsws import http_get

BUILD = os.environ.get("EMSG_BUILD") or os.path.join(SRC, "build")
PROGRAMS = ("emsgd", "emsgctl", "emsg", "emsg-listener", "emsg-store", "emsg-queue", "emsg-relay",
            "emsg-keyd", "emsg-dialer", "emsg-control")  # all but emsgctl and emsg are processes
CONFIG = """version: 1
domain: {domain}
listen: ["127.0.0.1:{port}"]
invite:
  host: 127.0.0.1
  port: {port}
registration:
  policy: invite
queue:
  segment_size: 4MiB
  retry_min: 1s
  retry_max: 2s
limits:
  connections_per_address: 500
  handshake_timeout: 5s
  requests_per_domain: 10000
  mailbox: 1MiB
dialer:
  allow_private: ["127.0.0.0/8"]
"""


def missing():
    """The programs that were not built."""
    return [p for p in PROGRAMS if not os.access(os.path.join(BUILD, p), os.X_OK)]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def until(ready, seconds, what):
    """Calls ready() until it gives something true."""
    end = time.monotonic() + seconds
    while True:
        value = ready()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} within {seconds} s")
        time.sleep(0.05)


class World:
    """A temporary directory with servers in it."""

    def __init__(self):
        if os.getuid() == 0:
            script = '. "$1/tests/e2e/lib.sh"; system_users "$1/debian/emsg-server.sysusers"'
            subprocess.run(["sh", "-c", script, "sh", SRC], check=True,
                           stdout=subprocess.DEVNULL)
        self.base = tempfile.mkdtemp(prefix="emsg-conformance-")
        os.chmod(self.base, 0o755)
        self.servers = []

    def server(self, domain, start=True):
        server = Server(os.path.join(self.base, domain.split(".")[1]), domain)
        self.servers.append(server)
        if start:
            server.start()
        return server

    def end(self):
        for server in self.servers:
            server.stop()
        if os.environ.get("EMSG_KEEP"):
            print(f"! kept {self.base}")
        else:
            shutil.rmtree(self.base, ignore_errors=True)


class Server:
    """A real server in a directory of its own."""

    def __init__(self, directory, domain):
        self.directory, self.domain = directory, domain
        self.host, self.port = "127.0.0.1", free_port()
        self.peers = []
        self.process = self.log = None
        os.mkdir(directory)
        self.write_config()
        self.ctl("setup", "--self-signed", "-x", BUILD)
        self.pin = bytes.fromhex(self.ctl("domain", "-x", BUILD)[0]["root"])

    def write_config(self):
        text = CONFIG.format(domain=self.domain, port=self.port)
        for number, peer in enumerate(self.peers):
            text += "" if number else "peers:\n"
            text += (f"  - domain: {peer.domain}\n    host: {peer.host}\n    port: {peer.port}\n"
                     f"    allow_private: true\n")
            if peer.trust == "pin":
                text += f"    pin: {peer.pin.hex()}\n"
            elif peer.trust == "certificate":
                text += f"    ca_file: {self.certificate_of(peer)}\n"
        with open(os.path.join(self.directory, "emsg.yaml"), "w", encoding="utf-8") as f:
            f.write(text)

    def certificate_of(self, peer):
        """A file with the peer's certificate, to be trusted as an authority's."""
        path = os.path.join(self.directory, f"{peer.domain}.pem")
        with open(path, "wb") as f:
            f.write(peer.certificate)
        return path

    def add_peers(self, *peers):
        """Tells where those domains are and how they are trusted; by reload if it runs."""
        self.peers += peers
        self.write_config()
        if self.process is not None:
            self.ctl("reload")

    def ctl(self, *arguments, check=True):
        """emsgctl; gives the JSON objects that it prints."""
        done = subprocess.run([os.path.join(BUILD, "emsgctl"), "-d", self.directory, "--json",
                               *arguments], capture_output=True, text=True, timeout=20,
                              check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"emsgctl {' '.join(arguments)}: {done.returncode}: "
                                 f"{done.stderr.strip()}")
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def emsgq(self, *arguments):
        done = subprocess.run([os.path.join(BUILD, "emsgq"), "-d", self.directory, "--json",
                               *arguments], capture_output=True, text=True, timeout=20,
                              check=False)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def start(self):
        self.log = open(os.path.join(self.directory, "log"), "ab")
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "emsgd"), "-F", "-d", self.directory, "-x", BUILD],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until(self.serves, 15, f"{self.domain} serves")

    def serves(self):
        if self.process.poll() is not None:
            raise AssertionError(f"emsgd ended with {self.process.returncode}: {self.tail()}")
        try:
            return len(self.pids()) == len(PROGRAMS) - 2 and self.document()
        except Exception:  # not yet
            return False

    def tail(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as f:
            return " / ".join(f.read().splitlines()[-5:])

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
            self.log.close()

    def pids(self):
        """{process: pid}; anything that ended and was started again changes it."""
        return {row["name"]: row["pid"] for row in self.ctl("status", check=False)
                if row["state"] == "ready"}

    def document(self):
        """The domain document that it serves."""
        status, _, body = http_get(self.host, self.port, self.domain, "/.well-known/emsg")
        if status != 200:
            raise AssertionError(f"/.well-known/emsg: {status}")
        return body

    def invite(self, name=None):
        """The members of a new invitation, and its text."""
        arguments = ["--user", f"{name}#{self.domain}"] if name else []
        text = self.ctl("invite", "create", *arguments)[0]["invite"]
        return objects.read_invite(text), text


class Client:
    """The program emsg, as one user or one more device of an account."""

    def __init__(self, base, name, invitation, *arguments):
        self.home = os.path.join(base, f"user-{name}")
        os.mkdir(self.home, 0o700)
        self.registered = self.run("register", invitation, "--no-passphrase", *arguments)

    def command(self, *arguments):
        return [os.path.join(BUILD, "emsg"), *arguments, "--home", self.home, "--json"]

    def start(self, *arguments):
        """Runs a command at the same time; finished() gives its output."""
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def finished(process, timeout=20):
        """The JSON objects that a command printed; it must have succeeded."""
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            process.kill()
        if process.returncode != 0:
            raise AssertionError(f"{' '.join(process.args[1:3])}: {process.returncode}: "
                                 f"{err.strip() or out.strip()}")
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def run(self, *arguments, timeout=20):
        """Runs a command; gives the JSON objects that it prints."""
        return self.finished(self.start(*arguments), timeout)
