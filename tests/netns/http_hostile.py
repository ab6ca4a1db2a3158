#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that behave badly, for http.sh.

    http_hostile.py PORT headers         headers without end: how many bytes were taken
    http_hostile.py PORT trickle         one byte a second: seconds until the server hung up
    http_hostile.py PORT garbage         what is no HTTP, and half of what is: "survived"
    http_hostile.py PORT crowd N FILE    N connections that say nothing, until FILE is there
"""
import os
import socket
import sys
import time

PORT = int(sys.argv[1])


def connect():
    s = socket.create_connection(("127.0.0.1", PORT), timeout=30)
    return s


def headers():
    s, sent = connect(), 0
    line = b"X-Filler: " + b"x" * 1000 + b"\r\n"
    try:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        while sent < 50_000_000:
            s.sendall(line)
            sent += len(line)
    except OSError:
        pass
    print(sent)


def trickle():
    s, begun = connect(), time.monotonic()
    text = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"s" * 1000
    s.settimeout(1)
    for byte in text:
        try:
            s.send(bytes([byte]))
            if s.recv(1) == b"":
                break
        except socket.timeout:
            continue
        except OSError:
            break
    print(int(time.monotonic() - begun))


def garbage():
    for text in (b"\0" * 4096, b"\x16\x03\x01\x02\x00", b"GET", b"GET / HTTP/9.9\r\n\r\n",
                 b"GET " + b"/" * 20000 + b" HTTP/1.1\r\n\r\n", b"\r\n\r\n\r\n",
                 b"GET /%00%ff%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"GET http://[::1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                 b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " + b"f" * 7000 + b"\r\n\r\n",
                 b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: ffffffffffffffff-99999999999\r\n\r\n"):
        s = connect()
        s.settimeout(0.2)
        try:
            s.sendall(text)
            s.recv(65536)
        except OSError:
            pass
        s.close()
    print("survived")


def crowd():
    held, wanted = [], int(sys.argv[3])
    for _ in range(wanted):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", PORT))
        held.append(s)
    while not os.path.exists(sys.argv[4]):
        time.sleep(0.05)


{"headers": headers, "trickle": trickle, "garbage": garbage, "crowd": crowd}[sys.argv[2]]()
