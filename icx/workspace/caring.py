"""Care for the store and whom it holds: backup, restore, vacuum, person, erase; `Workspace` has these verbs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icx.store.backups import Backup
    from icx.workspace.erasing import Erasure
    from icx.workspace.keeping import Restoration, Vacuumed
    from icx.workspace.person import Person
    from icx.workspace.workspace import Workspace


class Caring:
    """Keeping a workspace's data: copies of it, the way back, its size, who is in it, and who is to be in it no more."""

    def backup(self: Workspace, to: str | Path | None = None) -> Backup:  # type: ignore[misc]
        """Copy the database, the journal and what people wrote into one file, and return what is in it.

        `to` is a file, or a folder in which the file gets a name by its time; without it `data/backups`. Others may
        work meanwhile, an open notebook too. No secret is in it: after a restore elsewhere a login is entered anew.
        The file is readable by you alone, since it holds people. Raises backup-there, disk-full, read-only.
        """
        from icx.workspace.keeping import backup

        return backup(self, None if to is None else Path(to))

    def backups(self: Workspace) -> list[Backup]:  # type: ignore[misc]
        """Return the backups this workspace made and that are still there, newest first."""
        from icx.workspace.keeping import backups

        return backups(self)

    def restore(  # type: ignore[misc]
        self: Workspace,
        backup: str | Path,
        *,
        files: bool = False,
        yes: bool = False,
    ) -> Restoration:
        """Show what a backup would bring back; with `yes` do it.

        The database goes back to what it was; the record of what was sent, consent facts and who was erased do not,
        and nobody is pushed to until the next pull has read everything (see `icx.store.restoring`). What is here now
        is kept as a backup first. `files` also brings back audiences, fields, jobs, connections and settings that are
        missing here; a folder without a journal gets them anyway. `backup` is a file, a name in `data/backups`, or
        `newest`. Raises backup-unknown, backup-damaged, made-by-newer, backup-elsewhere, already-running, disk-full.
        """
        from icx.workspace.keeping import restore

        return restore(self, str(backup), files=files, yes=yes)

    def person(self: Workspace, who: str, *, connection: str | None = None) -> list[Person]:  # type: ignore[misc]
        """Return everything held about the contacts that an address or id names."""
        from icx.workspace.person import find, pushes_of

        names = (
            [self.connection(connection).name]
            if connection
            else [one.name for one in self.accounts.connections.accounts()]
        )
        return find(self.store, names, who, pushes_of(self.plan_journal, names))

    def erase(  # type: ignore[misc]
        self: Workspace,
        who: str,
        *,
        connection: str | None = None,
        confirm: int | None = None,
        backups: str | None = None,
    ) -> Erasure:
        """Show everywhere a person is held; with `confirm`, the number of places shown, remove them and count again.

        `who` is an address or a contact id, of `connection` when several have it. Theirs are all contacts, in every
        connection, that have the address or had it once, with the other addresses of these; `jo+news@example.com` is
        somebody else than `jo@example.com`, as for iContact. What
        goes: their rows in every table, their address in every other text, in plans, pages, runs and notebooks, what
        is published, and copies from before an upgrade. What stays: sums, and a keyed hash by which a later pull sets
        them aside and says so; they are in no audience and no plan any more. iContact itself is not asked to do
        anything. `backups` is `rewrite` or `keep`, and must be said when one holds them. Files that icx did not write
        are named and left. Raises needs-answer, already-running, disk-full.
        """
        from icx.workspace.erasing import erase

        return erase(self, who, connection=connection, confirm=confirm, backups=backups)

    def vacuum(self: Workspace) -> Vacuumed:  # type: ignore[misc]
        """Write the database and the journal anew without what was deleted, and return how much smaller they are.

        Others wait meanwhile. Cut off, the files are as they were.
        """
        from icx.workspace.keeping import vacuum

        return vacuum(self)
