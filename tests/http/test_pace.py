"""The pace grows while the service is at ease, halves on a 503, and waits for the budget."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from icx.clock import ManualClock
from icx.http.pace import FASTEST, SLOWEST, Pace

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Counted:
    """A budget of so many calls, free again an hour later."""

    def __init__(self, clock: ManualClock, calls: int) -> None:
        self.clock, self.calls, self.free = clock, calls, MORNING.replace(hour=10)

    def spend(self) -> float:
        if self.clock.now() >= self.free:
            self.calls = 10
        if self.calls:
            self.calls -= 1
            return 0.0
        return (self.free - self.clock.now()).total_seconds()

    def left(self) -> int:
        return self.calls


def test_quick_answers_speed_it_up():
    pace = Pace(clock=ManualClock(MORNING))
    before = pace.rate
    for _ in range(20):
        pace.answered(200, 0.05)
    assert pace.rate > 2 * before


def test_slow_answers_do_not_speed_it_up():
    pace = Pace(clock=ManualClock(MORNING))
    before = pace.rate
    pace.answered(200, 4.0)
    assert pace.rate == before


def test_a_503_halves_it_and_it_climbs_slowly_afterwards():
    pace = Pace(clock=ManualClock(MORNING), first=40)
    pace.answered(503, 0.01)
    assert pace.rate == 20
    pace.answered(200, 0.01)
    assert pace.rate == 20.1


def test_calls_are_spaced_by_the_rate():
    clock = ManualClock(MORNING)
    pace = Pace(clock=clock, first=4)
    for _ in range(5):
        pace.spend()
    assert sum(clock.slept) == 1.0


def test_a_used_up_budget_makes_it_wait_and_say_until_when():
    clock = ManualClock(MORNING)
    told = []
    pace = Pace(Counted(clock, 1), clock=clock, on_wait=told.append)
    pace.spend()
    pace.spend()
    assert told == [MORNING.replace(hour=10)]
    assert clock.now() >= MORNING.replace(hour=10)
    assert pace.left() == 9
    assert pace.waiting_until is None


@given(st.lists(st.tuples(st.sampled_from([200, 404, 500, 503, None]), st.floats(0, 5)), max_size=300))
def test_the_rate_stays_within_its_bounds(answers):
    pace = Pace(clock=ManualClock(MORNING))
    for status, seconds in answers:
        pace.answered(status, seconds)
        assert SLOWEST <= pace.rate <= FASTEST
