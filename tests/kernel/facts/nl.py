# SPDX-License-Identifier: Apache-2.0
# What "ip" cannot say: rtnetlink and RDMA netlink requests put together by hand.
import os, socket, struct, sys

ROUTE, RDMA = 0, 20
NEWLINK, DELLINK, GETLINK, SETLINK = 16, 17, 18, 19
REQUEST, ACK = 1, 4
IFNAME, MTU, NET_NS_FD, VFINFO_LIST, EXT_MASK = 3, 4, 28, 22, 29
VF_INFO, VF_MAC, VF_LINK_STATE, VF_NODE_GUID, VF_PORT_GUID, VF_TRUST = 1, 1, 5, 10, 11, 9
NESTED = 0x8000


def attr(kind, data):
    if isinstance(data, str):
        data = data.encode() + b"\0"
    elif isinstance(data, int):
        data = struct.pack("=I", data)
    n = len(data) + 4
    return struct.pack("=HH", n, kind) + data + b"\0" * (-n % 4)


def nest(kind, *parts):
    return attr(kind | NESTED, b"".join(parts))


def guid(kind, vf, value):
    return nest(VF_INFO, attr(kind, struct.pack("=IIQ", vf, 0, value)))


def ifinfo(index, flags=0, change=0):
    return struct.pack("=BBHiII", 0, 0, 0, index, flags, change)


class Socket:
    def __init__(self, proto=ROUTE):
        self.s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, proto)
        self.s.bind((0, 0))
        self.s.settimeout(10)

    def send(self, kind, body, flags=REQUEST | ACK):
        self.s.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)

    def answer(self):
        """The error code of the next message, positive; 0 for an acknowledgement."""
        data = self.s.recv(1 << 18)
        kind = struct.unpack_from("=H", data, 4)[0]
        if kind != 2:
            return data
        return -struct.unpack_from("=i", data, 16)[0]

    def ask(self, kind, body, flags=REQUEST | ACK):
        self.send(kind, body, flags)
        return self.answer()


def attrs(data):
    out, at = {}, 0
    while at + 4 <= len(data):
        n, kind = struct.unpack_from("=HH", data, at)
        if n < 4:
            break
        out[kind & 0x3FFF] = data[at + 4 : at + n]
        at += n + (-n % 4)
    return out


def link(sock, index, mask=0):
    """The attributes of a link, or an error code."""
    got = sock.ask(GETLINK, ifinfo(index) + attr(EXT_MASK, mask), REQUEST)
    return attrs(got[32:]) if isinstance(got, bytes) else got


def index(name):
    return socket.if_nametoindex(name)


def want(got, expected):
    if got != expected:
        sys.exit("got %r, want %r" % (got, expected))
