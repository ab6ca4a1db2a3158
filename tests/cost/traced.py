#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what the kernel has written down in a guest (tests/kernel/costnode.sh).

    traced.py TITLE TRACE              prints the table

Of the rounds of each call the least is taken, column by column: a timer or a wake-up that falls
into a call by chance makes it dearer, and nothing makes it cheaper.
"""
import collections
import re
import sys

sys.dont_write_bytecode = True
import table  # noqa: E402

LINE = re.compile(r"^\s*\S+-(\d+)\s+\[\d+\]\s\S+\s+[\d.]+: (\w+): (.*)$")
CALL = re.compile(r"NR (\d+) \(([0-9a-f, ]*)\)")
# Numbers of x86-64.  Waits: epoll_wait, epoll_pwait, restart_syscall, clock_gettime, alarm.
WAITS = {232, 281, 219, 228, 37}
WRITES = {1, 18, 20, 296}
SYNCS = {74, 75, 306}
FORKS = {56, 57, 58, 435}
RTM_NEWLINK, RTM_SETLINK = 16, 19


class Counter:
    def __init__(self):
        self.loop, self.client, self.journal = 0, 0, set()
        self.name, self.row = None, None
        self.found = collections.OrderedDict()

    def mark(self, word, rest):
        if word == "journal":
            self.loop = int(rest[0])
            self.journal.add(int(rest[1]))
        elif word == "client":
            self.client = int(rest[0])
        elif word == "end":
            self.found.setdefault(self.name, []).append(self.row)
            self.row = None
        else:
            self.name = " ".join([word] + rest)
            self.row = collections.Counter()

    def call(self, pid, number, arguments):
        who = {self.client: "client", self.loop: "engine"}.get(pid, "workers")
        if number not in WAITS:
            self.row[who] += 1
        if number in WRITES and pid == self.loop and arguments[0] in self.journal:
            self.row["records"] += 1
            self.row["journal_bytes"] += arguments[2]
        self.row["syncs"] += number in SYNCS
        self.row["processes"] += number in FORKS

    def event(self, pid, what, rest):
        if what == "sys_enter":
            number, arguments = CALL.match(rest).groups()
            self.call(pid, int(number), [int(a, 16) for a in arguments.split(", ")])
        elif what == "netlink":
            self.row["netlink"] += 1
            self.row["nl_bytes"] += int(rest.rsplit("=", 1)[1])
        elif what == "route":
            self.row["setlinks"] += int(rest.rsplit("=", 1)[1]) in (RTM_NEWLINK, RTM_SETLINK)
        elif what == "probe":
            self.row["rebinds"] += 1
        elif what == "list":
            self.row["lists"] += 1


def count(path):
    counter = Counter()
    with open(path) as lines:
        for line in lines:
            match = LINE.match(line)
            if not match:
                continue
            pid, what, rest = match.groups()
            if what == "tracing_mark_write":
                words = rest.split()
                if words and words[0] == "COST":
                    counter.mark(words[1], words[2:])
            elif counter.row is not None:
                counter.event(int(pid), what, rest)
    return counter.found


def least(rounds):
    row = {key: min(r[key] for r in rounds) for key, _, _ in table.REAL}
    row["journal_bytes"] = table.hundreds(row["journal_bytes"])
    return row


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    table.show(sys.argv[1], table.REAL,
               {name: least(rounds) for name, rounds in count(sys.argv[2]).items()})
