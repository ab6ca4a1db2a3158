# SPDX-License-Identifier: Apache-2.0
"""The node of one world (tests/netns/lib.sh has entered it): its state on disk is put back to
a known one before every run, its engines are ended after it, and it is judged in between by
what does not know our programs."""

import json
import os
import shutil
import signal
import subprocess
import time

ROOT = os.environ["VFKEEPER_ROOT"]
BIN = ROOT + "/bin/"
LOG = ROOT + "/engines.log"
DIRS = ("run/vfkeeper", "var/lib/vfkeeper", "var/ipam")
ENGINES = (BIN + "vfkeeper-engine", BIN + "vfkeeperd")
LEAKCHECK = os.environ["top_srcdir"] + "/tests/demo/leakcheck.sh"
HELPERS = os.environ["top_builddir"] + "/tests/crash/"
BOOTS = ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222")
IFNAME = "net1"


class Broken(Exception):
    """What a run showed to be wrong."""


class Simulated:
    """VFs of the simulator: what is particular about them.  cards.py has the real ones."""

    name = "crash"
    vf, n_vfs = "0000:3b:00.1", 2
    quiet_s = 0.3  # until an engine has looked at its VFs, and some more
    traced_rest_s = 0.15  # the same for a service under strace that is ready
    hang_s, poll_s = 60, 0.01
    settings = {"trust": "on", "vlan": 7, "mtu": 1400, "rdmaIsolation": True,
                "runtimeConfig": {"infinibandGUID": "02:00:5e:10:00:00:12:34"},
                "ipam": {"type": "host-local", "dataDir": ROOT + "/var/ipam",
                         "ranges": [[{"subnet": "10.64.0.0/24"}]]}}
    next_pod = True  # gets the VF after each point

    def snapshot(self, path):
        subprocess.run(["bash", LEAKCHECK, "snapshot", path], check=True)

    def templates(self, snapshot):
        os.environ["VFKEEPER_BOOT_ID"] = BOOTS[0]
        reset_pods()
        insist("ADD", "p1", "before")
        insist("DEL", "p1", "before")
        judge(snapshot)
        end_engines()
        save("free")
        insist("ADD", "p1", "first")
        end_engines()
        save("reboot")
        insist("DEL", "p1", "first")
        end_engines()

    def prepare(self, what):
        """The state before the call, with no engine; replay comes after a reboot."""
        os.environ["VFKEEPER_BOOT_ID"] = BOOTS[what == "replay"]
        restore("reboot" if what == "replay" else "free", run_dir=what != "replay")
        if what == "DEL":
            insist("ADD", "p1", "first")
            end_engines()
        if what == "replay":
            # The links of a node that has just booted: the one that was in a pod is new.
            name = links().get(self.vf)
            if name:
                run("ip", "link", "del", name)

    def check_pod(self, pod, address):
        if self.vf not in links(pod):
            raise Broken("the link in the pod is not the VF's")
        if not os.path.exists(ROOT + "/var/ipam/net/" + address.split("/")[0]):
            raise Broken("ADD said %s, and host-local has not leased it" % address)

    def judge(self, snapshot):
        run("bash", LEAKCHECK, "judge", snapshot, ROOT + "/var/ipam")

    def clean_up(self):
        """After a failure: what is left is not the next point's."""
        reset_pods()
        restore(None)
        for alias, name in links().items():
            if alias.startswith("0000:"):
                run("ip", "link", "del", name, check=False)
        restore("free")


node = Simulated()


def conf():
    return json.dumps({"cniVersion": "1.1.0", "name": "net", "type": "vfkeeper",
                       "deviceID": node.vf, **node.settings})


def netns(pod):
    return "/run/netns/" + pod


def environment(verb, pod, container):
    return {
        "PATH": os.environ["PATH"], "VFKEEPER_ROOT": ROOT, "LC_ALL": "C",
        "VFKEEPER_BOOT_ID": os.environ["VFKEEPER_BOOT_ID"],
        "CNI_COMMAND": verb, "CNI_CONTAINERID": container, "CNI_IFNAME": IFNAME,
        "CNI_NETNS": netns(pod), "CNI_PATH": os.environ["CNI_PATH"],
        "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=tests;K8S_POD_NAME=" + container}


def run(*argv, check=True, **kw):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, **kw)
    if check and done.returncode:
        raise Broken("%s: exit %d: %s%s" % (" ".join(argv), done.returncode, done.stdout,
                                            done.stderr))
    return done


def call(verb, pod, container):
    """A runtime's call: (exit status, what it printed)."""
    with open(LOG, "ab") as log:
        done = subprocess.run([BIN + "vfkeeper"], input=conf().encode(), timeout=130,
                              stdout=subprocess.PIPE, stderr=log,
                              env=environment(verb, pod, container))
    return done.returncode, done.stdout.decode()


def insist(verb, pod, container, tries=20):
    """Until it succeeds: a runtime comes again after code 11."""
    for n in range(tries):
        status, text = call(verb, pod, container)
        if status == 0:
            return text
        try:
            code = json.loads(text)["code"]
        except (ValueError, KeyError):
            raise Broken("%s of %s: exit %d: %s" % (verb, container, status, text)) from None
        if code != 11:
            break
        time.sleep(0.05 * (n + 1))
    raise Broken("%s of %s: %s" % (verb, container, text))


# --- engines ---

def engines(main_only=False):
    """Processes of engines: this world's only, it has a process namespace of its own."""
    found = []
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        try:
            exe = os.readlink("/proc/%s/exe" % pid)
            if not exe.startswith(ENGINES):
                continue
            if main_only:
                with open("/proc/%s/comm" % pid, encoding="ascii") as f:
                    if f.read().startswith("vfk-"):
                        continue
        except OSError:
            continue
        found.append(int(pid))
    return found


def end_engines():
    until = time.monotonic() + 20
    while True:
        left = engines()
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if time.monotonic() > until:
            raise Broken("engines do not end: %s" % left)
        time.sleep(0.002)


def service():
    """Started as systemd would; it is one of engines()."""
    with open(LOG, "ab") as log:
        return subprocess.Popen([BIN + "vfkeeperd"], stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log)


# --- state ---

def save(name):
    shutil.rmtree(ROOT + "/var/" + name, ignore_errors=True)
    for path in DIRS:
        if os.path.isdir(ROOT + "/" + path):
            shutil.copytree(ROOT + "/" + path, ROOT + "/var/" + name + "/" + path,
                            ignore=lambda _, names: [n for n in names if n.endswith(".sock")])


def restore(name, run_dir=True):
    """Puts the state back; without 'run_dir' /run is empty, as after a boot."""
    for path in DIRS:
        shutil.rmtree(ROOT + "/" + path, ignore_errors=True)
        if name and (run_dir or not path.startswith("run")):
            saved = ROOT + "/var/" + name + "/" + path
            if os.path.isdir(saved):
                shutil.copytree(saved, ROOT + "/" + path)
    os.makedirs(ROOT + "/var/ipam", exist_ok=True)


def links(pod=None):
    at = ["-n", pod] if pod else []
    found = {}
    for link in json.loads(run("ip", *at, "-j", "link", "show").stdout or "[]"):
        if "ifalias" in link:
            found[link["ifalias"]] = link["ifname"]
    return found


def reset_pods():
    helper = os.environ["top_builddir"] + "/tests/demo/netns-pool"
    run(helper, "del", "/run/netns", "p", "1", "2", check=False)
    run(helper, "add", "/run/netns", "p", "1", "2")


# --- judging ---

def vfctl(*what):
    """Asked again once: the engine may have had no memory for the answer."""
    done = run(BIN + "vfctl", "-o", "json", *what, check=False)
    if done.returncode:
        done = run(BIN + "vfctl", "-o", "json", *what)
    return json.loads(done.stdout)


def states():
    found = vfctl("status")
    if "vfs" not in found:
        raise Broken("vfctl status: %s" % found)
    return {name: n for name, n in found["vfs"].items() if n}


def leases():
    found = vfctl("leases")
    return found if isinstance(found, list) else found.get("leases", [])


def settled():
    """Nothing owned, nothing under way, by our own account."""
    return states() == {"FREE": node.n_vfs} and not leases()


def attached(pod, text):
    """The link is in the pod, up and with the address of the result; the record says so."""
    try:
        address = json.loads(text)["ips"][0]["address"]
    except (ValueError, LookupError):
        raise Broken("the result of ADD: %s" % text) from None
    shown = run("ip", "-n", pod, "-o", "addr", "show", "dev", IFNAME).stdout
    if " %s " % address not in shown:
        raise Broken("ADD said %s, the pod has: %s" % (address, shown))
    node.check_pod(pod, address)
    seen = [states()]
    if seen[0].get("ATTACHED") != 1:
        seen.append(states())
    if seen[-1].get("ATTACHED") != 1:
        raise Broken("ADD succeeded, and the states are %s" % seen)


def judge(snapshot, seconds=30):
    until = time.monotonic() + seconds
    while not settled():
        if time.monotonic() > until:
            raise Broken("not at rest after %d s: %s, leases %s" % (seconds, states(),
                                                                   leases()))
        time.sleep(node.poll_s)
    node.judge(snapshot)
    run(BIN + "vfkeeper-replay", "--verify")
