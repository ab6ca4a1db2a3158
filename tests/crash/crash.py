# SPDX-License-Identifier: Apache-2.0
"""Kills one process of ADD, DEL and replay in front of each of its state-changing system
calls.  Run by world.sh, inside a world, and in a guest on real VFs (cards.py).

    crash.py trace DIR                  clean runs under strace; DIR gets traces and points
    crash.py kill DIR PART PARTS ALL    the points of this part; ALL: both recoveries for each
    crash.py recount DIR                after it: clean runs anew where points were gone
    crash.py few DIR ROLE,...           a point for each kind of call of these roles
    crash.py unread DIR ALL [NAME]      what is on its way when somebody dies
    crash.py ending DIR                 an engine that is about to end
    crash.py fail DIR PART PARTS STEP   each STEP-th system call of the engine fails once
    crash.py nomem DIR PART PARTS STEP  each STEP-th allocation of the engine fails once
    crash.py one DIR NAME               one point, by the name that a failure prints
"""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import calltrace
import cards
import unread
import world
from world import BIN, Broken, HELPERS, ROOT

HOWS = ("service", "demand")  # who serves the call, and who recovers
SCENARIOS = ("ADD", "DEL", "replay")
FEW_RUNS = (("ADD", "service"), ("DEL", "demand"), ("replay", "service"))
SNAPSHOT = ROOT + "/snapshot"
TRIES = 10  # for a point that a run did not come to, each
TURNS = 5  # times
ROUNDS = 30  # of clean runs, until they agree


def prepare(what):
    world.node.prepare(what)


def command(what):
    if what == "replay":
        return [BIN + "vfkeeper-replay", "--apply", "--timeout", str(world.node.hang_s // 2)]
    return [BIN + "vfkeeper"]


def killat(what, how, *options, under=()):
    argv = [*under, HELPERS + "killat", "-i", ROOT + "/conf", "-o", ROOT + "/call.out",
            "-g", world.LOG, "-q", str(int(world.node.quiet_s * 500)), *options]
    if how == "service":
        argv += ["-s", BIN + "vfkeeperd"]
    with open(ROOT + "/conf", "w", encoding="ascii") as f:
        f.write(world.conf())
    return subprocess.Popen(argv + command(what), stdin=subprocess.PIPE, text=True,
                            stdout=subprocess.PIPE,
                            env=world.environment("ADD" if what == "replay" else what, "p1",
                                                  "first"))


def said(runner):
    """What killat says, a line each: {"killed": ..., "call": ..., "count": {...}}."""
    found = {"count": {}}
    for line in runner.stdout:
        word, rest = line.split(" ", 1)
        if word == "count":
            role, n = rest.split()
            found["count"][role] = int(n)
        else:
            found[word] = rest.strip()
        if "call" in found and ("killed" in found or "failed" in found):
            break
    return found


def release(runner):
    """Ends killat, and with it whatever it still traces."""
    runner.stdin.close()
    runner.kill()
    runner.wait()
    runner.stdout.close()


def hung(*_):
    raise Broken("no end after %d s" % world.node.hang_s)


# --- clean runs ---

def strace(what, how, path, names):
    """How many calls of each role strace saw in a clean run; the trace is kept in 'path'.  None:
    it made everybody too slow for the call to end well, which is no finding."""
    prepare(what)
    under = ("strace", "-f", "-ttt", "-yy", "-x", "-v", "-s", "300000", "--seccomp-bpf",
             "-o", path, "-e", "trace=" + ",".join(sorted(names)))
    # Nobody sees then whether the service is at rest; slow as it is, it has to be.
    runner = killat(what, how, "-p", "-q", str(int(world.node.traced_rest_s * 1000)), under=under)
    status = said_call(runner)
    time.sleep(max(world.node.quiet_s, world.node.traced_rest_s))
    for pid in world.engines(main_only=True):
        os.kill(pid, signal.SIGTERM)
    runner.wait(world.node.hang_s)
    release(runner)
    if status != "0":
        print("%s under strace: exit %s" % (what, status), flush=True)
        finish(what, status)
        world.end_engines()
        return None
    calls = calltrace.read(path)
    counts = calltrace.number(calls, names)
    with open(path.replace(".strace", ".calls"), "w", encoding="ascii") as f:
        for call in calls:
            if call.n:
                f.write("%s %d %s %d\n" % (call.role, call.n, call.name, call.pid))
    finish(what, "0")
    world.end_engines()
    return counts


def count(what, how, path):
    """The same by killat, which leaves everybody alive."""
    prepare(what)
    runner = killat(what, how, "-l", path)
    found = said(runner)
    release(runner)
    if found.get("call") != "0":
        raise Broken("%s under killat: exit %s" % (what, found.get("call")))
    finish(what, "0")
    world.end_engines()
    return found["count"]


def trace(directory):
    """Clean runs, until two observers have counted the same for each role: which of its jobs
    overlap differs from run to run, and so does the number of calls."""
    names = set(world.run(HELPERS + "killat", "-n").stdout.split())
    points = {}
    for what in SCENARIOS:
        for how in HOWS:
            path = "%s/%s-%s." % (directory, what, how)
            traced, counted, agreed = [], [], {}
            for _ in range(ROUNDS):
                counted.append(count(what, how, path + "killat"))
                seen = strace(what, how, path + "strace", names)
                if seen is None:
                    continue
                traced.append(seen)
                for role in calltrace.ROLES:
                    both = {t[role] for t in traced} & {c[role] for c in counted}
                    if both:
                        agreed.setdefault(role, both.pop())
                if len(agreed) == len(calltrace.ROLES):
                    break
            else:
                raise Broken("%s/%s: strace %s, killat %s" % (what, how, traced[-3:],
                                                              counted[-3:]))
            points["%s/%s" % (what, how)] = agreed
            print("%s/%s, runs %d: %s" % (what, how, len(traced), agreed), flush=True)
    save_points(directory, points)


def said_call(runner):
    for line in runner.stdout:
        if line.startswith("call "):
            return line.split()[1]
    raise Broken("killat said nothing of the call")


# --- one point ---

def forget_unfinished():
    """host-local makes an address's file and then writes into it whose it is.  Killed in
    between it leaves an empty one, which neither its DEL nor its GC finds: its own loss.  It
    dies with its caller."""
    for path, _, names in os.walk(ROOT + "/var/ipam"):
        for name in names:
            if name[0].isdigit() and not os.path.getsize(path + "/" + name):
                os.unlink(path + "/" + name)


def next_pod(may_fail):
    """Another pod gets the VF.  Where a call or an allocation has failed, so may its ADD, in
    clear words; its runtime's DEL follows, and what it asks then is served.  Only an engine
    that could not read its configuration goes on refusing (P10): then the next one serves."""
    if may_fail:
        status, text = world.call("ADD", "p2", "second")
        if status == 0:
            world.attached("p2", text)
            return
        is_clear("ADD", text)
        world.insist("DEL", "p2", "second")
        if "no ADD is served" in text:
            world.end_engines()
    world.attached("p2", world.insist("ADD", "p2", "second"))


def finish(what, status, victim=None, may_fail=False):
    """What the runtime does after the call, and what another pod does then."""
    if what == "replay":
        for _ in range(20):
            if world.run(BIN + "vfkeeper-replay", "--apply", check=False).returncode == 0:
                break
        else:
            raise Broken("vfkeeper-replay --apply does not succeed")
    else:
        if what == "ADD" and status == "0":
            with open(ROOT + "/call.out", encoding="utf-8") as f:
                world.attached("p1", f.read())
        world.insist("DEL", "p1", "first")
    if victim in ("client", "plugin"):
        forget_unfinished()
    if world.node.next_pod:
        next_pod(may_fail)
        world.insist("DEL", "p2", "second")
    world.judge(SNAPSHOT)


def kill_once(what, how, recovery, role, n, only=None, on=None):
    """The call that was hit, or None if the run did not come to it; 'only' one kind of call
    counts, or only those 'on' this file or of this netlink message."""
    open(world.LOG, "w", encoding="ascii").close()
    prepare(what)
    options = ["-k", "%s:%d" % (role, n)] + (["-c", only] if only else [])
    options += ["-w", on] if on else []
    if recovery == "service":
        options += ["-a", BIN + "vfkeeperd"]
    runner = killat(what, how, *options)
    found = {}
    try:
        found = said(runner)
        # A run that did not come to the point leaves something behind, too.
        if "killed" in found and how == "service" and recovery == "demand":
            world.end_engines()
        finish(what, found["call"], role)
    except Broken as e:
        raise Broken("%s: %s" % (found.get("killed"), e)) from None
    finally:
        release(runner)
        world.end_engines()
    return found.get("killed")


def name_of(point):
    return "%s/%s/%s/%s:%d" % point[:5]


def is_gone(what, how, role, n):
    """Whether no clean run of now comes to it either: how long this machine takes decides what
    overlaps, and may have changed since the points were counted."""
    names = set(world.run(HELPERS + "killat", "-n").stdout.split())
    runs = []
    for _ in range(3):
        signal.alarm(world.node.hang_s)
        runs.append(strace(what, how, ROOT + "/again.strace", names))
        signal.alarm(0)
    return any(runs) and all(seen[role] < n for seen in runs if seen)


def kill(point):
    """(what is wrong or None, what was hit); ("gone", None) if there is no such point now: then
    recount() has to show a run that ends before it."""
    what, how, _, role, n = point[:5]
    try:
        for _ in range(TURNS):
            for _ in range(TRIES):
                signal.alarm(world.node.hang_s)
                hit = kill_once(*point)
                signal.alarm(0)
                if hit:
                    return None, hit
            if is_gone(what, how, role, n):
                return "gone", None
        return "no run came to it", None
    except (Broken, subprocess.TimeoutExpired) as e:
        signal.alarm(0)
        return str(e), None


def last_hit(directory):
    """The number of the last call that was hit, for each (run, role)."""
    last = {}
    for path in glob.glob(directory + "/done.*"):
        with open(path, encoding="ascii") as f:
            for line in f:
                what, how, _, role, n = re.split("[/:]", line.split(" ", 1)[0])
                if not line.endswith(" gone\n"):
                    at = what + "/" + how, role
                    last[at] = max(last.get(at, 0), int(n))
    return last


def recount(directory):
    """Where the last calls of a role were gone: clean runs, until both observers have seen one
    with as many calls as were hit.  It is the trace whose calls are the points, then."""
    names = set(world.run(HELPERS + "killat", "-n").stdout.split())
    points, last = load(directory), last_hit(directory)
    for run, roles in points.items():
        for role in calltrace.ROLES:
            n = last.get((run, role), 0)
            if n >= roles[role]:
                continue
            path = "%s/%s-again." % (directory, run.replace("/", "-"))
            traced, counted = set(), set()
            for _ in range(ROUNDS):
                counted.add(count(*run.split("/"), path + "killat")[role])
                seen = strace(*run.split("/"), path + "strace", names)
                traced.add(seen and seen[role])
                if n in traced & counted:
                    break
            else:
                print("FAIL: %s: %s: %d calls of the %s were hit, clean runs have: strace %s, "
                      "killat %s" % (world.node.name, run, n, role, traced, counted))
                return 1
            print("%s: %s: the %s has %d calls, not %d as when it was traced first" %
                  (world.node.name, run, role, n, roles[role]), flush=True)
            roles[role] = n
    save_points(directory, points)
    return 0


def ending(directory):
    """The engine is killed in front of each descriptor that it closes at its end: listener,
    connections, workers, journal, and the lock last (R1)."""
    failed = n_runs = 0
    for how in HOWS:
        prepare("DEL")
        path = "%s/ending-%s" % (directory, how)
        runner = killat("DEL", how, "-c", "close", "-l", path)
        said(runner)
        release(runner)
        finish("DEL", "0")
        world.end_engines()
        with open(path, encoding="ascii") as f:
            lines = f.read().split("\n")
        over = lines.index("over")
        before = sum(line.startswith("loop ") for line in lines[:over])
        for n in range(before + 1, sum(line.startswith("loop ") for line in lines) + 1):
            wrong = None
            signal.alarm(world.node.hang_s)
            try:
                n_runs += kill_once("DEL", how, HOWS[n % 2], "loop", n, "close") is not None
            except (Broken, subprocess.TimeoutExpired) as e:
                wrong = str(e)
            signal.alarm(0)
            if wrong:
                failed += 1
                print("FAIL: crash: killed when it closes its %d-th descriptor, engine %s: %s" %
                      (n, how, re.sub(r"\s+", " ", wrong)[:600]), flush=True)
                clean_up()
    if not n_runs:
        print("FAIL: crash: no engine was killed while it ended")
    elif not failed:
        print("PASS: crash: an engine dies between its last answer and its exit (%d runs)" %
              n_runs)
    return failed or not n_runs


# --- calls that fail ---

FAILING = (("ADD", "demand"), ("DEL", "service"))
ENGINE = ("loop", "spawner", "worker")


def is_clear(what, text):
    """One line for a person, with a code: what a failed call has to print."""
    try:
        error = json.loads(text)
        good = error["code"] > 0 and error["msg"] and "\n" not in error["msg"]
    except (ValueError, LookupError, TypeError):
        good = False
    if not good:
        raise Broken("%s failed without a clear error: %s" % (what, text))


def fail_once(what, how, role, n):
    """What failed, or None if the run did not come to it."""
    open(world.LOG, "w", encoding="ascii").close()
    prepare(what)
    options = ["-e", "0", "-k", "%s:%d" % (role, n)]
    if how == "service":
        options += ["-a", BIN + "vfkeeperd"]
    runner = killat(what, how, *options)
    found = {}
    try:
        found = said(runner)
        if found["call"] != "0":
            with open(ROOT + "/call.out", encoding="utf-8") as f:
                is_clear(what, f.read())
        finish(what, found["call"], may_fail=True)
    except Broken as e:
        raise Broken("%s: %s" % (found.get("failed"), e)) from None
    finally:
        release(runner)
        world.end_engines()
    return found.get("failed")


def fail_part(directory, part, parts, step):
    """Each step-th system call of the engine fails once."""
    failed = n_runs = 0
    with open("%s/failed.%d" % (directory, part), "w", encoding="ascii") as done:
        for what, how in FAILING:
            prepare(what)
            runner = killat(what, how, "-e", "0")
            counts = said(runner)["count"]
            release(runner)
            finish(what, "0")
            world.end_engines()
            for role in ENGINE:
                for n in range(1 + part * step, counts[role] + 1, parts * step):
                    name = "%s/%s/%s:%d" % (what, how, role, n)
                    wrong = hit = None
                    try:
                        signal.alarm(world.node.hang_s)
                        hit = fail_once(what, how, role, n)
                        n_runs += hit is not None
                    except (Broken, subprocess.TimeoutExpired) as e:
                        wrong = str(e)
                    signal.alarm(0)
                    done.write("%s %s %s\n" % (name, hit, wrong or "ok"))
                    done.flush()
                    if wrong:
                        failed += 1
                        print("FAIL: crash: the call fails at %s: %s" %
                              (name, re.sub(r"\s+", " ", wrong)[:600]), flush=True)
                        shutil.copy(world.LOG, "%s/fail-%s.log" %
                                    (directory, re.sub("[/:]", "-", name)))
                        clean_up()
    if not n_runs:
        print("FAIL: crash: no system call has failed")
    elif not failed:
        print("PASS: crash: each of %d system calls of the engine fails once, and nothing is "
              "lost" % n_runs)
    return failed or not n_runs


def nomem_service(at):
    """An engine whose at-th allocation fails; when it serves or has ended."""
    notes = ROOT + "/nomem"
    if os.path.exists(notes):
        os.unlink(notes)
    with open(world.LOG, "ab") as log:
        engine = subprocess.Popen([BIN + "vfkeeperd-nomem"], stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log,
                                  env=dict(os.environ, NOMEM_AT=str(at), NOMEM_FILE=notes))
    unread.wait_for(lambda: engine.poll() is not None or
                    os.path.exists(ROOT + "/run/vfkeeper/control.sock"))
    return engine


def nomem_notes():
    with open(ROOT + "/nomem", encoding="ascii") as f:
        return dict(line.split() for line in f)


def nomem_once(at):
    open(world.LOG, "w", encoding="ascii").close()
    prepare("ADD")
    engine = nomem_service(at)
    try:
        if engine.poll() is not None:
            with open(world.LOG, encoding="utf-8") as log:
                if not re.search("^error ", log.read(), re.M):
                    raise Broken("the engine ended with %d and said nothing" % engine.poll())
        status, text = world.call("ADD", "p1", "first")
        with open(ROOT + "/call.out", "w", encoding="utf-8") as f:
            f.write(text)
        if status:
            is_clear("ADD", text)
        finish("ADD", str(status), may_fail=True)
        engine.terminate()
        engine.wait(10)
    finally:
        world.end_engines()
        engine.wait()
    return nomem_notes()


def nomem_part(directory, part, parts, step):
    """Each step-th allocation of the engine fails once: start, two ADDs, two DELs, end."""
    shutil.copy(HELPERS + "vfkeeperd-nomem", BIN)
    total = int(nomem_once(0)["count"])
    failed = n_runs = 0
    with open("%s/nomem.%d" % (directory, part), "w", encoding="ascii") as done:
        for at in range(1 + part * step, total + 1, parts * step):
            wrong = None
            signal.alarm(world.node.hang_s)
            try:
                n_runs += "failed" in nomem_once(at)
            except (Broken, subprocess.TimeoutExpired) as e:
                wrong = str(e)
            signal.alarm(0)
            done.write("%d %s\n" % (at, wrong or "ok"))
            done.flush()
            if wrong:
                failed += 1
                print("FAIL: crash: allocation %d of the engine fails: %s" %
                      (at, re.sub(r"\s+", " ", wrong)[:600]), flush=True)
                shutil.copy(world.LOG, "%s/nomem-%d.log" % (directory, at))
                clean_up()
    if not n_runs:
        print("FAIL: crash: no allocation has failed")
    elif not failed:
        print("PASS: crash: each of %d allocations of the engine (of %d) fails once, and "
              "nothing is lost" % (n_runs, total))
    return failed or not n_runs


def clean_up():
    world.end_engines()
    world.node.clean_up()


def all_points(counts, everything):
    """In an order that spreads the scenarios; the recoveries alternate unless both run."""
    points = []
    for run, roles in counts.items():
        what, how = run.split("/")
        for role in calltrace.ROLES:
            for n in range(1, roles[role] + 1):
                both = HOWS if everything else (HOWS[n % 2],)
                points += [(what, how, recovery, role, n) for recovery in both]
    return points


def few_points(directory):
    """One for each kind of call of each role, and of what is written or told the kernel one in
    each run, counted by that alone; the recoveries alternate."""
    kinds = {}
    for run in FEW_RUNS:
        with open("%s/%s.killat" % (directory, "-".join(run)), encoding="ascii") as f:
            for line in f:
                role, n, name, _, *on = (line.split() + [""] * 3)[:5]
                if role not in calltrace.ROLES:
                    continue
                if re.match("/sys|netlink", on[0]):
                    of_kind = kinds.setdefault((role, name, on[0], run), [])
                    of_kind.append((*run, role, len(of_kind) + 1, on[0]))
                else:
                    key = role, name, re.sub(r"\d+$", "", on[0]), ()
                    kinds.setdefault(key, []).append((*run, role, int(n), None))
    points = []
    for at, key in enumerate(sorted(kinds)):
        what, how, role, n, on = kinds[key][at * 7 % len(kinds[key])]
        points.append((what, how, HOWS[at % 2], role, n, None, on))
    return points


def kill_few(directory, roles):
    """Points of these roles by one clean run each, without strace."""
    points = {}
    for what, how in FEW_RUNS:
        points["%s/%s" % (what, how)] = count(what, how, "%s/%s-%s.killat" %
                                              (directory, what, how))
    save_points(directory, points)
    points = [point for point in few_points(directory) if point[3] in roles]
    failed = kill_points(directory, 0, points)
    with open(directory + "/done.0", encoding="ascii") as f:
        gone = sum(line.endswith(" gone\n") for line in f)
    n_calls = sum(run[role] for run in load(directory).values() for role in roles)
    print("%s: of %d calls of the %s %d, of each kind one: failed=%d gone=%d" %
          (world.node.name, n_calls, ", ".join(roles), len(points), failed, gone))
    return failed or gone * 20 > len(points) or not points


def save_points(directory, points):
    with open(directory + "/points.json", "w", encoding="ascii") as f:
        json.dump(points, f, indent=1)


def load(directory):
    with open(directory + "/points.json", encoding="ascii") as f:
        return json.load(f)


def kill_part(directory, part, parts, everything):
    return kill_points(directory, part, all_points(load(directory), everything)[part::parts])


def kill_points(directory, part, points):
    """Those that went well before are not done again."""
    failed, path = 0, "%s/done.%d" % (directory, part)
    lines = []
    if os.path.exists(path):
        with open(path, encoding="ascii") as before:
            lines = [line for line in before if line.endswith(" ok\n")]
    over = {line.split(" ", 1)[0] for line in lines}
    with open(path, "w", encoding="ascii") as done:
        done.writelines(lines)
        for point in points:
            if name_of(point) in over:
                continue
            t0 = time.monotonic()
            wrong, hit = kill(point)
            done.write("%s %.3f %s %s\n" % (name_of(point), time.monotonic() - t0, hit,
                                            wrong or "ok"))
            done.flush()
            if wrong and wrong != "gone":
                failed += 1
                shutil.copy(world.LOG, "%s/%s.log" % (directory, re.sub("[/:]", "-",
                                                                        name_of(point))))
                print("FAIL: %s: killed at %s: %s" %
                      (world.node.name, name_of(point),
                       re.sub(r"\s+", " ", wrong)[:600]), flush=True)
                clean_up()
    return failed


def one(what, how, *rest):
    """A point by the name that its failure prints: what/how/recovery/role:n of a kill,
    what/how/role:n of a call that fails."""
    try:
        if len(rest) == 3:
            hit = kill_once(what, how, rest[0], rest[1], int(rest[2]))
        else:
            hit = fail_once(what, how, rest[0], int(rest[1]))
        wrong = None
    except (Broken, subprocess.TimeoutExpired) as e:
        hit, wrong = None, str(e)
    print("%s: %s" % (hit or "no run came to it", wrong or "ok"))
    return 1 if wrong or not hit else 0


def main():
    what, directory = sys.argv[1:3]
    signal.signal(signal.SIGALRM, hung)
    if "VFK_CRASH_CARD" in os.environ:
        world.node = cards.Cards(os.environ["VFK_CRASH_CARD"])
    world.node.snapshot(SNAPSHOT)
    world.node.templates(SNAPSHOT)
    if what == "trace":
        trace(directory)
        return 0
    if what == "unread":
        return 1 if unread.run(prepare, finish, int(sys.argv[3]),
                               *sys.argv[4:5]) else 0
    if what == "ending":
        return 1 if ending(directory) else 0
    if what == "fail":
        part, parts, step = (int(arg) for arg in sys.argv[3:6])
        return 1 if fail_part(directory, part, parts, step) else 0
    if what == "nomem":
        part, parts, step = (int(arg) for arg in sys.argv[3:6])
        return 1 if nomem_part(directory, part, parts, step) else 0
    if what == "few":
        return 1 if kill_few(directory, sys.argv[3].split(",")) else 0
    if what == "kill":
        part, parts, everything = (int(arg) for arg in sys.argv[3:6])
        return 1 if kill_part(directory, part, parts, everything) else 0
    if what == "recount":
        return recount(directory)
    return one(*re.split("[/:]", sys.argv[3]))


if __name__ == "__main__":
    sys.exit(main())
