"""The twin on a socket: who may come in, ten calls at once, faults on request, and what every request was."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from mailchimp_twin.app import Api, problem
from mailchimp_twin.described import complaints
from mailchimp_twin.state import CLIENT_SECRET, KEY, TOKEN, No, State


@dataclass
class TwinServer:
    """A running twin. `faults` are used up in order by the calls whose path contains their text."""

    state: State
    url: str = ""
    faults: deque[tuple[str, str]] = field(default_factory=deque)  # (part of the path, kind)
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    most_at_once: int = 0
    slow: float = 0.0
    _at_once: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if self.slow:
                await asyncio.sleep(self.slow)
            await self._answer(request, body, send)
        finally:
            self._at_once -= 1

    async def _answer(self, request: Request, body: bytes, send: Send) -> None:
        path, method = request.url.path, request.method
        if path.startswith("/oauth2/"):
            status, value = self._oauth(path, request, body)
            await _send(send, status, json.dumps(value).encode())
            return
        writing = method != "GET"
        fault = next(
            (one for one in self.faults if one[0] in path and (writing or one[1] != "lost-write")), None
        )
        if fault is not None:
            self.faults.remove(fault)
        kind = fault[1] if fault else ""
        if self._at_once > 10:
            kind = "429"
        if kind == "403-bare" or kind.isdigit() or kind.startswith("retry-"):
            after = {"retry-after": kind.removeprefix("retry-")} if kind.startswith("retry-") else {}
            status = 403 if kind == "403-bare" else int(kind) if kind.isdigit() else 429
            said = b"" if status == 403 else b"<html>turned away</html>"
            await _send(send, status, said, "text/html", after)
            return
        try:
            self._login(request)
            value = json.loads(body) if body else None
            inner, params = path.removeprefix("/3.0") or "/", dict(request.query_params)
            self.asked.append((method, inner, params, value))
            self.complaints += complaints(method, inner, params, value)
            status, answer = Api(self.state).answer(method, inner, params, value)
        except No as no:
            await _send(send, no.status, problem(no), "application/problem+json; charset=utf-8")
            return
        raw = b"" if answer is None else json.dumps(answer).encode()
        # A lost answer: what was asked is done, and the telling of it breaks off.
        if kind.startswith("lost"):  # an answer without a body breaks off like any other
            await _send(send, status if raw else 200, raw[:5], length=len(raw) or 5)
            return
        await _send(send, status, raw)

    def _login(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        basic = base64.b64encode(f"icx:{KEY}".encode()).decode()
        if given not in (f"Basic {basic}", f"Bearer {TOKEN}"):
            raise No(
                401,
                "API Key Invalid",
                "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
            )

    def _oauth(self, path: str, request: Request, body: bytes) -> tuple[int, Any]:
        if path == "/oauth2/metadata":
            if request.headers.get("authorization") != f"OAuth {TOKEN}":
                return 401, {"error": "invalid_token"}
            return 200, {"dc": "us19", "api_endpoint": self.url, "accountname": self.state.account_name}
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        good = form.get("code") == "the-code" and form.get("client_secret") == CLIENT_SECRET
        if path == "/oauth2/token" and good and form.get("grant_type") == "authorization_code":
            return 200, {"access_token": TOKEN, "expires_in": 0, "scope": None}
        return 400, {"error": "invalid_grant"}


async def _send(
    send: Send,
    status: int,
    body: bytes,
    kind: str = "application/json",
    more: dict[str, str] | None = None,
    length: int | None = None,
) -> None:
    size = len(body) if length is None else length
    headers = [(b"content-type", kind.encode()), (b"content-length", str(size).encode())]
    headers += [(name.encode(), value.encode()) for name, value in (more or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def serving(state: State | None = None) -> Iterator[TwinServer]:
    """Run a twin in a thread of this process, on a free port."""
    twin = TwinServer(state or State())
    config = uvicorn.Config(
        twin, host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none", http="h11"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="mailchimp-twin", daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    twin.url = f"http://127.0.0.1:{port}"
    try:
        yield twin
    finally:
        server.should_exit = True
        thread.join(10)
