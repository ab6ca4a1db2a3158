# SPDX-License-Identifier: Apache-2.0
"""Holds traces of clean runs to P1 and P2 of vfkeeper-rules(7), from outside: knows system
calls, and of the journal what vfkeeper-journal(5) and proto/journal.proto say.

    p1.py DIR     the traces of crash.py in DIR, as they are and doctored

A doctored trace is what a faulty engine would have left, and has to be found wrong."""

import glob
import re
import struct
import sys

import calltrace

HEADER = struct.Struct("<4sIIHHQQQ")
REC_VF, REC_LEASE = 2, 3
RESERVED, ATTACHED, DETACHING, FREE = 2, 3, 4, 1  # VfState
ASKED, OWED = 2, 4  # LeaseState
VF_ADDR, VF_STATE, VF_BEGUN, VF_BASELINE = 2, 9, 20, 25  # fields of Vf
LEASE_ID, LEASE_STATE = 2, 5  # fields of Lease
NAMES = {16: "RTM_NEWLINK", 17: "RTM_DELLINK", 19: "RTM_SETLINK", 20: "RTM_NEWADDR",
         21: "RTM_DELADDR", 24: "RTM_NEWROUTE", 25: "RTM_DELROUTE"}
# Which steps (enum Step) may have this effect.
STEPS = {"LINK": {4, 5, 9, 13}, "ADDR": {6, 13}, "ROUTE": {6, 13},
         "PF": {1, 2, 3, 10, 11, 12}}
ESCAPES = {"n": 10, "t": 9, "r": 13, "v": 11, "f": 12, "a": 7, "b": 8, '"': 34, "\\": 92}


def unquote(text):
    """The bytes of the first string of strace's in 'text'."""
    quoted = re.search(r'"((?:[^"\\]|\\.)*)"', text).group(1)

    def one(found):
        esc = found.group(1)
        if esc[0] == "x":
            return chr(int(esc[1:], 16))
        return chr(ESCAPES[esc] if esc in ESCAPES else int(esc, 8))

    return re.sub(r'\\(x[0-9a-f]{2}|[0-7]{1,3}|.)', one, quoted).encode("latin-1")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            size = 8 if key & 7 == 1 else 4
            value, at = data[at:at + size], at + size
        found[key >> 3] = value
    return found


def records(data):
    """(type, fields) of every record in what was written at once."""
    at = 0
    while at + HEADER.size <= len(data):
        magic, _, size, kind, flags, _, _, _ = HEADER.unpack_from(data, at)
        if magic != b"VFKR":
            return
        if not flags & 1:  # no part of a snapshot
            yield kind, fields(data[at + HEADER.size:at + HEADER.size + size])
        at += (HEADER.size + size + 7) & ~7


class Event:
    """What matters of one call: kind is vf, lease, sync, change, ipam or answer."""

    def __init__(self, kind, at, call, what=None):
        self.kind, self.at, self.call, self.what = kind, at, call, what


def change(call):
    """What a worker changes of a VF by this call: (kind of effect, its name), or None."""
    if call.name in ("sendmsg", "sendto") and "NETLINK:" in call.args[:40]:
        found = re.search(r"nlmsg_type=(?:(RTM_\w+)|(0x[0-9a-f]+))", call.args)
        if not found:
            return None
        name = found.group(1) or NAMES.get(int(found.group(2), 16), "")
        if not re.match(r"RTM_(NEW|DEL|SET)(LINK|ADDR|ROUTE)$", name):
            return None
        # The driver plays the kernel here: a VF's link comes into being.
        if name == "RTM_NEWLINK" and "veth" in call.args or "IFLA_IFALIAS" in call.args:
            return None
        return name[7:], name
    if call.name == "rename" and "/run/vfkeeper/sim/" in call.args:
        return "PF", "settings of the PF"
    if call.name in ("write", "pwrite64") and re.match(r"\d+</sys/", call.args):
        return "PF", call.args.split(",")[0]
    return None


def events(calls):
    """In order: a record counts from the end of its write on, an effect from the beginning."""
    found = []
    for call in calls:
        if call.role == "loop" and call.name == "pwrite64" and "journal." in call.args[:90]:
            for kind, record in records(unquote(call.args)):
                if kind in (REC_VF, REC_LEASE):
                    found.append(Event("vf" if kind == REC_VF else "lease", call.done, call,
                                       record))
        elif call.role == "worker" and call.name == "fdatasync" and call.result == 0:
            found.append(Event("sync", call.done, call, call.at))
        elif call.role == "worker" and change(call):
            found.append(Event("change", call.at, call, change(call)))
        elif call.name == "execve" and '"CNI_COMMAND=' in call.args and call.result == 0:
            exe = unquote(call.args).decode()
            if calltrace.role_of_exec(exe, "none") == "plugin":
                verb = re.search(r'"CNI_COMMAND=(\w+)"', call.args).group(1)
                found.append(Event("ipam", call.at, call, verb))
        elif call.role == "client" and call.name == "write" and call.args.startswith("1<"):
            found.append(Event("answer", call.at, call))
    return sorted(found, key=lambda event: event.at)


class Node:
    """What the journal says so far."""

    def __init__(self):
        self.vfs, self.leases, self.written, self.synced = {}, {}, {}, -1

    def undo_is_written(self, effect):
        for vf in self.vfs.values():
            begun = {bit + 1 for bit in range(32) if vf.get(VF_BEGUN, 0) >> bit & 1}
            if (vf.get(VF_STATE) in (RESERVED, DETACHING) and VF_BASELINE in vf and
                    begun & STEPS[effect]):
                return True
        return False

    def lease_is(self, state, synced):
        return any(lease.get(LEASE_STATE) == state and
                   (not synced or self.written[number] < self.synced)
                   for number, lease in self.leases.items())


def judge(found, verb):
    """What is wrong, a sentence each."""
    node, wrong = Node(), []
    for event in found:
        if event.kind == "vf":
            node.vfs[event.what.get(VF_ADDR)] = event.what
        elif event.kind == "lease":
            node.leases[event.what.get(LEASE_ID)] = event.what
            node.written[event.what.get(LEASE_ID)] = event.at
        elif event.kind == "sync":
            node.synced = max(node.synced, event.what)
        elif event.kind == "change" and not node.undo_is_written(event.what[0]):
            wrong.append("%s before its record: %s" % (event.what[1], event.call))
        elif event.kind == "ipam" and event.what == "ADD":
            if not node.lease_is(ASKED, synced=True):
                wrong.append("IPAM ADD before ASKED is synced: %s" % event.call)
        elif event.kind == "ipam" and not node.lease_is(OWED, synced=False):
            wrong.append("IPAM %s before OWED: %s" % (event.what, event.call))
        elif event.kind == "answer":
            settled = {"ADD": (ATTACHED,), "DEL": (FREE, DETACHING)}.get(verb)
            if settled and not any(vf.get(VF_STATE) in settled for vf in node.vfs.values()):
                wrong.append("answered before its record: %s" % event.call)
    return wrong


def without(found, kind, matches):
    return [e for e in found if e.kind != kind or not matches(e.what)]


def state_of(record):
    return record.get(VF_STATE)


def cleared(found, field):
    """Without that field in the records of VFs."""
    return [Event(e.kind, e.at, e.call, {k: v for k, v in e.what.items() if k != field})
            if e.kind == "vf" else e for e in found]


DOCTORED = {
    "ADD": (
        ("ASKED is not synced", lambda f: without(f, "sync", lambda _: True)),
        ("ASKED is not written", lambda f: without(
            f, "lease", lambda r: r.get(LEASE_STATE) == ASKED)),
        ("RESERVED is not written", lambda f: without(
            f, "vf", lambda r: state_of(r) == RESERVED)),
        ("the step begun is not written", lambda f: cleared(f, VF_BEGUN)),
        ("the baseline is not written", lambda f: cleared(f, VF_BASELINE)),
        ("ATTACHED is not written", lambda f: without(
            f, "vf", lambda r: state_of(r) == ATTACHED)),
    ),
    "DEL": (
        ("DETACHING is not written", lambda f: without(
            f, "vf", lambda r: state_of(r) == DETACHING)),
        ("OWED is not written", lambda f: without(
            f, "lease", lambda r: r.get(LEASE_STATE) == OWED)),
        ("nothing is written", lambda f: without(f, "vf", lambda _: True)),
    ),
}


def main():
    failed = n_changes = n_ipam = 0
    for path in sorted(glob.glob(sys.argv[1] + "/*.strace")):
        name = path.rsplit("/", 1)[1].replace(".strace", "")
        verb = name.split("-", maxsplit=1)[0]
        found = events(calltrace.read(path))
        changes = sum(e.kind == "change" for e in found)
        ipam = sum(e.kind == "ipam" for e in found)
        n_changes, n_ipam = n_changes + changes, n_ipam + ipam
        wrong = judge(found, verb)
        if not ipam or (verb in ("ADD", "DEL") and not changes):
            wrong.append("the trace shows %d changes and %d runs of IPAM" % (changes, ipam))
        for sentence in wrong:
            print("FAIL: p1: %s: %s" % (name, sentence))
        for what, doctor in DOCTORED.get(verb, ()):
            if not judge(doctor(found), verb):
                wrong.append(what)
                print("FAIL: p1: %s: %s, and it was not noticed" % (name, what))
        failed += bool(wrong)
        if not wrong:
            print("PASS: p1: %s: %d changes and %d runs of IPAM come after their records; "
                  "%d doctored traces do not" % (name, changes, ipam,
                                                 len(DOCTORED.get(verb, ()))))
    return 1 if failed or not n_changes or not n_ipam else 0


if __name__ == "__main__":
    sys.exit(main())
