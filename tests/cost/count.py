#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what cost.sh has traced.

    count.py TRACES MARKS              prints the table

Of the rounds of each call the median is taken: timers and wake-ups that meet by chance add a
system call now and then.  What an IPAM plugin does by itself is not counted.
"""
import collections
import glob
import os
import re
import statistics
import sys

sys.dont_write_bytecode = True
import table as tables  # noqa: E402

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
    into = collections.Counter({key: 0 for key, _, _ in tables.SIMULATED})
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
    # The first round has what is done once: a worker's first job, a socket.
    rows = {f"{verb} {name}": {key: int(statistics.median_low(r[key] for r in rounds[1:]))
                               for key, _, _ in tables.SIMULATED}
            for (name, verb), rounds in found.items()}
    for row in rows.values():
        row["journal_bytes"] = tables.hundreds(row["journal_bytes"])
    tables.show("Simulated VFs", tables.SIMULATED, rows)


if len(sys.argv) != 3:
    sys.exit(__doc__)
table(sys.argv[1], sys.argv[2])
