"""An administrator looks after the routes to language models, in a real browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import delete

from app.desk import ONLY
from app.settings import Settings
from app.tables import Desk as DeskRow
from ingest.db import Database
from rag.tables import ModelCall
from tests.e2e.conftest import Desk, free_port, shoot, sign_in, start, wait_until_ready
from tests.openai_server import Reply, ScriptedServer
from tests.rag.test_vllm import PAGE

pytestmark = pytest.mark.browser
# The first request of a process waits for LiteLLM, and one that fails is tried again.
ASKED_MS = 30_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Desk]:
    port = free_port()
    process = start(home, port, **settings)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield Desk(f"http://127.0.0.1:{port}", home, process)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def embedded(home: Path) -> Iterator[Desk]:
    with serving(home) as desk:
        yield desk


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    """Run a model's server that tells how busy it is, as vLLM does."""
    with ScriptedServer() as running:
        assert running._http is not None
        handler: Any = running._http.RequestHandlerClass
        others = handler.do_GET

        def answer(request: Any) -> None:
            if request.path == "/metrics":
                request._send(200, PAGE.encode(), "text/plain; version=0.0.4", {})
            else:
                others(request)

        handler.do_GET = answer
        yield running


@pytest.fixture(scope="module")
def connected(embedded: Desk, server: ScriptedServer) -> Iterator[Desk]:
    """Serve the same desk with a vLLM server of its own, and money spent this month."""
    settings = {
        "COPILOT_MODEL": "mixtral-8x7b-vllm",
        "COPILOT_MODEL_URL": server.url,
        "COPILOT_MODEL_KEY": "sk-our-own-key",
        "COPILOT_SPENDING_LIMIT": "50",
    }
    with serving(embedded.home, **settings) as desk:
        yield desk


@pytest.fixture(scope="module")
def unreachable(embedded: Desk) -> Iterator[Desk]:
    """Serve the same desk with a model where nobody listens."""
    url = f"http://127.0.0.1:{free_port()}/v1"
    with serving(embedded.home, COPILOT_MODEL="openai/ours", COPILOT_MODEL_URL=url) as desk:
        yield desk


@pytest.fixture
def spent(embedded: Desk) -> Iterator[None]:
    """Have the desk spend 37.25 dollars on three of four requests this month."""
    database = Database(Settings(home=embedded.home).url)
    costs = (30.0, 7.0, 0.25, None)
    with database.write() as session:
        session.execute(delete(ModelCall))
        for cost in costs:
            call = ModelCall(model="mixtral-8x7b-together", outcome="complete", seconds=2.0)
            call.cost_usd = cost
            session.add(call)
    yield
    with database.write() as session:
        session.execute(delete(ModelCall))
    database.close()


@contextmanager
def visiting(chromium: Browser, desk: Desk, role: str = "admin") -> Iterator[Page]:
    context = chromium.new_context(
        base_url=desk.url,
        viewport={"width": 1440, "height": 900},
        timezone_id="Europe/Amsterdam",
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_in(page, role)
    yield page
    context.close()


def open_models(page: Page) -> Locator:
    """Open the tab and return its panel."""
    page.goto("/desk")
    page.get_by_role("tab", name="Models").click()
    panel = page.get_by_role("tabpanel", name="Models")
    panel.get_by_role("heading", name="Where data goes").wait_for()
    return panel


def shoot_in_both_lights(page: Page, name: str) -> None:
    shoot(page, name, whole=True)
    page.emulate_media(color_scheme="dark")
    shoot(page, f"{name}-dark", whole=True)
    page.emulate_media(color_scheme="light")


def row(panel: Locator, name: str) -> Locator:
    return panel.get_by_role("row", name=re.compile(f"^{name}"))


def test_a_desk_without_a_model_says_what_drafts_and_what_else_there_is(
    chromium: Browser, embedded: Desk
) -> None:
    with visiting(chromium, embedded) as page:
        panel = open_models(page)

        expect(panel.get_by_text("no language model is connected")).to_be_visible()
        expect(panel.get_by_role("button", name="Ask it now")).to_have_count(0)
        expect(panel.get_by_text("0.00 US dollars")).to_be_visible()
        expect(panel.locator("tbody tr")).to_have_count(26)
        groq = row(panel, "mixtral-8x7b-groq").first
        expect(groq).to_contain_text("retired, refused")
        expect(groq).to_contain_text("Groq ended it on 20 March 2025.")
        expect(row(panel, "mixtral-8x7b-proxy").first).not_to_contain_text("0.00")
        terms = row(panel, "mixtral-8x7b-together").get_by_role("link", name="docs.together.ai")
        expect(terms).to_have_attribute("rel", "noopener noreferrer")
        shoot_in_both_lights(page, "models-embedded")


def test_a_months_cost_follows_the_number_of_tickets(chromium: Browser, embedded: Desk) -> None:
    with visiting(chromium, embedded) as page:
        panel = open_models(page)
        fireworks = row(panel, "mixtral-8x7b-fireworks").first
        expect(fireworks).to_contain_text("2.16")

        panel.get_by_label("Tickets a month").fill("20000")
        panel.get_by_label("Tickets a month").press("Enter")

        # 20,000 x (4,000 x 0.40 + 350 x 1.60) / 1,000,000
        expect(fireworks).to_contain_text("43.20")
        expect(row(panel, "mixtral-8x7b-ollama").first).to_contain_text("0.00")
        shoot(page, "models-tickets")


def test_a_route_that_works_is_asked_and_tells_how_busy_its_server_is(
    chromium: Browser, connected: Desk, server: ScriptedServer, spent: None
) -> None:
    with visiting(chromium, connected) as page:
        panel = open_models(page)
        server.responder = lambda _: Reply("yes", delay=1.0, finish_reason="length")

        panel.get_by_role("button", name="Ask it now").click()

        expect(panel.get_by_text("Asking mixtral-8x7b-vllm for a single word")).to_be_visible()
        shoot(page, "models-asking")
        works = panel.get_by_text(re.compile(r"It works: it answered within \d+\.\d s"))
        expect(works).to_be_visible(timeout=ASKED_MS)
        expect(panel.get_by_text("5 request(s) running on its server, 7 waiting.")).to_be_visible()
        expect(panel.get_by_text("37.25 of 50.00 US dollars")).to_be_visible()
        expect(panel.get_by_text("1 of 4 requests told no cost")).to_be_visible()
        expect(row(panel, "mixtral-8x7b-vllm").first).to_contain_text("drafts at this desk")
        assert server.requests[-1].prompt == "Say yes."
        shoot_in_both_lights(page, "models-works")


def test_a_refused_key_is_told_in_plain_words(
    chromium: Browser, connected: Desk, server: ScriptedServer
) -> None:
    with visiting(chromium, connected) as page:
        panel = open_models(page)
        server.responder = lambda _: Reply("invalid key sk-our-own-key", status=401)

        panel.get_by_role("button", name="Ask it now").click()

        failed = panel.get_by_text("It does not work. The provider of")
        expect(failed).to_be_visible(timeout=ASKED_MS)
        expect(panel.get_by_text("the API key is missing or wrong")).to_be_visible()
        expect(page.get_by_text("sk-our-own-key")).to_have_count(0)
        expect(panel.get_by_text("running on its server")).to_have_count(0)
        shoot_in_both_lights(page, "models-refused")

        # It holds for whoever looks next.
        page.reload()
        expect(failed).to_be_visible()


def test_a_server_that_nobody_reaches_is_told_in_plain_words(
    chromium: Browser, unreachable: Desk
) -> None:
    with visiting(chromium, unreachable) as page:
        panel = open_models(page)

        panel.get_by_role("button", name="Ask it now").click()

        failed = panel.get_by_text("openai/ours did not answer: it cannot be reached")
        expect(failed).to_be_visible(timeout=ASKED_MS)
        expect(panel.get_by_text("Asking")).to_have_count(0)
        shoot_in_both_lights(page, "models-unreachable")


def test_the_regions_that_tickets_may_go_to_are_kept_at_once(
    chromium: Browser, embedded: Desk
) -> None:
    with visiting(chromium, embedded) as page:
        panel = open_models(page)
        panel.get_by_text("Only to the regions below").click()
        panel.get_by_role("button", name="European companies").click()
        expect(page.get_by_text("Saved. It counts from the next draft.")).to_be_visible()
        shoot(page, "models-regions")
        with desk_row(embedded) as ours:
            assert ours.regions == ["eu"]

        page.reload()
        panel = open_models(page)
        expect(panel.get_by_role("button", name="European companies")).to_be_visible()
        panel.get_by_text("Only to the regions below").click()
        expect(panel.get_by_role("button", name="European companies")).to_have_count(0)
        expect(page.get_by_text("Saved. It counts from the next draft.")).to_be_visible()
        with desk_row(embedded) as ours:
            assert ours.regions is None


@contextmanager
def desk_row(served: Desk) -> Iterator[DeskRow]:
    database = Database(Settings(home=served.home).url)
    with database.read() as session:
        yield session.get_one(DeskRow, ONLY)
    database.close()


def test_the_routes_are_whole_on_a_phone(chromium: Browser, connected: Desk) -> None:
    with visiting(chromium, connected) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        panel = open_models(page)

        shoot(page, "models-phone", whole=True)

        main = page.locator('[data-testid="stMain"]')
        assert main.evaluate("main => main.scrollWidth - main.clientWidth") == 0
        remarks = panel.locator("tbody td").last
        assert remarks.evaluate("cell => cell.clientWidth") > 300


@pytest.mark.parametrize("role", ["agent", "owner", "reviewer"])
def test_only_administrators_have_the_page(chromium: Browser, embedded: Desk, role: str) -> None:
    with visiting(chromium, embedded, role) as page:
        expect(page.get_by_role("link", name="Start")).to_be_visible()

        expect(page.get_by_role("link", name="Desk", exact=True)).to_have_count(0)
