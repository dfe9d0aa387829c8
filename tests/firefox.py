"""A headless Firefox, driven by WebDriver BiDi itself (Debian has no geckodriver): enough to open a page and ask it.

W3C "WebDriver BiDi": session.new, session.subscribe, browsingContext.navigate, script.addPreloadScript,
script.evaluate; events network.beforeRequestSent and log.entryAdded. Every name but those of this machine goes to a
proxy that is not there.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from browser import HERE, need, program

_PREFERENCES: dict[str, Any] = {
    "network.proxy.type": 1,
    **{f"network.proxy.{kind}": "127.0.0.1" for kind in ("http", "ssl", "socks")},
    **{f"network.proxy.{kind}_port": 9 for kind in ("http", "ssl", "socks")},
    "network.proxy.no_proxies_on": "127.0.0.1, localhost",
    "app.update.auto": False,
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "toolkit.telemetry.enabled": False,
}
_NOTE = """() => {
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
}"""  # runs before any script of a page
_WAIT = 120.0  # seconds for a start, an answer, a state


def missing() -> str:
    """What a test in Firefox lacks here, with the way to get it; "" if nothing."""
    if not program("firefox-esr", "firefox"):
        return "no Firefox: apt-get install firefox-esr"
    return "" if find_spec("websocket") else "no client of websockets: pip install websocket-client"


class Firefox:
    """One tab. asked: the addresses that pages asked for; complaints: errors and warnings of scripts. What a page's
    policy refused stands in its `window.violations`."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._number = socket, 0
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.command("session.new", capabilities={})
        self.command("session.subscribe", events=["network.beforeRequestSent", "log.entryAdded"])
        self.command("script.addPreloadScript", functionDeclaration=_NOTE)
        self._tab = self.command("browsingContext.getTree")["contexts"][0]["context"]

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command; events that come before it are kept."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._socket.recv())
            self._keep(said)
            if said.get("id") == self._number:
                assert said["type"] == "success", said
                answer: dict[str, Any] = said["result"]
                return answer

    def _keep(self, said: dict[str, Any]) -> None:
        if said.get("method") == "network.beforeRequestSent":
            self.asked.append(said["params"]["request"]["url"])
        elif said.get("method") == "log.entryAdded" and said["params"]["level"] in {"error", "warn"}:
            self.complaints.append(str(said["params"]["text"]))

    def open(self, address: str) -> None:
        """Go there, and wait until it is loaded."""
        self.command("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited, as JSON carries it."""
        code = f"(async () => JSON.stringify(await ({expression})))()"
        target = {"context": self._tab}
        made = self.command("script.evaluate", expression=code, target=target, awaitPromise=True)
        assert made["type"] == "success", made["exceptionDetails"]["text"]
        return json.loads(made["result"]["value"]) if "value" in made["result"] else None

    def wait(self, expression: str) -> Any:
        """The expression's value once it is true. Raises TimeoutError."""
        until = time.monotonic() + _WAIT
        while time.monotonic() < until:
            if value := self.ask(expression):
                return value
            time.sleep(0.2)
        raise TimeoutError(f"{expression} was not true within {_WAIT:g} seconds; {self.complaints}")


@contextmanager
def started() -> Iterator[Firefox]:
    """A Firefox with a fresh profile. Ends with an error if a page asked for an address outside this machine."""
    need(missing())
    from websocket import create_connection

    with tempfile.TemporaryDirectory() as folder:
        profile, said = Path(folder, "profile"), Path(folder, "said")
        profile.mkdir()
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _PREFERENCES.items()]
        (profile / "user.js").write_text("\n".join(lines))
        command = [program("firefox-esr", "firefox") or "", "--headless", "--no-remote", "--remote-debugging-port", "0"]
        with said.open("w") as file:
            process = subprocess.Popen([*command, "--profile", str(profile)], stdout=file, stderr=file)
        try:
            # a browser refuses a client that names an origin: pages have one, programs none
            socket = create_connection(f"{_address(process, said)}/session", timeout=_WAIT, suppress_origin=True)
            try:
                firefox = Firefox(socket)
                yield firefox
            finally:
                socket.close()
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    beyond = [url for url in firefox.asked if urlsplit(url).hostname not in HERE]
    assert beyond == []


def _address(process: subprocess.Popen[bytes], said: Path) -> str:
    """Where it listens, as it says once it has started."""
    until = time.monotonic() + _WAIT
    while time.monotonic() < until and process.poll() is None:
        if told := re.search(r"WebDriver BiDi listening on (ws://\S+)", said.read_text()):
            return told[1]
        time.sleep(0.1)
    raise TimeoutError(f"Firefox did not say where it listens: {said.read_text()[-500:]}")
