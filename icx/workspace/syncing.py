"""Syncs: two systems in step by rules; `Workspace` has these verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icx.sync import Line, Rule, Sync, SyncPlan
    from icx.sync.applied import Synced
    from icx.workspace.workspace import Workspace


class Syncing:
    """What is kept in step with what."""

    def sync(  # type: ignore[misc]
        self: Workspace,
        name: str,
        a: str | None = None,
        b: str | None = None,
        *,
        lines: Sequence[Line | str] = (),
        rules: Sequence[Rule] | None = None,
        winner: str = "",
        one_way: bool = False,
        alike: bool = True,
        unsubscribes: Mapping[str, str] | None = None,
        basis: str = "",
        description: str = "",
        replace: bool = False,
    ) -> Sync:
        """Save a sync of two connections and return it; with a name alone return the saved one.

        `ws.sync("crm and acme", "crm", "acme")` keeps everything in step both ways, `one_way` from `a` to `b` only.
        Fields that are alike are mapped by themselves unless `alike` is False; `lines` map others, as `Line` or typed:
        "tier -> cf_tier". `rules` say who travels and what is done to them. `winner` is the connection (`a` unless
        given) whose value counts where both differ. `basis` says on what basis contacts are made where people are
        mailed. Saving sends nothing and reads nothing; one that is there and reads differently needs `replace`.

        Somebody who stops matching leaves the set that is in step: they are updated no more, and of what rules did to
        them icx takes back what it did itself and can take back. Nobody is ever deleted.
        """
        from icx.workspace.synced import bound, saved

        if a is None or b is None:
            return bound(self, name)
        return saved(
            self,
            name,
            a,
            b,
            lines=lines,
            rules=rules,
            winner=winner,
            one_way=one_way,
            alike=alike,
            unsubscribes=unsubscribes or {},
            basis=basis,
            description=description,
            change=replace,
        )

    def syncs(self: Workspace) -> list[Sync]:  # type: ignore[misc]
        """Return the saved syncs by name."""
        from icx.workspace.synced import every

        return every(self)

    def remove_sync(self: Workspace, name: str) -> Sync:  # type: ignore[misc]
        """Forget a sync, who was in step by it and what was agreed; both systems stay as they are."""
        from icx.workspace.synced import removed

        return removed(self, name)

    def sync_plans(self: Workspace, name: str) -> list[SyncPlan]:  # type: ignore[misc]
        """Return the plans of a sync, newest first."""
        from icx.workspace.synced import plans

        return plans(self, name)

    def apply_sync(  # type: ignore[misc]
        self: Workspace,
        name: str,
        *,
        plan: str | None = None,
        answers: Mapping[str, str] | None = None,
        ask: Callable[[Any, int, int], str | None] | None = None,
        progress: Callable[[Any], None] | None = None,
    ) -> Synced:
        """Apply a plan of a sync: the named one, else one that was cut off, else the one shown last, else a new one."""
        from icx.workspace.synced import apply

        return apply(self, name, plan, answers=answers, ask=ask, progress=progress)
