#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""smtplat - latency of mail at a fixed rate, from MAIL FROM to the file in the maildir.

smtplat NAME ADDRESS PORT RECIPIENT MAILDIR-NEW COUNT RATE

One SMTP session sends; a thread waits with inotify for the files. Prints p50, p99 and max of
the time until the server's final 250 (accept) and until the file is there (deliver).
"""
import ctypes
import os
import smtplib
import struct
import sys
import threading
import time

IN_CREATE, IN_MOVED_TO = 0x100, 0x80
PATIENCE = 120


class Watcher(threading.Thread):
    """Notes when the file of each message appeared."""

    def __init__(self, folder, count):
        super().__init__(daemon=True)
        self.folder, self.count, self.arrived = folder, count, {}
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init()
        if libc.inotify_add_watch(self.fd, folder.encode(), IN_CREATE | IN_MOVED_TO) < 0:
            raise OSError(ctypes.get_errno(), "inotify " + folder)

    def run(self):
        while len(self.arrived) < self.count:
            data = os.read(self.fd, 65536)
            when, at = time.monotonic(), 0
            while at < len(data):
                size = struct.unpack_from("iIII", data, at)[3]
                name = data[at + 16:at + 16 + size].rstrip(b"\0").decode()
                self.note(os.path.join(self.folder, name), when)
                at += 16 + size

    def note(self, path, when):
        with open(path, encoding="latin-1") as f:
            for line in f:
                if line.startswith("X-Number: "):
                    self.arrived.setdefault(int(line[10:]), when)


def message(number, recipient):
    head = f"From: s@a.test\r\nTo: {recipient}\r\nX-Number: {number}\r\n\r\n"
    return (head + "x" * 64 + "\r\n") if number < 0 else head + ("x" * 62 + "\r\n") * 16


def print_times(name, times):
    times = sorted(times)
    for label, share in (("p50", 0.5), ("p99", 0.99), ("max", 1)):
        value = times[max(0, -(-int(len(times) * share * 1000) // 1000) - 1)]
        print(f"{name}.{label}: {value * 1000:.2f} ms")


def main():
    name, address, port, recipient, folder, count, rate = sys.argv[1:]
    count, rate = int(count), float(rate)
    link = smtplib.SMTP(address, int(port), local_hostname="a.test")
    link.sendmail("s@a.test", [recipient], message(-1, recipient))
    end = time.monotonic() + PATIENCE
    while not os.path.isdir(folder) and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(1)
    watcher = Watcher(folder, count)
    watcher.start()
    sent, accepted, start = [], [], time.monotonic()
    for number in range(count):
        time.sleep(max(0, start + number / rate - time.monotonic()))
        sent.append(time.monotonic())
        link.sendmail("s@a.test", [recipient], message(number, recipient))
        accepted.append(time.monotonic() - sent[-1])
    watcher.join(PATIENCE)
    if watcher.is_alive():
        sys.exit(f"smtplat: {len(watcher.arrived)} of {count} arrived")
    print_times(name + ".latency.accept", accepted)
    print_times(name + ".latency.deliver",
                [watcher.arrived[i] - sent[i] for i in range(count)])


main()
