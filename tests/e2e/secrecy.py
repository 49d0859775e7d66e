#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What servers must not have: users' private keys and what they wrote are in no core (gcore) of
any server process and in no file of a server; a server's own private keys are in keyd's core
only. The public halves of the same keys, ids of messages and other markers are found by the same
search, so that it is known to search."""
import base64
import glob
import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import cbor2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SRC = os.environ.get("EMSG_SRC") or os.path.abspath(os.path.join(os.path.dirname(__file__),
                                                                 "../.."))
BUILD = os.environ.get("EMSG_BUILD") or os.path.join(
    os.environ.get("EMSG_WORK", os.path.join(SRC, "build-check")), "gcc")
ADDRESS = {"alice": "alice#im.alpha.test", "bob": "bob#im.beta.test"}
HOME = {"alice": "alpha", "bob": "beta"}
PROCESSES = ("master", "listener", "queue", "relay", "store", "keyd", "dialer", "control")
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
STEP = 1 << 24
SELF_SEEDS = {6: "identity", 7: "list", 9: "device"}  # rows.c: row-self
DB_SELF, DB_PREKEY = 1, 2

failures = 0


def verdict(name, good, why=""):
    global failures
    failures += not good
    print(f"ok secrecy: {name}" if good else f"not ok secrecy: {name}: {why}", flush=True)


def run(*args, **kw):
    return subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=120, **kw)


def must(*args, **kw):
    out = run(*args, **kw)
    if out.returncode != 0:
        raise RuntimeError(f"{' '.join(args[:4])} …: {out.stderr.strip()[-300:]}")
    return out.stdout


class World:
    """Two servers and two users, made by lib.sh."""

    def __init__(self):
        self.base = tempfile.mkdtemp(prefix="emsg-secrecy-")
        self.env = {**os.environ, "EMSG_SRC": SRC, "EMSG_BUILD": BUILD, "EMSG_RUN": self.base}
        for server in HOME.values():
            # A small map, for the cores' sake.
            os.makedirs(os.path.join(self.base, server, "conf.d"))
            with open(os.path.join(self.base, server, "conf.d/store.yaml"), "w",
                      encoding="ascii") as f:
                f.write("store:\n  map_size: 64MiB\n")
        self.shell("two_servers")
        for user, server in HOME.items():
            invite = json.loads(self.ctl(server, "user", "add", user, "--json"))["invite"]
            self.emsg(user, "register", "--no-passphrase", invite)
        self.shell('user() { who=$1; shift; "$EMSG_BUILD/emsg" --home "$EMSG_RUN/$who" "$@"; }; '
                   f"befriend alice '{ADDRESS['alice']}' bob '{ADDRESS['bob']}'")

    def shell(self, command):
        must("sh", "-c", f'. "$EMSG_SRC/tests/e2e/lib.sh"; {command}', env=self.env)

    def ctl(self, server, *args):
        return must(os.path.join(BUILD, "emsgctl"), "-d", os.path.join(self.base, server), *args)

    def emsg(self, user, *args):
        return must(os.path.join(BUILD, "emsg"), "--home", os.path.join(self.base, user), *args)

    def pids(self, server):
        rows = map(json.loads, self.ctl(server, "status", "--json").splitlines())
        return {o["name"]: o["pid"] for o in rows}

    def send(self, user, to, text):
        return json.loads(self.emsg(user, "send", ADDRESS[to], text, "--json"))["mid"]

    def until_history(self, user, mid):
        end = time.monotonic() + 30
        while mid not in self.emsg(user, "history", "--json"):
            if time.monotonic() > end:
                raise RuntimeError(f"{user} does not get {mid}")
            time.sleep(0.2)

    def end(self):
        for path in glob.glob(os.path.join(self.base, "*/run/emsgd.pid")):
            with open(path, encoding="ascii") as f:
                pid = int(f.read())
            try:
                os.kill(pid, 15)
                while os.path.exists(f"/proc/{pid}"):
                    time.sleep(0.1)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.base, ignore_errors=True)


# --- the users' keys, from their databases ------------------------------------------------------

def hkdf(ikm, info):
    prk = hmac.digest(bytes(32), ikm, "sha256")
    return hmac.digest(prk, info + b"\x01", "sha256")


def database_rows(path, kind):
    """The values of one kind in a client's database that has no passphrase."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    vault = cbor2.loads(db.execute("SELECT value FROM meta WHERE name = 'vault'").fetchone()[0])
    seal = AESGCM(hkdf(vault[7], b"emsg-db-seal-v1"))
    for key, value in db.execute("SELECT key, value FROM rec WHERE kind = ?", (kind,)):
        yield cbor2.loads(seal.decrypt(value[:12], value[12:], bytes([kind]) + key))
    db.close()


def user_keys(world, user):
    """name -> (private, public) of all the keys of a user's device."""
    path, = glob.glob(os.path.join(world.base, user, "*/account.db"))
    keys = {}
    for row in database_rows(path, DB_SELF):
        for member, name in SELF_SEEDS.items():
            if member in row and isinstance(row[member], bytes) and len(row[member]) == 32:
                seed = row[member]
                public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
                keys[f"{user}'s {name} key"] = seed, public.public_bytes(*RAW)
    for n, row in enumerate(database_rows(path, DB_PREKEY)):
        public = X25519PrivateKey.from_private_bytes(row[2]).public_key()
        keys[f"{user}'s prekey {n}"] = row[2], public.public_bytes(*RAW)
    return keys


def server_keys(world, server):
    """name -> every form in which a private key of the server may lie in memory."""
    def load(name):
        with open(os.path.join(world.base, server, name), "rb") as f:
            return serialization.load_pem_private_key(f.read(), None)

    def seed(name):
        return load(name).private_bytes(serialization.Encoding.Raw,
                                        serialization.PrivateFormat.Raw,
                                        serialization.NoEncryption())
    scalar = load("tls/key.pem").private_numbers().private_value
    root = seed("keys/offline/domain-root.pem")
    sign = seed("keys/domain-sign.pem")
    return {"the signing key": [sign, hashlib.sha512(sign).digest()[:32]],
            "the TLS key": [scalar.to_bytes(32, "big"), scalar.to_bytes(32, "little")],
            "the root key": [root]}


# --- searching ----------------------------------------------------------------------------------

def find(path, needles):
    """The names of those needles (name -> list of bytes) that the file has, also as base64."""
    overlap = max(len(n) for v in needles.values() for n in v) - 1
    found, tail = set(), b""
    with open(path, "rb") as f:
        while block := f.read(STEP):
            block = tail + block
            found.update(k for k, v in needles.items() if any(n in block for n in v))
            tail = block[-overlap:] if overlap else b""
    return found


def forms(secret):
    """The secret as it is and as text."""
    plain = [secret, secret.hex().encode(), base64.b64encode(secret)[:-4]]
    return plain + [base64.urlsafe_b64encode(secret)[:-4]]


def server_files(world, server):
    for top, _, names in os.walk(os.path.join(world.base, server)):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path) and os.path.relpath(
                    path, os.path.join(world.base, server)).split(os.sep)[0] not in (
                        "keys", "tls", "setup", "cores"):
                yield path


def dump_cores(world, server):
    """process -> path of its core, with the mappings that are kept out of ordinary cores."""
    where = os.path.join(world.base, server, "cores")
    os.makedirs(where, exist_ok=True)
    cores = {}
    for process, pid in world.pids(server).items():
        out = run("gcore", "-a", "-o", os.path.join(where, process), str(pid))
        path = os.path.join(where, f"{process}.{pid}")
        if os.path.exists(path):
            cores[process] = path
        else:
            raise PermissionError(f"{process}: {out.stderr.strip().splitlines()[-1:]}")
    return cores


# --- the test -----------------------------------------------------------------------------------

def judge_search(server, cores, files, keys, mids):
    """The search finds what is there."""
    domain = f"im.{server}.test".encode()
    missing = [p for p, core in cores.items() if not find(core, {"domain": [domain]})]
    verdict(f"{server}: a marker is found in every core", not missing, missing)
    public = {name: [pair[1]] for name, pair in keys.items()
              if name.startswith({v: k for k, v in HOME.items()}[server])}
    stored = set().union(*(find(path, public) for path in files))
    verdict(f"{server}: public halves of its user's keys are found in its files",
            stored == set(public), set(public) - stored)
    ids = {"mid": [bytes.fromhex(mids[server])]}
    verdict(f"{server}: the id of a message that waits is found in its files",
            any(find(path, ids) for path in files), mids[server])


def judge_secrets(server, cores, files, keys, texts):
    needles = {name: forms(pair[0]) for name, pair in keys.items()}
    needles.update({f"the text {t}": [t.encode(), base64.b64encode(t.encode())[:-4]]
                    for t in texts})
    for what, paths in (("core", list(cores.items())), ("file", [(p, p) for p in files])):
        bad = {os.path.basename(name): found for name, path in paths
               if (found := find(path, needles))}
        verdict(f"{server}: users' {len(keys)} private keys and {len(texts)} texts are in no "
                f"{what} of {len(paths)}", not bad, bad)


def judge_own(world, server, cores, files):
    needles = {name: [f for n in v for f in forms(n)]
               for name, v in server_keys(world, server).items()}
    held = {process: find(core, needles) for process, core in cores.items()}
    verdict(f"{server}: keyd's core has the signing key and the TLS key, not the root key",
            held["keyd"] == {"the signing key", "the TLS key"}, held["keyd"])
    bad = {p: f for p, f in held.items() if p != "keyd" and f}
    verdict(f"{server}: no other core has a private key of the server", not bad, bad)
    bad = {os.path.basename(p): f for p in files if (f := find(p, needles))}
    verdict(f"{server}: no spool, mailbox or log has one", not bad, bad)


def waiting(world, server, texts):
    """Brings a message to where it waits on that server: in alpha's queue, in beta's mailbox."""
    if server == "alpha":
        world.shell("server_stop beta")
    texts.append(f"plain-{os.urandom(16).hex()}")
    mid = world.send("alice", "bob", texts[-1])
    time.sleep(2)
    return mid


def test(world):
    keys = {**user_keys(world, "alice"), **user_keys(world, "bob")}
    verdict(f"{len(keys)} private keys of the users are known", len(keys) >= 8, list(keys))
    texts, mids, cores = [], {}, {}
    for sender, to in (("alice", "bob"), ("bob", "alice")):
        texts.append(f"plain-{os.urandom(16).hex()}")
        world.until_history(to, world.send(sender, to, texts[-1]))
    for server in ("beta", "alpha"):
        mids[server] = waiting(world, server, texts)
        cores[server] = dump_cores(world, server)
    for server, core in cores.items():
        files = list(server_files(world, server))
        judge_search(server, core, files, keys, mids)
        judge_secrets(server, core, files, keys, texts)
        judge_own(world, server, core, files)


def main():
    for tool in ("gcore", os.path.join(BUILD, "emsg")):
        if shutil.which(tool) is None:
            print(f"skipped: secrecy, {tool} is missing")
            return 0
    world = None
    try:
        world = World()
        test(world)
    except PermissionError as e:
        print(f"skipped: secrecy, gdb may not read a process: {e}")
    except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as e:
        verdict("the test itself", False, e)
    finally:
        if world:
            world.end()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
