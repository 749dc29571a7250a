"""Which redirect URIs may be registered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.identity.redirect_uris import problem_with

GOOD = [
    "https://app.example/callback",
    "https://app.example",
    "https://app.example:8443/a/b?c=d&e=%20",
    "https://xn--bcher-kva.example/",
    "http://127.0.0.1/callback",
    "http://127.0.0.1:51004/callback",
    "http://[::1]:51004/callback",
    "http://localhost:3000/",
]
NATIVE = ["com.example.app:/callback", "com.example.app://callback", "com.example.my-app:/a?b=c"]
BAD = [
    "",
    "/callback",
    "app.example/callback",
    "//app.example/callback",
    "https://",
    "https:///callback",
    "https:app.example",
    "https://app.example/#",
    "https://app.example/#fragment",
    "https://user@app.example/",
    "https://user:secret@app.example/",
    "https://*.app.example/",
    "https://app.example/a/../b",
    "https://app.example/a/%2e%2E/b",
    "https://app.example/..",
    "https://app.example/./a",
    "https://app.example:port/",
    "https://app.example:99999/",
    "https://[::1/",
    "https://app%2eexample/",
    "https://app.example/a b",
    "https://app.example/ä",
    "https://bücher.example/",
    "https://app.example\\@evil.example/",
    "https://app.example/\n",
    'https://app.example/"',
    "http://app.example/callback",
    "http://127.0.0.1.evil.example/",
    "http://localhost.evil.example/",
    "http://127.0.0.2/",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "urn:ietf:wg:oauth:2.0:oob",
    "myapp:/callback",
    "ftp://app.example/",
    "https://app.example/" + "a" * 2000,
]


@pytest.mark.parametrize("is_public", [True, False])
def test_https_and_loopback_are_for_everybody(is_public: bool) -> None:
    for uri in GOOD:
        assert problem_with(uri, is_public=is_public) is None, uri
    for uri in BAD:
        assert problem_with(uri, is_public=is_public) is not None, uri


def test_private_use_schemes_are_for_native_apps() -> None:
    for uri in NATIVE:
        assert problem_with(uri, is_public=True) is None, uri
        assert problem_with(uri, is_public=False) is not None, uri


@given(st.text())
def test_nothing_that_somebody_writes_is_an_error(text: str) -> None:
    for uri in (text, f"https://{text}", f"https://app.example/{text}"):
        if problem_with(uri, is_public=True) is None:
            assert uri.isascii()
            assert not set(uri) & set('# \t\n\\"<>')
