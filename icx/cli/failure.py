"""Failures as people and machines read them: usage, the machine, a stop from outside, our own mistakes."""

from __future__ import annotations

import errno
import os
import shlex
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from icx import errors
from icx.cli.nearest import nearest
from icx.cli.options import WORDS, Options
from icx.errors import BadInput, Damaged, IcxError
from icx.mask import addresses_in


class Stopped(errors.Stopped):
    """Somebody ended the command from outside."""

    def __init__(self, standing: str, argv: Sequence[str], exit_code: int) -> None:
        super().__init__(
            "stopped",
            "Stopped.",
            where=standing or "before anything was done",
            kept="what was done until then; nothing is done twice" if standing else "everything as it was",
            next=[["icx", *argv]],
        )
        self.exit_code = exit_code  # type: ignore[misc]  # 130 or 143, as the shell has it


def usage(error: click.ClickException, argv: Sequence[str]) -> BadInput:
    """Return what was not understood, with the nearest word there is."""
    context = getattr(error, "ctx", None)
    path = context.command_path.split() if context is not None else ["icx"]
    return BadInput(
        "usage",
        _said(error, context),
        where=shlex.join(["icx", *argv]),
        kept="nothing was started",
        next=[[*path, "--help"]],
    )


def _said(error: click.ClickException, context: click.Context | None) -> str:
    known = list(WORDS)
    if context is not None:
        known += [name for one in context.command.params for name in one.opts]
    if isinstance(error, click.NoSuchOption):
        return f"There is no option `{error.option_name}`.{nearest(error.option_name, known)}"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        needed = error.param
        name = needed.opts[0] if needed.param_type_name == "option" else needed.make_metavar(context)  # type: ignore[arg-type]
        return f"{name} is needed."
    if isinstance(error, click.BadOptionUsage):
        return f"{error.option_name} needs a value after it."
    if isinstance(error, click.BadParameter) and error.param is not None:
        choices = getattr(error.param.type, "choices", None)
        fits = f"it takes {', '.join(choices)}" if choices else error.message.rstrip(".")
        return f"{error.param.opts[0]}: {fits}."
    return error.format_message().rstrip(".") + "."


def of_the_machine(error: OSError, options: Options, argv: Sequence[str]) -> IcxError | None:
    """Return what the disk or the folder refused, or None when neither it nor a file named in `argv` is at fault."""
    place = str(error.filename or options.workspace)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Damaged(
            "disk-full",
            "No room is left on the disk.",
            where=place,
            kept="all that was stored before, whole",
            next=["free some room, then the same command"],
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Damaged(
            "read-only",
            "This folder cannot be written to.",
            where=place,
            kept="everything in it as it was",
            next=["--workspace elsewhere, then the same command"],
        )
    if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError) and _named(error, argv):
        return BadInput(
            "file-unknown",
            "There is no such file.",
            where=place,
            kept="nothing was changed",
            next=["name a file that is there, then the same command"],
        )
    return None


def _named(error: OSError, argv: Sequence[str]) -> bool:
    """Tell whether the file was typed by a person; any other that is missing is ours to have there."""
    if not isinstance(error.filename, str | os.PathLike):
        return False
    missing = Path(os.fspath(error.filename)).absolute()
    typed = {Path(part).absolute() for word in argv for part in (word, word.partition("=")[2]) if part}
    return missing in typed or (
        isinstance(error, NotADirectoryError) and any(one in typed for one in missing.parents)
    )


def bug(error: BaseException, options: Options) -> IcxError:
    """Return our own mistake: where it is, and how to see more of it."""
    ours = [
        one for one in traceback.extract_tb(error.__traceback__) if f"{os.sep}icx{os.sep}" in one.filename
    ]
    where = type(error).__name__
    if ours:
        where = f"{ours[-1].filename.rsplit(f'{os.sep}icx{os.sep}', 1)[-1]}:{ours[-1].lineno}, {where}"
    return IcxError(
        "bug",
        "icx itself went wrong; nothing here is yours to mend.",
        where=where,
        kept="rolled back to before the step; what was sent is in the journal",
        next=[
            ["icx", "log", "--level", "error"],
            ["icx", "doctor"],
            "the same command, which is safe; --debug writes down more",
        ],
    )


def log_trace(error: BaseException, options: Options) -> None:
    """Tell the log where our own mistake is; a folder that is no workspace yet gets none."""
    from icx.store.log import Log

    if (data := options.workspace / "data").is_dir():
        Log(data / "logs").failed(error)


def keep_trace(error: BaseException, options: Options) -> Path | None:
    """Write the trace into the workspace, addresses and secrets masked, and return its file."""
    from icx.store import shared

    text = addresses_in("".join(traceback.format_exception(error)))
    for name in ("ICX_PASSWORD", "ICX_APP_ID"):
        secret = os.environ.get(name)
        if secret:
            text = text.replace(secret, f"({name})")
    folder = options.workspace / "data" / "reports"
    path = folder / f"trace-{datetime.now(UTC):%Y%m%d-%H%M%S}.txt"
    try:
        shared.write(path, text)
    except OSError:
        return None
    return path
