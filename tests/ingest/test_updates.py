from tests.bench import update


def test_a_changed_page_costs_about_a_page() -> None:
    first, again, of_page = update.measure()

    assert first > 500
    assert 1 <= again <= of_page <= 6
