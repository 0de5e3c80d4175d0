"""Whatever the order of commands and of what people do: nobody who said no is put back."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icx.store import pushed

PEOPLE = 8
WHO = st.integers(0, PEOPLE - 1)
GROUP = st.sets(WHO, max_size=PEOPLE)
STEP = st.one_of(
    st.tuples(st.just("pull"), st.just(frozenset())),
    st.tuples(st.sampled_from(["push", "park", "late push"]), GROUP),
    st.tuples(st.just("undo"), st.just(frozenset())),
    st.tuples(st.sampled_from(["leave", "ask never", "leave parking", "move away", "delete"]), WHO),
)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=4, max_size=10))
def _any_order(here, steps):
    target = here.make_list(f"List {here.clock.now():%m%d%H%M%S}")
    name = here.sql("select name from lists where list_id = ?", target)[0][0]
    folk = here.people()[:PEOPLE]
    said_no: set[int] = set()
    parking = None

    def push(wanted, **options):
        return here.plan(sorted(wanted), to=name, **options)

    def check():
        assert not (here.members(target) & said_no)
        assert here.violations() == []

    last = None
    for verb, what in steps:
        here.clock.sleep(60)
        group = [folk[n] for n in what] if isinstance(what, (set, frozenset)) else []
        person = folk[what] if isinstance(what, int) else 0
        if verb == "pull":
            here.pull()
        elif verb in {"push", "park", "late push"}:
            plan = push(group, stale="park" if verb == "park" else "stay")
            if verb == "late push" and group:
                here.put(target, group[:1], "unsubscribed")  # the moment before it is applied
                said_no.add(group[0])
            here.apply(plan)
            last = plan.plan_id if here.plans.outcomes(plan.plan_id) else last
        elif verb == "undo" and last:
            outcomes = here.plans.outcomes(last)
            if any(row["state"] == "done" for row in outcomes):
                back = here.undo(last)
                here.apply(back)
        elif verb == "leave" and person in here.members(target):
            here.put(target, [person], "unsubscribed")
            said_no.add(person)
        elif verb == "ask never" and person not in here.members(target):
            here.sql("update contacts set status = 'donotcontact' where contact_id = ?", person)
            said_no.add(person)
        elif verb == "leave parking":
            found = here.sql("select list_id from lists where name = 'icx parking'")
            parking = found[0][0] if found else None
            # Only one whom icx parked from this list leaves it by leaving the parking list.
            if (
                parking
                and person in here.members(parking)
                and person in pushed.parked(here.plans.journal, _place(here, target))
            ):
                here.put(parking, [person], "unsubscribed")
                said_no.add(person)
        elif verb == "move away" and here.on(target).get(person) == "unsubscribed":
            here.pull()
            here.sql("delete from subscriptions where list_id = ? and contact_id = ?", target, person)
        elif (
            verb == "delete"
            and person not in here.members(target)
            and here.sql("select status from contacts where contact_id = ?", person)[0][0] != "deleted"
        ):
            here.pull()
            here.client.delete("contacts", person)
            said_no.add(person)
        check()


def _place(here, target):
    from icx.store.plans import Place

    return Place(here.running.account_id, here.running.client_folder_id, target)


def test_no_order_of_commands_puts_anybody_back_who_said_no(place):
    here = place(contacts=300)
    _any_order(here)
