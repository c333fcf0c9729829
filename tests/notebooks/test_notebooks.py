"""Notebooks run from top to bottom, in a kernel as Jupyter starts it, in their quick mode."""

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(notebook, monkeypatch):
    monkeypatch.setenv("RSIM_QUICK", "1")
    document = jupytext.read(notebook)
    client = NotebookClient(document, timeout=300, resources={"metadata": {"path": str(FOLDER)}})
    client.execute()
    outputs = [output for cell in document.cells for output in cell.get("outputs", ())]
    assert not [one for one in outputs if one["output_type"] == "error"]
    shown = [output.get("data", {}) for output in outputs]
    # What a notebook is for: a figure, seen in it.
    assert any("image/png" in data for data in shown)


def test_there_are_eight():
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, 9)]
