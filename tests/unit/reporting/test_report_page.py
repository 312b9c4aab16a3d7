"""The whole page from made-up result files: what it must say, with parts there and with parts missing."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from result_files import MadeUp, machine_facts, write_results

from tasks.reporting.machine import Machine
from tasks.reporting.page import Page, make_page
from tasks.reporting.provenance import Provenance
from tasks.reporting.results import read

ORIGIN = Provenance("0123abc", {"Python": "3.11.0"}, "title: <b>bold</b>\n")


class Outline(HTMLParser):
    """Collects text, images, anchors and what is open, and refuses what does not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if values.get("id"):
            assert values["id"] not in self.anchors
            self.anchors.add(str(values["id"]))
        if tag == "img":
            self.images.append(values)
        if tag == "a":
            self.links.append(str(values["href"]))
        if tag not in ("img", "meta", "link", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)

    @property
    def text(self) -> str:
        assert not self._open
        return " ".join(" ".join(self.words).split())


def made(root: Path, made_up: MadeUp) -> tuple[Page, Outline]:
    write_results(root, made_up)
    results = read(root, made_up.keys, (*made_up.ranks, *made_up.empty_ranks))
    page = make_page("A <title> & more", results, Machine(**machine_facts()), ORIGIN)
    outline = Outline()
    outline.feed(page.html)
    return page, outline


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, Outline]:
    return made(tmp_path_factory.mktemp("whole"), MadeUp())


def test_page_needs_nothing_from_elsewhere(whole: tuple[Page, Outline]) -> None:
    page, outline = whole
    assert all(str(image["src"]).startswith("data:image/png;base64,") for image in outline.images)
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page.html)
    assert "url(" not in page.html
    assert "@import" not in page.html
    assert "<script" not in page.html


def test_figures_in_the_page_are_the_files(whole: tuple[Page, Outline]) -> None:
    page, outline = whole
    embedded = [base64.b64decode(str(image["src"]).partition(",")[2]) for image in outline.images]
    assert embedded == [figure.png for figure in page.figures]
    assert len({figure.name for figure in page.figures}) == len(page.figures)
    for figure in page.figures:
        assert re.fullmatch(r"[a-z0-9_-]+", figure.name)


def test_every_figure_says_what_it_shows(whole: tuple[Page, Outline]) -> None:
    _, outline = whole
    assert all(len(str(image["alt"])) > 20 for image in outline.images)


def test_links_lead_to_sections(whole: tuple[Page, Outline]) -> None:
    _, outline = whole
    assert len(outline.links) == 10
    assert {link.removeprefix("#") for link in outline.links} <= outline.anchors


def test_text_from_files_is_escaped(whole: tuple[Page, Outline]) -> None:
    page, outline = whole
    assert "<b>bold</b>" not in page.html
    assert "title: <b>bold</b>" in outline.text
    assert "A. Author & B. <Author>" in outline.text
    assert "A <title> & more" in outline.text


def test_winner_is_chosen_on_validation_not_on_test(whole: tuple[Page, Outline]) -> None:
    # rank 0 is made up to be better on test, rank 1 on validation
    text = whole[1].text
    assert "the best candidate by validation is rank 1." in text
    assert "98.33 ± 0.28 % on the 360 test images" in text
    assert "One test image is 0.28 points." in text


def test_headline_calls_a_tie_a_tie(whole: tuple[Page, Outline]) -> None:
    text = whole[1].text
    assert "not distinguishable from the reference network or 8 random networks" in text
    assert "better than logistic regression" in text


def test_every_part_is_there(whole: tuple[Page, Outline]) -> None:
    text = whole[1].text
    for words in (
        "Positive", "printed letters", "linear probe", "mCE", "mCE, unseen alone", "Natural shift", "AUROC", "FPR",
        "Brier", "temperature", "joules", "not reported", "CC BY 4.0", "0123abc", "git checkout 0123abc", "2 CPU cores",
    ):  # fmt: skip
        assert words.lower() in text.lower(), words
    assert "The positive class is the foreign one" in text


def test_scores_of_different_evaluators_never_share_a_panel(whole: tuple[Page, Outline]) -> None:
    panels = {
        figure.name: figure.alternative for figure in whole[0].figures if figure.name.startswith(("anytime", "pareto"))
    }
    assert len([name for name in panels if name.startswith("anytime")]) == 4
    for alternative in panels.values():
        assert not ("low fidelity" in alternative and "shared weights" in alternative)
    assert "darts" not in panels["anytime-low_fidelity-evaluations"]


def test_equal_results_give_equal_bytes(whole: tuple[Page, Outline], tmp_path: Path) -> None:
    assert made(tmp_path, MadeUp())[0] == whole[0]


def test_page_stands_without_what_was_not_prepared_or_trained(tmp_path: Path) -> None:
    lean = MadeUp(
        searches=(("random_search", "low_fidelity"),),
        seeds=(3,),
        ranks=(0,),
        empty_ranks=(1,),
        has_shift=False,
        has_cost=False,
    )
    _, outline = made(tmp_path, lean)
    text = outline.text
    assert "Rank 1 is empty" in text
    assert "No naturally shifted set was prepared" in text
    assert "No set of foreign images was prepared" in text
    assert "Only one search was run" in text
    assert "recorded one objective" in text
    assert "With one seed there is no spread" in text
    assert "too few runs" in text


def test_page_stands_without_any_candidate(tmp_path: Path) -> None:
    _, outline = made(tmp_path, MadeUp(ranks=(), empty_ranks=(0,)))
    assert "No candidate was trained" in outline.text
    assert "the selection has no rank 0" in outline.text
