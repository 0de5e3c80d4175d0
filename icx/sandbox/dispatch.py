"""From a request to an answer: login, version, formats, account and folder, permission, then the handler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from icx.sandbox import routes, sends
from icx.sandbox.answers import Answer, ApiError, not_implemented, not_supported
from icx.sandbox.call import Call, number
from icx.sandbox.routes import Handler, Resource
from icx.sandbox.state import State

VERSIONS = {"2.0": (2, 0), "2.1": (2, 1), "2.2": (2, 2)}
JSON_TYPES = {"application/json", "application/*", "*/*"}


@dataclass(frozen=True)
class Wire:
    """A request as it came; header names are lower case, the path is still percent-encoded."""

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


def words_of(raw_path: str) -> list[str]:
    """Return the words after /icp; a trailing slash is nothing, an empty word inside stays.

    >>> words_of("/icp/a/1/c/2/contacts/"), words_of("//icp/time"), words_of("/icp/a//c")
    (['a', '1', 'c', '2', 'contacts'], ['time'], ['a', '', 'c'])
    """
    words = [unquote(word) for word in raw_path.lstrip("/").split("/")]
    if words and words[-1] == "":
        words.pop()
    if not words or words[0] != "icp":
        raise not_implemented()
    return words[1:]


def answer(state: State, wire: Wire) -> Answer:
    """Answer one request."""
    try:
        return _answer(state, wire)
    except ApiError as error:
        return error.answer()


def _answer(state: State, wire: Wire) -> Answer:
    words = words_of(wire.raw_path)
    if words != ["time"]:
        _login(state, wire.headers)
    version = _version(wire.headers)
    _formats(wire, words)
    call = Call(
        state,
        state.reader(),
        wire.method,
        "/" + "/".join(words),
        query=tuple(parse_qsl(wire.query, keep_blank_values=True)),
        body=wire.body,
        version=version,
    )
    handler, resource = _locate(call, words)
    _permission(call, resource)
    return Answer(200, _run(call, handler, words))


def _run(call: Call, handler: Handler, words: list[str]) -> Any:
    if call.method != "GET":
        with call.state.write() as con:
            call.con = con
            return handler(call)
    if words[-1] == "statistics" or "sends" in words[4:5]:
        _release(call)
    call.state.begin_read(call.con)  # a page and its total are of one moment
    try:
        return handler(call)
    finally:
        call.con.execute("commit")


def _release(call: Call) -> None:
    if sends.is_due(call):
        with call.state.write() as con:
            sends.release_due(Call(call.state, con, call.method, call.path, folder_id=call.folder_id))


def _login(state: State, headers: Mapping[str, str]) -> None:
    known = state.switches
    app_id = headers.get("api-appid", "")
    fits = headers.get("api-username") == known.username and headers.get("api-password") == known.password
    if not fits or not app_id or known.app_id not in (None, app_id):
        raise ApiError(401, "Api username invalid")


def _version(headers: Mapping[str, str]) -> tuple[int, int]:
    named = headers.get("api-version", "2.2").strip()
    if named not in VERSIONS:
        raise not_implemented()
    return VERSIONS[named]


def _formats(wire: Wire, words: list[str]) -> None:
    accepted = {part.split(";")[0].strip().lower() for part in wire.headers.get("accept", "*/*").split(",")}
    if not accepted & JSON_TYPES:
        raise ApiError(406, "This sandbox answers in JSON only. Please accept application/json")
    file = words[-1:] == ["data"]  # an upload's file is sent as what it is
    if wire.method in ("POST", "PUT") and wire.body and not file:
        sent = wire.headers.get("content-type", "").split(";")[0].strip().lower()
        if sent != "application/json":
            raise ApiError(415, "This sandbox reads JSON only. Please send application/json")


def _locate(call: Call, words: list[str]) -> tuple[Handler, Resource]:
    if words == ["time"]:
        return _handler(call, routes.TIME.collection), routes.TIME
    if not words or words[0] != "a":
        raise not_implemented()
    if len(words) == 1:
        return _handler(call, routes.ACCOUNTS.collection), routes.ACCOUNTS
    if "" in words[2:]:
        raise not_implemented()
    _account(call, words[1])
    rest = words[2:]
    if rest and len(rest[0]) > 1 and rest[0][0] == "c" and rest[0][1:].isdigit():
        rest = ["c", rest[0][1:], *rest[1:]]  # iContact's own PHP client leaves this slash out for uploads
    if not rest:
        return _handler(call, routes.ACCOUNTS.member), routes.ACCOUNTS
    if rest[0] == "c":
        return _in_folder(call, rest[1:])
    handler, call.ids, resource = routes.find(rest, {"users": routes.USERS}, call.method)
    return handler, resource


def _in_folder(call: Call, rest: list[str]) -> tuple[Handler, Resource]:
    if not rest:
        return _handler(call, routes.FOLDERS.collection), routes.FOLDERS
    sql = "select folder_id from folders where folder_id = ? and account_id = ?"
    row = call.con.execute(sql, [number(rest[0]), call.account_id]).fetchone()
    if row is None:
        raise ApiError(404, _unknown("clientFolderId"))
    call.folder_id = int(row[0])
    if len(rest) == 1:
        return _handler(call, routes.FOLDERS.member), routes.FOLDERS
    handler, call.ids, resource = routes.find(rest[1:], routes.FOLDER, call.method)
    return handler, resource


def _account(call: Call, word: str) -> None:
    row = call.con.execute("select account_id from accounts where account_id = ?", [number(word)]).fetchone()
    if row is None:
        raise ApiError(404, _unknown("accountId"))
    call.account_id = int(row[0])


def _unknown(name: str) -> str:
    return f"You provided a {name} that we did not recognise. Please provide a valid {name}."


def _handler(call: Call, verbs: Mapping[str, Handler]) -> Handler:
    if call.method not in verbs:
        raise not_supported()
    return verbs[call.method]


def _permission(call: Call, resource: Resource) -> None:
    """Refuse what `--deny` names: an area, `read`, `write`, `everything`, each perhaps `@FOLDER`."""
    verb = "read" if call.method == "GET" else "write"
    needed = {"everything", verb} if call.folder_id else set()
    if resource.area == "analytic":
        needed |= {"analytic", "tracking"}
    elif verb == "write":
        needed.add(resource.area)
    for rule in call.state.switches.deny:
        word, _, folder = rule.partition("@")
        if word in needed and folder in ("", str(call.folder_id)):
            raise ApiError(403, "You do not have permission to do this in this client folder")
