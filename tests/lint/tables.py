#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""tables - ARCHITECTURE.md names the processes and messages that the programs have.

tables.py --write puts the table of messages into the document.
"""
import os
import re
import subprocess
import sys

import tree

DOCUMENT = "ARCHITECTURE.md"
PROCESSES = ("<!-- processes: compared with lib/base/role.c -->", "<!-- end -->")
MESSAGES = ("<!-- messages: written by tests/lint/tables.py -->", "<!-- end -->")


def between(text, marks):
    """(before, inside, after) of the part between two marks."""
    head, rest = text.split(marks[0], 1)
    inside, tail = rest.split(marks[1], 1)
    return head + marks[0], inside, marks[1] + tail


def rows(inside):
    """The cells of a Markdown table, without its head."""
    found = []
    for line in inside.splitlines():
        if line.startswith("|") and not re.match(r"^\|[-|]+$", line):
            found.append([c.strip().strip("`") for c in line.strip("|").split("|")])
    return found[1:]


def dump():
    """What the programs' tables say: (processes, messages)."""
    out = subprocess.run([os.path.join(tree.BUILD, "dump_tables")], stdout=subprocess.PIPE,
                         check=True, text=True).stdout
    lines = [line.split("\t") for line in out.splitlines()]
    return ([line[1:] for line in lines if line[0] == "process"],
            [line[1:] for line in lines if line[0] == "message"])


def table(messages):
    head = "| message | from | to | |\n|---|---|---|---|\n"
    return "\n\n" + head + "".join(
        f"| {m[0]} | {m[1]} | {m[2]} | {m[3]} |\n".replace("|  |", "| |")
        for m in messages) + "\n"


def differences(documented, real):
    faults = ["not in " + DOCUMENT + ": " + " ".join(r) for r in real if r not in documented]
    faults += ["only in " + DOCUMENT + ": " + " ".join(r) for r in documented if r not in real]
    return faults


def main():
    processes, messages = dump()
    text = tree.read(DOCUMENT)
    head, inside, tail = between(text, MESSAGES)
    if sys.argv[1:] == ["--write"]:
        with open(os.path.join(tree.SRC, DOCUMENT), "w", encoding="utf-8") as f:
            f.write(head + table(messages) + tail)
        return
    rules = tree.Rules()
    documented = [row[:3] for row in rows(between(text, PROCESSES)[1])]
    rules.report("tables: processes, programs, users", differences(documented, processes),
                 f"{len(processes)} processes")
    rules.report("tables: messages between processes", differences(rows(inside), messages),
                 f"{len(messages)} messages")
    rules.end()


main()
