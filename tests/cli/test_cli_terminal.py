"""At a terminal: questions are asked, a password is not shown, what is typed answers, closing it stops."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typing_commands import PROGRAM, environment

from icx.sandbox.process import SandboxProcess


def at_a_terminal(
    *words: str, workspace: Path, answers: list[tuple[str, str]], **more: str
) -> tuple[int, str, str]:
    """Type a command at a terminal and answer each question when it is asked; return code, stdout, the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *words, "--workspace", str(workspace)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(TERM="xterm", **more),
        start_new_session=True,
    )
    screen, waiting = "", list(answers)
    seen = 0
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (process.poll() is None or select.select([ours], [], [], 0)[0]):
        if select.select([ours], [], [], 0.1)[0]:
            screen += os.read(ours, 4096).decode()
        if waiting and waiting[0][0] in screen[seen:]:
            seen = len(screen)
            if waiting[0][0].startswith("API password"):
                while (
                    termios.tcgetattr(theirs)[3] & termios.ECHO
                ):  # it stops showing what is typed just after asking
                    time.sleep(0.01)
            os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
    assert process.stdout is not None
    out = process.stdout.read().decode()
    process.stdout.close()
    code = process.wait(30)
    os.close(ours)
    os.close(theirs)
    assert not waiting, screen
    return code, out, screen


def test_connect_asks_one_thing_after_the_other_and_shows_no_password(
    fresh_sandbox: Callable[..., SandboxProcess], tmp_path: Path
) -> None:
    box = fresh_sandbox(app_id="a" * 32, folders=2)
    code, out, screen = at_a_terminal(
        "connect", "--base-url", box.base_url,
        workspace=tmp_path,
        answers=[
            ("Connect what?", "icon"),
            ("A short name", "northwind"),
            ("Application id", "a" * 32),
            ("User name", f"{box.username} "),
            ("API password", "not-this-one"),
            ("Change which? (1, 2, 3)", "1"),
            ("API password", box.password),
            ("Which folder? (1–2)", "2"),
        ],
    )  # fmt: skip
    assert code == 0, screen
    assert "refused this login (401). It does not say which is wrong" in screen
    assert "1 API password" in screen
    assert "a blank at the end of the user name was taken off" in screen
    assert out.startswith("Login accepted: Acme Outdoor")
    assert "Saved northwind" in out
    for secret in (box.password, "not-this-one"):
        assert secret not in screen + out


def test_a_folder_without_tracking_is_asked_about(
    fresh_sandbox: Callable[..., SandboxProcess], tmp_path: Path
) -> None:
    box = fresh_sandbox(app_id="a" * 32, deny=["tracking"])
    words = ["connect", "acme", "--base-url", box.base_url, "--app-id", "a" * 32, "--username", box.username]
    answers = [("Go on with contacts only? [y/N]", "n")]
    code, out, screen = at_a_terminal(*words, workspace=tmp_path, answers=answers, ICX_PASSWORD=box.password)
    assert (code, out) == (1, "")
    assert "[right-missing]" in screen
    answers = [("Go on with contacts only? [y/N]", "y")]
    code, out, _ = at_a_terminal(*words, workspace=tmp_path, answers=answers, ICX_PASSWORD=box.password)
    assert code == 0
    assert "Saved acme, contacts only" in out


def test_apply_asks_by_weight_and_does_what_was_typed(copy: Path, typed: Any) -> None:
    plan = typed(
        "plan", "Loyal in Durham", "--to", "acme/lists/A new list", "--create", "--json", workspace=copy
    ).json
    assert [stop["key"] for stop in plan["stops"]] == ["first-push"]
    code, out, screen = at_a_terminal("apply", plan["plan"], workspace=copy, answers=[("Go on? [y/N]", "n")])
    assert (code, out) == (3, "")
    assert "[needs-answer]" in screen
    code, out, screen = at_a_terminal("apply", plan["plan"], workspace=copy, answers=[("1 of 1", "y")])
    assert code == 0, screen
    assert out.startswith(f"Done: {plan['counts']['add']} added")


def test_a_terminal_is_shown_what_goes_on_in_one_line(copy: Path) -> None:
    code, out, screen = at_a_terminal("pull", "acme", workspace=copy, answers=[])
    assert code == 0, screen
    assert "\r\x1b[K" in screen
    assert "acme › " in screen
    assert "\x1b" not in out
    _, _, quiet = at_a_terminal("pull", "acme", "--no-color", workspace=copy, answers=[])
    assert "\x1b" not in quiet
