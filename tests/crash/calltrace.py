# SPDX-License-Identifier: Apache-2.0
"""Reads what strace wrote: calls in their order, each with the role of its process, and
counts those that killat stops at, by the same rules but from another observer."""

import os
import re

LINE = re.compile(r"^(\d+) +([\d.]+) (.*)$")
CALL = re.compile(r"^(\w+)\((.*)$", re.S)
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$", re.S)
RESULT = re.compile(r"\) += (-?\d+|\?)[^)]*$|\) += (0x[0-9a-f]+)$")
POLLS = {"flock", "fcntl", "connect", "sendto"}
FORKS = {"fork", "vfork", "clone", "clone3"}
ENGINES = ("vfkeeper-engine", "vfkeeperd")
CLIENTS = ("vfkeeper", "vfkeeper-replay", "ib-sriov", "sriov")
ROLES = ("client", "loop", "spawner", "worker", "plugin")


class Call:
    """One call: 'at' and 'done' are places in the order of the trace's lines."""

    __slots__ = ("pid", "role", "name", "args", "result", "at", "done", "n")

    def __init__(self, pid, role, name, args, at):
        self.pid, self.role, self.name, self.args, self.at = pid, role, name, args, at
        self.result, self.done, self.n = None, None, None

    def __str__(self):
        return "%s %d %s(%s" % (self.role, self.pid, self.name, self.args[:160])


def result_of(text):
    found = RESULT.search(text)
    if not found or found.group(1) == "?":
        return None
    return int(found.group(1) or found.group(2), 0)


def role_of_exec(path, before):
    name = os.path.basename(path)
    if name.startswith(ENGINES):
        return "loop"
    if name in CLIENTS:
        return "client"
    return before if name == "killat" else "plugin"


def role_of_child(parent):
    return {"loop": "spawner", "spawner": "worker"}.get(parent, parent)


def lines(path):
    with open(path, encoding="latin-1") as f:
        for at, line in enumerate(f):
            found = LINE.match(line.rstrip("\n"))
            if found:
                yield at, int(found.group(1)), found.group(3)


def parents(path):
    """child -> parent: a fork may return after its child's first call."""
    forked = {}
    for _, pid, text in lines(path):
        found = CALL.match(text) or RESUMED.match(text)
        child = result_of(text) if found and found.group(1) in FORKS else None
        if child and child > 0:
            forked[child] = pid
    return forked


def read(path):
    """Every call, in the order in which they were entered."""
    forked, roles, pending, calls = parents(path), {}, {}, []
    for at, pid, text in lines(path):
        if pid not in roles:
            roles[pid] = role_of_child(roles.get(forked.get(pid), "none"))
        resumed = RESUMED.match(text)
        if resumed:
            call = pending.pop(pid, None)
            if call:
                call.args += resumed.group(2)
        else:
            found = CALL.match(text)
            if not found:
                continue  # a signal, or how a process ended
            call = Call(pid, roles[pid], found.group(1), found.group(2), at)
            calls.append(call)
        if call is None:
            continue
        if text.endswith("<unfinished ...>"):
            pending[pid] = call
            continue
        call.done, call.result = at, result_of(text)
        if call.name == "execve" and call.result == 0:
            exe = re.match(r'"((?:[^"\\]|\\.)*)"', call.args)
            roles[pid] = role_of_exec(exe.group(1) if exe else "", roles[pid])
    return calls


def asks(args):
    """A netlink message that is a question: RTM_GET..., or the queries of RDMA_NL_NLDEV."""
    found = re.search(r"nlmsg_type=(?:(\w*_GET\w+)|(0x[0-9a-f]+))", args)
    if not found or "NETLINK:" not in args[:40]:
        return False
    kind = int(found.group(2) or "0", 16)
    return bool(found.group(1)) or kind in (0x1401, 0x1405, 0x1406) or (
        16 <= kind < 128 and kind % 4 == 2)


def counts_at_all(call):
    name, args = call.name, call.args
    if name in ("open", "openat"):
        return "O_CREAT" in args or "O_TRUNC" in args
    if name == "fcntl":
        return bool(re.match(r"[^,]*, F_(OFD_)?SETLKW?\b", args))
    if name == "clone":
        return "CLONE_THREAD" not in args
    if name == "bind":
        return "sa_family=AF_NETLINK" not in args
    if name == "sendmsg":
        return not asks(args)
    if name == "sendto":
        return "sa_family=AF_UNIX" not in args
    if name in ("write", "writev"):
        return not re.match(r"2\D", args)
    return True


def number(calls, names):
    """Numbers the calls that count, for each role; returns how many there are."""
    n, polls = dict.fromkeys(ROLES, 0), {}
    for call in calls:
        if call.role not in n or call.name not in names or not counts_at_all(call):
            continue
        if call.name in POLLS:
            descriptor = re.match(r"\d+", call.args)
            key = call.name, None if call.name == "connect" else descriptor.group(0)
            known = polls.setdefault(call.pid, set())
            if key in known:
                continue
            known.add(key)
        else:
            polls[call.pid] = set()
        n[call.role] += 1
        call.n = n[call.role]
    return n
