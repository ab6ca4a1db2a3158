#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second reader of the journal, written from vfkeeper-journal(5), journal.proto and
vfkeeper-replay(8), not from the C code: 'reader.py DIR' prints what
'vfkeeper-replay -d DIR --json' prints, and ends as it does."""
import functools, json, os, re, struct, sys, time, zlib

TYPES = {1: "Node", 2: "Vf", 3: "Lease", 4: "Blob"}
STATUS = {"clean": 0, "empty": 0, "torn": 3, "damaged": 4, "unknown version": 4}

# Protobuf: the messages {name: {number: (type, field)}} and enums {name: {number: word}}.
MESSAGES, ENUMS, LISTS = {}, {}, []
HERE = os.environ.get("top_srcdir") or os.path.join(os.path.dirname(__file__), "..", "..")
with open(os.path.join(HERE, "proto", "journal.proto"), encoding="utf-8") as proto:
    for what, name, inner in re.findall(r"(message|enum) (\w+) \{(.*?)\}",
                                        re.sub("//.*", "", proto.read()), re.S):
        rows = re.findall(r"(\w*) (\w+) = (\w+);", inner)
        LISTS += re.findall(r"repeated \w+ (\w+)", inner)
        (MESSAGES if what == "message" else ENUMS)[name] = \
            {int(n, 0): (t, w) if what == "message" else w for t, w, n in rows}
WIRE = {"fixed64": 1, "string": 2, "bytes": 2}
FORM = {"fixed64": lambda v: int.from_bytes(v, "little"), "int64": lambda v: v - (v >> 63 << 64),
        "bool": bool, "bytes": bytes, "uint64": int, "string": lambda v: v.decode() if
        v.decode(errors="ignore").encode() == v else re.sub(rb"[\x80-\xff]", b"?", v).decode()}

def varint(buf, at):
    value = 0
    for shift in range(0, 70, 7):
        value |= (buf[at] & 0x7F) << shift
        at += 1
        if buf[at - 1] < 0x80:
            return value & (1 << 64) - 1, at
    raise ValueError("varint of more than 10 bytes")

def decode(name, buf):
    """The stored fields of a message, by name."""
    out, at = {}, 0
    while at < len(buf):
        key, at = varint(buf, at)
        start, wire, (kind, field) = at, key & 7, MESSAGES[name].get(key >> 3, ("", ""))
        if wire == 0:
            value, at = varint(buf, at)
        elif wire in (1, 2, 5):
            length, start = varint(buf, at) if wire == 2 else (8 if wire == 1 else 4, at)
            at = start + length
            value = buf[start:at]
        if wire not in (0, 1, 2, 5) or at > len(buf) or not key >> 3:
            raise ValueError("field %d of wire type %d" % (key >> 3, wire))
        if kind and wire != WIRE.get(kind, 2 * (kind in MESSAGES)):
            raise ValueError("wire type of " + field)
        if kind in MESSAGES:
            value, old = decode(kind, value), out.get(field)
            out[field] = (old or []) + [value] if field in LISTS else {**(old or {}), **value}
        elif kind:
            out[field] = FORM.get(kind, lambda v: v & 0xFFFFFFFF)(value)
    return out

# Printing: vfkeeper-replay(8).
NAMES = {"addr": "vf", "vf_plus1": "vf", "lease_id": "lease", "next_lease_id": "next_lease",
         "last_error": "error", "wall_ns": "time", "since_wall_ns": "since", "mtu_bytes": "mtu",
         "asked_wall_ns": "asked", "boot_text": "boot_id", "pod_ns": "pod_namespace", "has": None,
         "nsid_plus1": "nsid", "nonce_hi": "nonce", "Lease.id": "lease", "Cordon.addr": "address",
         "Blob.id": "blob", "content": "content_bytes", "nonce_lo": None, "vfs_verified": None}
HAS = {"qos": "VLAN", "vlan_proto": "VLAN", "mtu_bytes": "MTU", "min_tx_mbps": "MIN_TX",
       "max_tx_mbps": "MAX_TX"}
CHOICES = {"ipoib_mode": ("datagram", "connected"), "scrub": ("none", "flr")}

def show(kind, field, value, msg):
    """One value as the page says it."""
    if kind in MESSAGES:
        return [members(kind, v) for v in value] if field in LISTS else members(kind, value)
    if kind in ENUMS:
        word = re.sub("^(VF|LEASE|CAUSE|PLAN|LINK|CORDON_SCOPE)_((STATE|EVENT)_)?", "",
                      ENUMS[kind].get(value, "?") if value or kind == "LinkState" else "")
        return word if kind.startswith(("Vf", "Lease")) else word.lower()
    if field in CHOICES:
        return CHOICES[field][value]
    if field.endswith("wall_ns"):
        day = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(value // 10**9))
        return value and "%s.%09dZ" % (day, value % 10**9)
    if field in ("addr", "pf") or field == "vf_plus1" and value:
        value -= field == "vf_plus1"
        return "%04x:%02x:%02x.%x" % (value >> 16, value >> 8 & 255, value >> 3 & 31, value & 7)
    if field in ("begun", "done", "touched"):
        return [ENUMS["Step"].get(n, "STEP_?")[5:].lower() for n in range(1, 33)
                if value >> n - 1 & 1]
    if field == "boot_id":
        return re.sub("^(.{8})(.{4})(.{4})(.{4})", r"\1-\2-\3-\4-", value.hex())
    if field == "nonce_hi":
        low = msg.get("nonce_lo", 0)
        return value | low and "%016x%016x" % (value, low)
    if field.endswith("_guid"):
        return value.to_bytes(8, "big").hex(":")
    return len(value) if field == "content" else value.hex(":") if kind == "bytes" else \
        value - 1 if field == "nsid_plus1" and value else value

def members(name, msg):
    out, bits = {}, {w: n for n, w in ENUMS["Has"].items() if n & msg.get("has", 0)}
    for kind, field in MESSAGES[name].values():
        shown = NAMES.get(name + "." + field, NAMES.get(field, field))
        if not shown or name == "Cordon" and not msg.get(field) or \
                name == "Settings" and "HAS_" + HAS.get(field, field.upper()) not in bits:
            continue
        zero = {"string": "", "bytes": b"", "bool": False}.get(kind, {} if kind in MESSAGES else 0)
        value = show(kind, field, msg.get(field, zero), msg)
        if shown in ("meta", "set"):
            out.update(value)
        elif value or name == "Settings" or field in ("index", "cause", "content") or \
                field in msg and field in ("nsid_plus1", "baseline"):
            out[shown] = "unknown" if field == "cause" and not value else value
    return out

@functools.lru_cache(None)
def printed(name, payload):
    try:
        return members(name, decode(name, payload))
    except (ValueError, IndexError) as problem:
        return {"problem": str(problem)}

# Recovery: vfkeeper-journal(5).
def record(data, at, generation):
    """The valid record at a place: (seq, at, end, generation, upto, type, flags, payload)."""
    if data[at:at + 4] != b"VFKR" or at + 40 > len(data):
        return None
    crc, length, kind, flags, seq, gen, upto = struct.unpack_from("<IIHHQQQ", data, at + 4)
    end = at + 40 + (length + 7 & ~7)
    if length > 262144 or end > len(data) or generation not in (gen, None) or upto >= seq or \
            seq > 1 << 62 or crc != zlib.crc32(data[at + 8:end], zlib.crc32(b"VFKR" + bytes(4))):
        return None
    return seq, at, end, gen, upto, kind, flags, data[at + 40:at + 40 + length]

class File:
    def __init__(self, n, path):
        self.n, self.missing = n, not os.path.exists(path)
        self.data = b"" if self.missing else open(path, "rb").read()
        head = self.data[:128].ljust(128, b"\0")
        magic, version, crc, _, incompat, self.gen, self.number, seq = \
            struct.unpack_from("<8sIIQQQQQ", head)
        right = magic == b"VFKJRNL\n" and crc == zlib.crc32(head[:12] + bytes(4) + head[16:])
        self.unknown, self.zero = right and (version != 1 or incompat != 0), not any(head)
        fits = self.number <= 1 << 62 >= seq > 0 < self.gen
        self.used, self.bad = right and self.number and fits, \
            not self.zero and not (right and (fits or not self.number))
        self.foreign = self.bad and any(a not in (0, b) for a, b in zip(magic, b"VFKJRNL\n"))
        self.run, self.end, self.whole = [], 4096, False
        while self.used and (r := record(self.data, self.end, self.gen)) and \
                r[0] == seq + len(self.run):
            self.run, self.end = self.run + [r], r[2]
        if self.run and self.run[0][5] == 0xFF01 and len(self.run[0][7]) == 16:
            n, length = struct.unpack("<QQ", self.run[0][7])
            last = [(*r[5:8:2], r[1] - self.run[0][2]) for r in self.run[n + 1:n + 2]]
            self.whole = last == [(0xFF02, self.run[0][7], length)] and \
                all(r[6] & 1 for r in self.run[1:n + 1])

    def search(self, at, last, gen=None):
        """The valid records from a place on that are later than 'last'."""
        found = []
        while (at := self.data.find(b"VFKR", at)) >= 0:
            r = None if at % 8 else record(self.data, at, gen)
            found += [(self, r)] if r and r[0] > last else []
            at = r[2] if r else at + 1
        return found

def recover(directory):
    """The verdict and the records of a journal, each as the object that is printed."""
    files = [File(n, os.path.join(directory, "journal.%d" % n)) for n in range(3)]
    files.sort(key=lambda f: (f.number * bool(f.used), -f.n))
    whole = [f for f in files if f.whole]
    base = whole[-1] if whole else None
    last, begun = (base.run[-1][0], base.data[base.end:base.end + 40]) if base else (0, b"")
    newer = [f for f in files[files.index(base) + 1 if base else 0:] if f.used]
    tails = [f.search(4096, last) for f in files[::-1] if f != base] + \
        [base.search(base.end, last) if base else []]
    found = [(f, r) for f in whole for r in f.run]
    if any(f.unknown for f in files):
        return "unknown version", []
    proofs = [r[4] for r in (base.run if base else []) + [r for t in tails for _, r in t]]
    if max(proofs, default=0) > last or base and record(base.data, base.end, base.gen) or \
            base and base.number >= 3 and any(f.missing for f in files) or \
            not base and any(f.foreign for f in files):
        verdict = "damaged"
        for f, r in sum(sorted(filter(None, tails), key=lambda t: t[0][1][0]), []):
            found += [(f, r)] if not found or r[0] > found[-1][1][0] else []
    elif any(tails) or newer or any(f.bad for f in files) or base and (
            base.search(base.end, 0, base.gen) or begun[24:32] == struct.pack("<Q", base.gen) or
            begun[:4] == b"VFKR" and (not begun[39:] or begun[16:24] == struct.pack("<Q", last + 1))):
        verdict = "torn"
    else:
        verdict = "clean" if base else "empty"
    return verdict, [{"seq": r[0], "file": f.n, "offset": r[1], "bytes": r[2] - r[1],
                      "generation": "%016x" % r[3], "durable_upto": r[4],
                      "snapshot": bool(r[6] & 1),
                      **({"type": TYPES[r[5]].lower(), **printed(TYPES[r[5]], r[7])}
                         if r[5] in TYPES else {"type": "unknown", "type_number": r[5]})}
                     for f, r in found if r[5] < 0xFF00]

if __name__ == "__main__":
    word, lines = recover(sys.argv[1])
    print(*map(json.dumps, lines), sep="\n")
    sys.exit(print("reader: verdict: " + word, file=sys.stderr) or STATUS[word])
