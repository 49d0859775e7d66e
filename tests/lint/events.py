#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""events - emsg-log(5) has every event that the daemons log, with all its keys, and no other.

events.py --list prints what the code has: level, event, keys.
"""
import re
import sys

import tree

PAGE = "man/emsg-log.5"
CALL = re.compile(r'\blog_(error|warn|info|debug)\(\s*"([a-z-]+\.[a-z-]+)"\s*,\s*((?:"(?:[^"\\]|\\.)*"\s*|'
                  r'PRI[a-z0-9]+\s*)+)', re.S)
KEY = re.compile(r'(?:^|[\s"])([a-z_0-9]+)=')
# What fatal() and panic() write.
LAST = re.compile(r'\blog_last\("([a-z.]+)"')
DAEMONS = ("lib/", "master/", "listener/", "queue/", "store/", "relay/", "keyd/", "dialer/",
           "control/")
ITEM = re.compile(r"^\.It Ic (\S+)$\n^\.Pq (.*)$", re.M)
LEVELS = {"error": 0, "warn": 1, "info": 2, "debug": 3}


def in_code():
    """{event: (levels, keys)} of all calls."""
    events = {}
    for name in tree.c_files():
        if not name.startswith(DAEMONS) or not name.endswith(".c"):
            continue
        for level, event, text in CALL.findall(tree.read(name)):
            levels, keys = events.setdefault(event, (set(), set()))
            levels.add(level)
            keys.update(KEY.findall(text))
        for event in LAST.findall(tree.read(name)):
            events[event] = ({"error"}, {"text"})
    return events


def in_page():
    """{event: keys} as the page has them."""
    return {event: set(re.findall(r"Cm (\S+)", keys)) for event, keys in ITEM.findall(tree.read(PAGE))}


def main():
    code = in_code()
    if sys.argv[1:] == ["--list"]:
        for event in sorted(code):
            levels, keys = code[event]
            print("/".join(sorted(levels, key=LEVELS.get)), event, " ".join(sorted(keys)))
        return
    page = in_page()
    report = tree.Rules()
    report.report("events: emsg-log(5) has what is logged",
                  [f"{e} is not in the page" for e in sorted(code) if e not in page]
                  + [f"{e} is not in the code" for e in sorted(page) if e not in code],
                  f"{len(code)} events")
    report.report("events: their keys",
                  [f"{e}: code {sorted(code[e][1])}, page {sorted(page[e])}"
                   for e in sorted(code) if e in page and code[e][1] != page[e]],
                  f"{sum(len(k) for _, k in code.values())} keys")
    report.end()


main()
