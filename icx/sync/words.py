"""A sync in sentences: who travels, which fields, what is done, who wins."""

from __future__ import annotations

from icx.sync.definition import SIDES, Rule, Side, Sync, other

_DOES = {
    "create": "kept in step in {there}, and made there if missing",
    "update": "kept in step in {there}, if there already",
    "act": "looked for in {there}",
}


def sentences(sync: Sync) -> list[str]:
    """Return a sync as lines for people.

    >>> for line in sentences(Sync("both", "crm", "acme")):
    ...     print(line)
    both: crm <-> acme
      everybody of crm is kept in step in acme, and made there if missing
      everybody of acme is kept in step in crm, and made there if missing
      fields: those both have by the same name; where both changed, crm counts
      who stops matching is updated no more, and what icx itself did by a rule marked so is undone; nobody is deleted
    """
    arrow = "<->" if sync.both_ways else "->" if sync.on("a") else "<-"
    lines = [f"{sync.name}: {sync.a} {arrow} {sync.b}"]
    lines += [f"  {sync.description}"] if sync.description else []
    lines += [f"  {rule_sentence(sync, rule)}" for rule in sync.rules]
    mapped = [str(line) for line in sync.lines]
    mapped += ["those both have by the same name"] if sync.alike else []
    winner = sync.a if sync.winner == "a" else sync.b
    lines.append(f"  fields: {'; '.join(mapped) or 'none'}; where both changed, {winner} counts")
    for side in SIDES:
        if how := sync.unsubscribes.get(side):
            lines.append(f"  an unsubscribe in {sync.of(other(side))} shows in {sync.of(side)} as {how}")
    lines += [f"  basis: {sync.basis}"] if sync.basis else []
    if sync.paused:
        lines.append(f"  rests since {sync.paused.since:%Y-%m-%d %H:%M} UTC, by {sync.paused.by}")
    lines.append(
        "  who stops matching is updated no more, and what icx itself did by a rule marked so is undone; nobody is deleted"
    )
    return lines


def rule_sentence(sync: Sync, rule: Rule) -> str:
    """Return one rule as a sentence."""
    side: Side = "b" if rule.side == "b" else "a"
    who = " and ".join(str(one) for one in rule.when)
    head = f"who of {sync.of(side)} is: {who}, is" if who else f"everybody of {sync.of(side)} is"
    done = "; ".join(str(one) for one in rule.then)
    return f"{head} {_DOES[rule.does].format(there=sync.of(other(side)))}" + (f": {done}" if done else "")
