"""Signed cookies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsim.workload.cookies import CookieSeal

requirement = pytest.mark.conformance


class Clock:
    now = 0.0


def seals(key=b"key of the pool", other=b"key of the pool"):
    clock = Clock()
    return (
        CookieSeal(key, lambda: clock.now),
        CookieSeal(other, lambda: clock.now),
        clock,
    )


@given(st.binary(max_size=60), st.text(max_size=20))
def test_another_element_of_the_pool_reads_what_one_has_signed(content, user):
    first, second, clock = seals()
    clock.now = 1.0
    assert second.open(first.close(content, user), user) == content


@requirement("ASAP-146")
@given(st.binary(min_size=1, max_size=60), st.data())
def test_altered_cookies_are_refused(content, data):
    first, second, clock = seals()
    clock.now = 1.0
    cookie = first.close(content, "10.0.0.1")
    place = data.draw(st.integers(0, len(cookie) - 1))
    change = data.draw(st.integers(1, 255))
    altered = cookie[:place] + bytes([cookie[place] ^ change]) + cookie[place + 1 :]
    assert second.open(altered, "10.0.0.1") is None
    shorter = cookie[: data.draw(st.integers(0, len(cookie) - 1))]
    assert second.open(shorter, "10.0.0.1") is None


@requirement("ASAP-146")
def test_invented_stolen_and_foreign_cookies_are_refused():
    first, second, clock = seals()
    clock.now = 1.0
    cookie = first.close(b"state", "10.0.0.1")
    assert second.open(b"state" + bytes(24), "10.0.0.1") is None
    assert second.open(cookie, "10.0.0.2") is None
    _, stranger, _ = seals(other=b"key of another pool")
    assert stranger.open(cookie, "10.0.0.1") is None


def test_a_cookie_counts_once_and_an_older_one_not_after_a_newer():
    first, second, clock = seals()
    cookies = []
    for now in (1.0, 2.0, 3.0):
        clock.now = now
        cookies.append(first.close(f"state {now}".encode(), "10.0.0.1"))
    assert second.open(cookies[1], "10.0.0.1") == b"state 2.0"
    assert second.open(cookies[1], "10.0.0.1") is None
    assert second.open(cookies[0], "10.0.0.1") is None
    assert second.open(cookies[2], "10.0.0.1") == b"state 3.0"
    # Who has given it knows of it, too.
    assert first.open(cookies[2], "10.0.0.1") is None


def test_an_older_cookie_is_believed_where_no_newer_one_is_known():
    first, second, clock = seals()
    clock.now = 1.0
    old = first.close(b"old", "10.0.0.1")
    clock.now = 2.0
    first.close(b"new", "10.0.0.1")
    assert second.open(old, "10.0.0.1") == b"old"


def test_memory_is_bounded():
    from rsim.workload import cookies

    seal, _, _ = seals()
    for number in range(cookies._MOST_USERS + 100):
        seal.close(b"", f"user-{number}")
    assert len(seal._newest) == cookies._MOST_USERS
