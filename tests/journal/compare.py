#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py REPLAY MAKE_JOURNALS [CASES [FIRST]]: cuts, flips and reorders journals, has
each read by vfkeeper-replay and by reader.py, and compares what they say.  Case N is the
same each time; one that differs ends the run, and its files stay in ./second-reader.N."""
import functools
import gzip
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import reader

SEEDS = 40
GOOD = "clean or empty"  # --json says nothing then
HEADER = {"version": 8, "compat": 16, "incompat": 24, "generation": 32, "number": 40,
          "first": 48, "before": 56}
RECORD = {"length": (8, "<I"), "type": (12, "<H"), "flags": (14, "<H"), "seq": (16, "<Q"),
          "generation": (24, "<Q"), "upto": (32, "<Q")}


def seal_header(data):
    """The CRC that a header with this content has."""
    data[12:16] = struct.pack("<I", zlib.crc32(data[:12] + bytes(4) + data[16:128]))


def seal_record(data, at):
    end = at + 40 + (struct.unpack_from("<I", data, at + 8)[0] + 7 & ~7)
    data[at + 4:at + 8] = struct.pack(
        "<I", zlib.crc32(data[at:at + 4] + bytes(4) + data[at + 8:end]))


def places(data):
    """(offset, end) of each record of a file as it was made."""
    found, at = [], 4096
    while r := reader.record(bytes(data), at, None):
        found.append((at, r[2]))
        at = r[2]
    return found


class Mutant:
    """The three files of a journal, and what is done to them."""

    def __init__(self, files, others, rnd):
        self.files = [bytearray(f) for f in files]
        self.others, self.rnd, self.story, self.places = others, rnd, [], None

    def one(self):
        """A file, the one in use more often."""
        newest = max(range(3), key=lambda n: struct.unpack_from("<Q", self.files[n].ljust(
            128, b"\0"), 40))
        return self.rnd.choice([newest, newest, newest, 0, 1, 2])

    def at(self, data):
        """A place in a file: in the header, in a record, at its start, behind the last."""
        found, rnd = places(data), self.rnd
        end = found[-1][1] if found else 4096
        kind = rnd.randrange(6)
        if kind == 0:
            return rnd.randrange(128)
        if kind == 1:
            return rnd.randrange(len(data))
        if kind < 4 and found:
            start, stop = rnd.choice(found[-4:] if kind == 2 else found)
            return rnd.choice([start, start + 8 * rnd.randrange((stop - start) // 8),
                               rnd.randrange(start, stop)])
        return min(end + rnd.choice([-8, 0, 8, 64]), len(data) - 1)

    def cut(self, n, data):
        at = self.at(data)
        del data[at:]

    def zero(self, n, data):
        """The disk never got the rest, or lost a sector or a page."""
        at, size = self.at(data), self.rnd.choice([8, 512, 4096, len(data)])
        if size > 8:
            at -= at % min(size, 512)
        data[at:at + size] = bytes(len(data[at:at + size]))

    def flip(self, n, data):
        for _ in range(self.rnd.choice([1, 1, 1, 2, 8])):
            at = self.at(data)
            data[at] ^= 1 << self.rnd.randrange(8)

    def noise(self, n, data):
        at = self.at(data)
        size = min(self.rnd.choice([8, 40, 512]), len(data) - at)
        data[at:at + size] = self.rnd.randbytes(size)

    def swap_records(self, n, data):
        found = places(data)
        if len(found) < 2:
            return
        i = self.rnd.randrange(len(found) - 1)
        j = self.rnd.choice([i + 1, self.rnd.randrange(len(found))])
        (a, b), (c, d) = sorted((found[min(i, j)], found[max(i, j)]))
        if i != j:
            data[a:d] = data[c:d] + data[b:c] + data[a:b]

    def drop_record(self, n, data):
        found = places(data)
        if found:
            a, b = self.rnd.choice(found)
            data[a:] = data[b:] + bytes(b - a)

    def copy_record(self, n, data):
        """A record a second time: behind the last, or over something, of this file or another."""
        source = self.files[self.rnd.randrange(3)]
        found = places(source)
        if found:
            a, b = self.rnd.choice(found)
            at = self.at(data) & ~7
            data[at:at + b - a] = source[a:b][:len(data) - at]

    def swap_blocks(self, n, data):
        size = self.rnd.choice([512, 4096])
        if len(data) >= 2 * size:
            a, c = sorted(self.rnd.sample(range(0, len(data) - size + 1, size), 2))
            data[a:a + size], data[c:c + size] = data[c:c + size], data[a:a + size]

    def swap_files(self, n, data):
        self.rnd.shuffle(self.files)

    def copy_file(self, n, data):
        self.files[self.rnd.randrange(3)][:] = data

    def older_file(self, n, data):
        """What another journal had there."""
        data[:] = self.rnd.choice(self.others)[n]

    def lose_file(self, n, data):
        self.files[n] = None

    def change_header(self, n, data):
        word = self.rnd.choice(list(HEADER))
        old, = struct.unpack_from("<Q", data.ljust(128, b"\0"), HEADER[word])
        new = self.rnd.choice([0, 1, old ^ 1, old + 1 & 2**64 - 1, self.rnd.getrandbits(64)])
        struct.pack_into("<I" if word == "version" else "<Q", data, HEADER[word],
                         new & (2**32 - 1 if word == "version" else 2**64 - 1))
        seal_header(data)

    def header_before(self, n, data):
        """The file was begun, and all but its header reached the disk."""
        struct.pack_into("<QQ", data, HEADER["generation"], 1 + self.rnd.getrandbits(62),
                         self.rnd.choice([0, 1]))
        seal_header(data)

    def change_record(self, n, data):
        found = places(data)
        if not found:
            return
        at, end = self.rnd.choice(found + found[-3:])
        offset, form = RECORD[word := self.rnd.choice(list(RECORD))]
        old, = struct.unpack_from(form, data, at + offset)
        new = {"length": [end - at - 48, end - at - 40 + 8, 262145, 2**32 - 1],
               "type": [0xff01, 0xff02, 77, 0],
               "flags": [old ^ 1, old ^ 2, 0xffff]}.get(
                   word, [0, old - 1, old + 1, old + 2, self.rnd.getrandbits(64)])
        new = self.rnd.choice(new)
        struct.pack_into(form, data, at + offset, new & (1 << 8 * struct.calcsize(form)) - 1)
        if at + 40 + struct.unpack_from("<I", data, at + 8)[0] <= len(data):
            seal_record(data, at)

    def mutate(self):
        ways = [self.cut, self.zero, self.zero, self.flip, self.flip, self.noise,
                self.swap_records, self.drop_record, self.copy_record, self.swap_blocks,
                self.swap_files, self.copy_file, self.older_file, self.lose_file,
                self.change_header, self.header_before, self.change_record,
                self.change_record]
        for _ in range(self.rnd.choice([0, 1, 1, 1, 1, 2, 3])):
            way, n = self.rnd.choice(ways), self.one()
            if self.files[n] is None or len(self.files[n]) < 128:
                continue
            self.story.append("%s journal.%d" % (way.__name__, n))
            way(n, self.files[n])
            if None in self.files:
                break


@functools.lru_cache(200000)
def parsed(line):
    return json.loads(line)


def replay(program, directory):
    """(exit status, verdict, objects) of vfkeeper-replay --json."""
    done = subprocess.run([program, "-d", directory, "--json"], capture_output=True)
    said = re.search(rb"verdict: (unknown version|\w+)", done.stderr)
    # On a busy machine it may have told how far it is.
    rest = re.sub(rb"(?m)^vfkeeper-replay: .* MB read\n", b"", done.stderr)
    verdict = said.group(1).decode() if said else rest.decode() or GOOD
    return done.returncode, verdict, [parsed(line) for line in done.stdout.splitlines()]


def second(directory):
    verdict, objects = reader.recover(directory)
    status = 4 if any("problem" in o for o in objects) else reader.STATUS[verdict]
    return status, GOOD if verdict in ("clean", "empty") else verdict, objects, verdict


def journals(make_journals, work):
    """The golden journals, and those of random lives."""
    golden = os.path.join(reader.HERE, "tests", "golden", "v1")
    yield [gzip.open(os.path.join(golden, "journal.%d.gz" % n)).read() for n in range(3)]
    for seed in range(SEEDS):
        made = os.path.join(work, "made%d" % seed)
        os.mkdir(made)
        subprocess.run([make_journals, str(seed), made], check=True)
        yield [open(os.path.join(made, "journal.%d" % n), "rb").read() for n in range(3)]


def write(directory, files):
    for n, data in enumerate(files):
        path = os.path.join(directory, "journal.%d" % n)
        if data is not None:
            with open(path, "wb") as out:
                out.write(data)
        elif os.path.exists(path):
            os.unlink(path)


def differences(one, two):
    """What a person has to know of two answers that are not the same."""
    if one[:2] != two[:2]:
        yield "vfkeeper-replay says %s (%d), the second reader %s (%d)" % (
            one[1], one[0], two[1], two[0])
    a, b = ([{**o, "problem": True} if "problem" in o else o for o in x[2]] for x in (one, two))
    for o in [o for o in a if o not in b][:5]:
        yield "only vfkeeper-replay: " + json.dumps(o)
    for o in [o for o in b if o not in a][:5]:
        yield "only the second reader: " + json.dumps(o)
    if a != b and sorted(map(str, a)) == sorted(map(str, b)):
        yield "the same records in another order"


def main(program, make_journals, cases=10000, first=0):
    counts = {}
    with tempfile.TemporaryDirectory() as work:
        sources = list(journals(make_journals, work))
        directory = os.path.join(work, "case")
        os.mkdir(directory)
        for case in range(first, first + cases):
            rnd = random.Random(case)
            mutant = Mutant(rnd.choice(sources), sources, rnd)
            mutant.mutate()
            write(directory, mutant.files)
            one, two = replay(program, directory), second(directory)
            verdict, two = two[3], two[:3]
            counts[verdict] = counts.get(verdict, 0) + 1
            if one != two and (found := list(differences(one, two))):
                shutil.copytree(directory, "second-reader.%d" % case)
                print("  case %d: %s" % (case, ", ".join(mutant.story)), *found, sep="\n    ")
                print("FAIL: second-reader: it agrees with vfkeeper-replay on every journal")
                return 1
    print("%d journals: %s" % (cases, ", ".join("%s %d" % c for c in sorted(counts.items()))))
    print("PASS: second-reader: it agrees with vfkeeper-replay on every journal")
    enough = all(counts.get(v, 0) >= cases // 20 for v in ("clean", "torn", "damaged"))
    print("%s: second-reader: each verdict occurs often enough" % ("PASS" if enough else "FAIL"))
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
