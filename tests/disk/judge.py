#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""judge.py DIR REPLAY MODE: cuts the power at every write and flush that dm-log-writes kept.

DIR has base.img and log.img of record.sh.  For each place the file system is repaired as a
mount would do it, the journal is taken out, and REPLAY (vfkeeper-replay) says what is in it.
Writes that were not flushed may also be lost or land in any order: some of each are tried.
MODE is "all" where every record is synced before the answer (sync = all), else "asked".

Journals of chosen places are left in DIR/boots/N, with the leases that have to be paid in
'owed', for an engine to start on.
"""

import json
import os
import random
import shutil
import struct
import subprocess
import sys

FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
MAGIC = 0x6A736677736872


def entries(path):
    """Yields (flags, sector, data) or (MARK, None, text) in the order of the log."""
    with open(path, "rb") as log:
        magic, version, n, size = struct.unpack("<QQQI", log.read(28))
        if magic != MAGIC or version != 1:
            raise SystemExit("log.img: not a log of dm-log-writes")
        at = size
        for _ in range(n):
            log.seek(at)
            sector, n_sectors, flags, data_len = struct.unpack("<QQQQ", log.read(32))
            at += size
            if flags & MARK:
                yield MARK, None, log.read(data_len).rstrip(b"\0\n").decode()
            elif flags & DISCARD:
                yield flags, sector * size, n_sectors * size
            else:
                log.seek(at)
                yield flags, sector * size, log.read(n_sectors * size)
                at += n_sectors * size


class Judge:
    def __init__(self, top, replay, mode):
        self.top, self.replay, self.mode = top, replay, mode
        self.image = bytearray(open(os.path.join(top, "base.img"), "rb").read())
        self.flushed = bytearray(self.image)  # as it was after the last flush
        self.work = os.path.join(top, "work")
        self.broken = []
        self.n = self.n_torn = self.n_none = self.n_boots = 0
        self.asked, self.paid, self.owners, self.ended = set(), set(), set(), set()
        self.releasing = set()
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(os.path.join(top, "boots"), ignore_errors=True)
        os.makedirs(self.work)

    def apply(self, image, flags, offset, data):
        if flags & DISCARD:
            image[offset:offset + data] = bytes(data)
        else:
            image[offset:offset + len(data)] = data

    def note(self, text):
        """A mark: what the world knows from now on."""
        word = text.split(".")
        if word[0] == "ipam" and word[1] == "ADD":
            self.asked.add(word[2])
            self.paid.discard(word[2])
        elif word[0] == "ipam" and word[1] == "DEL":
            self.paid.add(word[2])
        elif word[0] == "adding":
            self.ended.discard(word[1])
        elif word[0] == "added":
            self.owners.add(word[1])
            self.releasing.discard(word[1])
        elif word[0] == "releasing":
            self.releasing.add(word[1])
        elif word[0] in ("released", "told"):
            self.owners.discard(word[1])
            self.ended.add(word[1])

    def complain(self, where, what):
        self.broken.append("%s: %s" % (where, what))

    def take_out(self, image):
        """The journal's files as a mount would find them; False: there is no directory."""
        path = os.path.join(self.work, "img")
        with open(path, "wb") as out:
            out.write(image)
        done = subprocess.run(["e2fsck", "-f", "-y", path], capture_output=True, check=False)
        if done.returncode not in (0, 1, 2):
            raise SystemExit("e2fsck: %s" % done.stdout[-300:])
        journal = os.path.join(self.work, "journal")
        shutil.rmtree(journal, ignore_errors=True)
        os.makedirs(journal)
        commands = "".join("dump journal/journal.%d %s/journal.%d\n" % (n, journal, n)
                           for n in range(3))
        listing = subprocess.run(["debugfs", "-R", "ls -p journal", path],
                                 capture_output=True, check=True).stdout.decode()
        subprocess.run(["debugfs", "-f", "-", path], input=commands.encode(),
                       capture_output=True, check=True)
        for n in range(3):
            if "/journal.%d/" % n not in listing:
                name = os.path.join(journal, "journal.%d" % n)
                if os.path.exists(name):
                    os.unlink(name)
        if "damaged" in listing:
            self.complain("files", "an engine set something aside")
        return bool(os.listdir(journal))

    def state(self):
        """(verdict's exit code, leases by container, VFs by container, text)"""
        journal = os.path.join(self.work, "journal")
        done = subprocess.run([self.replay, "-d", journal, "--verify"], capture_output=True,
                              check=False)
        said = (done.stdout + done.stderr).decode().strip()
        read = subprocess.run([self.replay, "-d", journal, "--json"], capture_output=True,
                              check=False)
        leases, vfs = {}, {}
        for line in read.stdout.decode().splitlines():
            record = json.loads(line)
            owner = record.get("owner", {}).get("container", "")
            if record["type"] == "lease":
                leases[record["lease"]] = (owner, record["state"])
            elif record["type"] == "vf":
                vfs[record["vf"]] = (owner, record["state"])
        return done.returncode, leases, vfs, said

    def cut(self, image, where):
        self.n += 1
        if not self.take_out(image):
            self.n_none += 1
            if self.asked:
                self.complain(where, "no journal, and IPAM was asked for %s" % self.asked)
            return
        code, leases, vfs, said = self.state()
        last = said.splitlines()[-1] if said else ""
        if code == 3:
            self.n_torn += 1
        elif code != 0:
            self.complain(where, "vfkeeper-replay --verify exits %d: %s" % (code, last))
            return
        known = {}
        for container, lease_state in leases.values():
            known.setdefault(container, []).append(lease_state)
        for container in self.asked:
            if container not in known:
                self.complain(where, "IPAM was asked for %s, no lease tells" % container)
            elif container not in self.paid and set(known[container]) == {"NONE"}:
                self.complain(where, "%s is not paid, its lease says so" % container)
        owners = {c: s for c, s in vfs.values() if c}
        for container in self.ended - self.owners:
            if self.mode == "all" and owners.get(container) in ("ATTACHED", "RESERVED"):
                self.complain(where, "%s was released, its VF is %s" % (
                    container, owners[container]))
        for container in self.owners - self.releasing:
            if self.mode == "all" and owners.get(container) != "ATTACHED":
                self.complain(where, "%s was added, its VF is %s" % (
                    container, owners.get(container)))

    def keep_for_boot(self):
        self.n_boots += 1
        place = os.path.join(self.top, "boots", "%02d" % self.n_boots)
        shutil.copytree(os.path.join(self.work, "journal"), place)
        with open(os.path.join(place, "owed"), "w") as out:
            out.write("".join(c + "\n" for c in sorted(self.asked - self.paid)))

    def variants(self, epoch, where, rng):
        """Some of what was not flushed is lost, torn or comes in another order."""
        for k in range(5):
            image = bytearray(self.flushed)
            for flags, offset, data in rng.sample(epoch, len(epoch)):
                if flags & DISCARD or rng.random() < 0.3:
                    continue
                if len(data) > 512 and rng.random() < 0.3:
                    data = data[:512 * rng.randrange(1, len(data) // 512)]
                self.apply(image, flags, offset, data)
            self.cut(image, "%s, variant %d" % (where, k))

    def run(self):
        rng = random.Random(1)
        epoch = []
        bulk = True  # the zeros of new files: each write is like the one before
        for n, (flags, offset, data) in enumerate(entries(os.path.join(self.top, "log.img"))):
            where = "entry %d" % n
            if flags & MARK:
                # A mark comes behind what was flushed: the power may go right here.
                self.note(data)
                bulk = bulk and data.split(".")[0] != "ipam"
                self.cut(self.image, "%s (%s)" % (where, data))
                if data.split(".")[0] in ("ipam", "told") and self.n_boots < 12:
                    self.keep_for_boot()
                continue
            if flags & (FLUSH | FUA):
                if epoch:
                    self.variants(epoch, where, rng)
                epoch = []
            self.apply(self.image, flags, offset, data)
            if flags & (FLUSH | FUA):
                self.flushed = bytearray(self.image)
            else:
                epoch.append((flags, offset, data))
            if flags & (FLUSH | FUA) or not bulk or n % 16 == 0:
                self.cut(self.image, where)


def main():
    judge = Judge(sys.argv[1], sys.argv[2], sys.argv[3])
    judge.run()
    for line in judge.broken[:10]:
        print("      " + line)
    print("      %d cuts: %d torn, %d without a journal; %d broken; %d journals kept" % (
        judge.n, judge.n_torn, judge.n_none, len(judge.broken), judge.n_boots))
    if judge.n < 100 or not judge.n_torn or len(judge.asked) < 6 or not judge.n_boots:
        print("      too little happened: %d asked" % len(judge.asked))
        return 1
    return 1 if judge.broken else 0


if __name__ == "__main__":
    sys.exit(main())
