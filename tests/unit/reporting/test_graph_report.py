"""The page of a job on graphs: its words, its drawings, and what it says when parts are missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from graph_results import GRAPH_SPACE, graph_network, write_pooling_examples
from result_files import MadeUp, machine_facts, write_results
from test_report_page import Outline, made

from tasks.reporting.blocks import Paragraph, Table
from tasks.reporting.examples import example_words
from tasks.reporting.machine import Machine
from tasks.reporting.page import Page
from tasks.reporting.quantities import ABSENT
from tasks.reporting.results import Results, read
from tasks.reporting.sections import calibration, candidates, cells, headline, pooling, provenance, robustness

GRAPHS = MadeUp(is_of_graphs=True)
MACHINE = Machine(**machine_facts())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module")
def whole(root: Path) -> tuple[Page, Outline]:
    return made(root, GRAPHS)


@pytest.fixture(scope="module")
def results(root: Path, whole: tuple[Page, Outline]) -> Results:
    return read(root, GRAPHS.keys, GRAPHS.ranks)


@pytest.mark.parametrize(
    ("task", "singular", "plain"),
    [
        ("image_classification", "image", "the pixels"),
        ("gnn_space.learning_tasks.graph_classification", "graph", "plain features of the graphs"),
        ("gnn_space.learning_tasks.node_classification", "node", "the nodes' own features"),
        ("text_classification", "text", "plain features of the texts"),
        ("elsewhere.regression", "example", "plain features of the examples"),
    ],
)
def test_examples_are_called_what_they_are(task: str, singular: str, plain: str) -> None:
    words = example_words(task)
    assert (words.singular, words.plural, words.plain_features) == (singular, f"{singular}s", plain)


def test_graphs_are_not_called_images(results: Results) -> None:
    sections = [made.section(results, MACHINE) for made in (headline, cells, candidates, calibration)]
    assert "image" not in repr([section.blocks for section in sections]).replace("'png'", "")


def test_page_speaks_of_graphs(whole: tuple[Page, Outline]) -> None:
    text = whole[1].text
    for words in (
        "on the 360 test graphs", "One test graph is 0.28 points", "below one graph, is called a tie",
        "on plain features of the graphs", "MACs are multiply-accumulates for the first training graph",
        "the first training graph through the winner", "test 120", "weights of the epoch best on validation were kept",
        "reference 31, 40 and 12", "There is no exported program of it: inputs are graphs.",
    ):  # fmt: skip
        assert words in text, words


def test_named_baselines_stand_beside_the_others(results: Results, whole: tuple[Page, Outline]) -> None:
    text = whole[1].text
    assert "the baseline gin" in text
    table = candidates.section(results, MACHINE).blocks[0]
    assert [row[0] for row in table.rows][-5:] == [  # type: ignore[union-attr]  # the first block is the table
        "reference", "gin", "gcn", "random, mean of 8", "logistic regression",
    ]  # fmt: skip
    dots = next(figure for figure in whole[0].figures if figure.name == "test-accuracy")
    assert "gin 96.94 %; gcn 90.00 %" in dots.alternative


def test_every_network_is_drawn_and_described(whole: tuple[Page, Outline]) -> None:
    drawn = {figure.name: figure for figure in whole[0].figures if figure.name.startswith("network-")}
    assert set(drawn) == {"network-rank-0", "network-rank-1", "network-rank-2", "network-reference"}
    assert all(figure.is_wide for figure in drawn.values())
    assert drawn["network-rank-0"].alternative == (
        "Block diagram of rank 0. Block 1: gin, 0.5 \N{MULTIPLICATION SIGN} width, relu, then topk pooling, ratio 0.5, "
        "readout sum; head linear."
    )


def test_wide_figures_are_as_large_as_they_were_drawn(whole: tuple[Page, Outline]) -> None:
    wide = [image for image in whole[1].images if "style" in image]
    assert len(wide) == 5
    for image in wide:
        assert image["style"] == f"width: {round(int(str(image['width'])) * 96 / 170)}px"


def test_winners_poolings_are_drawn(whole: tuple[Page, Outline]) -> None:
    page, outline = whole
    assert "Which nodes the poolings kept" in outline.text
    (figure,) = (figure for figure in page.figures if figure.name.startswith("pooling-"))
    assert figure.name == "pooling-rank-1"
    assert "the network of seed 0" in figure.caption
    assert "the first 4 with at most 100 nodes of 6 examples" in figure.caption
    assert figure.alternative.count("A graph of") == 4


def test_hgpsl_of_another_network_is_shown_where_the_winner_pools_otherwise(tmp_path: Path) -> None:
    write_results(tmp_path, GRAPHS)
    for rank in GRAPHS.ranks:
        write_pooling_examples(tmp_path / f"results/retrain/{rank}", ("sag",))
    write_pooling_examples(tmp_path / "results/baselines/reference", ("hgpsl", "hgpsl"), num_graphs=1)
    section = pooling.section(read(tmp_path, GRAPHS.keys, GRAPHS.ranks), MACHINE)
    assert section is not None
    assert [figure.name for figure in section.figures] == ["pooling-rank-1", "pooling-reference"]
    assert "the one example there is" in section.figures[1].caption
    assert section.title == "Which nodes the poolings kept"


def test_a_pooling_that_is_alone_is_named(tmp_path: Path) -> None:
    write_results(tmp_path, GRAPHS)
    for rank in GRAPHS.ranks:
        write_pooling_examples(tmp_path / f"results/retrain/{rank}", ("hgpsl",), num_graphs=1)
    section = pooling.section(read(tmp_path, GRAPHS.keys, GRAPHS.ranks), MACHINE)
    assert section is not None
    assert section.title == "Which nodes HGP-SL kept"


def test_large_graphs_are_not_drawn(tmp_path: Path) -> None:
    write_results(tmp_path, GRAPHS)
    for rank in GRAPHS.ranks:
        write_pooling_examples(tmp_path / f"results/retrain/{rank}", ("topk",), num_graphs=2, num_nodes=101)
    section = pooling.section(read(tmp_path, GRAPHS.keys, GRAPHS.ranks), MACHINE)
    assert section is not None
    assert not section.figures
    assert isinstance(section.blocks[-1], Paragraph)
    assert "more than 100 nodes" in section.blocks[-1].text


def test_nothing_is_divided_by_a_loss_of_less_than_one_graph(tmp_path: Path) -> None:
    write_results(tmp_path, GRAPHS)
    path = tmp_path / "results/robustness/robustness.json"
    content = json.loads(path.read_bytes())

    def shown() -> tuple[str, str]:
        section = robustness.section(read(tmp_path, GRAPHS.keys, GRAPHS.ranks), MACHINE)
        table = next(block for block in section.blocks if isinstance(block, Table) and "mCE" in block.header)
        return table.rows[0][-1], table.caption

    assert "%" in shown()[0]
    reference = next(each for each in content["networks"] if each["name"] == "reference")
    reference["averaged"]["mean_error"]["mean"] = reference["clean_error"]["mean"] + 0.5 / content["num_test"]
    path.write_text(json.dumps(content))
    relative, caption = shown()
    assert relative == ABSENT
    assert "the reference loses less than one graph" in caption


def test_damaged_examples_are_named(tmp_path: Path) -> None:
    write_results(tmp_path, GRAPHS)
    path = tmp_path / "results/retrain/1/pooling_examples.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"pooling_examples\.json holds no list of objects"):
        read(tmp_path, GRAPHS.keys, GRAPHS.ranks)
    path.write_text(json.dumps([{"num_nodes": 2, "edges": [[0, 2]], "levels": []}]))
    with pytest.raises(ValueError, match="edge 0 to 2 has an end that is not there"):
        pooling.section(read(tmp_path, GRAPHS.keys, GRAPHS.ranks), MACHINE)


def test_page_stands_without_pooling_and_with_failed_searches(tmp_path: Path) -> None:
    lean = MadeUp(
        is_of_graphs=True,
        has_pooling=False,
        seeds=(3,),
        ranks=(0,),
        empty_ranks=(1,),
        has_shift=False,
        failing=("bananas", "darts"),
    )
    page, outline = made(tmp_path, lean)
    assert not [figure for figure in page.figures if figure.name.startswith("pooling-")]
    assert len(outline.links) == 10
    assert "Rank 1 is empty" in outline.text
    assert "No evaluation of bananas gave a score" in outline.text
    assert "No evaluation of darts gave a score" in outline.text
    anytime = [figure.name for figure in page.figures if figure.name.startswith("anytime")]
    assert anytime == ["anytime-low_fidelity-evaluations", "anytime-low_fidelity-seconds"]


def test_images_have_an_exported_program_and_keep_the_last_epoch(tmp_path: Path) -> None:
    write_results(tmp_path)
    found = read(tmp_path, MadeUp().keys, MadeUp().ranks)
    assert found.examples.singular == "image"
    assert (found.named, found.pooling_examples) == ({}, {})
    assert pooling.section(found, MACHINE) is None
    blocks = [*candidates.section(found, MACHINE).blocks, *headline.section(found, MACHINE).blocks]
    texts = [block.text for block in blocks if isinstance(block, Paragraph)]
    assert not [text for text in texts if "exported" in text or "epoch" in text]


def test_nodes_are_classified_too(tmp_path: Path) -> None:
    write_results(tmp_path, GRAPHS)
    described = json.loads((tmp_path / "data/search/dataset.json").read_bytes())
    described["learning_task"] = "gnn_space.learning_tasks.node_classification"
    (tmp_path / "data/search/dataset.json").write_text(json.dumps(described))
    settings = {**GRAPH_SPACE, "level": "node"}
    for key in GRAPHS.keys:
        path = tmp_path / f"results/search/{key}/recommendations.json"
        path.write_text(json.dumps({**json.loads(path.read_bytes()), "space": settings}))
    network = graph_network(settings, num_blocks="2", pooling_1="topk", conv_2="identity")
    for rank in GRAPHS.ranks:
        path = tmp_path / f"results/retrain/{rank}/metrics.json"
        path.write_text(json.dumps({**json.loads(path.read_bytes()), "architecture": network}))
    found = read(tmp_path, GRAPHS.keys, GRAPHS.ranks)
    section = cells.section(found, MACHINE)
    assert "back to all nodes" in section.figures[0].alternative
    assert len(section.figures) == 3  # the reference is a network of graphs, with other choices
    assert "MACs are multiply-accumulates for the whole graph" in repr(candidates.section(found, MACHINE).blocks)
    assert provenance.section(found, _origin()).blocks


def _origin() -> provenance.Provenance:
    return provenance.Provenance("0123abc", {"Python": "3.11.0"}, "")
