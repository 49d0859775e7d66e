# SPDX-License-Identifier: ISC
"""tree - what the lint scripts share: the project's files, and how a rule is reported.

As a program it prints the names of the files with the suffixes that are its arguments.
"""
import os
import shutil
import subprocess
import sys

SRC = os.environ.get("EMSG_SRC") or os.path.abspath(
    os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("EMSG_BUILD") or os.path.join(SRC, "build")

LAYERS = ["compat", "base", "sandbox", "ipc", "wire", "crypto", "admin", "net", "conf"]
PROCESSES = ["master", "listener", "queue", "relay", "store", "keyd", "dialer", "control",
             "blob"]
CLIENTS = ["libemsg", "client", "cli", "web", "gateway"]


def names():
    """What version control knows, or has not been told to ignore."""
    if shutil.which("git") is None:
        print("skipped: rules about the sources, git is missing")
        sys.exit(77)
    # Root may look at a working copy of somebody else.
    out = subprocess.run(["git", "-c", "safe.directory=*", "-C", SRC, "ls-files", "-z", "-co",
                          "--exclude-standard"], stdout=subprocess.PIPE, check=True).stdout
    return [n for n in out.decode().split("\0") if n]


def files(*suffixes, under=None):
    """Sorted names relative to the top, by suffix and by first folder."""
    found = {n for n in names() if os.path.isfile(os.path.join(SRC, n))}
    if suffixes:
        found = {n for n in found if n.endswith(suffixes)}
    if under:
        found = {n for n in found if n.split("/")[0] in under}
    return sorted(found)


def c_files(under=None):
    """The C sources and headers that people wrote."""
    return [n for n in files(".c", ".h", under=under) if n != "config.h"]


def read(name):
    """A file's text; undecodable bytes do not stop a rule."""
    with open(os.path.join(SRC, name), encoding="utf-8", errors="replace") as f:
        return f.read()


class Rules:
    """Collects the rules of one script and ends it with the right status."""

    def __init__(self):
        self.bad = 0

    def report(self, rule, faults, seen=None):
        """One line for the rule, one line with ! for each fault."""
        if faults:
            self.bad += 1
            print(f"not ok {rule}: {len(faults)} faults")
            for fault in faults:
                print("! " + fault)
        else:
            print(f"ok {rule}" + (f" ({seen})" if seen else ""))

    def end(self):
        sys.exit(1 if self.bad else 0)


if __name__ == "__main__":
    print("\n".join(files(*sys.argv[1:])))
