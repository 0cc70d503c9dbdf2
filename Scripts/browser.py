"""A headless Chromium, driven through a pipe by its DevTools protocol: what tests of the atlas need.

Needs Python and a chromium on the search path, and no other module.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")


def installed():
    """The path of a Chromium, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page. Everything that its console says but plain logs is in `complaints`."""

    def __init__(self, program, width=1280, height=900, dark=False):
        self.folder = tempfile.mkdtemp(prefix="atlas-browser-")
        ours, theirs = os.pipe(), os.pipe()
        self._to, self._from = ours[1], theirs[0]

        def connect():
            # The protocol's pipe is at 3 and 4; copies first, for the numbers may be in use.
            reading, writing = os.dup(ours[0]), os.dup(theirs[1])
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self._process = subprocess.Popen(
            [program, "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--no-first-run", "--disable-dev-shm-usage", "--hide-scrollbars",
             f"--user-data-dir={self.folder}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=connect)
        os.close(ours[0])
        os.close(theirs[1])
        self._buffer, self._last, self.complaints, self.requests = b"", 0, [], []
        self._session = None
        target = next(t for t in self._call("Target.getTargets")["targetInfos"]
                      if t["type"] == "page")["targetId"]
        self._session = self._call(
            "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self.resize(width, height, dark)

    def resize(self, width, height, dark=False):
        """The size of the window in CSS pixels, and the colours that the reader prefers."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                   deviceScaleFactor=1, mobile=False)
        self._call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, path, fragment="", query=""):
        """Loads a file anew and waits until the page says that it is ready; gives the seconds."""
        start = time.monotonic()
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=f"file://{os.path.abspath(path)}{query}{fragment}")
        deadline = start + 60
        while self.run("document.documentElement?.dataset.ready") != "yes":
            if time.monotonic() > deadline:
                raise AssertionError(f"{path}{fragment} is not ready; console: {self.complaints}")
            time.sleep(0.02)
        self.settle()
        return time.monotonic() - start

    def settle(self):
        """Waits for the next picture."""
        self.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")

    def run(self, script):
        """The value of an expression; a promise is waited for."""
        result = self._call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def press(self, key, text=""):
        """Presses and releases a key."""
        code = {"Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowUp": 38,
                "ArrowRight": 39, "ArrowDown": 40, "Tab": 9, "PageDown": 34, "PageUp": 33}[key]
        event = {"key": key, "code": "Space" if key == " " else key,
                 "windowsVirtualKeyCode": code}
        text = text or {"Enter": "\r", " ": " "}.get(key, "")
        self._call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown",
                   **event, **({"text": text} if text else {}))
        self._call("Input.dispatchKeyEvent", type="keyUp", **event)

    def point(self, selector, x, y, click=False):
        """Moves the pointer over an element, to a place given as shares of its size."""
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect(); "
            "return [b.left, b.top, b.width, b.height]; })()")
        place = {"x": box[0] + x * box[2], "y": box[1] + y * box[3]}
        self._call("Input.dispatchMouseEvent", type="mouseMoved", **place)
        if click:
            for kind in ("mousePressed", "mouseReleased"):
                self._call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1,
                           **place)

    def screenshot(self, path, whole=False):
        """A picture of what is seen, or of the whole page."""
        data = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole,
                          **({"clip": self._whole()} if whole else {}))["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def print(self):
        """The page as the bytes of a PDF."""
        return base64.b64decode(self._call("Page.printToPDF", printBackground=True)["data"])

    def _whole(self):
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}

    def close(self):
        """Ends the browser and removes what it kept."""
        try:
            self._session = None
            self._call("Browser.close")
        except (AssertionError, OSError):
            self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # The protocol: JSON texts that end with a zero byte.

    def _call(self, method, **parameters):
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _receive(self):
        while b"\0" not in self._buffer:
            part = os.read(self._from, 1 << 20)
            if not part:
                raise AssertionError("the browser ended")
            self._buffer += part
        text, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(text)

    def _note(self, event):
        method, facts = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(facts["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and facts["type"] != "log":
            self.complaints.append(json.dumps(facts["args"]))
        elif method == "Log.entryAdded":
            self.complaints.append(facts["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append("a dialog: " + facts["message"])
            # Answered without waiting: an open dialog stops the page.
            self._last += 1
            os.write(self._to, json.dumps(
                {"id": self._last, "method": "Page.handleJavaScriptDialog",
                 "params": {"accept": True}, "sessionId": self._session}).encode() + b"\0")
