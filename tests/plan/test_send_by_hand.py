"""One row after the other, whatever its write meets: what is noted of it, how often it is sent, and who is then on the list."""

from __future__ import annotations

import pytest
from service import ADA, LIST, NOON, PARKING, SAID, WAYS, Sent

from icx.errors import IcxError
from icx.plan.applied import Progress
from icx.plan.send import Row
from icx.store.plans import Plans

STATUS = {"add": "normal", "create": "normal", "add_pending": "pending"}


#: (what is met, what is noted, why, the error raised, how often it is sent), for everybody who is added.
ADDING = [
    ("taken", "done", "", None, 1),
    ("refused", "refused", SAID, None, 1),
    ("shut", "not_sent", "", "forbidden", 1),
    ("busy", "not_sent", "", "service-busy", 1),
    ("lost-after", "done", "", None, 1),
    ("lost-before", "done", "", None, 2),
    ("lost-before,lost-before", "done", "", None, 3),
    ("lost-before,lost-before,lost-before", "not_sent", "", "in-doubt", 3),
    ("lost-before,refused", "refused", SAID, None, 2),
    ("lost-before unsubscribed", "left_out", "left_this_list", None, 1),
    ("lost-after unsubscribed", "left_out", "left_this_list", None, 1),
    ("lost-before donotcontact", "left_out", "do_not_contact", None, 1),
    ("lost-before gone", "left_out", "gone", None, 1),
    ("lost-after deaf", "in_doubt", "", "in-doubt", 1),
    ("lost-before deaf", "in_doubt", "", "in-doubt", 1),
    ("late", "done", "", None, 1),
]
MOVING = [
    *ADDING[:5],
    ("lost-before", "done", "", None, 2),
    ("lost-before,lost-before,lost-before", "not_sent", "", None, 3),
    ("lost-before away", "refused", "gone", None, 1),
    ("lost-before left", "left_out", "left_this_list", None, 1),
    ("lost-before donotcontact", "left_out", "do_not_contact", None, 1),
    ("lost-after deaf", "in_doubt", "", "in-doubt", 1),
    ("late", "done", "", None, 1),
]
LEAVING = [
    *ADDING[:5],
    ("lost-before", "not_sent", "", None, 1),
    ("lost-before away", "not_sent", "", None, 1),
    ("lost-after deaf", "in_doubt", "", "in-doubt", 1),
]
MET = {"park": MOVING, "restore": MOVING, "unsubscribe": LEAVING}


@pytest.mark.parametrize("action", ["add", "create", "add_pending", "park", "restore", "unsubscribe"])
def test_a_row_is_noted_as_what_became_of_it_and_never_sent_blindly(plans: Plans, action: str) -> None:
    cases = list(MET.get(action, ADDING))
    if action in STATUS:  # somebody else put them there with another status
        other = "normal" if action == "add_pending" else "pending"
        cases.append((f"lost-after {other}", "left_out", "there", None, 1))
    if action == "add_pending":
        cases.append(("lost-before confirmed", "left_out", "changed", None, 1))
    for meets, state, words, error, writes in cases:
        sent = Sent(plans, *meets.split(","))
        (row,) = sent.rows(action)
        raised = None
        try:
            assert sent.send([row])
        except IcxError as wrong:
            raised = wrong.code
        case = (action, meets)
        assert (raised, sent.states()) == (error, [(state, words)]), case
        assert len(sent.service.writes) == writes, case
        (noted,) = plans.outcomes(sent.plan)
        assert (noted["from_list"], noted["to_list"]) == WAYS.get(action, (None, LIST)), case
        assert noted["contact_id"] == ADA
        sender, mine = sent.sender, {ADA} if state == "done" else set()
        assert (sender.done, sender.refused) == (len(mine), int(state == "refused")), case
        assert sender.joined == (mine if action in {"add", "create", "restore"} else set()), case
        assert sender.left == (mine if action in {"park", "unsubscribe"} else set()), case
        fact = {"do_not_contact": "donotcontact"} | (
            {"left_this_list": "left"} if meets.endswith("left") else {}
        )
        learned = [(ADA, f"{ADA}@example.com", fact[words])] if words in fact else []
        assert sender.said_no == learned, case
        if meets in {"taken", "lost-after"}:
            assert sent.service.clock.now() == NOON, "what shows at once is not waited for"
        if meets in {"shut", "busy"}:
            assert sent.told == [], "nothing was done"
        if state == "done":
            shows = {
                "park": {(PARKING, ADA): "normal"}, "unsubscribe": {(LIST, ADA): "unsubscribed"},
            }.get(action, {(LIST, ADA): STATUS.get(action, "normal")})  # fmt: skip
            assert sent.service.on == shows, case


@pytest.mark.parametrize("action", ["park", "restore"])
def test_who_left_the_list_they_would_be_moved_from_stays_there_as_unsubscribed(
    plans: Plans, action: str
) -> None:
    sent = Sent(plans)
    rows = sent.rows(action)
    sent.service.leave(ADA)
    sent.send(rows)
    assert sent.states() == [("left_out", "left_this_list")]
    assert sent.sender.said_no == [(ADA, f"{ADA}@example.com", "left")]
    assert sent.service.on == {(WAYS[action][0], ADA): "unsubscribed"}  # the list still says that they left
    assert sent.service.writes == []


def test_a_warning_in_an_answer_of_200_is_a_refusal(plans: Plans) -> None:
    for action in ("add", "park", "restore", "unsubscribe"):
        for says, words in ((SAID, SAID), ("", "no reason given")):
            sent = Sent(plans)
            rows = sent.rows(action)
            sent.service.refuses, sent.service.says = {ADA}, says
            before = dict(sent.service.on)
            sent.send(rows)
            assert (sent.states(), sent.sender.refused, sent.service.on) == ([("refused", words)], 1, before)
            assert len(sent.told) == 1


def test_whom_somebody_else_put_there_before_icx_sent_them_is_not_icxs_to_take_back(plans: Plans) -> None:
    for action, words in (("add", "there"), ("restore", "there"), ("park", "on_parking_list")):
        sent = Sent(plans)
        rows = sent.rows(action)
        sent.service.on[PARKING if action == "park" else LIST, ADA] = "normal"
        sent.send(rows)
        assert (sent.states(), sent.service.writes) == ([("left_out", words)], [])
        assert sent.sender.joined == sent.sender.left == set()


def test_of_a_refused_batch_each_is_sent_alone_unless_they_are_there_or_said_no(plans: Plans) -> None:
    sent = Sent(plans, singles_limit=6)
    rows = sent.rows(*["add"] * 10)
    sent.service.refuses = set(range(ADA + 1, ADA + 10))

    def meanwhile(_: Progress) -> None:
        sent.sender.progress = lambda _: None
        sent.service.contacts[ADA + 2]["status"] = "donotcontact"
        sent.service.on[LIST, ADA + 3] = "normal"
        sent.service.on[LIST, ADA + 4] = "unsubscribed"
        sent.service.refuses = {ADA + 5}
        sent.service.meets = ["lost-before"]

    sent.sender.progress = meanwhile
    assert sent.sender.add(rows)
    assert sent.states() == [
        ("done", ""),
        ("not_sent", ""),  # lost, and not there
        ("left_out", "do_not_contact"),
        ("done", ""),
        ("left_out", "left_this_list"),
        ("refused", SAID),
        ("done", ""),  # it was the others of the batch
        *[("refused", SAID)] * 3,  # not asked any more
    ]
    assert len(sent.service.writes) == 1 + 3
    assert sent.sender.singles == 6


def test_rows_that_are_not_asked_for_singly_have_the_words_of_all(plans: Plans) -> None:
    for says, words in ((SAID, SAID), ("", "no reason given")):
        sent = Sent(plans, singles_limit=0)
        rows = sent.rows("add", "add")
        sent.service.refuses, sent.service.says = {ADA, ADA + 1}, says
        sent.sender.add(rows)
        assert (sent.states(), len(sent.service.writes)) == ([("refused", words)] * 2, 1)
        sent = Sent(plans)
        rows = sent.rows("add", "add")
        sent.service.refuses, sent.service.says = {ADA, ADA + 1}, says
        sent.sender.add(rows)
        assert (sent.states(), len(sent.service.writes)) == ([("refused", words)] * 2, 3)


def test_a_batch_that_is_refused_whole_and_rows_that_fail_alone_say_so(plans: Plans) -> None:
    sent = Sent(plans, "refused", "lost-after", "refused", "shut")
    rows = sent.rows(*["add"] * 4)
    with pytest.raises(IcxError) as told:
        sent.sender.add(rows)
    assert told.value.code == "forbidden"
    assert sent.states() == [("done", ""), ("refused", SAID), ("sent", ""), ("sent", "")]


def test_batches_are_sent_one_after_the_other_until_the_end_is_asked_for(plans: Plans) -> None:
    sent = Sent(plans, batch_size=2)
    rows = sent.rows("add", "add_pending", "add", "add", "add")
    progress = sent.sender.progress

    def tell(at: Progress) -> None:
        progress(at)
        sent.asked = len(sent.service.writes) == 3

    sent.sender.progress = tell
    assert not sent.sender.add(rows)
    assert sent.service.writes == [
        ("subscribe", [(ADA, LIST, "normal")], None),
        ("subscribe", [(ADA + 1, LIST, "pending")], 55),
        ("subscribe", [(ADA + 2, LIST, "normal"), (ADA + 3, LIST, "normal")], None),
    ]
    assert [row["batch"] for row in plans.outcomes(sent.plan)] == [1, 2, 3, 3]
    assert [(at.what, at.done, at.of, at.note) for at in sent.told] == [
        ("adding", 1, 3, "batch 1 · 0 refused · 7 calls left"),
        ("asking", 2, 3, "batch 2 · 0 refused · 7 calls left"),
        ("adding", 4, 3, "batch 3 · 0 refused · 7 calls left"),
    ]
    sent.service.pace.left = lambda: None
    assert sent.sender._at().note == "batch 3 · 0 refused"
    for action in ("park", "restore", "unsubscribe"):
        assert not sent.send(sent.rows(action))
    assert len(sent.service.writes) == 3


def test_on_a_long_list_those_that_were_sent_are_asked_for_by_their_ids(plans: Plans) -> None:
    for members in (7, 8):  # with the one who is there by then, four pages of two, and one more
        sent = Sent(plans, "lost-after")
        sent.service.page_size = 2
        sent.service.on = {(LIST, 80_000 + n): "normal" for n in range(members)}
        rows = sent.rows("add", "add")
        sent.service.refuses = {ADA + 1}
        sent.service.meets.append("taken")
        sent.sender.add(rows)
        assert sent.states() == [("done", ""), ("refused", SAID)]
        assert [len(what[1]) for what in sent.service.writes] == [2, 1]
        assert "1 of 2 are there" in [at.note for at in sent.told]
        assert bool(sent.service.listed) == (members < 8), "a long list is not read whole"


@pytest.mark.parametrize(
    ("action", "on_list"),
    [("add", "unsubscribed"), ("add", "normal"), ("add_pending", "unsubscribed"), ("restore", "unsubscribed"),
     ("restore", "normal"), ("unsubscribe", "pending"), ("unsubscribe", "not")],
)  # fmt: skip
def test_what_the_consent_file_does_not_list_is_never_sent(plans: Plans, action: str, on_list: str) -> None:
    sent = Sent(plans)
    (row,) = sent.rows(action)
    with pytest.raises(ValueError, match="never turns"):
        sent.send([row._replace(on_list=on_list)])
    assert (sent.service.writes, sent.states()) == ([], [])
    for half in ("park", "restore"):
        with pytest.raises(ValueError, match="other list"):
            sent.sender.move([Row(0, ADA, half)])
