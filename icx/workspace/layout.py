"""Where things lie in a workspace, and how an empty folder becomes a tidy one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from icx.settings import Settings
from icx.store import private, shared

_IGNORE = """\
# What icx makes. Kept in version control: audiences, fields, point actions, triggers, syncs, connections and jobs (no secret is in them).
*
!.gitignore
!audiences/
!audiences/**
!fields/
!fields/**
!connections/
!connections/**
!points/
!points/**
!triggers/
!triggers/**
!syncs/
!syncs/**
!jobs/
!jobs/**
"""

_FIELD_EXAMPLE = """\
-- name: clicks_per_open
-- type: number
-- description: clicks for each open, over the whole history; empty without an open
-- pii: no
email_click_ct / nullif(email_open_ct, 0)
"""


@dataclass(frozen=True)
class Layout:
    """The paths of one workspace; nothing exists until something is written there."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "icx.toml"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def database(self) -> Path:
        return self.data / "icx.duckdb"

    @property
    def journal(self) -> Path:
        return self.data / "journal.sqlite"

    @property
    def connections(self) -> Path:
        return self.data / "connections"

    @property
    def audiences(self) -> Path:
        return self.data / "audiences"

    @property
    def fields(self) -> Path:
        return self.data / "fields"

    @property
    def points(self) -> Path:
        return self.data / "points"

    @property
    def triggers(self) -> Path:
        return self.data / "triggers"

    @property
    def syncs(self) -> Path:
        return self.data / "syncs"

    @property
    def jobs(self) -> Path:
        return self.data / "jobs"

    @property
    def reports(self) -> Path:
        return self.data / "reports"

    @property
    def runs(self) -> Path:
        return self.data / "runs"

    @property
    def handed(self) -> Path:
        """Where people are handed to a notebook that a trigger runs; emptied after each."""
        return self.data / "handed"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def published(self) -> Path:
        return self.data / "published"

    @property
    def scale(self) -> Path:
        return self.data / "scale"

    @property
    def expectations(self) -> Path:
        return self.root / "expectations"


def init(root: Path) -> list[Path]:
    """Lay out a workspace and return what was made; what is there already stays as it is."""
    layout = Layout(root)
    made: list[Path] = []
    for folder in (layout.connections, layout.audiences, layout.fields, layout.expectations):
        if not folder.exists():
            private.folder(folder)
            made.append(folder)
    files = {
        layout.data / ".gitignore": _IGNORE,
        layout.settings: _settings_text(),
        layout.fields / "clicks_per_open.sql": _FIELD_EXAMPLE,
    }
    for path, text in files.items():
        if not path.exists():
            shared.write(path, text)
            made.append(path)
    return made


def keep_private(layout: Layout) -> None:
    """Make sure that nobody else on this machine reads `data`, and that it never lands in version control by accident."""
    if not layout.data.exists():
        return
    private.close(layout.data)
    ignore = layout.data / ".gitignore"
    if not ignore.exists():
        shared.write(ignore, _IGNORE)


def _settings_text() -> str:
    lines = ["# Settings of this workspace. Take the # away from a line to change it.", ""]
    for field in fields(Settings):
        value = field.default
        shown = (
            f'"{value}"'
            if isinstance(value, str)
            else str(value).lower()
            if isinstance(value, bool)
            else str(value)
        )
        lines.append(f"# {field.name} = {'[]' if value == () else shown}")
    return "\n".join(lines) + "\n"
