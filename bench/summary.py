#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""summary - turns the figures of a run into a section of RESULTS.md.

summary RAW NOTES

RAW has lines "name: value unit", one for each round; NOTES has lines about the machine. Prints
the comparison (medians, and how many times better EMSG is) and then every figure.
"""
import datetime
import statistics
import sys

# What is compared: title, is more better, EMSG's figure, then the peers'.
POSTFIX, PROSODY, EJABBERD = "Postfix", "Prosody", "ejabberd"
TABLE = [
    ("delivered, one server, msg/s", True, "emsg.local.delivered",
     {POSTFIX: "postfix.local.delivered", PROSODY: "prosody.local.delivered",
      EJABBERD: "ejabberd.local.delivered"}),
    ("delivered, two servers, msg/s", True, "emsg.federated.delivered",
     {POSTFIX: "postfix.federated.delivered", PROSODY: "prosody.federated.delivered",
      EJABBERD: "ejabberd.federated.delivered"}),
    ("accepted by the own server for another, msg/s", True, "emsg.federated.accepted",
     {POSTFIX: "postfix.relay.accepted"}),
    ("accepted, one at a time, msg/s", True, "emsg.serial.accepted",
     {POSTFIX: "postfix.serial.accepted"}),
    ("latency, one server, 100/s, p50, ms", False, "emsg.local.latency.deliver.p50",
     {PROSODY: "prosody.local.latency.deliver.p50",
      EJABBERD: "ejabberd.local.latency.deliver.p50"}),
    ("latency, one server, 100/s, p99, ms", False, "emsg.local.latency.deliver.p99",
     {PROSODY: "prosody.local.latency.deliver.p99",
      EJABBERD: "ejabberd.local.latency.deliver.p99"}),
    ("latency, two servers, 100/s, p50, ms", False, "emsg.federated.latency.deliver.p50",
     {POSTFIX: "postfix.federated.latency.deliver.p50",
      PROSODY: "prosody.federated.latency.deliver.p50",
      EJABBERD: "ejabberd.federated.latency.deliver.p50"}),
    ("latency, two servers, 100/s, p99, ms", False, "emsg.federated.latency.deliver.p99",
     {POSTFIX: "postfix.federated.latency.deliver.p99",
      PROSODY: "prosody.federated.latency.deliver.p99",
      EJABBERD: "ejabberd.federated.latency.deliver.p99"}),
    ("server CPU, one server, us/message", False, "emsg.local.server-cpu",
     {PROSODY: "prosody.local.server-cpu", EJABBERD: "ejabberd.local.server-cpu"}),
    ("server CPU, two servers, us/message", False, "emsg.federated.server-cpu",
     {PROSODY: "prosody.federated.server-cpu", EJABBERD: "ejabberd.federated.server-cpu"}),
    ("memory of an idle TLS device, bytes", False, "emsg.idle.memory",
     {PROSODY: "prosody.idle.memory", EJABBERD: "ejabberd.idle.memory"}),
    ("logins over TLS, logins/s", True, "emsg.idle.logins",
     {PROSODY: "prosody.idle.logins", EJABBERD: "ejabberd.idle.logins"}),
]


def read(path):
    """Figures by name, in the order in which they came: values and unit."""
    figures, versions = {}, []
    with open(path, encoding="utf-8") as f:
        for line in f:
            name, _, rest = line.rstrip("\n").partition(": ")
            value, _, unit = rest.partition(" ")
            if name.endswith(".version"):
                versions.append(f"{name[:-8]} {value}")
                continue
            figures.setdefault(name, ([], unit))[0].append(float(value))
    return figures, list(dict.fromkeys(versions))


def show(value):
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def cell(figures, name, ours, more):
    """A peer's median and, in brackets, how many times better we are."""
    if name not in figures:
        return ""
    theirs = statistics.median(figures[name][0])
    if ours is None or theirs <= 0 or ours <= 0:
        return show(theirs)
    factor = ours / theirs if more else theirs / ours
    return f"{show(theirs)} ({factor:.2f}x)"


def comparison(figures):
    yield f"| | EMSG | {POSTFIX} | {PROSODY} | {EJABBERD} |"
    yield "|---|---|---|---|---|"
    for title, more, name, peers in TABLE:
        ours = statistics.median(figures[name][0]) if name in figures else None
        cells = [cell(figures, peers.get(p, ""), ours, more)
                 for p in (POSTFIX, PROSODY, EJABBERD)]
        yield f"| {title} | {'' if ours is None else show(ours)} | {' | '.join(cells)} |"


def everything(figures):
    for name, (values, unit) in figures.items():
        spread = f" ({show(min(values))} to {show(max(values))}, {len(values)} rounds)"
        yield (f"{name}: {show(statistics.median(values))} {unit}"
               + (spread if len(values) > 1 else ""))


def main():
    figures, versions = read(sys.argv[1])
    print(f"\n## {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC\n")
    with open(sys.argv[2], encoding="utf-8") as f:
        for line in f:
            print("- " + line.rstrip("\n"))
    print("- peers: " + ", ".join(versions) + "\n")
    print("\n".join(comparison(figures)))
    print("\nIn brackets: how many times better EMSG is; below 1 it is worse. All figures:\n")
    print("```")
    print("\n".join(everything(figures)))
    print("```")


main()
