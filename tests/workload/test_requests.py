"""Requests are kept as numbers once they have ended."""

from math import isnan

import pandas as pd
import pytest

from rsim.workload import Request, RequestLog

MANY = 4096


def request(number):
    return Request("pu-1", number, 1e6 + number, float(number))


def shown(log):
    return pd.DataFrame(log.columns(), copy=False)


def test_requests_stand_in_the_order_in_which_they_came_whenever_they_end():
    log, waiting = RequestLog(), []
    for number in range(3 * MANY):
        waiting.append(request(number))
        log.append(waiting[-1])
        if number % 3 == 2:
            one = waiting.pop(0 if number % 2 else -1)
            one.completed = number + 0.5
            log.ended(one)
    for one in waiting[::7]:
        one.failed = 1.0
        log.ended(one)
    frame = shown(log)
    assert frame["number"].tolist() == list(range(3 * MANY))
    assert frame["size"].tolist() == [1e6 + number for number in range(3 * MANY)]
    assert frame["completed"].notna().sum() == MANY
    assert set(frame.loc[frame["failed"].notna(), "number"]) == {one.number for one in waiting[::7]}
    assert not (frame["completed"].notna() & frame["failed"].notna()).any()
    assert frame["user"].eq("pu-1").all()


def test_a_request_in_progress_may_change_however_many_come_after():
    log = RequestLog()
    kept = request(0)
    log.append(kept)
    for number in range(1, 2 * MANY + 1):
        log.append(request(number))
    kept.accepted, kept.attempts, kept.cheat = 7.0, 3, True
    first = shown(log).iloc[0]
    assert (first["accepted"], first["attempts"], first["cheat"]) == (7.0, 3, True)
    kept.completed = 8.0
    log.append(request(-1))
    frame = shown(log)
    assert frame["completed"].iloc[0] == 8.0 and isnan(frame["completed"].iloc[1])
    assert len(frame) == 2 * MANY + 2 and frame["number"].iloc[-1] == -1


def test_requests_that_have_ended_are_not_kept_as_objects():
    log = RequestLog()
    log.append(waiting := request(0))
    for number in range(1, MANY):
        one = request(number)
        log.append(one)
        log.ended(one)
    assert [one for one in log._known if isinstance(one, Request)] == [waiting]


def test_only_what_is_in_progress_can_end():
    log, other = RequestLog(), RequestLog()
    log.append(one := request(0))
    other.append(request(1))
    for wrong in (other, RequestLog()):
        with pytest.raises(ValueError, match="request 0 of pu-1 is not in progress"):
            wrong.ended(one)
    log.ended(one)
    with pytest.raises(ValueError, match="not in progress"):
        log.ended(one)
    with pytest.raises(ValueError, match="not in progress"):
        log.ended(request(2))


@pytest.mark.parametrize("more", [1, MANY])
def test_what_is_shown_stays_as_it_was_when_the_log_goes_on(more):
    log = RequestLog()
    kept = [request(number) for number in range(MANY)]
    for one in kept:
        log.append(one)
    before = shown(log)
    as_it_was = before.copy(deep=True)
    for one in kept:
        one.completed = 9.0
        log.ended(one)
    for number in range(more):
        log.append(request(MANY + number))
    after = shown(log)
    assert before.equals(as_it_was) and before["completed"].isna().all()
    assert after["completed"].eq(9.0).sum() == MANY and len(after) == MANY + more


def test_what_is_shown_has_rows_in_progress_as_they_were():
    log = RequestLog()
    log.append(one := request(0))
    before = shown(log)
    one.completed = 9.0
    assert shown(log)["completed"].tolist() == [9.0] and before["completed"].isna().all()


def test_no_requests_are_no_rows_with_the_same_columns():
    one = RequestLog()
    one.append(request(1))
    empty = shown(RequestLog())
    assert empty.empty
    numbers = shown(one).dtypes.drop("user")
    assert empty.dtypes.drop("user").to_dict() == numbers.to_dict()
