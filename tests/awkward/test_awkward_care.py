"""A person erased here and still at iContact, and a database brought back from a backup: what pulls and pushes do then."""

from __future__ import annotations

import json
from typing import Any

from awkward_words import four_parts

from icx.workspace import Workspace

PLAN = ("plan", "All", "--to", "acme/lists/#3001")


def test_an_erased_person_comes_back_in_no_table_and_on_no_list_and_is_told(ready: Any) -> None:
    ws = Workspace(ready.folder)
    with ws.store.open("acme") as con:
        contact, email = con.execute(
            "select id, email from icontact_users u where exists (from subscriptions s where s.contact_id = u.id"
            " and s.list_id = 3001) and exists (from icontact_activity a where a.contact_id = u.id)"
            " and email_key is not null order by id limit 1"
        ).fetchall()[0]
    ready.icx("plan", "All", "--to", "acme/lists/#3001")
    shown = ready.icx("erase", str(contact), "--dry", "--json")
    assert shown.code == 0, shown.err
    assert shown.json["places"]["data/published/acme/profile.parquet"] == 1
    assert email not in shown.out
    told = four_parts(ready.icx("erase", str(contact)), "needs-answer", 3)
    assert f"--confirm erase={shown.json['before']}" in told[3]
    done = ready.icx("erase", str(contact), "--confirm", f"erase={shown.json['before']}", "--json")
    assert (done.code, done.json["after"]) == (0, 0), done.err
    pulled = ready.icx("pull", "acme", "--full", "--json")
    assert pulled.code == 0, pulled.err
    (note,) = [one for one in pulled.json["notes"] if one["code"] == "was-erased"]
    assert (note["where"], "is still at iContact" in note["message"]) == (f"#{contact}", True)
    assert pulled.json["ledger"]["red"] == 0
    with Workspace(ready.folder).store.open("acme") as con:
        for table, column in (
            ("icontact_users", "id"),
            ("subscriptions", "contact_id"),
            ("icontact_activity", "contact_id"),
        ):
            assert con.execute(f"select count(*) from {table} where {column} = ?", [contact]).fetchall() == [
                (0,)
            ]
        assert con.execute("select count(*) from set_aside where raw <> ''").fetchall() == [(0,)]
    assert ready.icx("build").code == 0
    plan = ready.icx(*PLAN, "--json")
    assert plan.code == 0, plan.err
    rows = Workspace(ready.folder).plan_journal.rows(plan.json["plan"]).to_pylist()
    assert contact not in {row["contact_id"] for row in rows}  # neither wanted nor a member
    assert email not in json.dumps(rows, default=str)
    assert ready.icx("erase", str(contact), "--dry", "--json").json["before"] == 0


def test_after_a_restore_nothing_is_pushed_before_the_refusals_of_meanwhile_were_read(ready: Any) -> None:
    assert ready.icx("backup").code == 0
    plan = ready.icx(*PLAN, "--json").json
    gone = Workspace(ready.folder).plan_journal.rows(plan["plan"])
    contact = next(row["contact_id"] for row in gone.to_pylist() if row["action"] == "add")
    ready.edit("update contacts set status = 'donotcontact' where contact_id = ?", contact)
    restored = ready.icx("restore", "newest", "--yes", "--json")
    assert (restored.code, restored.json["restored"]) == (0, True), restored.err
    assert (
        four_parts(ready.icx("apply", plan["plan"], "--yes"), "restored-unread", 3)[2]
        == "  kept   nothing was sent"
    )
    four_parts(ready.icx(*PLAN), "restored-unread", 3)
    pulled = ready.icx("pull", "acme", "--contacts-only", "--json")  # all the same everything is read
    assert pulled.code == 0, pulled.err
    assert not pulled.json["contacts_only"]
    assert ready.icx("build").code == 0
    again = ready.icx(*PLAN, "--json")
    assert again.json["refused"]["do_not_contact"] >= 1, again.err
    rows = Workspace(ready.folder).plan_journal.rows(again.json["plan"]).to_pylist()
    assert {row["action"] for row in rows if row["contact_id"] == contact} == {"refuse"}
