# SPDX-License-Identifier: Apache-2.0
"""What is on its way when somebody dies: a job or a RUN frame sent and not read, a result of
a plugin that nobody took, the holder of 'start', an engine that is ending.  Processes are
stopped until the message lies in the socket of the next one: that is looked up, not hoped."""

import ctypes
import fcntl
import os
import signal
import struct
import subprocess
import time

import world
from world import BIN, Broken, ROOT

FIONREAD = 0x541B
SYS_PIDFD_GETFD = 438
libc = ctypes.CDLL(None, use_errno=True)


def unread(pid):
    """Bytes that lie in the process's UNIX sockets."""
    total = 0
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return 0
    try:
        for fd in os.listdir("/proc/%d/fd" % pid):
            try:
                if not os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("socket:"):
                    continue
            except OSError:
                continue
            mine = libc.syscall(SYS_PIDFD_GETFD, pidfd, int(fd), 0)
            if mine < 0:
                continue
            try:
                total += struct.unpack("i", fcntl.ioctl(mine, FIONREAD, b"\0\0\0\0"))[0]
            except OSError:
                pass  # one that listens
            finally:
                os.close(mine)
    finally:
        os.close(pidfd)
    return total


def wait_for(what, seconds=10.0):
    until = time.monotonic() + seconds
    while True:
        found = what()
        if found or time.monotonic() > until:
            return found
        time.sleep(0.002)


def comm(pid):
    try:
        with open("/proc/%d/comm" % pid, encoding="ascii") as f:
            return f.read().strip()
    except OSError:
        return ""


def workers():
    return sorted(pid for pid in world.engines() if comm(pid) == "vfk-worker")


def kill(pid, sig=signal.SIGKILL):
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        pass


def warm(how):
    """An engine whose workers are there."""
    if how == "service":
        service = world.service()
        if not wait_for(lambda: os.path.exists(ROOT + "/run/vfkeeper/cni.sock")):
            raise Broken("vfkeeperd does not bind")
    else:
        service = None
    world.insist("ADD", "p2", "warm")
    world.insist("DEL", "p2", "warm")
    return service


class Running:
    """A call in the background."""

    def __init__(self, verb, container="first", pod="p1"):
        with open(ROOT + "/call.out", "wb") as out, open(world.LOG, "ab") as log:
            self.proc = subprocess.Popen([BIN + "vfkeeper"], stdin=subprocess.PIPE, stdout=out,
                                         stderr=log,
                                         env=world.environment(verb, pod, container))
        self.proc.stdin.write(world.conf().encode())
        self.proc.stdin.close()
        self.pid = self.proc.pid

    def status(self):
        return str(self.proc.wait(60))


def begin(what, how, prepare):
    prepare("ADD")
    warm(how)
    if what == "DEL":
        world.insist("ADD", "p1", "first")


def recover(how, recovery, victim_is_engine):
    """The service comes (again), or nothing: then the next call starts an engine."""
    if how == "service" and recovery == "demand" and not victim_is_engine:
        world.end_engines()
    if recovery == "service":
        world.service()


def die(victim, call, worker):
    """Kills it; true if that is the end of the engine."""
    pids = {"client": [call.pid], "worker": [worker],
            "loop": world.engines(main_only=True),
            "spawner": [p for p in world.engines() if comm(p) == "vfk-spawner"]}[victim]
    if not pids:
        raise Broken("there is no %s" % victim)
    for pid in pids:
        kill(pid)
    return victim in ("loop", "spawner")


def job_unread(what, how, recovery, victim, n):
    """The nth worker is stopped with a job in its socket; the victim dies; the worker goes on
    when the next engine may have begun.  Returns how the call ended, and whether this worker
    was given one."""
    stopped = workers()
    if n >= len(stopped):
        return Running(what).status(), False
    worker = stopped[n]
    kill(worker, signal.SIGSTOP)
    call = Running(what)
    wait_for(lambda: unread(worker) or call.proc.poll() is not None)
    if not unread(worker):
        kill(worker, signal.SIGCONT)
        return call.status(), False
    engine_died = die(victim, call, worker)
    recover(how, recovery, engine_died)
    time.sleep(0.05)
    kill(worker, signal.SIGCONT)
    return call.status(), True


def frame_unread(what, how, recovery, victim, n):
    """The same one step on: the client is stopped with what the worker's result led to, RUN
    or ANSWER, in its socket."""
    stopped = workers()
    if n >= len(stopped):
        return Running(what).status(), False
    worker = stopped[n]
    kill(worker, signal.SIGSTOP)
    call = Running(what)
    wait_for(lambda: unread(worker) or call.proc.poll() is not None)
    if not unread(worker):
        kill(worker, signal.SIGCONT)
        return call.status(), False
    kill(call.pid, signal.SIGSTOP)
    kill(worker, signal.SIGCONT)
    if not wait_for(lambda: unread(call.pid), 1):
        kill(call.pid, signal.SIGCONT)  # the job was none of the call's
        return call.status(), False
    recover(how, recovery, die(victim, call, worker))
    time.sleep(0.05)
    kill(call.pid, signal.SIGCONT)
    return call.status(), True


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
        return [int(child) for child in f.read().split()]


def is_zombie(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "Z"


def result_untaken(what, how, recovery, victim, _):
    """The plugin has ended, and the client, which is stopped, has not delivered the result."""
    os.makedirs(ROOT + "/var/ipam/net", exist_ok=True)
    with open(ROOT + "/var/ipam/net/lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the plugin waits for it
        call = Running(what)
        if not wait_for(lambda: [pid for pid in children(call.pid)
                                 if comm(pid) == "host-local"]):
            raise Broken("no plugin was run")
        kill(call.pid, signal.SIGSTOP)
        plugin = children(call.pid)[0]
    if not wait_for(lambda: is_zombie(plugin)):
        raise Broken("the plugin does not end")
    recover(how, recovery, die(victim, call, None))
    time.sleep(0.05)
    kill(call.pid, signal.SIGCONT)
    return call.status(), True


def start_held(what, how, recovery, victim, _):
    """Somebody who holds 'start' dies while three callers wait for an engine."""
    world.end_engines()
    os.makedirs(ROOT + "/run/vfkeeper", exist_ok=True)
    holder = subprocess.Popen(["flock", ROOT + "/run/vfkeeper/start", "sleep", "1000"],
                              start_new_session=True)
    wait_for(lambda: children(holder.pid))
    call = Running(what)
    others = [subprocess.Popen([BIN + "vfkeeper"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL,
                               env=world.environment("DEL", "p2", "other%d" % i))
              for i in range(3)]
    time.sleep(0.05)
    if world.engines():
        raise Broken("an engine was started by one who does not hold 'start'")
    os.killpg(holder.pid, signal.SIGKILL)
    holder.wait()
    if recovery == "service":
        world.service()
    for other in others:
        if other.wait(60):
            raise Broken("a call that waited for an engine: exit %d" % other.returncode)
    status = call.status()
    # A service that takes over is there before the other one is gone.
    if recovery == "demand" and len(world.engines(main_only=True)) != 1:
        raise Broken("%d engines" % len(world.engines(main_only=True)))
    return status, True


CASES = [(case, victim) for case, victims in (
    (job_unread, ("loop", "worker", "spawner")),
    (frame_unread, ("client", "loop")),
    (result_untaken, ("client", "loop")),
    (start_held, ("holder",))) for victim in victims]
SENTENCES = {job_unread: "a job is sent and not read",
             frame_unread: "a frame is sent to the client and not read",
             result_untaken: "a plugin has ended and its result is not delivered",
             start_held: "'start' is held and others wait"}


def runs_of(case, everything):
    """What, how, recovery and worker; the recoveries alternate unless both are wanted."""
    hows = ("service", "demand")
    for what in ("ADD", "DEL"):
        for how in hows:
            for n in range(3 if case in (job_unread, frame_unread) else 1):
                for recovery in hows if everything else (hows[(n + (what == "ADD")) % 2],):
                    yield what, how, recovery, n


def run(prepare, finish, everything, only=None):
    """Every case and victim, or 'only' one run by the name that its failure prints.  Returns
    how many were wrong."""
    failed = 0
    for case, victim in CASES:
        wrong, n_runs = [], 0
        for what, how, recovery, n in runs_of(case, everything or only):
            name = "%s/%s/%s/%s/%s:%d" % (case.__name__, what, how, recovery, victim, n)
            if only not in (None, name):
                continue
            try:
                open(world.LOG, "w", encoding="ascii").close()
                begin(what, how, prepare)
                status, came_to_it = case(what, how, recovery, victim, n)
                n_runs += came_to_it
                finish(what, status, victim)
            except (Broken, subprocess.TimeoutExpired) as e:
                wrong.append("%s: %s" % (name, e))
            world.end_engines()
        sentence = "%s dies while %s (%d runs)" % (victim, SENTENCES[case], n_runs)
        for line in wrong:
            print("FAIL: crash: %s: %s" % (sentence, " ".join(line.split())[:500]))
        if not wrong and n_runs:
            print("PASS: crash: " + sentence, flush=True)
        failed += bool(wrong) or not (n_runs or only)
    return failed
