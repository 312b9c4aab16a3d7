"""How the networks fare on examples that none was trained for."""

from __future__ import annotations

from tasks.reporting import stability
from tasks.reporting.blocks import Block, Figure, FigureGroup, Paragraph, Section, Table
from tasks.reporting.figures import corruption_map
from tasks.reporting.machine import Machine
from tasks.reporting.naming import is_winner, network_name
from tasks.reporting.quantities import (
    ABSENT,
    count,
    listed,
    percent,
    percent_spread,
    plain_spread,
    points,
    readable,
    seeds_phrase,
)
from tasks.reporting.results import Document, Results

DETECTION_METRICS = (
    ("auroc", "AUROC"),
    ("aupr_out_positive", "AUPR, foreign positive"),
    ("aupr_in_positive", "AUPR, known positive"),
    ("fpr_at_95_tpr", "FPR at 95 % TPR"),
)


def section(results: Results, machine: Machine) -> Section:
    """Return the section."""
    found = results.robustness
    example, examples = results.examples.singular, results.examples.plural
    names = found["averaged"]["names"]
    whose = "the benchmark's " if found["averaged"]["is_published"] else ""
    seen = [readable(name) for name in found["seen"]]
    text = (
        f"Every test {example} is corrupted in {len(found['corruptions'])} ways at severities "
        f"{listed(found['severities'])}, alike for all networks. Means are over {whose}{len(names)} corruptions. "
        f"{f'Seen during a search: {listed(seen)}.' if seen else f'No search saw a corrupted {example}.'}"
    )
    blocks: list[Block] = [Paragraph(text)]
    blocks += [Paragraph(f"{note[0].upper()}{note[1:]}.", is_remark=True) for note in found["notes"]]
    blocks.append(_maps(results, machine))
    blocks.append(_corruption_errors(results, machine))
    blocks += stability.blocks(results, machine)
    blocks.append(_natural_shift(results))
    blocks += _shifted_sets(results)
    blocks.append(_detection(results))
    return Section("robustness", f"Shifted and foreign {examples}", tuple(blocks))


def _caption(results: Results) -> str:
    return f"Mean and standard deviation over {seeds_phrase(results.reference['seeds'])}"


def _maps(results: Results, machine: Machine) -> Block:
    winner = results.winner
    own = None if winner is None else results.robustness_of(f"rank {winner['rank']}")
    reference = results.robustness_of("reference")
    if winner is None or own is None or reference is None:
        return Paragraph("No candidate was trained, so there is no map of its accuracy.", is_remark=True)
    found = results.robustness
    severities = found["severities"]
    kinds = found["corruptions"]
    families = list(dict.fromkeys(kinds[name]["family"] for name in kinds))
    names = sorted(kinds, key=lambda name: (families.index(kinds[name]["family"]), name))
    members = [kinds[name]["family"] for name in names]
    groups = [place for place in range(1, len(names)) if members[place] != members[place - 1]]
    accuracies = {
        which["name"]: [
            [100 * (1 - which["corruptions"][name]["error"][str(severity)]["mean"]) for severity in severities]
            for name in names
        ]
        for which in (own, reference)
    }
    mine, theirs = accuracies[own["name"]], accuracies["reference"]
    differences = [[a - b for a, b in zip(one, other, strict=True)] for one, other in zip(mine, theirs, strict=True)]
    rows = [readable(name) + ("" if not kinds[name]["is_seen"] else " (seen)") for name in names]
    name = network_name(results, winner)
    title = f"{name[0].upper()}{name[1:]}: accuracy (%)"
    lowest = min((value, row) for values, row in zip(mine, rows, strict=True) for value in values)
    worst, best = (choose(value for values in differences for value in values) for choose in (min, max))
    return FigureGroup(
        (
            Figure(
                "corruptions-winner",
                corruption_map.draw(rows, severities, mine, title, groups=groups),
                f"Heat map of the accuracy of {name} under {len(rows)} corruptions at severities {listed(severities)}; "
                f"the lowest is {lowest[0]:.1f} % under {lowest[1]}.",
                f"Test accuracy of {name} in percent, mean over seeds, by family of corruption.",
            ),
            Figure(
                "corruptions-difference",
                corruption_map.draw(
                    rows, severities, differences, "Less the reference (points)", is_difference=True, groups=groups
                ),
                f"Heat map of the difference of accuracy between {name} and the reference, from {worst:+.1f} to "
                f"{best:+.1f} percentage points.",
                "Accuracy less that of the reference, in percentage points: blue where the winner is better.",
            ),
        ),
        f"{seeds_phrase(results.reference['seeds']).capitalize()}; {found['num_test']} test "
        f"{results.examples.plural} in every cell; the spread over seeds is in the table below. Machine: "
        f"{machine.phrase(results.device)}.",
    )


def _corruption_errors(results: Results, machine: Machine) -> Table:
    rows = []
    can_relate = _reference_loss(results) >= 1 / results.robustness["num_test"]
    for each in results.robustness["networks"]:
        averaged, unseen = each["averaged"], each["unseen"]
        rows.append(
            (
                network_name(results, each),
                percent_spread(each["clean_error"]),
                percent_spread(averaged["mean_error"]),
                _difference(each),
                _percentages(averaged["mean_corruption_error_percent"]),
                _percentages(None if unseen is None else unseen["mean_corruption_error_percent"]),
                _percentages(averaged["relative_mean_corruption_error_percent"] if can_relate else None),
            )
        )
    example, examples = results.examples.singular, results.examples.plural
    unrelated = "" if can_relate else f" (left out: the reference loses less than one {example}, which divides nothing)"
    return Table(
        f"Errors under corruptions. mCE: mean corruption error, 100 % is as many errors as the reference; relative mCE "
        f"counts only errors beyond those on clean {examples}{unrelated}. {_caption(results)}; the difference with "
        f"Welch's interval in percentage points, negative is better. Machine: {machine.phrase(results.device)}.",
        ("network", "clean error", "mean error", "less the reference", "mCE", "mCE, unseen alone", "relative mCE"),
        tuple(rows),
        emphasized=_winner_row(results),
    )


def _reference_loss(results: Results) -> float:
    """Return how much accuracy the reference loses by corruptions, by which relative errors are divided."""
    reference = results.robustness_of("reference")
    if reference is None:
        return 0.0
    return float(reference["averaged"]["mean_error"]["mean"] - reference["clean_error"]["mean"])


def _percentages(spread: Document | None) -> str:
    return ABSENT if spread is None else f"{plain_spread(spread, 1)} %"


def _difference(network: Document) -> str:
    found = network["mean_error_difference"]
    if found is None:
        return ABSENT
    return f"{points(found['estimate'])} ({points(found['low'])} to {points(found['high'])})"


def _natural_shift(results: Results) -> Block:
    found = results.robustness["natural_shift"]
    if found is None:
        return Paragraph("No naturally shifted set was prepared, so that part is missing.", is_remark=True)
    rows = []
    for each in results.robustness["networks"]:
        measured = each["natural_shift"]
        interval = measured["interval_of_chosen"]
        rows.append(
            (
                network_name(results, each),
                percent_spread(measured["accuracy"]),
                f"{percent(interval['low'])} to {percent(interval['high'])}",
                percent_spread(measured["accuracy_loss"]),
            )
        )
    return Table(
        f"Natural shift: {readable(found['name'])}, {count(found['num_images'])} {results.examples.plural} of the "
        f"same classes from another origin. {_caption(results)}; Wilson's interval over "
        f"{results.examples.plural} for the chosen seed.",
        ("network", "accuracy", "95 % interval, one network", "loss against the test set"),
        tuple(rows),
        emphasized=_winner_row(results),
    )


def _shifted_sets(results: Results) -> list[Block]:
    """Return a table of the sets of other distributions that come with the data set; nothing if it has none."""
    sets = results.robustness.get("shifted_sets")
    if not sets:
        return []
    rows: list[tuple[str, ...]] = []
    emphasized: set[int] = set()
    for each in results.robustness["networks"]:
        if is_winner(results, each):
            emphasized |= set(range(len(rows), len(rows) + len(sets)))
        for name in sets:
            measured = each["shifted_sets"][name]
            interval = measured["interval_of_chosen"]
            rows.append(
                (
                    network_name(results, each),
                    readable(name),
                    percent_spread(measured["accuracy"]),
                    f"{percent(interval['low'])} to {percent(interval['high'])}",
                    percent_spread(measured["accuracy_loss"]),
                )
            )
    described = listed([f"{readable(name)} ({count(each['num_examples'])})" for name, each in sets.items()])
    table = Table(
        f"Shifted sets that come with the data, of the same classes: {described} {results.examples.plural}. "
        f"{_caption(results)}; Wilson's interval over {results.examples.plural} for the chosen seed.",
        ("network", "shift", "accuracy", "95 % interval, one network", "loss against the test set"),
        tuple(rows),
        num_text_columns=2,
        emphasized=frozenset(emphasized),
    )
    return [table]


def _detection(results: Results) -> Block:
    found = results.robustness["out_of_distribution"]
    examples = results.examples.plural
    if found is None:
        return Paragraph(f"No set of foreign {examples} was prepared, so that part is missing.", is_remark=True)
    rows: list[tuple[str, ...]] = []
    emphasized: set[int] = set()
    for each in results.robustness["networks"]:
        if is_winner(results, each):
            emphasized |= set(range(len(rows), len(rows) + len(each["out_of_distribution"])))
        for detector, measured in each["out_of_distribution"].items():
            rows.append(
                (
                    network_name(results, each),
                    readable(detector),
                    *(percent_spread(measured[metric], 1) for metric, _ in DETECTION_METRICS),
                )
            )
    return Table(
        f"Telling foreign {examples} ({readable(found['name'])}, {count(found['num_images'])}) from test {examples} by "
        f"the network's logits. The positive class is the foreign one, but where a column says otherwise. FPR: test "
        f"{examples} taken for foreign when 95 % of the foreign ones are detected; lower is better. Scaled detectors "
        f"use the temperature fitted on validation. {_caption(results)}.",
        ("network", "detector", *(label for _, label in DETECTION_METRICS)),
        tuple(rows),
        num_text_columns=2,
        emphasized=frozenset(emphasized),
    )


def _winner_row(results: Results) -> frozenset[int]:
    networks = results.robustness["networks"]
    return frozenset(index for index, each in enumerate(networks) if is_winner(results, each))
