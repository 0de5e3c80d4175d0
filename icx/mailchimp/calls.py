"""One call to Mailchimp: paced, taped, never more than ten at once, retried by what its answer means."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import orjson

from icx.clock import Clock
from icx.http import Answer, Call, Lost, NotSent, Pace, Session, Tape
from icx.http.pace import Waiting
from icx.http.tape import shown_path
from icx.mailchimp import failures
from icx.mailchimp.login import MailchimpLogin

AT_ONCE = 10  # what Mailchimp's guide allows an account; the eleventh is answered with 429
WAITS = (2.0, 10.0, 50.0)
# Retry-After is not promised, so the pauses are ours; each is drawn between its half and its whole, since several
# programs that were turned away together would otherwise come back together.
BUSY_WAITS = (1.0, 4.0, 16.0, 60.0, 120.0, 240.0, 480.0)
_BUSY = (429, 503)
_FAULT = (500, 502, 504)

_MEMBER = re.compile(r"(/members/[^/]{6})[^/?]+")

Method = Literal["GET", "POST", "PUT", "PATCH"]


@dataclass(frozen=True)
class Reply:
    """A call that was answered: the JSON value (None of an empty 204), `found` False for 404."""

    value: Any
    found: bool = True


class Caller:
    """Makes calls with one login. Thread-safe; all its threads share the pace and the ten connections."""

    def __init__(
        self,
        login: MailchimpLogin,
        *,
        pace: Pace,
        tape: Tape | None,
        clock: Clock,
        timeout: tuple[float, float],
        patience: float,
        on_wait: Callable[[Waiting], None] | None,
        drawn: Callable[[], float] = random.random,
    ) -> None:
        self.login, self.pace, self.clock, self.patience = login, pace, clock, patience
        self.on_wait = on_wait
        self._tape, self._drawn = tape, drawn
        self._worked = False
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self.session = Session(
            login.base_url,
            headers={"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "icx"},
            secrets={"Authorization": login.header},
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
        needs: str | None = None,
        may_repeat: bool | None = None,
        tries: int | None = None,
    ) -> Reply:
        """Return the answer to one call, trying again where that is safe.

        `label` names the call in errors. A read whose answer lacks the key `needs` is repeated. A read may always be
        repeated, a write only when Mailchimp clearly did not take it. Raises the errors of `failures`.
        """
        data = None if body is None else orjson.dumps(body)
        writing = method != "GET"
        repeat = not writing if may_repeat is None else may_repeat
        waits = WAITS if tries is None else WAITS[: tries - 1]
        attempt, waited, busy = 0, 0.0, 0
        while True:
            attempt += 1
            try:
                answer = self._once(method, path, params, data, attempt)
            except NotSent as error:
                why, kind, again = str(error), "unreachable", True
            except Lost as error:
                why, again = str(error), repeat
                kind = "unreachable" if why in ("no answer in time", "connection lost") else "unreadable"
            else:
                value, readable = _parsed(answer.body)
                said = failures.problem(answer.status, value, self.session.hidden)
                if answer.status in _BUSY or (answer.status == 403 and said is None):
                    # A 403 without a word is the edge in front of the API, turning a crowd away.
                    pause = self._busy_pause(busy, waited, answer.retry_after)
                    if pause is None:
                        raise failures.busy(label, waited, answer.status)
                    busy += 1
                    self.pace.hold(pause)
                    waited += self._wait(label, str(answer.status), attempt, pause)
                    continue
                outcome = self._judge(answer, value, readable, said, label, needs, writing=writing)
                if isinstance(outcome, Reply):
                    return outcome
                why, kind, again = outcome, "unreadable", repeat
            if not again:
                raise failures.unknown_outcome(label, why)
            tried = attempt - busy
            if tried > len(waits) or waited + waits[tried - 1] > max(self.patience, 0):
                if writing and kind == "unreadable":
                    raise failures.unknown_outcome(label, why)
                if kind == "unreadable":
                    raise failures.unreadable(label, tried, why)
                sent = "nothing was sent" if writing else "nothing was changed"
                raise failures.unreachable(label, tried, waited, why, sent=sent)
            waited += self._wait(label, why, attempt, waits[tried - 1])

    def _judge(
        self,
        answer: Answer,
        value: Any,
        readable: bool,
        said: failures.Problem | None,
        label: str,
        needs: str | None,
        *,
        writing: bool,
    ) -> Reply | str:
        """Return the reply, or what is wrong with the answer in words; raise when Mailchimp clearly said no."""
        if 200 <= answer.status < 300:
            self._worked = True
            if answer.status == 204:
                return Reply(None)
            if not readable:
                return "not JSON" if answer.body.strip() else "empty"
            if needs is not None and (not isinstance(value, Mapping) or needs not in value):
                return f"without {needs}"
            return Reply(value)
        if answer.status in _FAULT or (said is None and answer.status >= 500):
            return f"an error of its own ({answer.status})"
        if said is None:
            said = failures.Problem(answer.status, answer.reason)
        if answer.status == 404 and not writing:
            return Reply(None, found=False)
        if answer.status == 401:
            raise failures.refused_login(said, self.login.kind, worked=self._worked)
        raise failures.refusal(said, label, writing=writing)

    def _once(
        self, method: Method, path: str, params: Mapping[str, str] | None, data: bytes | None, attempt: int
    ) -> Answer:
        self.pace.spend()
        with self._places:
            at, started = self.clock.now(), self.clock.monotonic()
            status, size, problem = None, 0, ""
            try:
                answer = self.session.send(method, path, params=params, body=data)
                status, size = answer.status, len(answer.body)
                return answer
            except Exception as error:
                problem = str(error) if isinstance(error, (NotSent, Lost)) else type(error).__name__
                raise
            finally:
                seconds = self.clock.monotonic() - started
                self.pace.answered(status, seconds, size)
                if self._tape is not None:
                    # A member's name is a hash of the address, which anybody who has the address can make too.
                    shown = _MEMBER.sub(r"\1…", shown_path(path, params))
                    self._tape(Call(method, shown, status, round(seconds * 1000), size, attempt, at, problem))

    def _busy_pause(self, busy: int, waited: float, asked: float | None) -> float | None:
        """Return the seconds to wait before the next try, or None when patience is over."""
        if busy >= len(BUSY_WAITS):
            return None
        drawn = BUSY_WAITS[busy] * (0.5 + self._drawn() / 2)
        pause = max(drawn, asked or 0.0)
        return None if waited + pause > self.patience else pause

    def _wait(self, label: str, why: str, attempt: int, seconds: float) -> float:
        if self.on_wait is not None:
            self.on_wait(Waiting(label, why, attempt, self.clock.now() + timedelta(seconds=seconds)))
        self.pace.pause(seconds)
        return seconds


def _parsed(body: bytes) -> tuple[Any, bool]:
    try:
        return orjson.loads(body), True
    except orjson.JSONDecodeError:
        return None, False
