"""Firefox as people have it, driven by what it speaks itself: WebDriver BiDi over a WebSocket.

Playwright drives only a Firefox of its own; with this one it asks for commands that it has not. Clicks and keys
are a person's, so that sound may begin as it may for a person.
"""

import asyncio
import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("firefox-esr", "firefox")
START_S = 60
ANSWER_S = 30
LISTENS = re.compile(r"listening on (ws://\S+)")
#: a profile's settings: the language of trainees, and no pages about Firefox itself
PREFERENCES = {
    "intl.accept_languages": "zh-CN,zh",
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class Refused(Exception):
    """Firefox's own refusal of a command, or what a script threw."""


class Firefox:
    """One window with one page. `evaluate` takes an expression whose value (or promise's value) is JSON."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._page = ""

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """A command and its answer. Raises Refused."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(ANSWER_S):
            while True:
                said = await self._socket.receive_json()
                if said.get("id") == number:
                    break
        if said["type"] == "error":
            raise Refused(method, said["error"], said["message"])
        result: dict[str, Any] = said["result"]
        return result

    async def begin(self) -> None:
        await self.call("session.new", capabilities={})
        self._page = (await self.call("browsingContext.getTree"))["contexts"][0]["context"]

    async def before(self, script: str) -> None:
        """Let each page that is opened from now on run this first."""
        await self.call("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")

    async def goto(self, url: str) -> None:
        await self.call("browsingContext.navigate", context=self._page, url=url, wait="complete")

    async def run(self, script: str) -> dict[str, Any]:
        """A script as the page's own; its result as BiDi says it."""
        done = await self.call("script.evaluate", expression=script, target={"context": self._page}, awaitPromise=True)
        if done["type"] == "exception":
            raise Refused(done["exceptionDetails"]["text"])
        result: dict[str, Any] = done["result"]
        return result

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression."""
        told = await self.run(f"Promise.resolve({expression}).then(found => JSON.stringify(found ?? null))")
        return json.loads(told["value"])

    async def until(self, expression: str, seconds: float) -> Any:
        """Its value as soon as that counts as true; asked from here, because pages forbid `eval`."""
        found = None
        try:
            async with asyncio.timeout(seconds):
                while not (found := await self.evaluate(expression)):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"not within {seconds} s: {expression}") from None
        return found

    async def click(self, test: str) -> None:
        """A person's click on the element of this test id, once it is there."""
        where = f"[data-test={test}]"
        await self.until(f"!!document.querySelector('{where}')", ANSWER_S)
        locator = {"type": "css", "value": where}
        (node, *_) = (await self.call("browsingContext.locateNodes", context=self._page, locator=locator))["nodes"]
        origin = {"type": "element", "element": {"sharedId": node["sharedId"]}}
        actions = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        await self._act({"type": "pointer", "id": "finger", "actions": actions})

    async def fill(self, test: str, text: str) -> None:
        """A person's typing."""
        await self.click(test)
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        await self._act({"type": "key", "id": "keys", "actions": keys})

    async def picture(self, path: Path) -> None:
        """What is to be seen, as a PNG file."""
        shot = await self.call("browsingContext.captureScreenshot", context=self._page)
        path.write_bytes(base64.b64decode(shot["data"]))

    async def _act(self, source: dict[str, object]) -> None:
        await self.call("input.performActions", context=self._page, actions=[source])


@asynccontextmanager
async def firefox() -> AsyncIterator[Firefox]:
    """The system's Firefox, or what FIREFOX names, with a profile of its own, until the end."""
    path = os.environ.get("FIREFOX") or next(filter(None, map(shutil.which, NAMES)))
    profile = Path(tempfile.mkdtemp(prefix="keshi-firefox-"))
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    said = profile / "said.txt"
    process = _start(command, said)
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{await _listens(said)}/session", max_msg_size=0) as socket,
        ):
            driven = Firefox(socket)
            await driven.begin()
            yield driven
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(profile, ignore_errors=True)


def _start(command: list[str], said: Path) -> "subprocess.Popen[bytes]":
    with said.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out)


async def _listens(said: Path) -> str:
    """Where it listens, once it says so."""
    async with asyncio.timeout(START_S):
        while not (found := LISTENS.search(said.read_text())):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found[1]
