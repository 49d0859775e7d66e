#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""layers - who may include whom: a layer knows the ones below it, a process never another."""
import os
import re

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
BELOW = {
    "compat": [],
    "base": ["compat"],
    "sandbox": ["compat", "base"],
    "ipc": ["compat", "base", "sandbox"],
    "wire": ["compat", "base"],
    "crypto": ["compat", "base", "wire"],
    "admin": ["compat", "base", "sandbox", "ipc", "wire"],
    "net": ["compat", "base", "sandbox", "ipc", "wire", "crypto"],
    "conf": ["compat", "base", "sandbox", "ipc", "wire"],
}
# A library for other people's programs has no business with our processes' plumbing.
LIBEMSG = ["compat", "base", "wire", "crypto", "net"]


def part(name):
    """'base' for lib/base/buf.c, 'queue' for queue/qdb.c."""
    words = name.split("/")
    return words[1] if words[0] == "lib" else words[0]


def resolve(name, header, known):
    """The file that the compiler would take, or None."""
    for candidate in (os.path.join(os.path.dirname(name), header), "lib/" + header, header):
        candidate = os.path.normpath(candidate)
        if candidate in known:
            return candidate
    return None


def allowed(name):
    """The parts that this file may include, besides its own."""
    here = part(name)
    if here in BELOW:
        return BELOW[here]
    if here == "libemsg":
        return LIBEMSG
    if here in tree.PROCESSES:
        return tree.LAYERS
    return tree.LAYERS + ["libemsg"]


def main():
    rules = tree.Rules()
    known = set(tree.c_files())
    unknown, upward, count = [], [], 0
    for name in sorted(known):
        if name.split("/")[0] in ("tests", "bench"):
            continue
        for header in INCLUDE.findall(tree.read(name)):
            count += 1
            target = resolve(name, header, known)
            if target is None:
                if header != "config.h":
                    unknown.append(f"{name}: no {header} in the tree")
            elif part(target) != part(name) and part(target) not in allowed(name):
                upward.append(f"{name} includes {target}")
    rules.report("layers: every included header exists", unknown, f"{count} includes")
    rules.report("layers: nothing is included upward or sideways", upward,
                 f"{len(known)} files")
    rules.end()


main()
