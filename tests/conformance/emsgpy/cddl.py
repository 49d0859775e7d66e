# SPDX-License-Identifier: ISC
"""cddl - the CDDL rules of doc/protocol.md as a reader and writer of objects.

The document uses a small part of RFC 8610: maps with integer keys whose comments name the
members, arrays of labelled members, arrays with an occurrence, sizes and ranges. Objects are
dicts by those names here; integers as keys stand for members that the rules do not know.
"""
import re

from . import cborx

TOKEN = re.compile(r"\s*(?:(;[^\n]*)|(=>|\.\.|\.[a-z]+|[A-Za-z][A-Za-z0-9-]*|\d+|[][{}(),:?*=]))")


class Unsupported(Exception):
    """An unknown key below 0 (section 13)."""


class Invalid(Exception):
    """Well-formed CBOR that is not the object expected."""


class Rules:
    """All rules of a document."""

    def __init__(self, text):
        self.rules = {}
        for block in re.findall(r"```cddl\n(.*?)```", text, re.S):
            Parser(block, self.rules).all()

    def encode(self, name, value):
        """The encoding of an object given by member names; not judged, only written."""
        return cborx.encode(self.lower(name, value))

    def lower(self, name, value):
        """Names to keys."""
        return self.rules[name].lower(value, self)

    def decode(self, name, data):
        """The object in data, by names, after all its rules were checked."""
        return self.lift(name, cborx.decode(data))

    def lift(self, name, value):
        """Keys to names, checked."""
        return self.rules[name].lift(value, self, name)


class Scalar:
    """bool, uint, int, any, tstr, bstr, a range; with bounds for value or size."""
    TYPES = {"uint": int, "int": int, "bool": bool, "tstr": str, "bstr": bytes}

    def __init__(self, kind, least=None, most=None):
        self.kind, self.least, self.most = kind, least, most

    def lower(self, value, _):
        return value

    def lift(self, value, _, where):
        if self.kind == "any":
            return value
        if type(value) is not self.TYPES[self.kind]:
            raise Invalid(f"{where}: {type(value).__name__} instead of {self.kind}")
        size = value
        if self.kind in ("tstr", "bstr"):
            size = len(value.encode() if self.kind == "tstr" else value)
        if self.kind == "uint" and value < 0:
            raise Invalid(f"{where}: negative")
        if self.least is not None and size < self.least or \
                self.most is not None and size > self.most:
            raise Invalid(f"{where}: {size} is not within {self.least}..{self.most}")
        return value


class Ref:
    """A rule by name."""

    def __init__(self, name):
        self.name = name

    def lower(self, value, rules):
        return rules.lower(self.name, value)

    def lift(self, value, rules, where):
        return rules.rules[self.name].lift(value, rules, f"{where}.{self.name}")


class Many:
    """[n*m type]"""

    def __init__(self, least, most, item):
        self.least, self.most, self.item = least, most, item

    def lower(self, value, rules):
        return [self.item.lower(v, rules) for v in value]

    def lift(self, value, rules, where):
        if not isinstance(value, list):
            raise Invalid(f"{where}: no array")
        if not self.least <= len(value) <= self.most:
            raise Invalid(f"{where}: {len(value)} items")
        return [self.item.lift(v, rules, where) for v in value]


class Tuple:
    """[label: type, ...]"""

    def __init__(self, members):
        self.members = members

    def lower(self, value, rules):
        return [kind.lower(value[label], rules) for label, kind in self.members]

    def lift(self, value, rules, where):
        if not isinstance(value, list) or len(value) != len(self.members):
            raise Invalid(f"{where}: no array of {len(self.members)}")
        return {label: kind.lift(v, rules, f"{where}.{label}")
                for v, (label, kind) in zip(value, self.members)}


class Map:
    """{ key: type, ; name }; members maps a key to (name, type, optional)."""

    def __init__(self, members):
        self.members = members
        self.keys = {name: key for key, (name, _, _) in members.items()}

    def lower(self, value, rules):
        out = {}
        for name, item in value.items():
            if isinstance(name, int):
                out[name] = item
            elif item is not None:
                key = self.keys[name]
                out[key] = self.members[key][1].lower(item, rules)
        return out

    def lift(self, value, rules, where):
        if not isinstance(value, dict):
            raise Invalid(f"{where}: no map")
        out = {}
        for key, item in value.items():
            if not isinstance(key, int):
                raise Invalid(f"{where}: key {key!r}")
            if key in self.members:
                name, kind, _ = self.members[key]
                out[name] = kind.lift(item, rules, f"{where}.{name}")
            elif key < 0:
                raise Unsupported(f"{where}: key {key}")
            else:
                out[key] = item
        for key, (name, _, optional) in self.members.items():
            if not optional and key not in value:
                raise Invalid(f"{where}: {name} is missing")
        return out


class Parser:
    """One block of rules."""

    def __init__(self, text, rules):
        self.tokens = []
        end = len(text.rstrip())
        position = 0
        while position < end:
            match = TOKEN.match(text, position)
            if not match:
                raise ValueError(f"CDDL: {text[position:position + 40]!r}")
            self.tokens.append(match.group(1) or match.group(2))
            position = match.end()
        self.tokens.append("")
        self.i = 0
        self.rules = rules

    def peek(self):
        return self.tokens[self.i]

    def take(self, expected=None):
        token = self.tokens[self.i]
        if expected is not None and token != expected:
            raise ValueError(f"CDDL: {token!r} instead of {expected!r}")
        self.i += 1
        return token

    def taken(self, token):
        if self.peek() != token:
            return False
        self.i += 1
        return True

    def all(self):
        while self.peek():
            if self.peek().startswith(";"):
                self.take()
                continue
            name = self.take()
            self.take("=")
            self.rules[name] = self.type()

    def type(self):
        if self.taken("{"):
            return self.map()
        if self.taken("["):
            return self.array()
        token = self.take()
        if token.isdigit():
            self.take("..")
            return Scalar("uint", int(token), int(self.take()))
        if token not in Scalar.TYPES and token != "any":
            return Ref(token)
        if self.taken(".ge"):
            return Scalar(token, int(self.take()))
        if self.taken(".size"):
            if self.taken("("):
                least = int(self.take())
                self.take("..")
                most = int(self.take())
                self.take(")")
                return Scalar(token, least, most)
            size = int(self.take())
            return Scalar(token, size, size)
        return Scalar(token)

    def map(self):
        members = {}
        while not self.taken("}"):
            if self.taken("*"):
                self.take()
                self.take("=>")
                self.type()
                self.taken(",")
                continue
            optional = self.taken("?")
            key = int(self.take())
            self.take(":")
            kind = self.type()
            self.taken(",")
            name = self.take()
            if not name.startswith(";"):
                raise ValueError(f"CDDL: member {key} has no name")
            members[key] = (name[1:].strip(), kind, optional)
        return Map(members)

    def array(self):
        if self.peek().isdigit():
            least = int(self.take())
            self.take("*")
            many = Many(least, int(self.take()), self.type())
            self.take("]")
            return many
        members = []
        while not self.taken("]"):
            label = self.take()
            self.take(":")
            members.append((label, self.type()))
            self.taken(",")
        return Tuple(members)
