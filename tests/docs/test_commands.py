"""What README and docs tell users to type works; long runs are cut short, nothing else changes."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHORTER = {
    ("sweep",): ["--quick", "--replications", "2", "--set", "duration=1min"],
    ("best",): [
        *("--quick", "--first", "3", "--most", "3", "--indifference", "1000"),
        *("--set", "duration=10min"),
    ],
    ("run",): ["--set", "duration=2min"],
    ("threats", "run"): ["--duration", "30s", "--seeds", "2"],
    ("reproduce",): ["--replications", "2"],
}


def commands(page):
    """Commands of a page's indented blocks, comments left out, one list for each `&&`."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("    rsim "):
            for part in line.partition(" #")[0].split("&&"):
                yield shlex.split(part)


def shorter(words):
    """The same with less to do."""
    words = ["2.4" if word == "all" else word for word in words[1:]]
    for beginning, options in SHORTER.items():
        if tuple(words[: len(beginning)]) == beginning:
            quick = "--quick" in words
            return words + [option for option in options if not quick or option != "--quick"]
    return words


@pytest.mark.parametrize(
    "page", [page for page in PAGES if list(commands(page))], ids=lambda page: page.stem
)
def test_commands_work_in_the_order_of_the_page(page, tmp_path, documented_attacker):
    for name in ("experiments", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    if "run.pcapng" in page.read_text(encoding="utf-8") and page.stem != "README":
        run = ["run", "experiments/registrar-failure/study.toml", "--pcap", "run.pcapng"]
        assert rsim(tmp_path, *run, "--set", "duration=1min").returncode == 0
    for words in commands(page):
        done = rsim(tmp_path, *shorter(words))
        assert done.returncode == 0, (words, done.stderr)
        assert done.stdout or "--out" in words


def rsim(folder, *words):
    command = [sys.executable, "-m", "rsim.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.fixture
def documented_attacker(tmp_path):
    """The scenario of the page on threats, out of its blocks."""
    text = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(\"\"\"An attacker.*?)```", text, re.S)
    [settings] = re.findall(r"```toml\n(code = .*?)```", text, re.S)
    (tmp_path / "own_attacker.py").write_text(code, encoding="utf-8")
    (tmp_path / "scenario.toml").write_text(settings, encoding="utf-8")


def test_the_example_of_the_readme_works(tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.S)
    assert code.count("\n") <= 16
    assert "quick=True" in code
    code = code.replace("quick=True", 'overrides={"duration": "2min"}, replications=1, quick=True')
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    (tmp_path / "example.py").write_text(code + "\nassert axes.lines\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "example.py"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


def test_targets_of_make_that_pages_name_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.M))
    for page in [*PAGES, *(ROOT / "experiments").glob("*/README.md")]:
        for target in re.findall(r"(?:`|^    )make ([\w-]+)", page.read_text("utf-8"), re.M):
            assert target in targets, (page, target)


def test_links_between_files_resolve():
    pages = [*PAGES, ROOT / "CHANGELOG.md", *sorted((ROOT / "experiments").rglob("README.md"))]
    for page in pages:
        for link in re.findall(
            r"\]\(([^)#: ]+)(?:#[^)]*)?(?: \"[^\"]*\")?\)", page.read_text(encoding="utf-8")
        ):
            if not link.startswith("generated/"):
                assert (page.parent / link).exists(), (page, link)
