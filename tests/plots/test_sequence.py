"""Message sequence charts, of a takeover."""

import re
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

import rsim
from rsim.cli import app
from rsim.errors import CaptureError
from rsim.plots import read_sequence, sequence_html, sequence_text


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    table = {
        "warm_up": "10s",
        "duration": "200s",
        "network": {"delay": "10ms"},
        "enrp_servers": {
            "server": {"count": 2},
            "victim": {"failures": {"schedule": "down@100s"}},
        },
        "pool_elements": {"element": {"count": 4, "start": "20s"}},
    }
    file = tmp_path_factory.mktemp("capture") / "takeover.pcapng"
    rsim.run(rsim.scenario(table), pcap=file)
    return file


def kinds(steps):
    return [step.message for step in steps]


def test_a_takeover_can_be_read_from_the_chart(capture):
    steps = read_sequence(capture, messages=("enrp_*takeover*",))
    winner = next(s.source for s in steps if s.message == "ENRP_TAKEOVER_SERVER")
    assert steps[0].message == "ENRP_INIT_TAKEOVER"
    assert winner in {s.source for s in steps if s.message == "ENRP_INIT_TAKEOVER"}
    assert {s.destination for s in steps if s.message == "ENRP_INIT_TAKEOVER"} >= {"victim-1"}
    assert kinds(steps).index("ENRP_INIT_TAKEOVER_ACK") < kinds(steps).index("ENRP_TAKEOVER_SERVER")
    text = sequence_text(steps)
    lines = text.splitlines()
    assert {"server-1", "server-2", "victim-1"} == set(lines[0].split()[2:])
    arrows = [line for line in lines if "ENRP_TAKEOVER_SERVER" in line]
    assert len(arrows) == 1
    assert re.search(
        r"[|][-]+ ENRP_TAKEOVER_SERVER [-]+>[|]|[|]<[-]+ ENRP_TAKEOVER_SERVER", arrows[0]
    )


def test_the_new_home_tells_the_elements(capture):
    (won, *_) = read_sequence(capture, messages=("enrp_takeover_server",))
    after = read_sequence(
        capture, begin=won.departure, hosts=(won.source,), messages=("asap_endpoint_keep_alive",)
    )
    assert any("home" in step.detail for step in after)


def test_filters(capture):
    everything = read_sequence(capture)
    some = read_sequence(capture, begin=50, end=60)
    assert some == [step for step in everything if 50 <= step.departure <= 60]
    mine = read_sequence(capture, hosts=("element-1",))
    assert mine and all("element-1" in (s.source, s.destination) for s in mine)
    assert read_sequence(capture, messages=("ASAP_REGISTRATION",))
    assert read_sequence(capture, hosts=("nobody",)) == []
    assert sequence_text([]).startswith("    time (s)")


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.counts = {}
        self.open = []

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in ("meta", "line", "path", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("meta", "line", "path", "br"):
            assert self.open.pop() == tag


def test_the_page_holds_an_arrow_for_each_message(capture):
    steps = read_sequence(capture, begin=100)
    page = Page()
    html = sequence_html(steps, "a <takeover>")
    page.feed(html)
    assert page.open == []
    assert page.counts["g"] == len(steps)
    assert "a &lt;takeover&gt;" in html and "http" not in html


def test_command(capture, tmp_path):
    runner = CliRunner()
    done = runner.invoke(app, ["trace", str(capture), "--message", "enrp_takeover_server"])
    assert done.exit_code == 0 and "ENRP_TAKEOVER_SERVER" in done.output
    page = tmp_path / "page.html"
    done = runner.invoke(app, ["trace", str(capture), "--out", str(page)])
    assert done.exit_code == 0 and page.read_text().startswith("<!DOCTYPE html>")


def test_what_is_no_capture(tmp_path):
    with pytest.raises(CaptureError, match="no such file"):
        read_sequence(tmp_path / "none.pcapng")
    file = tmp_path / "text.txt"
    file.write_text("hello")
    with pytest.raises(CaptureError, match="is not a capture"):
        read_sequence(file)
