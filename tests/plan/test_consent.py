"""The consent table, line by line: each line of icx/plan/consent.py is missed when it is gone."""

import itertools
import re
from pathlib import Path
from types import ModuleType

import pytest

from icx.plan import consent
from icx.plan.consent import judge

STATUSES = ["normal", "new", "pending", "invitable", "bounced", "donotcontact", "deleted", "gone", "odd"]
COLUMNS = ["not", "normal", "pending", "unsubscribed"]
FACTS = ["left", "donotcontact", "deleted", "gone", "bounced", "normal", "complained"]
SOURCE = Path(consent.__file__).read_text(encoding="utf-8")

# The table of the product, written a second time and on purpose: consent.py must agree with it.
EXPECTED = {
    "normal": ["add", "keep", "keep", "refuse left_this_list"],
    "new": ["create", "refuse not_in_table", "refuse not_in_table", "refuse left_this_list"],
    "pending": ["refuse pending", "keep", "keep", "refuse left_this_list"],
    "invitable": ["refuse invitable", "keep", "keep", "refuse left_this_list"],
    "bounced": ["refuse bounced", "keep bounced", "refuse bounced", "refuse bounced"],
    "donotcontact": [
        "refuse do_not_contact",
        "keep do_not_contact",
        "refuse do_not_contact",
        "refuse do_not_contact",
    ],
    "deleted": ["refuse deleted", "keep deleted", "refuse deleted", "refuse deleted"],
    "gone": ["refuse gone", "keep gone", "refuse gone", "refuse gone"],
    "odd": ["refuse not_in_table"] * 4,
}


def said(verdict: tuple[str, str]) -> str:
    return " ".join(verdict).strip()


def everything(module: ModuleType | dict) -> list:
    """Return the verdict on every combination, and the writes that are allowed."""
    names = module if isinstance(module, dict) else vars(module)
    verdicts = [
        (status, column, facts, invite, tuple(names["judge"](status, column, set(facts), invite=invite)))
        for status, column, invite in itertools.product(STATUSES, COLUMNS, [False, True])
        for size in range(3)
        for facts in itertools.combinations(FACTS, size)
    ]
    default = names["judge"]("normal", "not")
    text = {names["__doc__"], names["judge"].__doc__, names["Verdict"].__doc__}
    return [*verdicts, default, names["WRITES"], names["ENDED_BY"], text, default._fields]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("column", COLUMNS)
def test_the_table_says_what_the_product_promises(status, column):
    assert said(judge(status, column)) == EXPECTED[status][COLUMNS.index(column)]


def test_the_words_at_the_top_of_the_file_are_the_table():
    rows = [line.split("|") for line in (consent.__doc__ or "").splitlines() if "|" in line]
    assert [[cell.strip() for cell in row] for row in rows[1:]] == [
        [status, *(said(judge(status, column)) for column in COLUMNS)] for status in STATUSES[:-1]
    ]


def test_removing_any_single_line_of_the_consent_file_is_noticed():
    lines = SOURCE.splitlines(keepends=True)
    whole = everything(consent)
    unnoticed = []
    for number, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        without = "".join(lines[:number] + lines[number + 1 :])
        names: dict = {"__name__": "without_a_line"}
        try:
            exec(compile(without, "consent.py", "exec"), names)  # noqa: S102
            same = everything(names) == whole
        except (SyntaxError, NameError, KeyError, TypeError, AttributeError, UnboundLocalError):
            continue
        if same:
            unnoticed.append(line)
    # Annotations are postponed, so these two lines change nothing that runs; the type checker needs them.
    assert [line.strip() for line in unnoticed if not re.match(r"from (__future__|collections)", line)] == []


@pytest.mark.parametrize("invite", [False, True])
@pytest.mark.parametrize("status", STATUSES)
def test_someone_who_left_a_list_is_never_added_again(status, invite):
    assert judge(status, "unsubscribed", invite=invite).action == "refuse"
    assert judge(status, "not", {"left"}, invite=invite).action == "refuse"


@pytest.mark.parametrize("fact", ["donotcontact", "deleted", "gone"])
@pytest.mark.parametrize("status", ["normal", "new", "pending", "invitable"])
def test_a_fact_that_never_ends_refuses_whatever_today_says(fact, status):
    assert judge(status, "not", {fact}, invite=True).action == "refuse"


@pytest.mark.parametrize("fact", ["deleted", "gone"])
def test_do_not_contact_is_the_reason_whatever_else_is_known(fact):
    for status, facts in (("donotcontact", {fact}), ("normal", {fact, "donotcontact"})):
        assert judge(status, "not", facts) == ("refuse", "do_not_contact")


def test_a_bounce_counts_only_while_the_service_says_so():
    assert judge("normal", "not", {"bounced"}).action == "add"
    assert judge("bounced", "not").action == "refuse"


def test_a_fact_of_an_unknown_kind_refuses():
    assert judge("normal", "not", {"complained"}) == ("refuse", "not_in_table")


def test_a_pending_person_is_asked_only_by_choice():
    assert judge("invitable", "not").action == "refuse"
    assert judge("invitable", "not", invite=True).action == "add_pending"


def test_who_is_already_a_member_stays_and_is_reported():
    assert judge("normal", "normal", {"donotcontact"}) == ("keep", "do_not_contact")


def test_no_write_moves_a_status_toward_more_contact():
    weight = {"normal": 2, "pending": 1, "not": 0, "unsubscribed": -1}
    for before, after in consent.WRITES - {("not", "normal"), ("not", "pending")}:
        assert weight[after] < weight[before]
    assert not any(before in {"unsubscribed", "pending"} for before, _ in consent.WRITES)
