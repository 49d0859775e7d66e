# SPDX-License-Identifier: ISC
"""people - what the tests with servers share: servers once a script, fresh users for each test."""
import itertools

from .device import Account, Device
from .runner import Skip
from .server import World, missing

COUNT = itertools.count(1)


class Town:
    """The servers of one script, started when the first test asks for one."""

    def __init__(self, suite, peers_of=None):
        """peers_of(server) gives the foreign servers that the configuration names."""
        self.suite, self.peers_of = suite, peers_of
        self.world = None
        self.made = {}
        self.failed = None
        suite.at_end.append(self.end)
        suite.after_each.append(self.undisturbed)
        self.known = {}
        self.open = []

    def base(self):
        if self.failed:
            raise Skip(self.failed)
        if missing():
            self.failed = "programs are missing"
            raise AssertionError(f"not built: {' '.join(missing())}")
        if self.world is None:
            self.world = World()
        return self.world

    def server(self, domain="im.alpha.test"):
        world = self.base()
        if domain not in self.made:
            self.failed = f"{domain} did not start"
            server = world.server(domain, start=False)
            peers = self.peers_of(server) if self.peers_of else []
            if peers:
                server.add_peers(*peers)
            server.start()
            self.made[domain] = server
            self.known[domain] = server.pids()
            self.failed = None
        return self.made[domain]

    def undisturbed(self):
        """After each test: links closed, and no process has ended meanwhile."""
        for device in self.open:
            device.close()
        self.open.clear()
        for domain, server in self.made.items():
            if server.pids() != self.known[domain]:
                before, self.known[domain] = self.known[domain], server.pids()
                raise AssertionError(f"processes of {domain} were {before}, "
                                     f"are {self.known[domain]}: {server.tail()}")

    def end(self):
        if self.world is not None:
            self.world.end()

    @staticmethod
    def name(stem="user"):
        return f"{stem}{next(COUNT)}"

    def device(self, server=None, stem="user"):
        """An unregistered account with one device, not connected."""
        server = server or self.server()
        device = Device(Account(f"{self.name(stem)}#{server.domain}"), server=server)
        self.open.append(device)
        return device

    def user(self, server=None, stem="user"):
        """A new account, registered and logged in."""
        device = self.device(server, stem)
        invite, _ = device.server.invite(device.account.address.split("#")[0])
        device.connect()
        device.register(invite["token"])
        return device.login()
