"""Routes that keep failing are left alone, and asked again after a while."""

from rag.breaker import FAILURES, OPEN_SECONDS, Breakers


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _shut(breakers: Breakers, route: str = "a") -> None:
    for _ in range(FAILURES):
        breakers.failed(route)


def test_one_failure_shuts_nothing() -> None:
    breakers = Breakers(Clock())

    breakers.failed("a")

    assert breakers.permits("a")
    assert breakers.seconds_left("a") == 0.0


def test_a_route_that_failed_again_is_left_alone_and_others_are_not() -> None:
    breakers = Breakers(Clock())

    _shut(breakers)

    assert not breakers.permits("a")
    assert breakers.seconds_left("a") == OPEN_SECONDS
    assert breakers.permits("b")


def test_after_a_while_one_request_tries_while_others_wait() -> None:
    clock = Clock()
    breakers = Breakers(clock)
    _shut(breakers)

    clock.now += OPEN_SECONDS

    assert [breakers.permits("a"), breakers.permits("a")] == [True, False]


def test_a_trial_that_succeeds_opens_the_way_for_all_within_a_minute() -> None:
    clock = Clock()
    breakers = Breakers(clock)
    _shut(breakers)
    clock.now += OPEN_SECONDS

    assert breakers.permits("a")
    breakers.succeeded("a")

    assert [breakers.permits("a"), breakers.permits("a")] == [True, True]
    assert clock.now - 100.0 <= 60.0


def test_a_trial_that_fails_shuts_the_route_again() -> None:
    clock = Clock()
    breakers = Breakers(clock)
    _shut(breakers)
    clock.now += OPEN_SECONDS
    breakers.permits("a")

    breakers.failed("a")

    assert not breakers.permits("a")
    assert breakers.seconds_left("a") == OPEN_SECONDS
