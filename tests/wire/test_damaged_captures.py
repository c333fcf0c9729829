"""Captures that are cut or altered anywhere: the messages before, or a clear error."""

import numpy as np
import pytest

import rsim
from rsim.errors import CaptureError
from rsim.wire.dissect import dissect


@pytest.fixture(scope="module")
def capture(tmp_path_factory):

    file = tmp_path_factory.mktemp("capture") / "run.pcapng"
    scenario = rsim.scenario(
        {
            "warm_up": 0,
            "duration": 60,
            "network": {"delay": 0.01},
            "pool_elements": {"element": {"count": 4, "start": 1}},
            "pool_users": {
                "user": {
                    "count": 2,
                    "start": 2,
                    "request_size": {"mean": 1e6},
                    "request_interval": {"mean": 2},
                }
            },
        },
    )
    rsim.run(scenario, pcap=file)
    return file.read_bytes()


def rows(data, tmp_path):
    file = tmp_path / "damaged.pcapng"
    file.write_bytes(data)
    found = []
    try:
        found.extend(dissect(str(file)))
    except CaptureError as error:
        assert str(file) in str(error)
        return found, error
    return found, None


def test_a_cut_gives_the_messages_before_it(capture, tmp_path):
    whole, _ = rows(capture, tmp_path)
    assert len(whole) > 50
    random = np.random.default_rng(1)
    for size in [0, 1, 20, *random.integers(21, len(capture), 60).tolist()]:
        found, _ = rows(capture[:size], tmp_path)
        assert found == whole[: len(found)]


def test_altered_bytes_cause_nothing_but_clear_errors(capture, tmp_path):
    random = np.random.default_rng(2)
    outcomes = []
    for _ in range(150):
        damaged = bytearray(capture)
        for place in random.integers(0, len(capture), 5):
            damaged[place] = random.integers(0, 256)
        outcomes.append(rows(bytes(damaged), tmp_path)[1])
    # Some damage is noticed in the file's structure, some only changes a message.
    assert 0 < sum(error is not None for error in outcomes) < len(outcomes)
