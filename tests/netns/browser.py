#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The status page in headless Chromium, through its debugging pipe.

    browser.py URL DIRECTORY

Commands come on standard input, one a line; each is answered by one line:

    wait SECONDS EXPRESSION   until the script expression is true: "ok", or what was last seen
    eval EXPRESSION           its value as JSON
    dark | light              the colours that the user is said to prefer
    shot FILE [WIDTH HEIGHT]  a picture of the page as PNG
"""
import base64
import json
import os
import subprocess
import sys
import time


class Browser:
    def __init__(self, directory):
        # The browser reads commands from its descriptor 3 and writes answers to its 4.
        to_read, self.to_write = os.pipe()
        self.from_read, from_write = os.pipe()

        def descriptors():
            os.dup2(to_read, 200)
            os.dup2(from_write, 201)
            os.dup2(200, 3)
            os.dup2(201, 4)
            os.closerange(5, 210)

        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", "--disable-component-update",
             f"--user-data-dir={directory}", "--remote-debugging-pipe", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=descriptors, close_fds=False)
        os.close(to_read)
        os.close(from_write)
        self.buffer, self.number, self.session = b"", 0, None

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.buffer:
                piece = os.read(self.from_read, 1 << 20)
                if not piece:
                    raise SystemExit("the browser ended")
                self.buffer += piece
            text, self.buffer = self.buffer.split(b"\0", 1)
            answer = json.loads(text)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]

    def open(self, url):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Page.navigate", url=url)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            return str(result["exceptionDetails"].get("exception", {}).get("description"))
        return result["result"].get("value")

    def wait(self, seconds, expression):
        end = time.monotonic() + seconds
        while True:
            value = self.evaluate(expression)
            if value is True:
                return "ok"
            if time.monotonic() > end:
                return "gave up: " + json.dumps(value)
            time.sleep(0.05)

    def shot(self, name, width=1280, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=int(width), height=int(height),
                  deviceScaleFactor=1, mobile=False)
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(name, "wb") as out:
            out.write(base64.b64decode(data))
        return "ok"

    def obey(self, line):
        verb, _, rest = line.strip().partition(" ")
        if verb == "wait":
            seconds, _, expression = rest.partition(" ")
            return self.wait(float(seconds), expression)
        if verb == "eval":
            return json.dumps(self.evaluate(rest))
        if verb in ("dark", "light"):
            self.call("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": verb}])
            return "ok"
        if verb == "shot":
            return self.shot(*rest.split())
        return f"unknown command {verb}"


def main():
    browser = Browser(sys.argv[2])
    try:
        browser.open(sys.argv[1])
        for line in sys.stdin:
            print(browser.obey(line), flush=True)
    finally:
        browser.process.kill()
        browser.process.wait()


main()
