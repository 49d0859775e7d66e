#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""manual - mandoc has nothing to say about our pages, and they refer to pages that exist."""
import os
import re
import shutil
import subprocess

import tree

XR = re.compile(r"^\.\s*Xr\s+(\S+)\s+(\d)", re.M)


def main():
    rules = tree.Rules()
    pages = [n for n in tree.files(under=["man"]) if re.search(r"\.[1-8]$", n)]
    names = {os.path.basename(n) for n in pages}
    missing = []
    for page in pages:
        for name, section in XR.findall(tree.read(page)):
            if name.startswith(("emsg", "libemsg")) and f"{name}.{section}" not in names:
                missing.append(f"{page}: {name}({section}) does not exist")
    rules.report("manual: every page referred to exists", missing, f"{len(pages)} pages")
    if shutil.which("mandoc") is None:
        print("skipped: manual, mandoc is missing")
    elif pages:
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"] + pages, cwd=tree.SRC,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        rules.report("manual: mandoc is silent", done.stdout.splitlines(), f"{len(pages)} pages")
    rules.end()


main()
