"""What a visitor without a session can reach: the sign-in form, and nothing else."""

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.e2e.conftest import PASSWORD, Desk

pytestmark = pytest.mark.browser


def signed_in(desk: Desk, role: str) -> httpx.Client:
    form = {"email": f"{role}@demo.test", "password": PASSWORD}
    answer = httpx.post(f"{desk.url}/login", data=form)
    assert answer.status_code == 303
    return httpx.Client(base_url=desk.url, cookies=answer.cookies)


@pytest.mark.parametrize(
    "path",
    [
        "/media/" + "0" * 64 + ".pdf",
        "/_stcore/upload_file/session/file",
        "/_stcore/metrics",
        "/_stcore/host-config",
        "/source/0123456789abcdef.1",
        "/demo?to=admin@demo.test",
        "/static/js/index.js",
    ],
)
def test_programs_without_a_session_are_told_to_sign_in(desk: Desk, path: str) -> None:
    answer = httpx.get(desk.url + path)

    assert answer.status_code == 401
    assert answer.text == "Sign in first."


def test_people_without_a_session_are_sent_to_the_form(desk: Desk) -> None:
    answer = httpx.get(desk.url + "/inbox", headers={"accept": "text/html"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("cookie", ["", "copilot_session=guessed"])
def test_a_websocket_without_a_session_is_refused(desk: Desk, cookie: str) -> None:
    url = desk.url.replace("http", "ws") + "/_stcore/stream"

    with (
        pytest.raises(InvalidStatus) as refusal,
        connect(url, additional_headers={"cookie": cookie}),
    ):
        pass

    assert refusal.value.response.status_code == 403


def test_readiness_and_liveness_are_open(desk: Desk) -> None:
    assert httpx.get(desk.url + "/readyz").json() == {"ready": True}
    assert httpx.get(desk.url + "/_stcore/health").status_code == 200


def test_every_answer_forbids_what_the_app_never_does(desk: Desk) -> None:
    for path in ("/login", "/readyz", "/inbox"):
        headers = httpx.get(desk.url + path).headers

        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(desk: Desk) -> None:
    answer = httpx.post(
        desk.url + "/login", data={"email": "agent@demo.test", "password": PASSWORD}
    )

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_another_site_cannot_sign_in_switch_or_sign_out(desk: Desk) -> None:
    elsewhere = {"sec-fetch-site": "cross-site"}
    with signed_in(desk, "agent") as client:
        form = {"email": "agent@demo.test", "password": PASSWORD}

        assert client.post("/login", data=form, headers=elsewhere).status_code == 403
        assert client.get("/demo?to=owner@demo.test", headers=elsewhere).status_code == 403
        assert client.get("/logout", headers=elsewhere).status_code == 403
        assert client.get("/_stcore/host-config").status_code == 200


def test_signing_out_ends_the_session_on_the_server(desk: Desk) -> None:
    with signed_in(desk, "agent") as client:
        token = client.cookies["copilot_session"]
        client.get("/logout")

    answer = httpx.get(desk.url + "/_stcore/host-config", cookies={"copilot_session": token})
    assert answer.status_code == 401


def test_guessing_passwords_is_slowed_down(desk: Desk) -> None:
    form = {"email": "nobody@demo.test", "password": "wrong"}
    answers = [httpx.post(desk.url + "/login", data=form) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 6
    assert "do not match" in answers[4].text
    assert "Too many attempts" in answers[5].text


def test_an_address_typed_into_the_form_comes_back_as_text(desk: Desk) -> None:
    form = {"email": '"><script>alert(1)</script>', "password": "x"}

    answer = httpx.post(desk.url + "/login", data=form)

    assert "<script>" not in answer.text


def test_an_original_is_shown_only_to_those_who_may_see_it(desk: Desk) -> None:
    with signed_in(desk, "agent") as client:
        unknown = client.get("/source/0000000000000000.1")

        assert unknown.status_code == 404
        assert "There is no such document." in unknown.text
