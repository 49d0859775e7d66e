#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""protocol - doc/protocol.md holds the CDDL rules, reply codes and requests of the programs.

A mark <!-- cddl: names --> is followed by those rules in one block, <!-- table: codes --> and
<!-- table: calls --> by those tables. protocol.py --write puts all into the document.
"""
import os
import re
import subprocess
import sys

import tree

DOCUMENT = "doc/protocol.md"
CDDL = re.compile(r"(<!-- cddl: ([a-z0-9 -]+) -->\n)(\n```cddl\n.*?```\n)?", re.S)
TABLE = re.compile(r"(<!-- table: ([a-z]+) -->\n)(\n\|.*?\n(?!\|))?", re.S)
HEADS = {"codes": "| code | symbol | class | meaning |\n|---|---|---|---|\n",
         "calls": "| method | who | arguments | result |\n|---|---|---|---|\n"}


def dump():
    """What the programs' tables say: ({rule name: text}, {table name: text})."""
    out = subprocess.run([os.path.join(tree.BUILD, "dump_wire")], stdout=subprocess.PIPE,
                         check=True, text=True).stdout
    rules = {}
    for block in out.split("\n\n"):
        if " = " in block.splitlines()[0]:
            rules[block.split(" = ")[0]] = block.strip("\n") + "\n"
    tables = {name: "\n" + head for name, head in HEADS.items()}
    for line in out.splitlines():
        kind, _, rest = line.partition("\t")
        if kind + "s" in tables:
            cells = rest.split("\t")
            mark = 1 if kind == "code" else 0
            cells[mark] = f"`{cells[mark]}`"
            tables[kind + "s"] += "| " + " | ".join(cells) + " |\n"
    return rules, tables


def cddl_block(names, rules):
    return "\n```cddl\n" + "\n".join(rules.get(n, f"{n} is no object\n") for n in names) + "```\n"


def renew(text, rules, tables):
    text = CDDL.sub(lambda m: m.group(1) + cddl_block(m.group(2).split(), rules), text)
    return TABLE.sub(lambda m: m.group(1) + tables[m.group(2)], text)


def main():
    rules, tables = dump()
    text = tree.read(DOCUMENT)
    if sys.argv[1:] == ["--write"]:
        with open(os.path.join(tree.SRC, DOCUMENT), "w", encoding="utf-8") as f:
            f.write(renew(text, rules, tables))
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
    found = {m.group(2): m.group(3) for m in TABLE.finditer(text)}
    report.report("protocol: tables", [f"the table of {n} differs" for n in tables if
                  (found.get(n) or "").rstrip("\n") != tables[n].rstrip("\n")],
                  f"{len(tables)} tables")
    report.end()


main()
