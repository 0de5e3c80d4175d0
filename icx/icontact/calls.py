"""One call: paced, taped, retried by what it means, and its status turned into a value or an error.

Above the session because only this floor knows whether a call may be repeated: a read always, a write only when
iContact clearly did not do it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from icx.clock import Clock
from icx.http.pace import Pace, Waiting
from icx.http.secret import Secret
from icx.http.session import Answer, Lost, NotSent, Session
from icx.http.tape import Call, Tape, shown_path
from icx.icontact import codec, failures

# Seconds before each further try. Four tries in 62 s when nothing answers or the answer is broken; half an hour
# when iContact says 503, which is also its word for a used-up limit.
WAITS = (2.0, 10.0, 50.0)
BUSY_WAITS = (1.0, 5.0, 24.0, 60.0, 120.0, 240.0, 450.0, 900.0)

Method = Literal["GET", "POST", "PUT", "DELETE"]
_DONE = range(200, 300)
_BUSY = (429, 503)  # 429 is documented nowhere; should it come, it means the same
_FAULT = (500, 502, 504)


@dataclass(frozen=True)
class Reply:
    """A call that was answered: the status and the JSON value. `found` is False for 404 and for a deleted list."""

    status: int
    value: Any
    found: bool = True


@dataclass(frozen=True)
class _Request:
    method: Method
    path: str
    label: str
    params: Mapping[str, str] | None
    data: bytes | None
    login: bool
    gone: Callable[[int, Sequence[str]], bool]
    check: Callable[[Any], str | None]

    @property
    def writing(self) -> bool:
        return self.method != "GET"


class Caller:
    """Makes calls with one login. Thread-safe; `waited` and `retried` are told through `on_wait` and the tape."""

    def __init__(
        self,
        base_url: str,
        app_id: str | Secret,
        username: str,
        password: str | Secret,
        *,
        pace: Pace,
        tape: Tape | None,
        clock: Clock,
        timeout: tuple[float, float],
        patience: float,
        on_wait: Callable[[Waiting], None] | None = None,
    ) -> None:
        self.app_id = Secret(app_id)
        self.username = username
        self.pace = pace
        self.clock = clock
        self.patience = patience
        self.on_wait = on_wait
        self._tape = tape
        self._worked: datetime | None = None
        self.session = Session(
            base_url,
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "API-Version": "2.2",
                "User-Agent": "icx",
            },
            secrets={
                "API-AppId": self.app_id,
                "API-Username": Secret(username),
                "API-Password": Secret(password),
            },
            timeout=timeout,
            clock=clock,
        )

    def call(
        self,
        method: Method,
        path: str,
        label: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        login: bool = True,
        gone: Callable[[int, Sequence[str]], bool] = lambda status, words: status == 404 and bool(words),
        check: Callable[[Any], str | None] = lambda value: None,
        tries: int | None = None,
    ) -> Reply:
        """Return the answer to one call, trying again where that is safe.

        `label` names the call in errors. `gone(status, words)` says which refusals mean that there is no such row.
        `check(value)` returns what is wrong with an answer that is JSON but not the expected one; a read is then
        repeated. `tries` are made when it does not come right (all of `WAITS` unless told). Raises the errors of
        `icx.icontact.failures`.
        """
        data = None if body is None else orjson.dumps(body)
        request = _Request(method, path, label, params, data, login, gone, check)
        writing = request.writing
        waits = WAITS if tries is None else WAITS[: tries - 1]
        attempt, waited, busy = 0, 0.0, 0
        while True:
            attempt += 1
            try:
                answer = self._once(request, attempt)
            except NotSent as error:
                why, may_repeat, kind = str(error), True, "unreachable"
            except Lost as error:
                if writing:
                    raise failures.unknown_outcome(label, str(error)) from None
                # An answer that came but was broken is iContact's; silence may be the network's.
                why, may_repeat = str(error), True
                kind = "unreachable" if why in ("no answer in time", "connection lost") else "unreadable"
            else:
                if answer.status in _BUSY:
                    pause = self._busy_wait(busy, waited, answer.retry_after)
                    if pause is None:
                        raise failures.busy(label, max(waited, answer.retry_after or 0.0), answer.status)
                    busy += 1
                    self.pace.hold(pause)
                    waited += self._wait(label, str(answer.status), attempt, pause)
                    continue
                outcome = self._judge(answer, request)
                if isinstance(outcome, Reply):
                    return outcome
                why, may_repeat, kind = outcome, not writing, "unreadable"
                if not may_repeat:
                    raise failures.unknown_outcome(label, why)
            tried = attempt - busy
            if tried > len(waits) or waited + waits[tried - 1] > max(self.patience, 0):
                if kind == "unreadable":
                    raise failures.unreadable(label, tried, why)
                sent = "nothing was sent" if writing else "nothing was changed"
                raise failures.unreachable(label, tried, waited, why, sent=sent)
            waited += self._wait(label, why, attempt, waits[tried - 1])

    def _once(self, request: _Request, attempt: int) -> Answer:
        if nap := self.pace.slowed():
            self.pace.hold(nap)
            self._wait(request.label, "iContact has become slow", 0, nap)
        self.pace.spend()
        at, started = self.clock.now(), self.clock.monotonic()
        status, size, problem = None, 0, ""
        try:
            answer = self.session.send(
                request.method, request.path, params=request.params, body=request.data, login=request.login
            )
            status, size = answer.status, len(answer.body)
            return answer
        except Exception as error:
            problem = str(error) if isinstance(error, (NotSent, Lost)) else type(error).__name__
            raise
        finally:
            seconds = self.clock.monotonic() - started
            self.pace.answered(status, seconds, size)
            if self._tape is not None:
                shown = shown_path(request.path, request.params)
                self._tape(
                    Call(request.method, shown, status, round(seconds * 1000), size, attempt, at, problem)
                )

    def _judge(self, answer: Answer, request: _Request) -> Reply | str:
        """Return the reply, or what is wrong with the answer in words; raise when iContact clearly said no."""
        try:
            value = codec.parse(answer.body)
        except ValueError:
            value = None
            if answer.status in _DONE:
                return "empty" if not answer.body.strip() else "not JSON"
        failures.hide(value, self.session.hidden)
        words = failures.errors_in(value)
        if answer.status in _DONE:
            if request.login:
                self._worked = self.clock.now()
            if words:
                raise failures.refusal(answer.status, words, request.label, writing=request.writing)
            wrong = request.check(value)
            return wrong if wrong is not None else Reply(answer.status, value)
        if request.gone(answer.status, words):
            return Reply(answer.status, value, found=False)
        if answer.status in _FAULT:
            return f"an error of its own ({answer.status})"
        if answer.status == 401:
            raise failures.refused_login(
                words, self.app_id.reveal(), self.username, request.label, self._worked
            )
        raise failures.refusal(answer.status, words, request.label, writing=request.writing)

    def _busy_wait(self, busy: int, waited: float, asked: float | None) -> float | None:
        """Return the seconds to wait after the next 503, or None when patience is over; `asked` is Retry-After."""
        pause = None if busy >= len(BUSY_WAITS) else max(BUSY_WAITS[busy], asked or 0.0)
        return None if pause is None or waited + pause > self.patience else pause

    def _wait(self, label: str, why: str, attempt: int, seconds: float) -> float:
        if self.on_wait is not None:
            self.on_wait(Waiting(label, why, attempt, self.clock.now() + timedelta(seconds=seconds)))
        self.pace.pause(seconds)
        return seconds
