"""The pace grows while the service is at ease, halves on a 503, and waits for the budget."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from icx.clock import ManualClock
from icx.http.pace import FASTEST, IN_A_ROW, KNOWN, NAPS, SLOWEST, Pace

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


def test_a_service_that_answers_at_once_is_soon_asked_as_fast_as_it_answers():
    clock = ManualClock(MORNING)
    pace = Pace(clock=clock)
    for _ in range(100):
        pace.spend()
        pace.answered(200, 0.01)
    assert sum(clock.slept) < 0.5


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


def test_what_one_call_was_told_holds_for_all():
    clock, told = ManualClock(MORNING), []
    pace = Pace(clock=clock, on_wait=told.append)
    pace.hold(45)
    pace.spend()
    assert sum(clock.slept) == 45
    assert told == [MORNING.replace(second=45)]


def test_a_service_that_slows_down_without_a_word_is_left_alone_longer_each_time():
    pace = Pace(clock=ManualClock(MORNING))

    def answers(seconds, count=IN_A_ROW, size=300):
        for _ in range(count):
            pace.answered(200, seconds, size)
        return pace.slowed()

    assert answers(0.1, KNOWN) == 0.0
    assert answers(3.0, 1) == 0.0  # one slow answer is nothing
    assert answers(0.1) == 0.0
    assert answers(4.0, size=1_000_000) == 0.0  # nor are long pages
    assert [answers(3.0) for _ in NAPS] == list(NAPS)
    assert answers(3.0) == 0.0  # this is how it is now
    assert answers(3.0, KNOWN) == 0.0
    assert answers(0.1, KNOWN) == 0.0
    assert answers(3.0) == NAPS[0]


class SetBack(ManualClock):
    """A clock that somebody sets back while it is slept on; what measures durations goes on."""

    passed = 0.0

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.slept.append(seconds)
        self.moment -= timedelta(hours=1)


def test_a_clock_that_is_set_back_makes_no_wait_longer():
    clock = SetBack(MORNING)
    Pace(clock=clock).pause(50)
    assert sum(clock.slept) == 50


@given(st.lists(st.tuples(st.sampled_from([200, 404, 500, 503, None]), st.floats(0, 5)), max_size=300))
def test_the_rate_stays_within_its_bounds(answers):
    pace = Pace(clock=ManualClock(MORNING))
    for status, seconds in answers:
        pace.answered(status, seconds)
        assert SLOWEST <= pace.rate <= FASTEST
