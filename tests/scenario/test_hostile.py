"""Files that nobody should write: a line that says what is wrong, at once and in little memory."""

import resource

import pytest

import rsim
from rsim.errors import ScenarioError
from rsim.sweep import load_study

TEXTS = {
    "lists nested deep": ("x = " + "[" * 100_000 + "]" * 100_000, "nested too deep"),
    "tables nested deep": ("x = " + "{a=" * 3000 + "1" + "}" * 3000, "nested too deep"),
    "a path of many parts": ("[" + ".".join("a" * 5000) + "]\nb = 1", "nested too deep"),
    "a number of many digits": ("[pool_elements.e]\ncount = " + "9" * 5000, "4300 digits"),
    "a number that is none": ("duration = nan", "duration: Input should be a finite number"),
    "an endless time": ("duration = inf", "duration: Input should be a finite number"),
    "a time beyond all numbers": ("duration = 1e400", "duration: Input should be a finite number"),
    "more hosts than fit": ("[pool_users.u]\ncount = 1_000_000_000_000", "less than or equal to"),
    "more attackers than fit": (
        '[attackers.a]\nkind = "report-flood"\ncount = 10_000_000_000',
        "less than or equal to",
    ),
    "more samples than fit": ("series_interval = 1e-6", "series_interval: makes more than"),
    "bytes that are no text": (b"\xff\xfe\x00", "can't be read"),
    "a file that is too long": ("# " + "x" * (1 << 20), "at most 1048576 are read"),
    "more points than fit": (
        "[sweep.axes]\n"
        + "".join(
            f'"{path}" = {list(range(1, 200))}\n'
            for path in ("series_interval", "duration", "warm_up")
        ),
        "make 7880599 points",
    ),
    "more replications than fit": ("[sweep]\nreplications = 1_000_000_000", "replications"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_line_says_what_is_wrong(name, tmp_path):
    text, message = TEXTS[name]
    file = tmp_path / "scenario.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = load_study if "[sweep" in str(text) else rsim.load
    with pytest.raises(ScenarioError, match=message) as caught:
        read(file)
    assert str(file) in str(caught.value)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 * 1024  # KiB


def test_a_hundred_megabytes_are_not_even_read(tmp_path):
    file = tmp_path / "scenario.toml"
    with file.open("wb") as out:
        out.truncate(100_000_000)
    with pytest.raises(ScenarioError, match="has 100000000 bytes"):
        rsim.load(file)
