#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py [--list] KIND WAY SEEN SCENARIOS RECORDED DIFFERENCES: makes facts of the steps
in SEEN/*.tar, and compares them with the recorded ones, field by field.  Every difference has
to be matched by a line of DIFFERENCES (its head says how one looks), and every line that
could have been met has to be."""
import fnmatch
import io
import itertools
import json
import os
import re
import sys
import tarfile

NONE = "-"
NOISE = [(re.compile(r"\b(temp_|vfdev|dev)\d+\b"), r"\1N")]


def tame(text):
    """What differs from run to run, or is too long to be told."""
    for pattern, instead in NOISE:
        text = pattern.sub(instead, text)
    return text if len(text) < 160 else text[:150] + "..."


def guid_of(address):
    """The end of an IPoIB address: the rest are the queue pair and the subnet."""
    return address[-23:]


# --- a call ---

def flat(prefix, value, fields):
    if isinstance(value, dict) and value:
        for key, member in value.items():
            flat(f"{prefix}.{key}", member, fields)
    elif isinstance(value, list) and all(isinstance(member, str) for member in value):
        fields[prefix] = tame(" ".join(value)) or "empty"
    elif isinstance(value, list) and value:
        for i, member in enumerate(value):
            flat(f"{prefix}.{i}", member, fields)
    elif isinstance(value, (dict, list)):
        if prefix != "result.dns":  # an empty one is none
            fields[prefix] = "empty"
    else:
        text = value if isinstance(value, str) else json.dumps(value)
        if prefix.endswith(".mac"):
            text = text if len(text) < 20 else guid_of(text)
        fields[prefix] = tame(text)


def call_facts(rc, stdout):
    fields = {"rc": str(rc)}
    if isinstance(stdout, str) and stdout.strip():
        try:
            stdout = json.loads(stdout)
        except ValueError:
            return {**fields, "stdout": tame(stdout.strip().replace("\n", " "))}
    if isinstance(stdout, dict):
        if rc == 0:
            flat("result", stdout, fields)
        else:
            fields["code"] = str(stdout.get("code", NONE))
    return fields


# --- a look ---

def link_facts(link):
    words = ["up" if link["up"] else "down"]
    if link["type"] == "infiniband":  # the MTU falls when the link has joined its group
        if link["mtu"] not in (2044, 4092):
            words.append(f"mtu={link['mtu']}")
        words.append(guid_of(link["address"]))
    else:
        if link["mtu"] != 1500:
            words.append(f"mtu={link['mtu']}")
        words.append(link["address"])
    words += [word for word in ("promisc", "allmulti") if link.get(word)]
    words += ["altname=" + name for name in link.get("altnames", [])]
    return " ".join(words + link["addrs"])


# What goes without saying of a VF.
USUAL = {"driver": "mlx5_core", "mac": "00:00:00:00:00:00", "spoofchk": True, "trust": False}


def look_facts(see):
    fields = {}
    for vf in see["vf"]:
        name = f"vf{vf['n']}"
        fields[name] = "away" if vf["host_name"] == NONE else tame(vf["host_name"])
        for key, value in vf.items():
            if (key not in ("n", "host_name") and value != USUAL.get(key) and
                    (key != "port_guid" or value != vf["node_guid"])):
                text = value if isinstance(value, str) else json.dumps(value)
                fields[f"{name}.{key}"] = text or "none"
    for name, link in see["host"].items():
        fields["host." + tame(name)] = link_facts(link)
    for pod, inside in see["pods"].items():
        for name, link in inside["links"].items():
            fields[f"{pod}.{tame(name)}"] = link_facts(link)
        if inside.get("rdma") is not None:
            fields[pod + ".rdma"] = " ".join(sorted(inside["rdma"])) or "none"
    if see.get("rdma_host") is not None:
        fields["host.rdma"] = " ".join(sorted(see["rdma_host"])) or "none"
    if see["leases"]:
        fields["leases"] = " ".join(sorted(see["leases"]))
    for line in see["ipam"]:  # how often is another matter
        fields["ipam." + line.replace(" ", ".", 1).replace(" ", "_")] = "asked"
    return fields


# --- what a guest has seen ---

def link_seen(link):
    flags = link.get("flags", [])
    return {"mtu": link["mtu"], "up": "UP" in flags, "type": link["link_type"],
            "address": link["address"], "promisc": "PROMISC" in flags,
            "allmulti": "ALLMULTI" in flags,
            "altnames": link.get("altnames", []),
            "addrs": [f"{a['local']}/{a['prefixlen']}" for a in link.get("addr_info", [])
                      if a.get("scope") != "link"]}


def links_seen(text):
    return {link["ifname"]: link_seen(link) for link in json.loads(text or "[]")
            if link.get("ifname") and link["link_type"] != "loopback"}


def vf_seen(info):
    if "node guid" in info:
        return {"node_guid": info["node guid"], "port_guid": info["port guid"],
                **({} if info["link_state"] == "auto" else {"state": info["link_state"]})}
    vlan = (info.get("vlan_list") or [{}])[0]
    rate = info.get("rate", {})
    fields = {"mac": info["address"], "spoofchk": info["spoofchk"], "trust": info["trust"]}
    for key, value in (("vlan", vlan.get("vlan", 0)), ("qos", vlan.get("qos", 0)),
                       ("min_tx", rate.get("min_tx", 0)), ("max_tx", rate.get("max_tx", 0))):
        if value:
            fields[key] = value
    if vlan.get("protocol", "") not in ("", "802.1Q"):
        fields["proto"] = vlan["protocol"]
    if info["link_state"] != "auto":
        fields["state"] = info["link_state"]
    return fields


# PFs, and VFs that no scenario looks at.
OTHERS = re.compile(r"(ib|eth)(0|[3-9]|\d\d)$|other0$")


def look_seen(step):
    links = json.loads(step["host"])
    pf = next((link for link in links if link.get("vfinfo_list")), {})
    infos = {info["vf"]: info for info in pf.get("vfinfo_list", [])}
    vfs = []
    for line in step["vfs"].splitlines():
        n, name, driver = (line.split(" ") + [""])[:3]
        vfs.append({"n": int(n), "host_name": name, "driver": driver,
                    **(vf_seen(infos[int(n)]) if int(n) in infos else {})})
    own = [vf["host_name"] for vf in vfs[:2]]
    host = {name: link for name, link in links_seen(step["host"]).items()
            if name in own or not OTHERS.match(name)}
    pods = {}
    for name, text in step.items():
        if name.startswith("pod."):
            rdma = step.get("rdma." + name[4:])
            pods[name[4:]] = {"links": links_seen(text),
                              "rdma": None if rdma is None else rdma.split()}
    rdma = step.get("rdma.host")
    return {"vf": vfs, "host": host, "pods": pods, "leases": step["leases"].split(),
            "ipam": step.get("ipam", "").splitlines(),
            "rdma_host": None if rdma is None else [r for r in rdma.split() if r != "other"]}


def step_facts(step):
    if "note" in step:
        return {"note": tame(step["note"].strip().replace("\n", "; "))}
    if "rc" in step:
        return call_facts(int(step["rc"]), step["stdout"])
    return look_facts(look_seen(step))


def named(steps):
    """Every step of a scenario has a name of its own."""
    seen, facts = {}, {}
    for label, fields in steps:
        seen[label] = seen.get(label, 0) + 1
        facts[label if seen[label] == 1 else f"{label}#{seen[label]}"] = fields
    return facts


def scenario_facts(path):
    steps = {}
    with tarfile.open(path) as tar:
        for member in tar:
            if member.isfile():
                number, name = member.name.split("/")[-1].split(".", 1)
                text = io.TextIOWrapper(tar.extractfile(member), errors="replace").read()
                steps.setdefault(number, {})[name] = text
    return named([(step["label"].strip(), step_facts(step)) for _, step in sorted(steps.items())])


# --- the comparison ---

def differences(theirs, ours):
    """(step, field, theirs, ours), in the order of the steps."""
    for step in list(ours) + [step for step in theirs if step not in ours]:
        if step not in theirs or step not in ours:
            yield (step, "step", "made" if step in theirs else NONE,
                   "made" if step in ours else NONE)
            continue
        for field in sorted(set(theirs[step]) | set(ours[step])):
            a, b = theirs[step].get(field, NONE), ours[step].get(field, NONE)
            if a != b:
                yield step, field, a, b


class Line:
    """A line of DIFFERENCES."""

    def __init__(self, number, words):
        self.number, self.met = number, False
        self.where, self.scenario, self.step, self.field, self.theirs, self.ours = words

    def of(self, kind, way):
        kinds, _, ways = self.where.partition("/")
        return kinds in (kind, "*") and ways in ("", way)

    def matches(self, scenario, difference):
        return all(fnmatch.fnmatchcase(value, pattern.replace("[", "[[]")) for value, pattern in
                   zip((scenario,) + difference,
                       (self.scenario, self.step, self.field, self.theirs, self.ours)))


def listed(path):
    lines, reason = [], ""
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            if text.startswith("\t"):
                if not reason:
                    raise SystemExit(f"DIFFERENCES:{number}: no reason above it")
                words = [word.strip() for word in text.split(" | ")]
                if len(words) != 6:
                    raise SystemExit(f"DIFFERENCES:{number}: {len(words)} columns, not 6")
                for step, field in itertools.product(words[2].split(" & "), words[3].split(" & ")):
                    lines.append(Line(number, words[:2] + [step, field] + words[4:]))
            elif text.strip() and not text.startswith("#"):
                reason = text.strip()
    return lines


def main():
    show = sys.argv[1] == "--list"
    kind, way, seen, scenarios, recorded, known = sys.argv[2 if show else 1:]
    with open(recorded, encoding="utf-8") as file:
        recorded = json.load(file)
    lines = [line for line in listed(known) if line.of(kind, way)]
    played = sorted(name[:-3] for name in os.listdir(scenarios))
    failed = False
    for scenario in played:
        path = os.path.join(seen, scenario + ".tar")
        told = []
        if not os.path.exists(path):
            told.append("it was not played to its end")
        else:
            for difference in differences(recorded[scenario], scenario_facts(path)):
                matching = [line for line in lines if line.matches(scenario, difference)]
                for line in matching:
                    line.met = True
                if not matching:
                    told.append("%s | %s | %s | %s" % difference)
                    if show:
                        print(f"\t{kind} | {scenario} | {told[-1]}")
        for line in lines:
            if not line.met and line.scenario == scenario:
                told.append(f"DIFFERENCES:{line.number} is stale: {line.step} | {line.field}")
        if show:
            continue
        failed |= bool(told)
        print(f"{'FAIL' if told else 'PASS'}: dropin {kind} {way}: {scenario}")
        for text in told:
            print("\t" + text)
    if not show and played == sorted(recorded):
        stale = [line for line in lines if not line.met and "*" in line.scenario]
        for line in stale:
            print(f"FAIL: dropin {kind} {way}: DIFFERENCES:{line.number} is stale")
        failed |= bool(stale)
    return failed


if __name__ == "__main__":
    sys.exit(main())
