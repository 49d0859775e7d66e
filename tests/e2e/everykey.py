#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""everykey - bad input to every configuration key gets one clear line, with its place, and 7.

The keys come from the program itself (emsgd -e), so that a new key is tested without a word
here. Each gets values that are wrong for its type; what is expected is one line
"file:line:col: key: text" that points at the value, nothing else, and exit status 7.
EMSG_BUILD: where emsgd is.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ.get("EMSG_BUILD") or os.path.join(os.environ.get("EMSG_WORK", "."), "gcc")
EMSGD = os.path.join(BUILD, "emsgd")
# For each type: values that no key of the type may take.
BAD = {
    "integer": ["many", "-1", "1.5", "99999999999999999999", "0x10", '""'],
    "boolean": ["yes", "on", "1", '""'],
    "duration": ["soon", "5", "5 s", "-5s", "99999999999d", '""'],
    "size": ["big", "-1", "1XB", "99999999999TiB", '""'],
    "port": ["https", "0", "65536", "-1", '""'],
    "word": ["nonsense", "REQUIRED", '""'],
    "name": ["two words", '"a/b"', '""'],
    "domain": ["im..test", "IM.ALPHA.TEST", "im_alpha.test", "-a.test", '""'],
    "host": ["im..test", "300.1.2.3", "a b", '""'],
    "path": ['""', '"a\\0b"'],
    "address and port": ["443", "im.alpha.test", "127.0.0.1:0", "127.0.0.1:99999", '""'],
    "prefix": ["10.0.0.0/33", "10.0.0.1/8", "ten", '""'],
    "fingerprint": ["abc", "g" * 64, "0" * 63, '""'],
    "list of maps": ["text"],
}
LINE = re.compile(r"^(?:.*/)?emsg\.yaml:(\d+):(\d+): (.*)$")


def run(text, directory):
    name = os.path.join(directory, "emsg.yaml")
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(name, 0o600)
    return subprocess.run([EMSGD, "-n", "-d", directory], capture_output=True, text=True,
                          timeout=20, check=False)


def document(key, value, is_list):
    """A configuration that is right but for that key; (text, line of the bad value)."""
    head = [] if key == "version" else ["version: 1"]
    head += [] if key == "domain" else ["domain: im.alpha.test"]
    entry = re.fullmatch(r"peers\[\]\.(\w+)", key)
    if entry:
        head.append("peers:")
        if entry[1] == "domain":
            return head + [f"  - domain: {value}"]
        return head + ["  - domain: im.beta.test", f"    {entry[1]}: {value}"]
    if is_list and value != "text":
        value = f"[{value}]"
    if "." in key:
        section, name = key.split(".")
        return head + [f"{section}:", f"  {name}: {value}"]
    return head + [f"{key}: {value}"]


def judge(key, value, is_list, directory):
    """None, or what is wrong with the answer to a bad value."""
    lines = document(key, value, is_list)
    done = run("\n".join(lines) + "\n", directory)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode != 7:
        return f"exit status {done.returncode}, said {said}"
    if len(said) != 1:
        return f"{len(said)} lines: {said}"
    found = LINE.match(said[0])
    if not found:
        return f"no place in: {said[0]}"
    if int(found[1]) != len(lines):
        return f"line {found[1]}, not {len(lines)}: {said[0]}"
    name = key.replace("peers[].", "").split(".")[-1]
    return None if name in found[3] else f"does not name the key: {said[0]}"


def main():
    listed = subprocess.run([EMSGD, "-e", "", "-j"], capture_output=True, text=True,
                            timeout=20, check=False)
    if listed.returncode != 0 or not listed.stdout:
        listed = subprocess.run([os.path.join(BUILD, "emsgctl"), "config", "explain", "--json",
                                 "-x", BUILD], capture_output=True, text=True, timeout=20,
                                check=True)
    keys = [json.loads(line) for line in listed.stdout.splitlines()]
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        for row in keys:
            faults = [f"{value}: {fault}" for value in BAD[row["type"]]
                      for fault in [judge(row["key"], value, row["list"], directory)] if fault]
            print(f"not ok everykey: {row['key']}" if faults else f"ok everykey: {row['key']}")
            for fault in faults:
                print("!", fault)
            failed += bool(faults)
    sys.exit(failed > 0)


main()
