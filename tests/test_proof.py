"""The page of the proofs holds their figures and nothing else."""

from proof import report
from proof.figure import Figure
from proof.sections import SECTIONS


def test_the_page_is_what_the_figures_give() -> None:
    assert report.PAGE.read_text("utf-8") == report.page(), "write it anew: ./prove SECTION"


def test_a_broken_promise_stands_in_the_table() -> None:
    figure = Figure("it holds", "tried", 1000, 3, detail="slow | loud", peers={"uv": "5 of 9"})
    row = report.table([figure], ["pip", "uv"]).splitlines()[-1]
    assert row == "| it holds | tried | **3 broken of 1,000**; slow \\| loud | – | 5 of 9 |"


def test_every_section_can_be_measured() -> None:
    from importlib import import_module

    for name in SECTIONS:
        assert callable(import_module(f"proof.{name}").measure)
