"""Suites: native Great Expectations JSON files, the workspace's own before the ones that come with icx."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from icx.errors import BadInput

Severity = Literal["critical", "warning"]
SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True)
class Judges:
    """What a suite judges: `sql` stands after FROM, `key` names a row, `people` is the word for its rows."""

    sql: str
    key: tuple[str, ...]
    noun: str
    by_build: bool = False


# People the service no longer lists keep their row, but nothing is sent to them: they are not judged.
TABLES: Mapping[str, Judges] = {
    "contacts": Judges("(SELECT * FROM icontact_users WHERE gone_at IS NULL)", ("id",), "contacts"),
    "activity": Judges("icontact_activity", ("contact_id", "message_id"), "events"),
    "profile": Judges("profile", ("contact_id",), "people", by_build=True),
}


@dataclass(frozen=True)
class Suite:
    """One suite as it is written in `path`. `table` names what it judges when that is not its name."""

    name: str
    path: Path
    expectations: tuple[Mapping[str, Any], ...]
    digest: str
    table: str | None = None


def packaged() -> Path:
    """Return the folder of the suites that come with icx: inside the installed package, or the checkout."""
    package = Path(__file__).parents[1]
    inside = package / "expectations"
    return inside if inside.is_dir() else package.parent / "expectations"


def names(folders: Iterable[Path] = ()) -> list[str]:
    """Return the names of all suites in these folders and of those that come with icx."""
    found = {path.stem for folder in [*folders, packaged()] for path in folder.glob("*.json")}
    first = [name for name in ("contacts", "activity", "profile", "plan") if name in found]
    return first + sorted(found - set(first))


def find(name: str, folders: Sequence[Path] = ()) -> Suite:
    """Return a suite by name, from the first folder that has it, else the one that comes with icx.

    Raises BadInput when there is none, or when the file cannot be read as a suite.
    """
    for folder in [*folders, packaged()]:
        path = folder / f"{name}.json"
        if path.is_file():
            return read(path)
    known = names(folders)
    near = difflib.get_close_matches(name, known, n=1) or known[:1]
    raise BadInput(
        "suite-unknown",
        f'There is no suite "{name}".',
        where=f"suites are {', '.join(known)}",
        kept="nothing was checked",
        next=[["icx", "check", *near]],
    )


def read(path: Path) -> Suite:
    """Return the suite in a file; BadInput says where it is not what Great Expectations writes."""
    try:
        text = path.read_text(encoding="utf-8")
        given = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, str(error)) from None
    if not isinstance(given, dict) or not isinstance(given.get("expectations"), list):
        raise _wrong(path, 'it needs {"name": …, "expectations": [ … ]}')
    entries = []
    for at, written in enumerate(given["expectations"]):
        if not isinstance(written, dict):
            raise _wrong(path, f"expectations[{at}] is not an object")
        entry = dict(written)
        if "expectation_type" in entry:  # the key of Great Expectations before 1.0
            entry["type"] = entry.pop("expectation_type")
        if not isinstance(entry.get("type"), str):
            raise _wrong(path, f'expectations[{at}] has no "type"')
        for part in ("kwargs", "meta"):
            if not isinstance(entry.get(part) or {}, dict):
                raise _wrong(path, f"expectations[{at}].{part} is not an object")
        said = severity_written(entry)
        if said not in SEVERITIES:
            raise _wrong(path, f"expectations[{at}]: severity {said!r} is not one of {', '.join(SEVERITIES)}")
        entries.append(entry)
    meta = given.get("meta") or {}
    return Suite(
        name=path.stem,
        path=path,
        expectations=tuple(entries),
        digest=hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()[:16],
        table=meta.get("table") if isinstance(meta, dict) else None,
    )


def severity_written(entry: Mapping[str, Any]) -> Any:
    """Return an entry's severity as written: in its meta, or GX's own; critical when nothing is said."""
    return (entry.get("meta") or {}).get("severity") or entry.get("severity") or "critical"


def severity(entry: Mapping[str, Any]) -> Severity:
    """Return whether an expectation stops pushes (`critical`) or only says something (`warning`).

    >>> severity({"type": "x", "meta": {"severity": "warning"}})
    'warning'
    >>> severity({"type": "x", "severity": "info"})
    'warning'
    >>> severity({"type": "x"})
    'critical'
    """
    return "critical" if severity_written(entry) == "critical" else "warning"


def filled_in(entry: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with GX's suite parameters replaced by their values.

    >>> filled_in({"kwargs": {"max_value": {"$PARAMETER": "now"}}}, {"now": "2026-03-02 09:15:00"})
    {'kwargs': {'max_value': '2026-03-02 09:15:00'}}

    A parameter nobody gave stays as it is, and the expectation is then refused by name.
    """

    def fill(value: Any) -> Any:
        if isinstance(value, Mapping):
            if set(value) == {"$PARAMETER"} and value["$PARAMETER"] in parameters:
                return parameters[value["$PARAMETER"]]
            return {key: fill(inner) for key, inner in value.items()}
        return [fill(inner) for inner in value] if isinstance(value, list) else value

    return {key: fill(value) for key, value in entry.items()}


def columns_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns an expectation speaks of; none when it is about the table."""
    kwargs = entry.get("kwargs") or {}
    one = [kwargs[key] for key in ("column", "column_A", "column_B") if isinstance(kwargs.get(key), str)]
    many = kwargs.get("column_list")
    table_wide = str(entry.get("type", "")).startswith("expect_table_")
    if isinstance(many, list) and not table_wide:
        one += [name for name in many if isinstance(name, str)]
    return tuple(dict.fromkeys(one))


def _wrong(path: Path, text: str) -> BadInput:
    return BadInput(
        "suite-wrong",
        f"The suite {path.stem} cannot be read as it is.",
        where=f"{path.name}: {text}",
        kept="nothing was checked",
        next=[f"mend {path.name}, then the same command"],
    )
