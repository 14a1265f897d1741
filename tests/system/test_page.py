"""The page over the API: what it loads, and the cookie that keeps its session."""
import re

from test_users import PASSWORD, address, patient, register

SET = r"__Host-refresh=([\w-]{43}); Path=/; Secure; HttpOnly; SameSite=Strict"
PARSES_HTML = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"


def test_E12_no_text_becomes_html(api):
    """Each module that the page loads is served, and none of them parses a text as HTML or names another host."""
    page, served = api.get("/ui/"), {}
    left = set(re.findall(r'(?:src|href)="([^"#:]+\.(?:js|css))"', page.text))
    while left:
        name = left.pop()
        answer = served[name] = api.get("/ui/" + name)
        assert answer.status_code == 200, name
        assert not re.search(PARSES_HTML, answer.text), name
        assert not re.search(r"https?:(?!//www\.w3\.org)", answer.text), name
        left |= set(re.findall(r"from '\./([^']+)'", answer.text)) - set(served)
    assert len(served) >= 10
    assert "<script>" not in page.text and "<style>" not in page.text and " style=" not in page.text


def test_the_path_without_its_slash_leads_to_the_page(api):
    answer = api.get("/ui")
    assert (answer.status_code, answer.headers["Location"], answer.content) == (308, "ui/", b"")


def with_cookie(api, route, token, origin=None):
    headers = {"Origin": origin or api.base, "Cookie": f"__Host-refresh={token}"}
    return patient(lambda key: api.post(f"/api/auth/{route}", {"cookie": True}, headers=headers | key))


def log_in_page(api, email):
    """→ the answer, and the refresh token of its cookie."""
    body, origin = {"email": email, "password": PASSWORD, "cookie": True}, {"Origin": api.base}
    answer = patient(lambda key: api.post("/api/auth/login", body, headers=origin | key))
    return answer, re.fullmatch(SET, answer.headers["Set-Cookie"])[1]


def test_A15_a_page_keeps_its_session_in_a_cookie(api):
    email = address()
    assert register(api, email).status_code == 202
    answer, first = log_in_page(api, email)
    assert answer.status_code == 200 and answer.json()["refresh_token"] is None and first not in answer.text
    again = with_cookie(api, "refresh", first)
    second = re.fullmatch(SET, again.headers["Set-Cookie"])[1]
    assert again.status_code == 200 and again.json()["access_token"] and second not in again.text and second != first
    foreign = with_cookie(api, "refresh", second, "https://evil.example")
    assert foreign.status_code == 403 and "Set-Cookie" not in foreign.headers
    over = with_cookie(api, "logout", second)
    assert over.status_code == 200 and over.headers["Set-Cookie"].endswith("; Max-Age=0")
    late = with_cookie(api, "refresh", second)
    assert late.status_code == 401 and late.headers["Set-Cookie"].endswith("; Max-Age=0")
