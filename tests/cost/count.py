#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what cost.sh has traced.

    count.py TRACES MARKS              prints the table
    count.py --compare KEPT NEW        says where two tables differ in what is exact

Of the rounds of each call the median is taken: timers and wake-ups that meet by chance add a
system call now and then.  What an IPAM plugin does by itself is not counted.
"""
import collections
import glob
import os
import re
import statistics
import sys

COLUMNS = ("client", "engine", "workers", "processes", "netlink", "nl_bytes", "records",
           "journal_bytes", "syncs")
# The same for every run of the same program: these are compared.
EXACT = ("processes", "netlink", "nl_bytes", "records", "syncs")
# These differ by chance, or with the times in records; the loop's by what it wakes up for.
SLACK = {"client": lambda was: 2, "workers": lambda was: 4, "engine": lambda was: 15 + was // 10,
         "journal_bytes": lambda was: 100 + was // 10}
TITLES = {"client": "client", "engine": "engine", "workers": "workers",
          "processes": "processes", "netlink": "netlink", "nl_bytes": "bytes", "records": "records",
          "journal_bytes": "bytes", "syncs": "syncs"}
WAITS = re.compile(r"^(epoll_wait|epoll_pwait|restart_syscall|clock_gettime|alarm)\(")


def marks(name):
    with open(name) as lines:
        return {path: int(n) for n, path in (line.split() for line in lines)}


def count(into, who, lines):
    for line in lines:
        if not re.match(r"^[a-z_0-9]+\(", line):
            continue
        call = line.split("(", 1)[0]
        if not WAITS.match(line):
            into[who] += 1
        result = re.search(r"\)\s+= (-?\d+)", line)
        done = int(result.group(1)) if result else 0
        if call in ("sendmsg", "sendto") and "<NETLINK:" in line and done > 0:
            into["netlink"] += 1
            into["nl_bytes"] += done
        if call in ("pwrite64", "write", "pwritev") and "/journal/journal." in line:
            into["records"] += 1
            into["journal_bytes"] += max(done, 0)
        if call in ("fsync", "fdatasync", "syncfs"):
            into["syncs"] += 1
        if call in ("fork", "vfork", "clone", "clone3") and done > 0:
            into["processes"] += 1


def is_plugin(lines):
    return any(line.startswith("execve(") and "/plugins/" in line for line in lines)


def one(traces, mark):
    into = collections.Counter({c: 0 for c in COLUMNS})
    before, after = marks(f"{mark}/before"), marks(f"{mark}/after")
    loop = min(after, key=lambda path: int(path.rsplit(".", 1)[1]))
    for path, end in after.items():
        with open(path) as trace:
            count(into, "engine" if path == loop else "workers",
                  trace.read().splitlines()[before.get(path, 0):end])
    clients = sorted(glob.glob(f"{mark}/client.*"), key=lambda p: int(p.rsplit(".", 1)[1]))
    plugins = False
    for path in clients:
        with open(path) as trace:
            lines = trace.read().splitlines()
        # A plugin's own children come after it.
        plugins = plugins or is_plugin(lines)
        if not plugins or path == clients[0]:
            count(into, "client", lines)
    return into


def table(traces, directory):
    found = collections.OrderedDict()
    for mark in sorted(glob.glob(f"{directory}/*"), key=lambda p: int(os.path.basename(p))):
        with open(f"{mark}/what") as what:
            name, verb = what.read().splitlines()
        found.setdefault((name, verb), []).append(one(traces, mark))
    width = max(len(name) for name, _ in found) + 6
    print(f"{'':{width}}" + "system calls of".rjust(29) + "".rjust(10) + "messages of".rjust(20) +
          "journal".rjust(20))
    print(f"{'call':{width}}" + "".join(TITLES[c].rjust(10 if c != "client" else 9) for c in COLUMNS))
    for (name, verb), rounds in found.items():
        # The first round has what is done once: a worker's first job, a socket.
        row = [int(statistics.median_low(r[c] for r in rounds[1:])) for c in COLUMNS]
        row[COLUMNS.index("journal_bytes")] = (row[COLUMNS.index("journal_bytes")] + 99) // 100 * 100
        print(f"{verb} {name}".ljust(width) + "".join(
            str(n).rjust(10 if c != "client" else 9) for c, n in zip(COLUMNS, row)))


def rows(name):
    with open(name) as lines:
        for line in lines:
            match = re.match(r"^((?:ADD|DEL) .*?)\s+((?:\d+\s+){8}\d+)$", line)
            if match:
                yield match.group(1), dict(zip(COLUMNS, map(int, match.group(2).split())))


def compare(kept_name, new_name):
    kept, new = dict(rows(kept_name)), dict(rows(new_name))
    if not kept or kept.keys() != new.keys():
        print(f"the rows are not the same: {sorted(kept.keys() ^ new.keys())}")
    for name in kept.keys() & new.keys():
        for column in COLUMNS:
            was, now = kept[name][column], new[name][column]
            slack = 0 if column in EXACT else SLACK[column](was)
            if abs(was - now) > slack:
                print(f"{name}: {column} was {was}, is {now}")


if sys.argv[1] == "--compare":
    compare(sys.argv[2], sys.argv[3])
else:
    table(sys.argv[1], sys.argv[2])
