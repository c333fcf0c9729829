"""Storing the outcomes of threats, and one page that shows them all."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from math import isinf, isnan
from pathlib import Path
from typing import Any

import pandas as pd

from rsim.errors import ResultError
from rsim.plots import save
from rsim.results import METRICS, holm
from rsim.results.digits import interval_text, p_text, rounded
from rsim.threats.catalogue import Threat, threats
from rsim.threats.figure import threat_figure
from rsim.threats.outcome import Outcome, load_outcome

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%;font-size:13px}
th,td{border-bottom:1px solid #ddd;padding:.35rem .5rem;text-align:left;vertical-align:top}
th{background:#f3f3f3;position:sticky;top:0}
td.n{text-align:right;white-space:nowrap}
section{margin-top:2.5rem}img{max-width:100%}dt{font-weight:600}dd{margin:0 0 .4rem 0}
.bad{color:#a33}.good{color:#276}
"""


def store_outcomes(outcomes: Iterable[Outcome], directory: str | Path) -> pd.DataFrame:
    """Stores outcomes: a figure and a JSON file each, and `rows.csv` with a line for each.

    Parameters: `outcomes` of threats; `directory` of the results. Raises ResultError if the folder
    can't be written.
    """
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for outcome in outcomes:
            outcome.save(folder)
            save(threat_figure(outcome), folder / f"{outcome.threat.id}.png")
        rows = pd.DataFrame(rows_of(read_outcomes(folder)))
        rows.to_csv(folder / "rows.csv", index=False)
    except OSError as error:
        raise ResultError(f"{folder}: can't be written: {error.strerror}") from None
    return rows


def rows_of(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """A line for each outcome, with p corrected by Holm for their number.

    Whether an attack `moves` its metric is said by the corrected p. Parameters: `outcomes` that are
    one family of tests.
    """
    rows = [outcome.row() for outcome in outcomes]
    corrected = holm([row["p"] for row in rows]).tolist()
    for row, p in zip(rows, corrected, strict=True):
        row["p_holm"] = p
        row["moves"] = bool(row["moves"] and p < 0.05)
    return rows


def read_outcomes(directory: str | Path) -> list[Outcome]:
    """The outcomes in a folder, in the catalogue's order.

    Parameters: `directory` of the results. Raises ResultError if there are none.
    """
    folder = Path(directory)
    found = [
        load_outcome(folder / f"{one.id}.json", one)
        for one in threats()
        if (folder / f"{one.id}.json").exists()
    ]
    if not found:
        raise ResultError(f"{folder}: holds no outcomes of threats")
    return found


def write_report(directory: str | Path, file: str | Path | None = None) -> Path:
    """Writes one self-contained HTML page of the outcomes in a folder, `report.html` by default.

    Parameters: `directory` of the results; `file` of the page, None: `report.html` there.
    """
    folder = Path(directory)
    outcomes = read_outcomes(folder)
    rows = rows_of(outcomes)
    path = Path(file) if file is not None else folder / "report.html"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<title>Threats to server pooling</title>",
        f"<style>{_STYLE}</style></head><body>",
        "<h1>Threats to Reliable Server Pooling</h1>",
        "<p>Each threat of RFC 5355 (2.x), and others (N), measured in four arms on common seeds: "
        "no attack, attack, attack with mitigation, mitigation alone. Differences are paired by "
        "seed; intervals are 95%. Whether an attack moves its metric is tested at 5% over all "
        f"{len(outcomes)} threats together, by Holm's procedure. Where some runs have no value, "
        "n of N says how many have.</p>",
        _table(outcomes, rows),
        *(_section(*pair, folder) for pair in zip(outcomes, rows, strict=True)),
        "</body></html>",
    ]
    try:
        path.write_text("\n".join(parts), encoding="utf-8")
    except OSError as error:
        raise ResultError(f"{path}: can't be written: {error.strerror}") from None
    return path


def _number(value: Any) -> str:
    return "-" if value is None or isnan(value) else rounded(value)


def _table(outcomes: list[Outcome], rows: list[dict[str, Any]]) -> str:
    head = (
        "id",
        "threat",
        "effect measured",
        "no attack",
        "attack",
        "mitigated",
        "service: attack / mitigated",
        "attack costs",
        "breaks (90% / 50%)",
        "recovery",
        "still works",
    )
    lines = ["<table id='summary'><thead><tr>"]
    lines += [f"<th>{escape(name)}</th>" for name in head]
    lines.append("</tr></thead><tbody>")
    for outcome, row in zip(outcomes, rows, strict=True):
        threat = outcome.threat
        metric = METRICS[threat.metric]
        cells = [interval_text(outcome.mean(arm)) for arm in ("baseline", "attack", "mitigated")]
        service = f"{_number(row['attack_service'])}% / {_number(row['mitigated_service'])}%"
        rate = row["attack_messages_per_s"]
        costs = f"{_number(rate)} messages/s, {_number(row['attack_octets_per_s'])} B/s"
        points = " / ".join(
            outcome.breaking[share].text if share in outcome.breaking else "not searched"
            for share in ("90", "50")
        )
        lines.append(
            f"<tr><td><a href='#t{escape(threat.id)}'>{escape(threat.id)}</a></td>"
            f"<td>{escape(threat.name)}</td><td>{escape(metric.axis)}</td>"
            + "".join(f"<td class='n'>{cell}</td>" for cell in cells)
            + f"<td class='n'>{service}</td><td>{costs}</td><td class='n'>{points}</td>"
            f"<td class='n'>{_seconds(outcome)}</td><td>{escape(threat.still_works)}</td></tr>"
        )
    lines.append("</tbody></table>")
    return "".join(lines)


def _seconds(outcome: Outcome) -> str:
    if not outcome.recovery:
        return "-"
    found = outcome.mean_recovery
    if isinf(found.mean):
        return "not within the run"
    back = sum(not isinf(time) for time in outcome.recovery)
    if back == len(outcome.recovery):
        return f"{interval_text(found)} s"
    horizon, of = rounded(outcome.recovery_horizon), len(outcome.recovery)
    return f"{interval_text(found)} s (up to {horizon} s, {back} of {of} recover)"


def _section(outcome: Outcome, row: dict[str, Any], folder: Path) -> str:
    threat = outcome.threat
    image = folder / f"{threat.id}.png"
    picture = ""
    if image.exists():
        content = b64encode(image.read_bytes()).decode()
        picture = f"<img alt='figure of {escape(threat.id)}' src='data:image/png;base64,{content}'>"
    verdict = "moves its metric" if row["moves"] else "does not move its metric beyond doubt"
    restored = row["restored"]
    told = f"The attack {verdict}: {interval_text(outcome.difference('attack'))}"
    told += f" (p {p_text(row['p_holm'])})"
    if not isnan(restored):
        told += f"; the mitigation takes {100 * restored:.0f}% of that away"
    told += f". Alone it changes the service by {interval_text(outcome.cost)} points."
    facts = {
        "Needs": threat.needs,
        "Attack": threat.attack,
        "Mitigation": threat.mitigation,
        "Result": told,
        "Reading": threat.reading,
        "Still works": threat.still_works + _still(threat, row),
    }
    listed = "".join(
        f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts.items() if text
    )
    return (
        f"<section id='t{escape(threat.id)}'><h2>{escape(threat.id)} {escape(threat.name)}</h2>"
        f"{picture}<dl>{listed}</dl></section>"
    )


def _still(threat: Threat, row: dict[str, Any]) -> str:
    if threat.still is None or "still_metric" not in row:
        return ""
    metric = METRICS[row["still_metric"]]
    value = _number(row["still_of_still"])
    return (
        f" Shown: {threat.still.label}: {metric.label} {value} {metric.unit} "
        f"(without attack {_number(row['baseline_of_still'])})."
    )
