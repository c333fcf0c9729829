"""The examples in the documentation of what rsim offers show what happens.

They find a scenario, a study and its results in the working folder.
"""

import ast
import doctest
import importlib
import inspect
import pkgutil
import warnings
from pathlib import Path

import pytest

import rsim
from tests.results.kept import metrics_as_they_were

SCENARIO = """
name = "small"
warm_up = 0
duration = "10min"
[pool_elements.element]
start = "1min"
[pool_users.user]
count = 3
start = "2min"
"""
STUDY = f"""{SCENARIO}
[sweep]
replications = 2
axes = {{ "pool_users.user.count" = [1, 2] }}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    (folder / "scenario.toml").write_text(SCENARIO, encoding="utf-8")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    rsim.sweep(folder / "study.toml", folder / "results", jobs=1)
    return folder


@pytest.fixture(autouse=True)
def own_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with metrics_as_they_were():
        yield


def examples(text, name, **names):
    return doctest.DocTestParser().get_doctest(text or "", {"rsim": rsim, **names}, name, None, 0)


def documentation(offered):
    """What stands in the source: compiled functions don't have it."""
    source = Path(rsim.__file__).parents[1].joinpath(*offered.__module__.split("."))
    package = source / "__init__.py"
    file = package if package.exists() else source.with_suffix(".py")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    [found] = [node for node in tree.body if getattr(node, "name", None) == offered.__name__]
    return ast.get_docstring(found)


def check(test):
    told = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rsim.RsimWarning)
        runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)


@pytest.mark.parametrize("name", sorted({*rsim.__all__} - {"__version__"}))
def test_all_that_rsim_offers_has_an_example_that_works(name):
    offered = getattr(rsim, name)
    # A package that can be called is documented as the package.
    test = examples(documentation(getattr(offered, "__wrapped__", offered)), name)
    assert test.examples
    check(test)


def documented():
    """Examples of all modules, but for those that are tested above."""
    for module in pkgutil.walk_packages(rsim.__path__, "rsim."):
        if module.name.endswith(("__main__", "_native")):
            continue
        loaded = importlib.import_module(module.name)
        for name, member in [("", loaded), *inspect.getmembers(loaded)]:
            ours = name == "" or getattr(member, "__module__", None) == module.name
            text = inspect.getdoc(member) if ours else None
            if text and ">>>" in text and name not in rsim.__all__:
                yield examples(text, f"{module.name}.{name}", **vars(loaded))


def test_examples_elsewhere_work():
    for test in documented():
        check(test)


def test_an_example_that_does_not_work_is_found():
    with pytest.raises(AssertionError, match="Expected"):
        check(examples(">>> 1 + 1\n3\n", "wrong"))
