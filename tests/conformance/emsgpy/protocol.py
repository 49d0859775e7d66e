# SPDX-License-Identifier: ISC
"""protocol - what doc/protocol.md defines in rules and tables, read from there."""
import os
import re

from . import cddl

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.environ.get("EMSG_SRC") or os.path.abspath(os.path.join(HERE, "..", "..", ".."))
DOCUMENT = os.path.join(SRC, "doc", "protocol.md")

with open(DOCUMENT, encoding="utf-8") as document:
    TEXT = document.read()

RULES = cddl.Rules(TEXT)

# Reply codes by symbol, and back.
CODES = {symbol: int(code)
         for code, symbol in re.findall(r"^\| (\d+) \| `([a-z-]+)` \|", TEXT, re.M)}
SYMBOLS = {code: symbol for symbol, code in CODES.items()}

# Frame types by name (section 4).
FRAMES = {name: int(number) for number, name in
          re.findall(r"^\| (\d+) \| ([a-z]+) \| .* \| .* \| .* \|$", TEXT, re.M)}

SUITE = 1
FMT = 1
KIND_SEALED, KIND_OBJECT, KIND_FATES = 1, 2, 3
STATE_ACCEPTED, STATE_ARRIVED, STATE_ON_DEVICE, STATE_READ, STATE_FAILED = 1, 2, 3, 4, 5
LIMIT_BEFORE, LIMIT_MESSAGE, LIMIT_ITEM = 4096, 524288, 262144


def symbol(code):
    """The name of a reply code; its number when the document has none."""
    return SYMBOLS.get(code, str(code))


def outcome_class(code):
    """ok, temporary or permanent, also for codes of later versions."""
    return {2: "ok", 4: "temporary"}.get(code // 100, "permanent")
