"""The figure and the references of a study are checked before anything runs."""

import pytest

from rsim.errors import ScenarioError
from rsim.sweep import load_study

STUDY = """
warm_up = 0
duration = 20
[pool_elements.element]
start = 1
[pool_users.user]
count = 2
start = 2
[attackers.flood]
kind = "report-flood"
start = 5
[sweep]
replications = 1
[sweep.axes]
"network.delay" = ["10ms", "20ms"]
"pools.pool.policy" = ["random", "round_robin"]
[sweep.arms.attack]
axes = { "attackers.flood.interval" = [1, 5] }
[sweep.arms.baseline]
label = "no attack"
set = { "attackers.flood.count" = 0 }
[sweep.quick]
axes = { "network.delay" = [0.01] }
"""


def load(folder, text, quick=False):
    file = folder / "study.toml"
    file.write_text(STUDY + text)
    return load_study(file, quick=quick)


PANEL = '[sweep.figure]\nx = "attackers.flood.interval"\n'


def test_values_of_where_take_the_form_of_parameters(tmp_path):
    text = PANEL + 'where = { "network.delay" = "20ms" }\nlines = "pools.pool.policy"'
    assert load(tmp_path, text).sweep.figure[0].where == {"network.delay": 0.02}
    for other in ('"0.02s"', "2e-2", '"20000us"'):
        found = load(tmp_path, text.replace('"20ms"', other)).sweep.figure[0].where
        assert found == {"network.delay": 0.02}
    # The quick version leaves this value out; the whole study has it.
    assert load(tmp_path, text, quick=True).sweep.figure[0].where == {"network.delay": "20ms"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'x = "network.dealy"',
            "figure: x: there is no axis of the study 'network.dealy'; did you mean",
        ),
        ('x = "network.loss"', "figure: x: there is no axis of the study 'network.loss'"),
        ('metric = "handling_sped_pct"', "metric: .*did you mean 'handling_speed_pct'"),
        ('against = "nope"', "figure.*against: there is no metric 'nope'"),
        ('lines = "network.loss"', "figure: lines: there is no axis of the study 'network.loss'"),
        ('lines = "attackers.flood.interval"', "lines: is x already"),
        ('arms = ["atack"]', "figure: there is no arm 'atack'; did you mean 'attack'"),
        ('arms = ["attack", "attack"]', "arms: names one twice"),
        ('arms = ["baseline"]', "x: no point that is shown has attackers.flood.interval"),
        ('where = { "network.loss" = 1 }', "where: there is no axis of the study 'network.loss'"),
        (
            'where = { "network.delay" = [1] }',
            r"network.delay: no point has \[1\]; values are 0.01",
        ),
        ('where = { "network.delay" = 5 }', "no point has 5; values are 0.01, 0.02"),
        ('where = { "network.delay" = true }', "no point has True"),
        ('x_scale = "foo"', "x_scale: Input should be 'linear' or 'log'"),
        ('x = "pools.pool.policy"\nx_scale = "log"', "policy has values that are no numbers"),
        ("title = '$\\foo$'", "title: .*the text between . is not a formula"),
        ("x_label = '$x^$'", "x_label: .*is not a formula"),
        (f"title = '{'x' * 300}'", "title: .*at most 200 characters"),
        ('against = "false_penalties"\nx_scale = "log"', "do nothing beside against"),
        ("metric = 5", "figure.*metric: Input should be a valid string"),
    ],
)
def test_what_a_panel_can_not_show_is_refused(tmp_path, text, message):
    panel = "[sweep.figure]\n" if text.startswith("x = ") else PANEL
    with pytest.raises(ScenarioError, match=message) as caught:
        load(tmp_path, panel + text)
    assert "sweep.figure" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_panel_that_is_wrong_is_named(tmp_path):
    good = '[[sweep.figure]]\nx = "network.delay"\n'
    assert len(load(tmp_path, good + good).sweep.figure) == 2
    with pytest.raises(
        ScenarioError, match=r"sweep.figure.1: x: there is no axis of the study 'nope'"
    ):
        load(tmp_path, good + '[[sweep.figure]]\nx = "nope"')


@pytest.mark.parametrize("title", ["$x^2$ and $\\\\alpha$", "5 $", "\\\\$5 to \\\\$7", "plain"])
def test_formulas_and_dollars_can_be_drawn(tmp_path, title):
    assert load(tmp_path, f'{PANEL}title = "{title}"').sweep.figure


REFERENCE = """
[[sweep.references]]
file = "data/x.csv"
columns = { delay = "network.delay" }
metrics = { speed = "handling_speed_pct" }
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("file = ", 'arm = "nope"\nfile = ', "references.0: there is no arm 'nope'; choose one of"),
        (
            "network.delay",
            "network.loss",
            "references.0: columns: there is no axis of the study 'network.loss'",
        ),
        ("handling_speed_pct", "nope", "references.0.metrics.speed: there is no metric 'nope'"),
        ("file = ", 'values.speed = { a = "b" }\nfile = ', "there is no column"),
        ('{ speed = "handling_speed_pct" }', "{}", "at least 1 item"),
        ("data/x.csv", "", "file"),
    ],
)
def test_references_are_checked(tmp_path, old, new, message):
    assert load(tmp_path, REFERENCE).sweep.references
    with pytest.raises(ScenarioError, match=message):
        load(tmp_path, REFERENCE.replace(old, new))
