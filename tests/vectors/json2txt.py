#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Flattens a JSON file of test vectors into text that a C program reads line by line.

usage: json2txt.py file.json > file.txt

One record per vector, a blank line after each, and in it one line per member:
"name value". Nested objects give dotted names. A list of objects gives one record for
each of them, which repeats the members of everything around it and says in "list" which
list it came from. Members that only describe (notes, schema, PEM) are left out.
"""
import json
import sys

DESCRIPTIVE = {"notes", "schema", "header", "publicKeyPem", "publicKeyJwk", "source"}


def is_records(value):
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(v) for v in value)
    return str(value)


def split(node, prefix=""):
    """Members with plain values, and lists of records, of an object and those inside."""
    members, lists = {}, []
    for name, value in node.items():
        if name in DESCRIPTIVE:
            continue
        if is_records(value):
            lists.append((prefix + name, value))
        elif isinstance(value, dict):
            inner, more = split(value, prefix + name + ".")
            members.update(inner)
            lists += more
        else:
            members[prefix + name] = text(value)
    return members, lists


def emit(node, around, out):
    members, lists = split(node)
    members = {**around, **members}
    if not lists:
        for name, value in members.items():
            if "\n" in value or " " in name:
                raise ValueError("not a line: " + name)
            out.write(f"{name} {value}\n")
        out.write("\n")
    for name, records in lists:
        for record in records:
            emit(record, {**members, "list": name}, out)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        root = json.load(f)
    sys.stdout.reconfigure(encoding="utf-8")
    for node in root if isinstance(root, list) else [root]:
        emit(node, {}, sys.stdout)


main()
