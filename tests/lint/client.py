#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""client - emsg(1) says what emsg --help says, both ways: commands, options, exit codes.

Also: the library shows emsg_* only, and exactly what emsg.h declares.
"""
import os
import re
import subprocess
import sys

import tree


def run(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True).stdout


def section(page, title):
    found = re.search(r"^\.S[hs] %s\n(.*?)(?=^\.Sh |\Z)" % re.escape(title), page, re.M | re.S)
    return found.group(1) if found else ""


def differences(what, page, table):
    return [f"{what} not in the page: {x}" for x in sorted(table - page)] + \
        [f"{what} only in the page: {x}" for x in sorted(page - table)]


def words(line):
    """The command of a line of usage: the lower-case words after emsg."""
    found = []
    for word in line.split()[1:]:
        if not re.fullmatch(r"[a-z]+", word):
            break
        found.append(word)
    return " ".join(found)


def compare(text, page):
    lines = [x for x in text.splitlines() if x.startswith("  emsg ")]
    commands = {words(x).replace(" on", "") for x in lines}
    options = set(re.findall(r"--([a-z-]+)", text)) | {"help", "version"}
    described = {re.sub(r" (?:Ar|Op|Fl|on) .*| on$", "", m)
                 for m in re.findall(r"^\.It Cm (.*)$", page, re.M)}
    listed = set(re.findall(r"^\.It Fl -([a-z-]+)", page, re.M))
    codes = set(re.findall(r"^\tEMSG_\w+ = (\d+),?", tree.read("libemsg/emsg.h"), re.M))
    given = set(re.findall(r"^\.It (\d+)$", section(page, "EXIT STATUS"), re.M))
    return differences("command", described, commands) + \
        differences("option", listed, options) + differences("exit code", given, codes), \
        len(commands) + len(options) + len(codes)


def library(path):
    """Names that the library shows, and those that its header declares."""
    shown = {line.split()[-1].split("@")[0] for line in
             run("nm", "-D", "--defined-only", path).splitlines() if " T " in line}
    declared = set(re.findall(r"\b(emsg_\w+)(?<!_fn)\(", re.sub(
        r"/\*.*?\*/", "", tree.read("libemsg/emsg.h"), flags=re.S)))
    return [f"shown and not declared: {n}" for n in sorted(shown - declared)] + \
        [f"declared and not shown: {n}" for n in sorted(declared - shown)], len(shown)


def main():
    emsg = os.path.join(tree.BUILD, "emsg")
    shared = os.path.join(tree.BUILD, ".libs", "libemsg.so")
    if not os.path.exists(emsg) or not os.path.exists(shared):
        print("skipped: client, emsg has not been built")
        sys.exit(77)
    rules = tree.Rules()
    faults, count = compare(run(emsg, "--help"), tree.read("man/emsg.1"))
    rules.report("client: emsg(1) says what the table says", faults, f"{count} rows")
    faults, count = library(shared)
    rules.report("client: libemsg shows what emsg.h declares", faults, f"{count} functions")
    rules.end()


main()
