# SPDX-License-Identifier: Apache-2.0
"""Real VFs of a card, in a guest: what is particular about them for crash.py.  Nothing is put
back after a point: ip, rdma and ls have judged the VFs, and the journal goes on; so the next
point is the other pod that gets the VF.  Before replay the pod's namespace dies, and no engine
is there to see it."""

import json
import os
import subprocess
import time

import world
from world import Broken

PCI = "/sys/bus/pci/devices/"
JUDGE = os.environ["top_srcdir"] + "/tests/kernel/ibjudge"
GUID = "02:00:00:00:ff:ff:00:01"
MAC = "02:00:00:00:be:01"
IPAM = {"type": "vfkeeper", "ranges": [[{"subnet": "10.64.0.0/24"}]]}
KINDS = {
    "ib": {"rdmaIsolation": True, "runtimeConfig": {"infinibandGUID": GUID}, "ipam": IPAM},
    "eth": {"rdmaIsolation": True, "vlan": 7, "mac": MAC, "ipam": IPAM},
}


def names(path):
    """In a directory that comes and goes."""
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []


class Cards:
    """VFs of PF $VFK_CRASH_PF; the other cards have none."""

    quiet_s, traced_rest_s = 1.0, 8.0
    hang_s, poll_s = 300, 0.2  # starting a program is slow there
    next_pod = False

    def __init__(self, kind):
        self.kind, self.name, self.settings = kind, "crash " + kind, KINDS[kind]
        self.pf = PCI + os.environ["VFK_CRASH_PF"]
        functions = [name for name in os.listdir(self.pf) if name.startswith("virtfn")]
        self.n_vfs = len(functions)
        self.vf = os.path.basename(os.path.realpath(self.pf + "/virtfn0"))
        os.environ["VFKEEPER_BOOT_ID"] = world.BOOTS[0]

    def snapshot(self, path):
        subprocess.run(["bash", JUDGE, "snapshot", path], check=True)

    def templates(self, snapshot):
        world.restore(None)
        world.reset_pods()
        world.insist("ADD", "p1", "before")
        world.insist("DEL", "p1", "before")
        world.judge(snapshot)
        world.end_engines()

    def prepare(self, what):
        if what == "ADD":
            return
        world.insist("ADD", "p1", "first")
        world.end_engines()
        if what == "replay":
            world.run("ip", "netns", "del", "p1")
            self.wait_home()
            world.reset_pods()

    def wait_home(self):
        """What the kernel does by itself when a namespace ends."""
        until = time.monotonic() + 30
        at = PCI + self.vf
        while not (names(at + "/net") and names(at + "/infiniband")):
            if time.monotonic() > until:
                raise Broken("the kernel did not bring %s home" % self.vf)
            time.sleep(0.01)

    def check_pod(self, pod, _):
        """By ip and rdma: the link is the VF's, with what was asked for; so is the device."""
        at = json.loads(world.run("ip", "-n", pod, "-j", "-d", "link", "show", "dev",
                                  world.IFNAME).stdout)[0]
        if at.get("parentdev") != self.vf:
            raise Broken("the link in the pod is that of %s" % at.get("parentdev"))
        wanted = GUID if self.kind == "ib" else MAC
        if not at["address"].endswith(wanted):
            raise Broken("the link in the pod has the address %s" % at["address"])
        if "mlx5" not in world.run("ip", "netns", "exec", pod, "rdma", "dev").stdout:
            raise Broken("no RDMA device in the pod")

    def judge(self, snapshot):
        world.run("bash", JUDGE, "judge", snapshot, world.ROOT + "/var/ipam")

    def clean_up(self):
        """After a failure: the VFs are made anew, by whoever made them."""
        world.reset_pods()
        world.restore(None)
        world.run("bash", os.environ["VFK_CRASH_MAKE"])
