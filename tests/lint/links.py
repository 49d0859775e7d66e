#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""links - who is linked with what: a process without a library cannot be talked into using it.

Looks at the built programs: the libraries that they ask for, and the symbols that they
take from them or carry themselves.
"""
import os
import re
import subprocess
import sys

import tree

SERVERS = ["emsgd", "emsg-listener", "emsg-queue", "emsg-relay", "emsg-store", "emsg-keyd",
           "emsg-dialer", "emsg-control"]
TOOLS = ["emsgctl", "emsgq", "emsg", "libemsg.so"]
# Library, prefix of its symbols, and the only ones that may have it.
RULES = [
    ("libssl", r"SSL_", {"emsg-listener", "emsg-relay", "emsg", "libemsg.so"}),
    ("liblmdb", r"mdb_", {"emsg-queue", "emsg-store"}),
    ("libyaml", r"yaml_", {"emsgd"}),
    ("libsqlite3", r"sqlite3_", {"emsg", "libemsg.so"}),
]
# Who may call what makes or reads private keys of the server.
PRIVATE = re.compile(r"^(?:keyring_\w+|PEM_read\w*PrivateKey|d2i_\w*PrivateKey\w*)$")
PRIVATE_USERS = {"emsg-keyd", "emsgctl", "emsg", "libemsg.so"}
# relay gets its sockets from dialer; these neither make nor reach one.
NO_SOCKET = {"emsg-relay", "emsg-queue", "emsg-store", "emsg-keyd"}
SOCKET = re.compile(r"^(?:socket|connect|bind|getaddrinfo)$")


def built(program):
    """The path of a built program or library, behind libtool's wrapper; None if not built."""
    for folder in (".", "libemsg", "client"):
        for sub in (".libs", "."):
            path = os.path.join(tree.BUILD, folder, sub, program)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    if f.read(4) == b"\x7fELF":
                        return path
    return None


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def needed(path):
    return re.findall(r"\(NEEDED\).*\[([^\]]+)\]", output("readelf", "-dW", path))


def symbols(path):
    """All names that the program takes from libraries or carries itself."""
    names = [line.split()[-1].split("@")[0] for line in output("nm", path).splitlines() if line]
    return set(names)


def main():
    rules = tree.Rules()
    found = {p: path for p in SERVERS + TOOLS if (path := built(p)) is not None}
    if not found:
        print("skipped: links, no program has been built")
        sys.exit(77)
    names = {p: symbols(path) for p, path in found.items()}
    for library, prefix, users in RULES:
        faults = [f"{p} asks for {n}" for p, path in found.items() if p not in users
                  for n in needed(path) if n.startswith(library)]
        faults += [f"{p} has {n}" for p in found if p not in users
                   for n in sorted(names[p]) if re.match(prefix, n)]
        rules.report(f"links: {library} only in {', '.join(sorted(users))}", faults,
                     f"{len(found)} programs")
    rules.report("links: private keys are read by keyd and the owner's tools only",
                 [f"{p} has {n}" for p in found if p not in PRIVATE_USERS
                  for n in sorted(names[p]) if PRIVATE.match(n)])
    rules.report("links: processes without network make no socket",
                 [f"{p} has {n}" for p in found if p in NO_SOCKET
                  for n in sorted(names[p]) if SOCKET.match(n)])
    made = [os.path.basename(p) for p in os.environ.get("EMSG_PROGRAMS", "").split()]
    rules.report("links: every program was looked at", [f"no {p}" for p in made
                                                        if p not in found])
    rules.end()


main()
