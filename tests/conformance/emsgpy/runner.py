# SPDX-License-Identifier: ISC
"""runner - runs the tests of a script, each on its own and within a bound, one line for each.

A script collects functions with @suite.test("name"), calls suite.run(), and ends with its
status. Lines: ok NAME / not ok NAME: why / skipped: NAME, why; "! text" explains.
"""
import fnmatch
import os
import signal
import sys
import time
import traceback

SECONDS = 30


class Skip(Exception):
    """The test cannot run here."""


class TimeUp(BaseException):
    """The bound of a test; no test may catch it."""


def on_alarm(_signal, _frame):
    raise TimeUp()


class Suite:
    """The tests of one script. Arguments on the command line choose by name."""

    def __init__(self, name):
        self.name = name
        self.tests = []
        self.before_each = []
        self.after_each = []
        self.at_end = []

    def test(self, title, seconds=SECONDS):
        """Adds a function as a test."""
        def add(function):
            self.tests.append((title, function, seconds))
            return function
        return add

    def one(self, title, function, seconds):
        signal.signal(signal.SIGALRM, on_alarm)
        signal.alarm(seconds)
        try:
            try:
                for prepare in self.before_each:
                    prepare()
                function()
                for check in self.after_each:
                    check()
            finally:
                signal.alarm(0)
        except Skip as why:
            print(f"skipped: {self.name}: {title}, {why}")
            return True
        except TimeUp:
            print(f"not ok {self.name}: {title}: no end within {seconds} s")
            return False
        except Exception as fault:
            text = str(fault).split("\n", maxsplit=1)[0]
            print(f"not ok {self.name}: {title}: {type(fault).__name__}: {text}")
            for line in traceback.format_exc(limit=-4).splitlines():
                print(f"! {line}")
            return False
        print(f"ok {self.name}: {title}")
        return True

    def run(self):
        """Runs all; the exit status is 1 if one failed."""
        wanted = sys.argv[1:]
        good = True
        try:
            for title, function, seconds in self.tests:
                if wanted and not any(fnmatch.fnmatch(title, f"*{w}*") for w in wanted):
                    continue
                begin = time.monotonic()
                good &= self.one(title, function, seconds)
                if os.environ.get("EMSG_TIMES"):
                    print(f"! {time.monotonic() - begin:.1f} s")
                sys.stdout.flush()
        finally:
            for finish in reversed(self.at_end):
                finish()
        sys.exit(0 if good else 1)


def equal(got, wanted, what="value"):
    """Raises when they differ, and says both."""
    if got != wanted:
        raise AssertionError(f"{what}: {got!r} instead of {wanted!r}")


def true(condition, what):
    """Raises unless the condition holds."""
    if not condition:
        raise AssertionError(what)


def refused(kind, function, *arguments, **named):
    """The exception of that kind which the call must raise."""
    try:
        function(*arguments, **named)
    except kind as fault:
        return fault
    raise AssertionError(f"no {kind.__name__}")
