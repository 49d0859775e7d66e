#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""words - nothing is left open in a comment, and no file knows the machine it was written on."""
import re

import tree

# Spelled so that this file does not find itself.
OPEN = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b")
MACHINE = re.compile(r"(?<![\w.])/(?:wor[k]|roo[t]|hom[e]/\w+)/|\.\./share[d]/|backgroun[d]/\w+\.md")
TRAILER = re.compile(r"co-authore[d]-by|generate[d] (?:by|with) |\bassistan[t]\b", re.I)
REGISTRY = re.compile(r"pypi\.or[g]|registry\.npmj[s]|deb\.debian\.or[g]|crates\.i[o]"
                      r"|proxy\.golan[g]")
BINARY = (".cbor", ".bin", ".png", ".mdb")
NOT_OURS = ("tests/fuzz/corpus/", "tests/vectors/third-party/")


def main():
    rules = tree.Rules()
    names = [n for n in tree.files()
             if not n.endswith(BINARY) and not n.startswith(NOT_OURS)]
    found = {OPEN: [], MACHINE: [], TRAILER: [], REGISTRY: []}
    for name in names:
        text = tree.read(name)
        for pattern, faults in found.items():
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                faults.append(f"{name}:{line}: {match.group().strip()}")
    rules.report("words: nothing is left open", found[OPEN], f"{len(names)} files")
    rules.report("words: no path of one machine", found[MACHINE])
    rules.report("words: no trailers", found[TRAILER])
    rules.report("words: no package host", found[REGISTRY])
    rules.end()


main()
