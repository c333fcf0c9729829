"""Limits on the rates of senders, and detectors."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsim import wire
from rsim.endpoints import RateLimits, RateTable, ServerSettings, detector, detectors
from rsim.endpoints.detection import RateAnomaly
from rsim.errors import ScenarioError

HANDLE = b"pool"


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.integers(2, 16))
def test_a_rate_is_that_of_the_last_stamps(gaps, stamps):
    table = RateTable(64, stamps)
    now, times = 0.0, []
    for gap in gaps:
        now += gap
        times = [*times, now][-stamps:]
        span = times[-1] - times[0]
        rate = table.enter("a", HANDLE, now)
        if len(times) == 1:
            assert rate == 0
        else:
            assert rate == (len(times) / span if span else float("inf"))


def test_senders_and_pools_have_rates_of_their_own():
    table = RateTable(1 << 20, 16)
    for second in range(10):
        fast = table.enter("fast", HANDLE, second / 10)
    assert fast > 5
    assert table.enter("slow", HANDLE, 1.0) == 0
    assert table.enter("fast", b"other", 1.0) == 0


def test_who_shares_a_bucket_does_not_at_another_server():
    def victims(salt):
        table = RateTable(64, 4, salt)
        for number in range(4):
            table.enter("flooder", HANDLE, number / 10)
        return {n for n in range(500) if RateTable.enter(deepcopy(table), str(n), HANDLE, 1.0) > 0}

    here, there = victims(1), victims(2)
    assert 1 <= len(here) <= 24
    assert len(here & there) < min(len(here), len(there)) / 2


def test_memory_is_bounded_whoever_sends():
    table = RateTable(64, 16)
    for number in range(20_000):
        table.enter(f"10.0.{number % 251}.{number}", HANDLE, number / 1e4)
    assert len(table) <= 64 * 16


@pytest.mark.parametrize(
    ("interval", "refused"), [(0.5, 99), (1.0, 99), (1.5, 1), (2.0, 0), (10.0, 0)]
)
def test_the_estimate_is_that_of_the_published_study(interval, refused):
    """n / ((n - 1) T) at a constant interval T, the present message included."""
    limits = RateLimits({"resolution": 1.0}, 64, 16)
    seen = [limits.suspicious("resolution", "a", HANDLE, n * interval) for n in range(100)]
    assert sum(seen) == refused
    assert not limits.suspicious("report", "a", HANDLE, 0.0)


def ask(server, channel, tell):
    return tell(server, channel, wire.HandleResolution(pool_handle=HANDLE))


def test_what_is_too_much_gets_no_answer(clock, make_server, make_channel, element, tell):
    server = make_server(max_resolution_rate=2.0)
    honest, greedy = make_channel("10.0.0.8"), make_channel("10.0.0.9")
    tell(server, greedy, wire.Registration(pool_handle=HANDLE, pool_element=element(5)))
    answers = 0
    for step in range(200):
        clock.run_until(step / 20)
        told = ask(server, greedy, tell)
        answers += sum(isinstance(m, wire.HandleResolutionResponse) for m in told)
        if step % 40 == 0:
            assert len(ask(server, honest, tell)) == 1
    assert answers == 1
    assert server.counters.requests_ignored == 199


@pytest.mark.parametrize("kind", ["report", "registration"])
def test_reports_and_registrations_have_limits_too(
    clock, make_server, make_channel, element, tell, kind
):
    server = make_server(
        **{f"max_{kind}_rate": 1.0, "verify_unreachable": False, "max_bad_pe_reports": 1000}
    )
    channel = make_channel("10.0.0.9")
    tell(server, channel, wire.Registration(pool_handle=HANDLE, pool_element=element(5)))
    clock.run_until(100)
    for step in range(50):
        clock.run_until(100 + step / 10)
        message = wire.Registration(pool_handle=HANDLE, pool_element=element(5))
        if kind == "report":
            message = wire.EndpointUnreachable(pool_handle=HANDLE, pe_identifier=5)
        tell(server, channel, message)
    assert server.counters.requests_ignored > 30


def test_anomalies_stand_out_without_a_limit():
    judge = RateAnomaly()
    flagged = set()
    for second in range(600):
        for user in range(20):
            if (second + user) % 10 == 0 and judge.suspicious(
                "resolution", f"user-{user}", HANDLE, second
            ):
                flagged.add(user)
        for n in range(20):
            if judge.suspicious("resolution", "flood", HANDLE, second + n / 20):
                flagged.add("flood")
    assert flagged == {"flood"}


def test_an_anomaly_detector_forgets_old_senders():
    judge = RateAnomaly()
    for number in range(3 * judge.MOST_SENDERS):
        judge.suspicious("report", f"sender-{number}", HANDLE, number / 100)
    assert len(judge._stamps) <= judge.MOST_SENDERS


def test_a_detector_of_ones_own(clock, make_server, make_channel, tell):
    @detector("no_evens")
    class NoEvens:
        """Drops requests from even addresses."""

        def suspicious(self, kind, source, pool, now):
            return int(source.rsplit(".", 1)[1]) % 2 == 0

    assert "no_evens" in detectors()
    server = make_server(detector="no_evens")
    assert ask(server, make_channel("10.0.0.4"), tell) == []
    assert len(ask(server, make_channel("10.0.0.5"), tell)) == 1


def test_an_unknown_detector_is_named():
    with pytest.raises(
        ValueError, match=r"there is no detector 'absent'; choose one of .*rate_anomaly"
    ):
        ServerSettings(detector="absent")


def test_reports_alone_remove_no_element_that_answers(
    clock, make_server, make_channel, element, tell
):
    server = make_server(probe_before_removal=True, limit_probes=False, max_bad_pe_reports=3)
    channel, reporter = make_channel("10.0.0.9"), make_channel("10.0.0.8")
    tell(server, channel, wire.Registration(pool_handle=HANDLE, pool_element=element(5)))
    report = wire.EndpointUnreachable(pool_handle=HANDLE, pe_identifier=5)
    for _ in range(10):
        tell(server, reporter, report)
    assert server.handlespace.pool_size(HANDLE) == 1
    [probe] = channel.take()
    assert probe.server_identifier == 77
    clock.run_until(6)
    assert server.handlespace.pool_size(HANDLE) == 0


def test_error_messages_are_spaced(clock, make_server, make_channel):
    server = make_server(error_interval=1.0)
    channel = make_channel("10.0.0.9")
    unknown = bytes([0x4F, 0, 0, 4])
    for step in range(100):
        clock.run_until(step / 20)
        server.receive(channel, wire.PPID_ASAP, unknown)
    assert 5 <= len(channel.take()) <= 6


def test_a_detector_without_a_name_or_with_other_arguments_is_refused():
    with pytest.raises(ScenarioError, match=r"needs a name, as in @detector"):

        @detector
        class Nameless:
            pass

    with pytest.raises(ScenarioError, match=r"'other': must be a class without arguments"):

        @detector("other")
        class Other:
            def suspicious(self, kind, source):
                return False

    assert "other" not in detectors()
