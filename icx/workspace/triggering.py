"""Triggers: what happens when somebody crosses, who fired, and what became of it; `Workspace` has these verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from icx.rules import Rule
    from icx.triggers import Trigger
    from icx.triggers.board import Triggers
    from icx.triggers.ran import Ran
    from icx.workspace.workspace import Workspace


class Triggering:
    """What is done with people once they reach a number, or enter or leave an audience."""

    @overload
    def trigger(self, name: str) -> Trigger: ...
    @overload
    def trigger(
        self,
        name: str,
        when: Rule,
        *,
        push: str = "",
        move: tuple[str, str] | None = None,
        unsubscribe: str = "",
        set_field: tuple[str, str] | None = None,
        tag: str = "",
        webhook: str = "",
        command: Sequence[str] = (),
        notebook: str = "",
        params: Mapping[str, Any] | None = None,
        addresses: bool = False,
        create: bool = False,
        apply: bool = False,
        fires: str = "crossing",
        most: int = 1000,
        description: str = "",
        connection: str | None = None,
        dry: bool = False,
        replace: bool = False,
    ) -> Trigger: ...

    def trigger(  # type: ignore[misc]
        self: Workspace,
        name: str,
        when: Rule | None = None,
        *,
        push: str = "",
        move: tuple[str, str] | None = None,
        unsubscribe: str = "",
        set_field: tuple[str, str] | None = None,
        tag: str = "",
        webhook: str = "",
        command: Sequence[str] = (),
        notebook: str = "",
        params: Mapping[str, Any] | None = None,
        addresses: bool = False,
        create: bool = False,
        apply: bool = False,
        fires: str = "crossing",
        most: int = 1000,
        description: str = "",
        connection: str | None = None,
        dry: bool = False,
        replace: bool = False,
    ) -> Trigger:
        """Save a trigger and return it; with a name alone return the saved one.

        `ws.trigger("Hot", f.points >= 50, push="acme/lists/Hot leads")` adds whoever reaches 50 points from now on to a
        list, by a plan like any other. `when` is a number reached (`>=`, `>`) or fallen below (`<`, `<=`), or an audience
        entered or left (`InAudience`). Exactly one action: `push` to a list, `move` from (CONN/lists/NAME) to another
        list, `unsubscribe` from a list, `set_field` (name, value), `tag`, `webhook`, `command` (an argument list),
        `notebook` (its parameter `people` gets a Parquet file of ids).

        `fires` is "crossing", "contact" (once in a lifetime) or "each" (each build that finds them so). More than `most`
        at once are held until somebody agrees. Whom it finds so already when it is saved is left alone.

        Nothing is done by saving: builds note who crosses, and `run_trigger`, or a job, does what is due. One that
        reads differently from the saved one needs `replace`; `dry` saves nothing. Raises trigger-value and what is wrong
        with the rule, the list or the notebook; then nothing is saved.
        """
        from icx.triggers import Do, Trigger
        from icx.triggers.files import wrong
        from icx.workspace.triggered import one, saved

        if when is None:
            return one(self, name)
        given = {
            "push": push,
            "move": move,
            "unsubscribe": unsubscribe,
            "set": set_field,
            "tag": tag,
            "webhook": webhook,
            "command": tuple(command),
            "notebook": notebook,
        }
        kinds = [kind for kind, value in given.items() if value]
        if len(kinds) != 1:
            raise wrong(
                f"A trigger does one thing, and {len(kinds)} are named.", f'"{name}"', 'push="acme/lists/Hot"'
            )
        (kind,) = kinds
        origin, to = move or ("", "")
        field, value = set_field or (tag, "")
        do = Do(
            kind,
            list=push or origin or unsubscribe,
            to=to,
            field=field,
            value=value,
            webhook=webhook,
            command=tuple(command),
            notebook=str(notebook),
            params=dict(params or {}),
            addresses=addresses,
            create=create,
            apply=apply,
        )
        fresh = Trigger(name, when, do, fires, most, connection or "", description)
        return saved(self, fresh, dry=dry, replace=replace)

    def triggers(self: Workspace, *, connection: str | None = None) -> Triggers:  # type: ignore[misc]
        """Return the triggers of a connection, and what became of whom each fired for."""
        from icx.workspace.triggered import board

        return board(self, connection)

    def run_trigger(  # type: ignore[misc]
        self: Workspace,
        name: str,
        *,
        confirm: Mapping[str, str] | None = None,
        ask: Callable[[Any, int, int], str | None] | None = None,
        existing: bool = False,
        progress: Callable[[Any], None] | None = None,
    ) -> Ran:
        """Do what is due for those for whom a trigger fired, and return what became of it; cut off, the same call goes on.

        `confirm` answers what its plan asks, and `firings` (their number) when they are more than the trigger's `most`;
        `ask` is called for the others. With `existing` it fires for whom it finds so already, once their number is
        given as `confirm={"existing": "412"}`. Somebody who said no is refused, as in any plan. Nobody is pushed twice; a
        webhook, a command or a notebook that was cut off is told again, of the same firing ids.
        Raises NeedsYou (trigger-paused, needs-answer and what stops a plan), TryLater ("already-running", …).
        """
        from icx.workspace.firing import run

        return run(self, name, confirm=confirm, ask=ask, existing=existing, progress=progress)

    def pause_trigger(self: Workspace, name: str, why: str = "") -> Trigger:  # type: ignore[misc]
        """Let a trigger rest: who crosses meanwhile is let go, and what waits goes on waiting."""
        from icx.workspace.triggered import pause

        return pause(self, name, why)

    def resume_trigger(self: Workspace, name: str) -> Trigger:  # type: ignore[misc]
        """Let a trigger fire again, for those who cross from now on."""
        from icx.workspace.triggered import resume

        return resume(self, name)

    def remove_trigger(self: Workspace, name: str) -> Trigger:  # type: ignore[misc]
        """Remove a trigger and return it; what waits is dropped, and its firings stay as what happened.

        Raises trigger-used while a job runs it.
        """
        from icx.workspace.triggered import removed

        return removed(self, name)
