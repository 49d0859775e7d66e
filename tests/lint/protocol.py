#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""protocol - doc/protocol.md holds the CDDL rules and reply codes that the programs have.

A mark <!-- cddl: names --> is followed by those rules in one block, <!-- table: codes --> by
the table of codes. protocol.py --write puts both into the document.
"""
import os
import re
import subprocess
import sys

import tree

DOCUMENT = "doc/protocol.md"
CDDL = re.compile(r"(<!-- cddl: ([a-z0-9 -]+) -->\n)(\n```cddl\n.*?```\n)?", re.S)
CODES = re.compile(r"(<!-- table: codes -->\n)(\n\|.*?\n(?!\|))?", re.S)


def dump():
    """What the programs' tables say: ({rule name: text}, [row of a code])."""
    out = subprocess.run([os.path.join(tree.BUILD, "dump_wire")], stdout=subprocess.PIPE,
                         check=True, text=True).stdout
    rules = {}
    for block in out.split("\n\n"):
        if " = " in block.splitlines()[0]:
            rules[block.split(" = ")[0]] = block.strip("\n") + "\n"
    return rules, [line.split("\t")[1:] for line in out.splitlines()
                   if line.startswith("code\t")]


def cddl_block(names, rules):
    return "\n```cddl\n" + "\n".join(rules.get(n, f"{n} is no object\n") for n in names) + "```\n"


def code_table(codes):
    return "\n| code | symbol | class | meaning |\n|---|---|---|---|\n" + "".join(
        f"| {c[0]} | `{c[1]}` | {c[2]} | {c[3]} |\n" for c in codes)


def renew(text, rules, codes):
    text = CDDL.sub(lambda m: m.group(1) + cddl_block(m.group(2).split(), rules), text)
    return CODES.sub(lambda m: m.group(1) + code_table(codes), text)


def main():
    rules, codes = dump()
    text = tree.read(DOCUMENT)
    if sys.argv[1:] == ["--write"]:
        with open(os.path.join(tree.SRC, DOCUMENT), "w", encoding="utf-8") as f:
            f.write(renew(text, rules, codes))
        return
    named = [n for m in CDDL.finditer(text) for n in m.group(2).split()]
    report = tree.Rules()
    report.report("protocol: every object is in the document once",
                  [f"{n} is there {named.count(n)} times" for n in rules if named.count(n) != 1]
                  + [f"{n} is no object" for n in named if n not in rules],
                  f"{len(rules)} objects")
    report.report("protocol: CDDL rules",
                  [f"{m.group(2)} differs" for m in CDDL.finditer(text)
                   if m.group(3) != cddl_block(m.group(2).split(), rules)], f"{len(named)} rules")
    found = CODES.search(text)
    report.report("protocol: reply codes", [] if found and found.group(2) and
                  found.group(2).rstrip("\n") == code_table(codes).rstrip("\n")
                  else ["the table of codes differs"], f"{len(codes)} codes")
    report.end()


main()
