"""The demo accounts: open while the sample desk is served, shut otherwise."""

import pytest
from sqlalchemy import func, select

from app import demo, sign_in
from app.errors import InvalidInputError, SignInError
from app.services import Services
from app.settings import Settings
from app.tables import Token

PASSWORD = "a password for the demo"
AGENT = "agent@demo.test"


@pytest.fixture
def served(services: Services, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.setenv("COPILOT_DEMO_PASSWORD", PASSWORD)
    services.settings = Settings(home=services.home)
    demo._accounts(services)
    return services


def test_a_start_without_the_sample_desk_shuts_its_accounts_out(served: Services) -> None:
    token = sign_in.sign_in(served, AGENT, PASSWORD, "127.0.0.1")
    assert sign_in.user_id_of(served, token) is not None

    demo.close(served)

    assert sign_in.user_id_of(served, token) is None
    with pytest.raises(SignInError):
        sign_in.sign_in(served, AGENT, PASSWORD, "127.0.0.1")
    with served.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Token)) == 0


def test_the_sample_desk_lets_them_in_again(served: Services) -> None:
    demo.close(served)

    demo._accounts(served)

    assert sign_in.sign_in(served, AGENT, PASSWORD, "127.0.0.1")


def test_the_sample_desk_is_served_to_this_machine_only(served: Services) -> None:
    with pytest.raises(InvalidInputError, match="this machine only"):
        demo.prepare(served, "0.0.0.0")
