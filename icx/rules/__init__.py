"""Rules: who is meant, as frozen nodes, with readers for SQL, English, JSON, Python, and one person."""

from icx.rules.asks import as_event, audiences_used, fields_used, lists_used, uses_events, without_machines
from icx.rules.code import code
from icx.rules.codec import from_json, to_json
from icx.rules.english import english, phrase, segments, sentence
from icx.rules.expressions import F, FieldRef
from icx.rules.lookup import Lookup
from icx.rules.nodes import (
    EVERYBODY,
    Compare,
    Days,
    Event,
    Group,
    InAudience,
    Link,
    OnList,
    Rule,
    This,
    leaves,
    walk,
)
from icx.rules.oracle import Happened, Person, oracle
from icx.rules.reason import Reason, reason
from icx.rules.sql import Among, Reading, Sql, condition, event_condition, referred, sql

__all__ = [
    "EVERYBODY",
    "Among",
    "Compare",
    "Days",
    "Event",
    "F",
    "FieldRef",
    "Group",
    "Happened",
    "InAudience",
    "Link",
    "Lookup",
    "OnList",
    "Person",
    "Reading",
    "Reason",
    "Rule",
    "Sql",
    "This",
    "as_event",
    "audiences_used",
    "code",
    "condition",
    "english",
    "event_condition",
    "fields_used",
    "from_json",
    "leaves",
    "lists_used",
    "oracle",
    "phrase",
    "reason",
    "referred",
    "segments",
    "sentence",
    "sql",
    "to_json",
    "uses_events",
    "walk",
    "without_machines",
]
