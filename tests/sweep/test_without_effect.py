"""A study says which of its settings and arms change nothing."""

import pytest

from rsim.errors import RsimWarning
from rsim.sweep import load_study, open_report, sweep

STUDY = """
warm_up = 1
duration = 5
[pool_elements.element]
start = 0.1
[pool_users.user]
start = 0.2
request_size = 1e5
request_interval = 0.5
[sweep]
replications = 2
"""


@pytest.fixture
def study(tmp_path):
    def make(text):
        file = tmp_path / "study.toml"
        file.write_text(STUDY + text)
        return file

    return make


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('axes = { "security.resumption" = [true, false] }', "security.resumption changes nothing"),
        ('axes = { name = ["a", "b"], "network.delay" = [0.1, 0.2] }', "name changes nothing"),
        ("arms = { a = {}, b = {} }", "arms a and b give the same runs"),
        (
            'arms = { a = {}, b = { set = { "network.loss" = 0 } } }',
            "arms a and b give the same runs",
        ),
    ],
)
def test_what_changes_nothing_is_told_once_and_stored(study, tmp_path, text, told):
    with pytest.warns(RsimWarning, match=told) as warned:
        result = sweep(study(text), tmp_path / "out", jobs=1)
    assert len(warned) == 1 and len(result.warnings) == 1
    assert open_report(tmp_path / "out").warnings == result.warnings


@pytest.mark.filterwarnings("ignore::rsim.errors.RsimWarning")
@pytest.mark.parametrize(
    "text",
    [
        'axes = { "network.delay" = [0.1, 0.2] }',
        'arms = { a = {}, b = { set = { "network.delay" = 0.2 } } }',
        # It changes something in one arm, though not in the other.
        """
        axes = { "pool_elements.element.failures.schedule" = ["down@100s", "down@200s"] }
        [sweep.arms.a]
        [sweep.arms.b]
        axes = { "pool_elements.element.failures.schedule" = ["down@2s", "down@3s"] }
        """,
        # The events are the same, what is measured of them is not.
        "zip = { warm_up = [1, 2], duration = [5, 4] }",
    ],
)
def test_what_changes_something_is_not(study, text):
    warnings = sweep(study(text), jobs=1).warnings
    assert not any(text.startswith("the study") for text in warnings)


def test_what_a_longer_study_shows_to_change_something_is_told_no_more(study, tmp_path):
    path, late = "pool_elements.element.failures.schedule", '"down@100s", "down@200s"'
    told = f"the study: {path} changes nothing"
    with pytest.warns(RsimWarning):
        first = sweep(study(f'axes = {{ "{path}" = [{late}] }}'), tmp_path / "out", jobs=1)
    assert any(text.startswith(told) for text in first.warnings)
    longer = load_study(study(f'axes = {{ "{path}" = [{late}, "down@2s"] }}'))
    with pytest.warns(RsimWarning):
        second = sweep(longer, tmp_path / "out", jobs=1, resume=True)
    assert len(second.runs) == 6
    assert not any(text.startswith(told) for text in second.warnings)
