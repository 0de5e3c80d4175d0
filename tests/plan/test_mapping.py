"""Fields that travel: only the mapped ones, one contact at a time, and named before sending when they cannot."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.errors import BadInput
from icx.plan import MapLine
from icx.plan.mapping import fields_of, tally, text, travelling, travels

FIELDS = [{"privateName": "tier", "fieldType": "text"}, {"privateName": "points", "fieldType": "number"}]


def people(**columns):
    return pa.table({"contact_id": [1, 2, 3], **columns})


def sent(table):
    return [fields_of(row) for row in table.to_pylist()]


def test_empty_values_are_left_out_unless_the_line_says_blank():
    table = people(city=["Durham", "", None])
    assert sent(travelling(table, [MapLine("city", "city")], FIELDS)) == [{"city": "Durham"}, {}, {}]
    blank = travelling(table, [MapLine("city", "city", blank=True)], FIELDS)
    assert sent(blank) == [{"city": "Durham"}, {"city": ""}, {"city": ""}]


KINDS = {
    "text": (pa.string(), st.sampled_from(["", " ", "Durham", "Größe", "12", "NaN", "1e400"])),
    "integer": (pa.int64(), st.integers(-2, 2)),
    "number": (pa.float64(), st.sampled_from([0.0, -0.0, 2.5, 3.0, float("nan")])),
    "decimal": (pa.decimal128(5, 2), st.sampled_from([Decimal("2.50"), Decimal("0.00")])),
    "boolean": (pa.bool_(), st.booleans()),
    "time": (pa.timestamp("us"), st.sampled_from([datetime(2026, 3, 2), datetime(2026, 3, 2, 1)])),  # noqa: DTZ001
    "text list": (pa.list_(pa.string()), st.lists(st.sampled_from("ab"), max_size=2)),
}


@pytest.mark.parametrize("kind", list(KINDS))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_asked_once_a_value_is_what_each_person_would_say(kind, data):
    type_, value = KINDS[kind]
    values = data.draw(st.lists(st.none() | value, max_size=8))
    column = pa.chunked_array([pa.array(values[:3], type_), pa.array(values[3:], type_)])
    texts = [text(one) for one in column.to_pylist()]
    assert tally(column) == Counter(one for one in texts if one)
    assert travels(column) == len([one for one in texts if one])


def test_values_travel_as_text():
    table = people(points=[3.0, 2.5, None], since=[date(2026, 3, 2), None, None])
    rows = sent(travelling(table, [MapLine("points", "points"), MapLine("since", "tier")], FIELDS))
    assert rows == [{"points": "3", "tier": "2026-03-02"}, {"points": "2.5"}, {}]


@pytest.mark.parametrize(
    ("column", "field", "values", "message"),
    [
        ("county", "state", ["North Carol", "NC", ""], "`state` holds 11 characters, iContact takes 10."),
        ("county", "points", ["many", "2", ""], "`points` takes numbers."),
        ("county", "teir", ["a", "b", "c"], "iContact has no field `teir` here."),
        ("nothing", "tier", ["a", "b", "c"], "There is no column `nothing`."),
        ("county", "status", ["a", "b", "c"], "`status` cannot be mapped: a status is never mapped"),
        ("county", "email", ["a", "b", "c"], "`email` cannot be mapped: an address"),
    ],
)
def test_a_mapping_that_cannot_work_is_named_before_sending(column, field, values, message):
    with pytest.raises(BadInput) as wrong:
        travelling(people(county=values), [MapLine(column, field)], FIELDS)
    assert wrong.value.code == "cannot-map"
    assert wrong.value.message.startswith(message)
    assert wrong.value.where.startswith("mapping line 1, ")


def test_only_mapped_fields_of_members_change_and_everything_else_stays(place):
    here = place()
    here.make_list()
    wanted = here.people()[:3]
    before = {contact: here.client.get("contacts", contact) for contact in wanted}
    want = here.want(wanted, city=["Durham", "Raleigh", ""])
    plan = here.plan(want, mapping=(MapLine("city", "city"),))
    assert plan.updates == 2
    assert "city of 2 people" in str(plan)
    applied = here.apply(plan)
    assert (applied.added, applied.fields_sent) == (3, 2)
    for contact, city in zip(wanted, ["Durham", "Raleigh", before[wanted[2]]["city"]], strict=True):
        assert here.client.get("contacts", contact) == {**before[contact], "city": city}


def test_custom_fields_travel_with_new_contacts_too(place):
    here = place()
    target = here.make_list()
    here.client.create("customfields", [{"privateName": "tier", "fieldType": "text", "displayToUser": 0}])
    rows = [{"contact_id": None, "email": "new@example.com", "email_key": "new@example.com", "tier": "gold"}]
    plan = here.plan(
        pa.Table.from_pylist(rows, schema=here.want([]).schema.append(pa.field("tier", pa.string()))),
        mapping=(MapLine("tier", "tier"),),
        create_contacts=True,
        basis="signed up in the shop",
    )
    assert here.apply(plan).created == 1
    (member,) = here.members(target)
    here.client.custom_names = None  # the pull before the field was made did not know it
    assert here.client.get("contacts", member)["custom"]["tier"] == "gold"


def test_a_lost_change_of_fields_is_looked_up(place):
    here = place()
    here.make_list()
    wanted = here.people()[:2]
    plan = here.plan(here.want(wanted, city=["Durham", "Raleigh"]), mapping=(MapLine("city", "city"),))
    here.fault("POST /contacts/*", "close-after-write", times=1)
    assert here.apply(plan).fields_sent == 2
    assert here.calls()[f"POST /contacts/{wanted[0]}"] == 1


def test_a_mapping_is_checked_against_the_folders_own_fields(place):
    here = place()
    here.make_list()
    before = here.writes()
    with pytest.raises(BadInput, match="has no field"):
        here.plan(here.want(here.people()[:1], tier=["gold"]), mapping=(MapLine("tier", "no_such_field"),))
    assert here.writes() == before
