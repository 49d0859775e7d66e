#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""sources - small rules about single files: licence line, names, comparisons of secrets."""
import collections
import os
import re

import tree

LICENCE = "SPDX-License-Identifier: ISC"
# Compared in constant time or not at all.
SECRET = re.compile(r"(?<![A-Za-z_])(?:memcmp|strcmp)\s*\("
                    r"[^;]*(?:secret|token|passphrase|priv|seed|hmac)", re.I)
UNSAFE = re.compile(r"(?<![A-Za-z_])(?:strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol"
                    r"|alloca|system|popen|mktemp|tmpnam)\s*\(")
SETUID = re.compile(r"chmod\s+(?:[ug]\+s|[2467]\d{3})|dpkg-statoverride|install.*-m\s*[2467]\d{3}")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
MAINS = ("main.c",)


def licence(rules):
    faults = []
    names = tree.files(".c", ".h", ".py", ".sh")
    for name in names:
        if not any(LICENCE in line for line in tree.read(name).splitlines()[:2]):
            faults.append(name)
    rules.report("sources: each begins with its licence", faults, f"{len(names)} files")


def basenames(rules):
    """A basename tells where one is; every process has a main.c, nothing else repeats."""
    seen = collections.defaultdict(list)
    for name in tree.c_files():
        if os.path.basename(name) not in MAINS:
            seen[os.path.basename(name)].append(name)
    faults = [" = ".join(names) for names in seen.values() if len(names) > 1]
    rules.report("sources: basenames are unique", faults, f"{len(seen)} names")


def without_comments(text):
    return COMMENT.sub(lambda m: "\n" * m.group().count("\n"), text)


def matching(pattern, names):
    faults = []
    for name in names:
        for number, line in enumerate(without_comments(tree.read(name)).splitlines(), 1):
            if pattern.search(line):
                faults.append(f"{name}:{number}: {line.strip()}")
    return faults


def main():
    rules = tree.Rules()
    licence(rules)
    basenames(rules)
    ours = [n for n in tree.c_files() if not n.startswith("tests/")]
    rules.report("sources: secrets are compared in constant time", matching(SECRET, ours))
    rules.report("sources: no function without bounds", matching(UNSAFE, tree.c_files()))
    build = tree.files("Makefile.inc", ".am", ".ac", ".m4", under=None) + \
        tree.files(under=["debian"])
    rules.report("sources: nothing is installed setuid or setgid", matching(SETUID, build))
    rules.end()


main()
