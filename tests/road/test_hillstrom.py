"""A published e-mail test through the whole job: its figures come out of the profiles, its audience lands on a list.

Always on a small made-up file of the same shape, counted by hand here; with ICX_HILLSTROM set, also on the real one.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import hillstrom
import pytest

from road.account import account, save
from road.command import done, typed
from road.held import Held

COLUMNS = list(hillstrom.ATTRIBUTES)
TREATMENTS = ("Mens E-Mail", "Womens E-Mail", "No E-Mail")
RULE = {
    "combinator": "and",
    "rules": [
        {"field": "cf_visit", "operator": "=", "value": 1},
        {"field": "cf_zip_code", "operator": "=", "value": "Surburban"},
        {"field": "cf_history", "operator": ">", "value": 200},
    ],
}
# What has been published of the real file: people, visits, conversions, dollars per head.
PUBLISHED = {
    "Mens E-Mail": (21_307, 3_894, 267, 1.4226),
    "Womens E-Mail": (21_387, 3_238, 189, 1.0772),
    "No E-Mail": (21_306, 2_262, 122, 0.6528),
}


def made_up(path: Path) -> Path:
    """A few hundred customers of the same shape; sums of money at and around the audience's edge are among them."""
    rnd = random.Random(2008)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(400):
            visit = int(rnd.random() < 0.4)
            bought = int(visit and rnd.random() < 0.2)
            history = rnd.choice(["199.99", "200.0", "200.01", f"{rnd.uniform(30, 900):.2f}"])
            writer.writerow(
                [rnd.randint(1, 12), "2) $100 - $200", history, rnd.randint(0, 1), rnd.randint(0, 1),
                 rnd.choice(["Urban", "Surburban", "Rural"]), rnd.randint(0, 1),
                 rnd.choice(["Phone", "Web", "Multichannel"]), TREATMENTS[number % 3],
                 bought, visit, f"{rnd.uniform(5, 200):.2f}" if bought else "0.0"]
            )  # fmt: skip
    return path


SOURCES = ["made up", *(["published"] if os.environ.get("ICX_HILLSTROM") else [])]


@dataclass(frozen=True)
class Job:
    """The whole job on one file: the file's rows, the account it was loaded into, the workspace it was pulled to."""

    rows: list[dict[str, str]]
    held: Held
    workspace: Path
    published: bool

    def profile(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the profile with DuckDB alone, as anybody may."""
        with duckdb.connect(str(self.workspace / "data" / "icx.duckdb"), read_only=True) as con:
            return con.execute(sql).fetchall()

    def loyal(self) -> set[int]:
        """The contact ids of the audience, by reading the file."""
        return {
            hillstrom.FIRST_CONTACT + number
            for number, row in enumerate(self.rows)
            if row["visit"] == "1" and row["zip_code"] == "Surburban" and float(row["history"]) > 200
        }


@pytest.fixture(scope="module", params=SOURCES)
def job(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    folder = tmp_path_factory.mktemp("hillstrom")
    published = request.param == "published"
    source = Path(os.environ["ICX_HILLSTROM"]) if published else made_up(folder / "made-up.csv")
    hillstrom.convert(source, folder / "account")
    source_options = {"load": folder / "account", "as_of": "2008-03-31T12:00:00Z"}
    with account(folder / "account.sqlite", **source_options) as running:
        workspace = running.workspace(folder / "workspace")
        for command in (["pull", "acme"], ["build"], ["check"]):
            done(*command, workspace=workspace)
        opened = gzip.open if source.suffix == ".gz" else open
        with opened(source, "rt", encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
        yield Job(rows, running.held, workspace, published)


def by_treatment(job: Job) -> dict[str, tuple[int, int, int, float]]:
    """People, visits, conversions and dollars of each group, by reading the file."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in job.rows:
        for place, value in enumerate((1, int(row["visit"]), int(row["conversion"]), float(row["spend"]))):
            sums[row["treatment"]][place] += value
    return {name: (int(n), int(v), int(c), round(s, 2)) for name, (n, v, c, s) in sums.items()}


def test_the_figures_come_out_of_the_profiles(job: Job) -> None:
    found = job.profile(
        "select cf_treatment, count(*), sum(email_click_ct), sum(cf_conversion), sum(cf_spend), sum(cf_visit),"
        " count(*) filter (email_first_click_ts is not null), count(distinct email), sum(clicks_365d)"
        " from acme.profile group by all"
    )
    figures = {row[0]: (row[1], row[2], row[3], round(float(row[4]), 2)) for row in found}
    assert figures == by_treatment(job)
    for _, people, visits, _, _, by_attribute, visitors, addresses, lately in found:
        assert visits == by_attribute == visitors
        assert addresses == people
        assert lately == 0  # the account's present is 2008, ours is not
    if job.published:
        published = {n: (p, v, c, round(s / p, 4)) for n, (p, v, c, s) in figures.items()}
        assert published == PUBLISHED


def test_groups_are_lists_and_only_two_were_mailed(job: Job) -> None:
    people = {name: row[0] for name, row in by_treatment(job).items()}
    on_lists = job.profile(
        "select name, count(*) from acme.lists join acme.subscriptions using (list_id)"
        " where status = 'normal' group by name"
    )
    assert dict(on_lists) == people
    mailed = job.profile(
        "select cf_treatment, count(*) filter (ever_mailed), sum(received_90d) from acme.profile group by all"
    )
    visits = {name: row[1] for name, row in by_treatment(job).items()}
    for name, ever, lately in mailed:
        # Nobody of the third group was mailed; that a visitor clicked is all that is known of them.
        assert ever == (people[name] if name != "No E-Mail" else visits[name])
        assert lately == 0


def test_the_named_audience_lands_on_a_new_list_by_id(job: Job) -> None:
    wanted = job.loyal()
    if job.published:
        assert len(wanted) == 2_018
    assert save(job.workspace, "Suburban visitors", RULE) == len(wanted)
    plan = done(
        "plan", "Suburban visitors", "--to", "acme/lists/Suburban visitors", "--create", "--json",
        workspace=job.workspace,
    )  # fmt: skip
    counts = plan.json["counts"]
    assert (counts["wanted"], counts["add"], counts["refused"]) == (len(wanted), len(wanted), 0)
    applied = done("apply", plan.json["plan"], "--yes", "--json", workspace=job.workspace)
    assert applied.json["added"] == len(wanted)
    assert applied.json["read_back"] == {
        "expected": len(wanted), "found": len(wanted), "equal": True, "missing": [], "extra": [],
    }  # fmt: skip
    list_id = job.held.list_id("Suburban visitors")
    assert job.held.on(list_id) == dict.fromkeys(wanted, "normal")
    emailed = sum(1 for contact in wanted if _row(job, contact)["treatment"] != "No E-Mail")
    if job.published:
        assert emailed == 1_533
    again = done(
        "plan", "Suburban visitors", "--to", "acme/lists/Suburban visitors", "--json", workspace=job.workspace
    )
    assert (again.json["counts"]["add"], again.json["counts"]["keep"]) == (0, len(wanted))


def test_why_follows_the_file(job: Job) -> None:
    wanted = job.loyal()
    contact = next(iter(sorted(wanted)))
    near = next(
        hillstrom.FIRST_CONTACT + number
        for number, row in enumerate(job.rows)
        if row["visit"] == "1" and row["zip_code"] == "Surburban" and float(row["history"]) <= 200
    )
    assert typed(
        "audience", "why", "Suburban visitors", str(contact), workspace=job.workspace
    ).out.startswith(f"#{contact} is in")
    assert typed("audience", "why", "Suburban visitors", str(near), workspace=job.workspace).out.startswith(
        f"#{near} is out"
    )


def _row(job: Job, contact: int) -> dict[str, str]:
    return job.rows[contact - hillstrom.FIRST_CONTACT]
