"""What a pull learns about consent, asked of its facts alone: who is gone, who left, who came back, and of which list."""

from __future__ import annotations

from typing import Any

from pull_bed import Bed
from pull_fake import account

from icx.pull import keep

DAY = 86_400
TAG = {"with_settings": {"tag_filter": True, "tag_aid": "77"}}
#: Every kind of pull that keeps fewer people, or none that it did not keep before.
KINDS: tuple[dict[str, Any], ...] = (
    {"contacts_only": True},
    TAG,
    TAG | {"contacts_only": True},
    {"full": True},
    {},
)


def made(bed: Bed, *contacts: int) -> None:
    """Note people as made by icx, before any pull."""
    keep.register(bed.store, "acme", 1, 2)
    for one in contacts:
        bed.rows(
            f"insert into shared.consent_facts values (1, 2, {one}, 'person{one}@example.com', null, 'made', "
            "'2026-11-21 11:00:00', '2026-11-21 11:00:00', 'apply', null)"
        )


def gone(bed: Bed) -> list[tuple[Any, ...]]:
    return bed.rows("select contact_id, email_key from consent_facts where fact = 'gone' order by all")


def test_only_whom_the_service_does_not_list_is_gone_whatever_kind_of_pull_asks(bed: Bed) -> None:
    fake = account(1, people=6, messages=1)
    fake.rows["subscriptions"] = []  # nobody is on any list
    fake.events = {}  # and nobody was touched by a message: the tag filter keeps none of them
    fake.bodies[88_001] = "<p>Hello</p><!-- lytics-aid:77 -->"
    made(bed, 70_001, 70_002, 90_001)
    for kind in KINDS:
        bed.clock.sleep(DAY)
        bed.pull(fake, **kind)
        assert gone(bed) == [(90_001, "person90001@example.com")]
    assert bed.rows("select count(*) from icontact_users where gone_at is null") == [(6,)]
