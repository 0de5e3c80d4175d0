"""Faults about an answer: what is done of the request, what its body becomes, and how it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from icx.sandbox.answers import Answer, warned
from icx.sandbox.dispatch import Wire
from icx.sandbox.fault_queue import Asked
from icx.sandbox.faults import Fault

ERROR_TEXTS = {
    "400": "Bad Request",
    "401": "Api username invalid",
    "402": "Payment Required",
    "403": "Forbidden",
    "404": "Not Found",
    "429": "Too Many Requests",
    "500": "Internal Server Error",
    "503": "Service Unavailable",
    "507": "Insufficient Space",
}
HTML_PAGE = b"<html><head><title>iContact</title></head><body><h1>We will be right back</h1></body></html>"
PIECES = 10

Respond = Callable[[], Awaitable[Response]]


@dataclass(frozen=True)
class Spoiled:
    """An answer that did not come out as it should: `content` replaces the JSON of `answer.body`."""

    answer: Answer
    content: bytes | None = None


def spoil(fault: Fault, wire: Wire, asked: Asked, respond: Callable[[Wire], Answer]) -> Spoiled:
    """Answer a request that meets `fault`; `respond` carries a request out."""
    kind = fault.fault
    status = kind.partition("-")[0]
    if status.isdigit():
        headers = {"retry-after": f"{fault.seconds:.0f}"} if kind == "429-after" else {}
        answer = Answer(int(status), {"errors": [ERROR_TEXTS.get(status, "Error")]}, headers)
        return Spoiled(answer, b"" if kind == "503-bare" else None)
    if kind.startswith("quota-"):
        return Spoiled(Answer(503, None), b"")
    if kind in ("bad-row", "bad-letter"):
        return _around(respond(wire), fault)
    if kind == "duplicates":
        return Spoiled(_too_early(respond, wire, asked, fault.by))
    if kind == "warnings":
        return Spoiled(_in_part(respond, wire, fault.by))
    answer = respond(wire)
    if kind == "total-moves" and isinstance(answer.body, dict) and isinstance(answer.body.get("total"), int):
        return Spoiled(replace(answer, body=answer.body | {"total": answer.body["total"] + fault.by}))
    if kind == "null-list" and isinstance(answer.body, dict):
        nothing = {key: None for key, value in answer.body.items() if isinstance(value, list)}
        return Spoiled(replace(answer, body=answer.body | nothing))
    return Spoiled(answer, {"html-page": HTML_PAGE, "empty": b""}.get(kind))


def _around(answer: Answer, fault: Fault) -> Spoiled:
    """The answer, unless the bad row is in it."""
    total = answer.body.get("total") if isinstance(answer.body, dict) else None
    if not isinstance(total, int) or fault.row >= total:
        return Spoiled(answer)
    if fault.fault == "bad-letter":
        return Spoiled(Answer(200, None), b"")
    return Spoiled(Answer(500, {"errors": [ERROR_TEXTS["500"]]}))


def _too_early(respond: Callable[[Wire], Answer], wire: Wire, asked: Asked, by: int) -> Answer:
    """A page as long as it should be, that begins with rows of the page before it."""
    first = max(0, asked.rows.start - by)
    query = urlencode(dict(parse_qsl(wire.query, keep_blank_values=True)) | {"offset": str(first)})
    answer = respond(replace(wire, query=query))
    body = answer.body
    if not isinstance(body, dict) or not isinstance(body.get("total"), int):
        return answer
    length = max(0, min(len(asked.rows), body["total"] - asked.rows.start))
    cut: dict[str, Any] = {
        key: value[:length] for key, value in body.items() if isinstance(value, list) and key != "warnings"
    }
    return replace(answer, body=body | cut | {"offset": asked.rows.start})


def _in_part(respond: Callable[[Wire], Answer], wire: Wire, by: int) -> Answer:
    """A batch of which the last rows are refused, in words that name none of them."""
    try:
        rows = orjson.loads(wire.body)
    except ValueError:
        rows = None
    if not isinstance(rows, list):
        return respond(wire)
    answer = respond(replace(wire, body=orjson.dumps(rows[:-by])))
    if not isinstance(answer.body, dict):
        return answer
    nothing = {key: None for key, value in answer.body.items() if value == []}
    said = [
        *answer.body.get("warnings", []),
        *["The row you provided could not be processed"] * min(by, len(rows)),
    ]
    return replace(answer, body=warned(answer.body | nothing, said))


async def send(
    fault: Fault | None, respond: Respond, request: Request, scope: Scope, receive: Receive, send: Send
) -> None:
    """Let `respond` make the answer, and send it as the fault says."""
    kind = fault.fault if fault else ""
    if fault is not None and (kind == "slow" or kind.startswith("throttle-")):
        await asyncio.sleep(fault.seconds)
    if kind == "hold":
        while not await request.is_disconnected():
            await asyncio.sleep(0.01)
        return None
    if kind == "close-before":
        return await _hang_up(scope)
    if fault is not None and kind == "close-during":
        await _hang_up(scope)
        await asyncio.sleep(fault.seconds)
    response = await respond()
    if kind == "close-during":
        return None
    if kind == "close-after-write":
        return await _hang_up(scope)
    if kind == "truncate":
        return await _send_half(response, scope, send)
    if fault is not None and kind == "drip":
        return await _drip(response, fault.seconds, send)
    return await response(scope, receive, send)


async def _hang_up(scope: Scope) -> None:
    """End the connection without an answer."""
    transport = scope["state"]["transport"]
    transport.abort()
    while transport in scope["state"]["open"]:  # until the server has noticed, so that it answers nothing
        await asyncio.sleep(0.001)


async def _send_half(response: Response, scope: Scope, send: Send) -> None:
    """Announce the whole answer, send half of it, and end the connection."""
    body = bytes(response.body)
    await _begin(response, send)
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    scope["state"]["transport"].close()


async def _drip(response: Response, seconds: float, send: Send) -> None:
    """Send the whole answer, a piece at a time."""
    body = bytes(response.body)
    step = max(1, -(-len(body) // PIECES))
    await _begin(response, send)
    for begin in range(0, len(body), step):
        await asyncio.sleep(seconds / PIECES)
        await send({"type": "http.response.body", "body": body[begin : begin + step], "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _begin(response: Response, send: Send) -> None:
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
