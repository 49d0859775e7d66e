#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""commands - the tools' pages say what the tools' tables say, both ways; every process has one.

Compares emsgctl(8) and emsgq(8) with "__dump": commands with options and arguments, who may
give them, options of all commands, exit codes; and SYNOPSIS with the first line of --help.
"""
import os
import re
import subprocess
import sys

import tree

TOOLS = ("emsgctl", "emsgq")
RIGHTS = {"root": "For root.", "_emsgq": "_emsgq", "_emsgadm": "_emsgadm",
          "anybody": ""}


def run(*argv):
    path = os.path.join(tree.BUILD, argv[0])
    return subprocess.run([path, *argv[1:]], stdout=subprocess.PIPE, check=True,
                          text=True).stdout


def plain(words):
    """mdoc words as text: 'Oo Fl -ttl Ar duration Oc' is '[--ttl duration]'."""
    out = []
    flag = False
    for word in words.split():
        if word in ("Ic", "Cm", "Ar", "Op", "Pa"):
            continue
        if word == "Fl":
            flag = True
            continue
        out.append({"Oo": "[", "Oc": "]"}.get(word, "-" + word if flag else word))
        flag = False
    return re.sub(r" \]", "]", re.sub(r"\[ ", "[", " ".join(out)))


def section(page, title):
    """The lines of a section or subsection."""
    found = re.search(r"^\.S[hs] %s\n(.*?)(?=^\.S[hs] |\Z)" % re.escape(title), page,
                      re.M | re.S)
    return found.group(1) if found else ""


def documented(page):
    """{synopsis: text} of the list of commands."""
    items = re.split(r"^\.It ", section(page, "Commands"), flags=re.M)[1:]
    found = {}
    for item in items:
        head, _, text = item.partition("\n")
        found["" if head == "(no command)" else plain(head)] = text
    return found


def options(page):
    """'-d, --directory directory' of the options of all commands."""
    text = section(page, "DESCRIPTION")
    return {plain(m).replace(" ,", ",") for m in re.findall(r"^\.It (Fl .*)$", text, re.M)}


def synopsis(tool, page):
    words = []
    for line in section(page, "SYNOPSIS").splitlines():
        macro, _, rest = line[1:].partition(" ")
        text = tool if macro == "Nm" else plain(rest)
        words.append(f"[{text}]" if macro == "Op" else text)
    return " ".join(words)


def exit_codes():
    """The numbers of enum tool_exit."""
    text = tree.read("cli/tool.h")
    return set(re.findall(r"^\tTOOL_\w+ = (\d+),", text, re.M))


def differences(tool, what, page, table):
    return [f"{tool}: {what} not in the page: {x}" for x in sorted(table - page)] + \
        [f"{tool}: {what} only in the page: {x}" for x in sorted(page - table)]


def compare(tool):
    faults = []
    page = tree.read(f"man/{tool}.8")
    rows = [line.split("\t") for line in run(tool, "__dump").splitlines()]
    commands = {row[3]: row[2] for row in rows if row[0] == "command"}
    common = {(f"-{r[3]}, " if r[3] != "-" else "") + r[2] + (f" {r[4]}" if r[4] != "-" else "")
              for r in rows if r[0] == "option" and r[1] == ""}
    texts = documented(page)
    faults += differences(tool, "command", set(texts), set(commands))
    faults += differences(tool, "option", options(page), common)
    for text, right in commands.items():
        if text and RIGHTS[right] not in texts.get(text, ""):
            faults.append(f"{tool}: the page does not say who may \"{text}\" ({right})")
    codes = set(re.findall(r"^\.It (\d+)$", section(page, "EXIT STATUS"), re.M))
    if tool == "emsgctl":
        faults += differences(tool, "exit code", codes, exit_codes())
    else:
        faults += [f"{tool}: no such exit code: {c}" for c in sorted(codes - exit_codes())]
    usage = next(x for x in run(tool, "--help").splitlines() if x.startswith("usage: "))
    if usage != "usage: " + synopsis(tool, page):
        faults.append(f"{tool}: SYNOPSIS is not \"{usage}\"")
    return faults, len(commands) + len(common)


def processes():
    """Every process has a page that names its user."""
    faults = []
    rows = [x.split("\t") for x in run("dump_tables").splitlines() if x.startswith("process")]
    for _, _, program, user in [r[:4] for r in rows]:
        path = f"man/{program}.8"
        if not os.path.exists(os.path.join(tree.SRC, path)):
            faults.append(f"{path} does not exist")
        elif user not in tree.read(path):
            faults.append(f"{path} does not name the user {user}")
    return faults, len(rows)


def main():
    if not all(os.path.exists(os.path.join(tree.BUILD, t)) for t in TOOLS):
        print("skipped: commands, the tools have not been built")
        sys.exit(77)
    rules = tree.Rules()
    for tool in TOOLS:
        faults, count = compare(tool)
        rules.report(f"commands: {tool}(8) says what the table says", faults, f"{count} rows")
    faults, count = processes()
    rules.report("commands: every process has a page", faults, f"{count} processes")
    rules.end()


main()
