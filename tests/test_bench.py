"""The bench: what it measures is counted right, and its page holds nothing but what was measured."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
sys.path[:0] = [] if str(TOP) in sys.path else [str(TOP)]

from bench import page, plot  # noqa: E402 - the line above finds it
from bench.budgets import Budget, budgets  # noqa: E402
from bench.lab import QUICK, Lab  # noqa: E402
from bench.record import FILE, Record, from_json, load, renewed  # noqa: E402
from bench.space import Usage, empty, usage  # noqa: E402
from bench.timing import Call, Failed, Sample, timed  # noqa: E402
from bench.tools import Programs, tools  # noqa: E402


@pytest.fixture
def record() -> Record:
    """A record of one application, installed and run by three tools."""
    one = Record({"date": "2026-01-02", "uv": "1.2.3"}, {"black": {"version": "25.1"}})
    one.applications["black"] |= {"distributions": "7", "differ": ""}
    for work in ("cold-run", "warm", "first"):
        for wall in (30, 50, 40):
            one.note(work, "black", "detente", Sample(wall, wall / 2))
            one.note(work, "black", "uv", Sample(wall * 2, wall))
        one.note(work, "black", "pipx", Sample(4000, 3000))
    one.note("help", "", "detente", Sample(25, 16))
    one.note("version", "", "detente", Sample(25, 14))
    one.sizes["installed", "black", "detente"] = Usage(3 << 20, 1234)
    one.sizes["installed", "black", "uv"] = Usage(6 << 20, 5678)
    return one


def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path, QUICK, tools(Programs("detente", "uv", "pipx", tmp_path)), Record())


def goals(record: Record) -> dict[str, Budget]:
    return {one.work: one for one in budgets(record)}


def python(tmp_path: Path, text: str) -> Call:
    return Call([sys.executable, "-I", "-S", "-c", text], {}, tmp_path)


def test_the_time_of_processors_counts_children_and_no_sleep(tmp_path) -> None:
    burn = "import os, time\nif os.fork():\n os.wait()\nelse:\n while time.process_time() < 0.3: pass"
    busy = timed(python(tmp_path, burn))
    idle = timed(python(tmp_path, "import time; time.sleep(0.4)"))
    assert busy.cpu >= 290
    assert idle.wall >= 400
    assert idle.cpu < 290


def test_a_program_that_fails_is_no_measurement_and_its_words_are_told(tmp_path) -> None:
    with pytest.raises(Failed, match=r"ended with 3, not 0\nno such thing"):
        timed(python(tmp_path, "import sys; print('no such thing'); sys.exit(3)"))
    assert timed(python(tmp_path, "import sys; sys.exit(3)"), expected=3).wall > 0


def test_a_series_has_median_least_and_processors(record) -> None:
    series = record.series("warm", "black")
    assert (series.count, series.median, series.least, series.processors) == (3, 40, 30, 20)


def test_what_was_written_reads_back_the_same(record) -> None:
    assert from_json(record.to_json()) == record


def test_a_part_that_is_renewed_leaves_the_other_figures_and_says_when(record) -> None:
    part = Record({"date": "2026-02-03", "uv": "9", "load at the start": "0.5"})
    part.note("help", "", "detente", Sample(10, 9))
    warm = record.series("warm", "black")
    new = renewed(record, part, ["starts"])
    assert (new.series("help").wall, new.series("warm", "black"), new.about["uv"]) == ([10], warm, "1.2.3")
    assert new.about["starts renewed"] == "2026-02-03 (load 0.5)"


def test_hard_links_are_counted_once_and_what_is_left_out_is_not(tmp_path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/file").write_bytes(b"x" * 100_000)
    before = usage(tmp_path)
    os.link(tmp_path / "cache/file", tmp_path / "file")
    (tmp_path / "link").symlink_to("file")
    assert usage(tmp_path).inodes == before.inodes + 1 == 4
    assert usage(tmp_path).bytes < before.bytes + 50_000
    assert usage(tmp_path, without=["cache"]).inodes == 3


def test_emptying_leaves_what_is_to_be_kept_whatever_the_modes(tmp_path) -> None:
    for name in ("share/store/entry", "share/envs/one", "bin"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").touch()
    os.chmod(tmp_path / "share/envs/one", 0o555)
    empty(tmp_path, keep=["share/store"])
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == [
        "share/store/entry/file"
    ]
    assert not (tmp_path / "share/envs").exists()


def test_tools_take_turns_and_slow_ones_take_fewer(tmp_path) -> None:
    turns = [tool.key for tool in lab(tmp_path).turns(["detente", "uv", "pipx"], 3, slow=1)]
    assert turns == ["detente", "uv", "pipx", "uv", "detente", "detente", "uv"]


def test_every_tool_gets_a_home_of_its_own_and_nothing_of_the_persons(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", "/somewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for tool in lab(tmp_path).tools.values():
        told = tool.install(tmp_path, "demo").environ
        assert told["HOME"] == str(tmp_path)
        assert not {"PIP_FIND_LINKS", "PYTHONDONTWRITEBYTECODE"} & told.keys()


def test_goals_are_reached_missed_or_not_measured(record) -> None:
    found = goals(record)
    warm = found["warm install of black, without network"]
    assert (warm.measured, warm.verdict) == (0.5, "reached")
    assert found["`--help`"].verdict == "missed"
    assert found["`--version`"].verdict == "reached"
    assert found["first run of httpie"].verdict == "not measured"


def test_the_launcher_is_judged_by_the_differences_of_pairs() -> None:
    one = Record()
    for plain, ours in ((20, 21), (90, 91), (25, 26), (20, 80)):  # a machine that gets busy and quiet again
        one.note("launch", "", "script", Sample(plain, plain))
        one.note("launch", "", "detente", Sample(ours, ours))
    assert goals(one)["launcher over a plain script"].measured == 1


def test_the_page_has_medians_and_ratios(record) -> None:
    text = page.page(record)
    assert "| black | **40** | 80 (0.50) | 4,000 (0.01) |" in text
    assert "| black | 3.0 MiB, 1,234 | 6.0 MiB, 5,678 |" in text
    assert "Measured 2026-01-02; uv 1.2.3." in text
    assert text.endswith("| `--help` (uv: of `uv tool`) |  | détente | 1 | 25 | 25 | 16.0 |\n")


def test_the_page_of_no_figures_has_none() -> None:
    rows = [line for line in page.page(Record()).splitlines() if line.startswith("| ") and "---" not in line]
    assert all("not measured" in line for line in rows[1:-1])


def test_the_plot_has_a_point_for_each_median_and_less_is_further_left(record) -> None:
    root = ET.fromstring(plot.plot(record))
    tag = "{http://www.w3.org/2000/svg}"
    texts = [one.text for one in root.iter(f"{tag}text")]
    assert texts.count("40") == texts.count("80") == 3
    points = [circle for circle in root.iter(f"{tag}circle") if float(circle.get("cy", "")) > 40]
    assert len(points) == 9
    ours = [float(one.get("cx", "")) for one in points if one.get("fill") == "#2f81f7"]
    uvs = [float(one.get("cx", "")) for one in points if one.get("fill") == "#d9822b"]
    assert max(ours) < min(uvs)


def test_the_page_and_the_plot_are_what_the_figures_give() -> None:
    """Where nothing was measured, there is no page."""
    assert page.PAGE.exists() == page.PLOT.exists() == FILE.exists()
    if FILE.exists():
        assert page.PAGE.read_text("utf-8") == page.page(load()), "run: bench/run --page"
        assert page.PLOT.read_text("utf-8") == plot.plot(load()), "run: bench/run --page"


def test_the_command_finds_its_parts_from_anywhere(tmp_path) -> None:
    done = subprocess.run([TOP / "bench/run", "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--quick" in done.stdout
