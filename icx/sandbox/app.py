"""The web application: one Starlette app around `dispatch`, faults and the control address."""

from __future__ import annotations

import asyncio
import gzip
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from icx.sandbox import dispatch
from icx.sandbox.answers import Answer, php_json
from icx.sandbox.dispatch import Wire
from icx.sandbox.faults import Fault, Faults, below_folder
from icx.sandbox.state import State

SMALLEST_GZIP = 1400
ERROR_TEXTS = {
    "400": "Bad Request",
    "401": "Api username invalid",
    "402": "Payment Required",
    "403": "Forbidden",
    "404": "Not Found",
    "500": "Internal Server Error",
    "503": "Service Unavailable",
    "507": "Insufficient Space",
}
HTML_PAGE = b"<html><head><title>iContact</title></head><body><h1>We will be right back</h1></body></html>"


class Api:
    """The ASGI application under /icp."""

    def __init__(self, state: State, faults: Faults) -> None:
        self.state = state
        self.faults = faults
        self.calls: Counter[tuple[str, str]] = Counter()
        self.pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="sandbox")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        raw_path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        wire = Wire(request.method, raw_path, request.url.query, dict(request.headers), body)
        self.calls[request.method, below_folder(scope["path"])] += 1
        fault = self.faults.take(wire.method, scope["path"], wire.query)
        wait = self.state.switches.latency_ms / 1000 + (
            fault.seconds if fault and fault.fault == "slow" else 0
        )
        if wait:
            await asyncio.sleep(wait)
        if fault is not None and fault.fault == "hold":
            while not await request.is_disconnected():
                await asyncio.sleep(0.01)
            return
        if fault is not None and fault.fault == "close-before":
            await _hang_up(scope)
            return
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(self.pool, self.respond, wire, fault)
        if fault is not None and fault.fault == "close-after-write":
            await _hang_up(scope)
        elif fault is not None and fault.fault == "truncate":
            await _send_half(response, scope, send)
        else:
            await response(scope, receive, send)

    def respond(self, wire: Wire, fault: Fault | None) -> Response:
        """Make the whole answer, its bytes included; runs in a worker thread."""
        kind = fault.fault if fault else ""
        if kind.isdigit():
            answer = Answer(int(kind), {"errors": [ERROR_TEXTS.get(kind, "Error")]})
        else:
            answer = self._answer(wire)
        body: Any = answer.body
        if fault and kind == "total-moves" and isinstance(body, dict) and isinstance(body.get("total"), int):
            body = body | {"total": body["total"] + fault.by}
        html = self.state.switches.html_type or kind in ("html-type", "html-page")
        headers = {
            "content-type": "text/html; charset=utf-8" if html else "application/json",
            **answer.headers,
        }
        content = HTML_PAGE if kind == "html-page" else php_json(body)
        headers["vary"] = "Accept-Encoding"
        if (
            self.state.switches.gzip
            and len(content) >= SMALLEST_GZIP
            and "gzip" in wire.headers.get("accept-encoding", "").lower()
        ):
            content = gzip.compress(content, 1)
            headers["content-encoding"] = "gzip"
        return Response(content, answer.status, headers)

    def _answer(self, wire: Wire) -> Answer:
        try:
            return dispatch.answer(self.state, wire)
        except (
            Exception
        ):  # a fault of the sandbox itself: say it where its owner looks, answer as the service does
            traceback.print_exc()
            return Answer(500, {"errors": ["Internal Server Error"]})


async def _hang_up(scope: Scope) -> None:
    """End the connection without an answer."""
    transport = scope["state"]["transport"]
    transport.abort()
    while transport in scope["state"]["open"]:  # until the server has noticed, so that it answers nothing
        await asyncio.sleep(0.001)


async def _send_half(response: Response, scope: Scope, send: Send) -> None:
    """Announce the whole answer, send half of it, and end the connection."""
    body = bytes(response.body)
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    scope["state"]["transport"].close()


def control(api: Api) -> Mount:
    """Return the control address of tests, loopback only by convention, without credentials."""

    async def violations(_: Request) -> Response:
        con = api.state.reader()
        names = "violation_id, folder_id, happened, kind, contact_id, list_id, was, became, request"
        rows = con.execute(f"select {names} from violations order by violation_id").fetchall()
        return JSONResponse({"violations": [dict(zip(names.split(", "), row, strict=True)) for row in rows]})

    async def calls(request: Request) -> Response:
        counted = [
            {"method": method, "path": path, "count": count}
            for (method, path), count in sorted(api.calls.items())
        ]
        if request.method == "DELETE":
            api.calls.clear()
        return JSONResponse({"calls": counted, "total": sum(each["count"] for each in counted)})

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            api.faults.clear()
        if request.method == "POST":
            orders = await request.json()
            try:
                for order in orders if isinstance(orders, list) else [orders]:
                    api.faults.add(order)
            except (ValueError, TypeError) as error:
                return JSONResponse({"errors": [str(error)]}, 400)
        return JSONResponse({"faults": api.faults.waiting()})

    async def machine_labels(_: Request) -> Response:
        con = api.state.reader()
        sql = "select event_id, message_id, kind, contact_id from events where machine order by event_id"
        keys = ("event_id", "message_id", "kind", "contact_id")
        return JSONResponse({"machine": [dict(zip(keys, row, strict=True)) for row in con.execute(sql)]})

    return Mount(
        "/_sandbox",
        routes=[
            Route("/violations", violations),
            Route("/calls", calls, methods=["GET", "DELETE"]),
            Route("/faults", faults, methods=["GET", "POST", "DELETE"]),
            Route("/machine-labels", machine_labels),
        ],
    )


def make_app(state: State) -> Starlette:
    """Return the application that serves `state`."""
    api = Api(state, Faults())
    app = Starlette(routes=[control(api), Route("/{path:path}", api)])
    app.router.redirect_slashes = False
    return app
