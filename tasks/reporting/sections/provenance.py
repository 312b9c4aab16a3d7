"""Where the page comes from, and how to get it again."""

from __future__ import annotations

from tasks.reporting.blocks import Block, Listing, Paragraph, Section, Table
from tasks.reporting.provenance import Provenance
from tasks.reporting.quantities import ABSENT, count, readable
from tasks.reporting.results import MAIN_SET, Document, Results


def section(results: Results, provenance: Provenance) -> Section:
    """Return the section."""
    commit = provenance.commit or "unknown: not in a git checkout"
    blocks: list[Block] = [_data_sets(results), _versions(provenance, commit)]
    if provenance.commit.endswith("-dirty"):
        text = "Files differed from the commit when this page was made; commit them to make it reproducible."
        blocks.append(Paragraph(text, is_remark=True))
    blocks.append(
        Paragraph(
            "To get this page again: check out the commit, install the versions above, and run the pipeline. The same "
            "parameters, data and versions on the same kind of machine give the same numbers; only clocks differ."
        )
    )
    winner = results.winner
    if winner is not None and winner.get("program", "") is None:
        reason = winner.get("no_program", "its inputs are no tensors")
        text = (
            f"The winner's files are architecture.json and network.safetensors in results/retrain/{winner['rank']}. "
            f"There is no exported program of it: {reason}."
        )
        blocks.append(Paragraph(text))
    checkout = provenance.commit.removesuffix("-dirty")
    commands = [f"git checkout {checkout}"] * bool(checkout) + ["python -m flows.pipeline   # or: dvc repro"]
    blocks.append(Listing("How to reproduce", "\n".join([*commands, "python -m tasks.model"]), is_open=True))
    blocks.append(Listing("params.yaml", provenance.parameters.strip()))
    return Section("provenance", "Where this comes from", tuple(blocks))


def _data_sets(results: Results) -> Table:
    rows = [
        (
            readable(role),
            readable(each["name"]),
            _examples(each),
            each.get("license", _same_as(results, each, "license")),
            each.get("citation", _same_as(results, each, "citation")),
        )
        for role, each in results.data_sets.items()
    ]
    header = ("used for", "name", results.examples.plural, "license", "citation")
    return Table("Data sets.", header, tuple(rows), num_text_columns=5)


def _same_as(results: Results, data_set: Document, field: str) -> str:
    """Return what is known of the data set where it is used for something else too."""
    package, dot, _ = str(results.data_sets[MAIN_SET].get("learning_task", "")).partition(".")
    folder = f"{package}/sets" if dot else "nas_core/data/sets"
    return next(
        (str(each[field]) for each in results.data_sets.values() if each["name"] == data_set["name"] and field in each),
        f"see its loader in {folder}",
    )


def _examples(data_set: Document) -> str:
    counts = data_set.get("num_examples", {})
    parts = [f"{readable(split)} {count(number)}" for split, number in counts.items() if number is not None]
    return ", ".join(parts) if parts else ABSENT


def _versions(provenance: Provenance, commit: str) -> Table:
    rows = [("git commit", commit), *provenance.versions.items()]
    return Table("Code and versions.", ("what", "version"), tuple(rows), num_text_columns=2)
