#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Messages cross from alice to bob, on two servers, while each process of both servers in turn is
killed (-9) with messages unacknowledged at that moment. In the end bob has every message exactly
once and in order, alice knows the true fate of each, and no queue holds anything.

alice's messages are stored by one `emsg send` each and taken to her server by another emsg that
holds the link; bob's emsg follows. A master that was killed is started again by the test, after
its children have ended by themselves. EMSG_LONG=1: 1,000 messages and at least 10 kills of each
process; else 100 messages and at least one kill each. An argument names
another build of tests/suite.sh than gcc's; the one by clang carries the sanitizers."""
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

SRC = os.environ.get("EMSG_SRC") or os.path.abspath(os.path.join(os.path.dirname(__file__),
                                                                 "../.."))
BUILD = os.environ.get("EMSG_BUILD") or os.path.join(
    os.environ.get("EMSG_WORK", os.path.join(SRC, "build-check")), *sys.argv[1:2] or ("gcc",))
LONG = os.environ.get("EMSG_LONG", "0") == "1"
SEED = int(os.environ.get("EMSG_SEED", "2"))

MESSAGES = 1000 if LONG else 100
ROUNDS = 10 if LONG else 1
LEAST_SECONDS = 60 if LONG else 10  # that the messages are spread over, at least
PAUSE = 0.15    # seconds between two messages; they go on until the last kill
READY = 60      # seconds within which a killed process must be ready again
ARRIVAL = 180   # seconds after the last message within which all must be over
PROCESSES = ("listener", "queue", "relay", "store", "keyd", "dialer", "control", "master")
ADDRESS = {"alice": "alice#im.alpha.test", "bob": "bob#im.beta.test"}
FINAL = ("arrived", "on-device", "read")


class Failure(Exception):
    """What went wrong, for the one line of the report."""


def run(*args, **kw):
    return subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=120, **kw)


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def until(seconds, what, test):
    end = time.monotonic() + seconds
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def alive(pid):
    """Whether that process is there; one that only waits for its parent is not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Server:
    """One server, started and started again."""

    def __init__(self, base, name):
        self.name = name
        self.dir = os.path.join(base, name)
        self.log = open(os.path.join(self.dir, "log"), "ab")
        self.master = None
        self.kills = collections.Counter()
        self.at_stake = collections.defaultdict(list)

    def ctl(self, *args):
        return run(os.path.join(BUILD, "emsgctl"), "-d", self.dir, *args)

    def start(self):
        self.master = subprocess.Popen(
            [os.path.join(BUILD, "emsgd"), "-F", "-d", self.dir, "-x", BUILD],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log,
            start_new_session=True)
        self.ready()

    def ready(self):
        until(READY, f"{self.name} is ready", lambda: self.ctl("status").returncode == 0)

    def pids(self):
        out = self.ctl("status", "--json")
        return {o["name"]: o["pid"] for o in objects(out.stdout) if "pid" in o}

    def kill(self, process, at_stake):
        """Kills one process while what at_stake() counts is at stake, and waits until it is back."""
        pids = self.pids()
        n = until(30, "a message is on its way", at_stake)
        os.kill(pids[process], 9)
        self.kills[process] += 1
        self.at_stake[process].append(n)
        if process == "master":
            self.master.wait()
            children = [pid for name, pid in pids.items() if name != "master"]
            until(30, f"the children of {self.name} end with their master",
                  lambda: not any(map(alive, children)))
            self.start()
            return
        until(READY, f"{self.name}'s {process} is back",
              lambda: self.pids().get(process, pids[process]) != pids[process])
        self.ready()
        self.others_stayed(process, pids)

    def others_stayed(self, process, before):
        after = self.pids()
        gone = [p for p in before if p != process and after.get(p) != before[p]]
        if gone:
            raise Failure(f"{self.name}: {gone} ended when {process} was killed")

    def queued(self):
        out = run(os.path.join(BUILD, "emsgq"), "-d", self.dir, "list", "--json")
        if out.returncode != 0:
            raise Failure(f"emsgq: {out.stderr.strip()}")
        return objects(out.stdout)

    def stop(self):
        if self.master and self.master.poll() is None:
            self.master.terminate()
            self.master.wait(30)


class User:
    """alice or bob: commands, and one emsg that follows."""

    def __init__(self, base, name):
        self.home = os.path.join(base, name)
        self.name = name
        self.shown = []
        self.errors = open(self.home + ".err", "ab")
        self.follower = None
        os.mkdir(self.home, 0o700)

    def command(self, *args):
        return [os.path.join(BUILD, "emsg"), args[0], "--home", self.home, "--json", *args[1:]]

    def emsg(self, *args):
        return run(*self.command(*args))

    def must(self, *args):
        out = self.emsg(*args)
        if out.returncode != 0:
            raise Failure(f"emsg {' '.join(args)}: {out.returncode}, {out.stderr.strip()}")
        return objects(out.stdout)

    def follow(self):
        self.follower = subprocess.Popen(
            self.command("receive", "--follow"), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.errors, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.follower.stdout:
            self.shown.append(json.loads(line)["mid"])

    def stop(self):
        if self.follower and self.follower.poll() is None:
            self.follower.terminate()
            self.follower.wait(30)


class Sender(threading.Thread):
    """alice's messages, one emsg each, at a pace."""

    def __init__(self, alice, pause):
        super().__init__(daemon=True)
        self.alice, self.pause = alice, pause
        self.mids = []
        self.failure = None
        self.more = True

    def run(self):
        try:
            begin = time.monotonic()
            while len(self.mids) < MESSAGES or self.more:
                n = len(self.mids)
                out = self.alice.must("send", "--offline", ADDRESS["bob"], f"message {n}")
                self.mids.append(out[0]["mid"])
                time.sleep(max(0, begin + self.pause * (n + 1) - time.monotonic()))
        except (Failure, OSError, subprocess.SubprocessError) as e:
            self.failure = str(e)


class World:
    """Two servers that know each other, and two users who do."""

    def __init__(self, base):
        script = """
            . "$EMSG_SRC/tests/e2e/lib.sh"
            a=$(test_port 0); b=$(free_port $((a + 1)))
            server_init alpha im.alpha.test "$a" && server_init beta im.beta.test "$b" &&
            server_peer alpha im.beta.test "$b" "pin: $(server_pin beta)" &&
            server_peer beta im.alpha.test "$a" "pin: $(server_pin alpha)" """
        out = run("sh", "-c", script,
                  env={**os.environ, "EMSG_SRC": SRC, "EMSG_BUILD": BUILD, "EMSG_RUN": base})
        if out.returncode != 0:
            raise Failure(f"setup: {out.stderr}")
        self.alpha, self.beta = self.servers = Server(base, "alpha"), Server(base, "beta")
        self.alice, self.bob = User(base, "alice"), User(base, "bob")

    def start(self):
        for server, user in zip(self.servers, (self.alice, self.bob)):
            server.start()
            invite = objects(server.ctl("user", "add", user.name, "--json").stdout)[0]["invite"]
            user.must("register", "--no-passphrase", invite)
        self.alice.must("contact", "add", ADDRESS["bob"])
        until(20, "bob may grant", lambda: self.bob.emsg(
            "contact", "grant", ADDRESS["alice"]).returncode == 0)
        until(20, "alice has consent", lambda: self.alice.must(
            "contact", "show", ADDRESS["bob"])[0]["state"] == "full")
        self.alice.follow()
        self.bob.follow()

    def stop(self):
        for part in (*self.servers, self.alice, self.bob):
            part.stop()


def kill_all(world, sender, rng):
    """Every process of both servers, in turn, again and again."""
    def at_stake():
        if sender.failure:
            raise Failure(sender.failure)
        return len(sender.mids) - len(world.bob.shown)

    rounds = 0
    while rounds < ROUNDS or len(sender.mids) < MESSAGES:
        for process in PROCESSES:
            for server in world.servers:
                time.sleep(rng.uniform(0, 0.3))
                server.kill(process, at_stake)
        rounds += 1
        if LONG:
            print(f"! round {rounds}: {len(sender.mids)} sent, {len(world.bob.shown)} shown",
                  flush=True)


def report_kills(world):
    for server in world.servers:
        for process in PROCESSES:
            print(f"! {server.name} {process}: {server.kills[process]} kills, unacknowledged "
                  f"{' '.join(map(str, server.at_stake[process]))}")


def verdict(name, good, why):
    print(f"ok kill: {name}" if good else f"not ok kill: {name}: {why}", flush=True)
    return good


def differences(sent, got):
    lost = [i for i, mid in enumerate(sent) if mid not in got]
    twice = [mid for mid, n in collections.Counter(got).items() if n > 1]
    return (f"{len(sent)} sent, {len(got)} there, lost {lost[:9]}, "
            f"{len(twice)} more than once, {len(set(got) - set(sent))} unknown")


def states(user):
    return {o["mid"]: o["state"] for o in user.must("fates", "--offline")}


def judge(world, sent):
    bob, alice = world.bob, world.alice

    def all_over():
        known = states(alice)
        return set(sent) <= set(bob.shown) and all(known.get(m) in FINAL for m in sent)

    try:
        until(ARRIVAL, "all is shown and known", all_over)
        # Nobody makes new items, such as receipts, from now on.
        alice.stop()
        bob.stop()
        until(ARRIVAL, "the queues are empty",
              lambda: not any(server.queued() for server in world.servers))
    except Failure as e:
        print(f"! {e}")
    history = [o["mid"] for o in bob.must("history", "--offline", ADDRESS["alice"])]
    known = states(alice)
    wrong = collections.Counter(known.get(m) for m in sent if known.get(m) not in FINAL)
    rest = [o for server in world.servers for o in server.queued()]
    return all([
        verdict(f"{len(sent)} messages are in bob's history once and in order",
                history == sent, differences(sent, history)),
        verdict("bob's terminal showed each exactly once",
                sorted(bob.shown) == sorted(sent), differences(sent, bob.shown)),
        verdict("alice sees the true fate of each", not wrong, dict(wrong)),
        verdict("nothing is left in the queues", not rest, rest[:3]),
    ])


def test(base):
    world = World(base)
    try:
        world.start()
        sender = Sender(world.alice, PAUSE)
        begin = time.monotonic()
        sender.start()
        try:
            kill_all(world, sender, random.Random(SEED))
        finally:
            sender.more = False
            report_kills(world)
        sender.join(LEAST_SECONDS + 60)
        seconds = time.monotonic() - begin
        if sender.failure or sender.is_alive():
            raise Failure(sender.failure or "the sender does not end")
        least = min(n for s in world.servers for p in PROCESSES for n in s.at_stake[p])
        kills = min(s.kills[p] for s in world.servers for p in PROCESSES)
        good = verdict(f"{len(sender.mids)} messages in {seconds:.0f} s, every process killed "
                       f"{kills} times or more, unacknowledged each time",
                       kills >= ROUNDS and least > 0 and seconds >= LEAST_SECONDS
                       and len(sender.mids) >= MESSAGES, f"kills {kills}, at stake {least}")
        return judge(world, sender.mids) and good
    finally:
        world.stop()


def main():
    # The sanitizers end a process at once; looking for leaks is not possible in its cage.
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1")
    base = tempfile.mkdtemp(prefix="emsg-kill-")
    good = False
    try:
        good = test(base)
    except (Failure, OSError, subprocess.SubprocessError) as e:
        verdict("the test itself", False, str(e))
    finally:
        if not good and os.environ.get("EMSG_KEEP"):
            print(f"! kept {base}")
        else:
            shutil.rmtree(base, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
