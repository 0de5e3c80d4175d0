"""The web application: one Starlette app around `dispatch`, faults and the control address."""

from __future__ import annotations

import asyncio
import gzip
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from icx.sandbox import dispatch, fault_account, fault_answers
from icx.sandbox.answers import Answer, php_json
from icx.sandbox.dispatch import Wire
from icx.sandbox.fault_queue import Asked, Faults, below_folder, folder_of
from icx.sandbox.faults import Fault
from icx.sandbox.state import State

SMALLEST_GZIP = 1400


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
        path = below_folder(scope["path"])
        self.calls[request.method, path] += 1
        asked = Asked(wire.method, path, wire.query, self.state.switches.page_size_cap)
        met = self.faults.take(asked)
        if self.state.switches.latency_ms:
            await asyncio.sleep(self.state.switches.latency_ms / 1000)

        def respond() -> Response:
            return self.respond(wire, asked, met)

        loop = asyncio.get_running_loop()
        await fault_answers.send(
            next((fault for fault in met if fault.effect == "answer"), None),
            lambda: loop.run_in_executor(self.pool, respond),
            request, scope, receive, send,
        )  # fmt: skip

    def respond(self, wire: Wire, asked: Asked, met: Sequence[Fault]) -> Response:
        """Make the whole answer, its bytes included; runs in a worker thread."""
        spoiled, kind = None, ""
        for fault in met:
            if fault.effect == "answer":
                spoiled, kind = fault_answers.spoil(fault, wire, asked, self._answer), fault.fault
            elif fault.effect == "clock":
                self.state.shift(fault.seconds)
            else:
                fault_account.change(self.state, fault, folder_of(wire.raw_path), asked)
        answer = spoiled.answer if spoiled else self._answer(wire)
        html = self.state.switches.html_type or kind in ("html-type", "html-page")
        headers = {
            "content-type": "text/html; charset=utf-8" if html else "application/json",
            **answer.headers,
        }
        content = spoiled.content if spoiled and spoiled.content is not None else php_json(answer.body)
        if kind == "cut-json":
            content = content[: len(content) // 2]
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

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            try:
                api.state.shift(float((await request.json())["seconds"]))
            except (ValueError, TypeError, KeyError):
                return JSONResponse({"errors": ['the clock takes {"seconds": 60}']}, 400)
        return JSONResponse({"timestamp": api.state.now()})

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
            Route("/clock", clock, methods=["GET", "POST"]),
            Route("/machine-labels", machine_labels),
        ],
    )


def make_app(state: State, orders: Sequence[Mapping[str, Any]] = ()) -> Starlette:
    """Return the application that serves `state`, with these faults waiting from the beginning."""
    api = Api(state, Faults(state.exact_now))
    for order in orders:
        api.faults.add(order)
    app = Starlette(routes=[control(api), Route("/{path:path}", api)])
    app.router.redirect_slashes = False
    return app
