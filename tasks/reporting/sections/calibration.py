"""Whether the networks are as sure as they are right."""

from __future__ import annotations

from tasks.reporting.blocks import Block, Figure, FigureGroup, Paragraph, Section, Table
from tasks.reporting.figures import reliability_diagram
from tasks.reporting.machine import Machine
from tasks.reporting.naming import is_winner, network_name
from tasks.reporting.quantities import percent_spread, plain_spread, seeds_phrase
from tasks.reporting.results import Document, Results


def section(results: Results, machine: Machine) -> Section:
    """Return the section."""
    winner = results.winner
    own = None if winner is None else results.robustness_of(f"rank {winner['rank']}")
    blocks: list[Block] = []
    if winner is None or own is None:
        blocks.append(Paragraph("No candidate was trained, so there is no reliability diagram.", is_remark=True))
    else:
        blocks.append(_diagrams(results, own, network_name(results, winner), machine))
    blocks.append(_table(results, machine))
    one = results.examples.singular
    at_bound = sum(each["calibration"]["num_at_bound"] for each in results.robustness["networks"])
    if at_bound:
        text = (
            f"{at_bound} of the fitted temperatures lie at the end of the range, as when every validation {one} is "
            "classified rightly; such a temperature is no finding."
        )
        blocks.append(Paragraph(text, is_remark=True))
    return Section("calibration", "Calibration", tuple(blocks))


def _diagrams(results: Results, own: Document, name: str, machine: Machine) -> FigureGroup:
    calibration, several = own["calibration"], results.examples.plural
    bins = calibration["reliability_of_chosen"]
    place = own["seeds"].index(own["chosen_seed"])
    figures = []
    for moment, words in (("before", "before scaling"), ("after", "after scaling")):
        error = calibration[moment]["expected_calibration_error"]["values"][place]
        figures.append(
            Figure(
                f"reliability-{moment}",
                reliability_diagram.draw(bins[moment], f"{name[0].upper()}{name[1:]}, {words}", several),
                f"Reliability diagram of {name} {words} of the logits: expected calibration error {100 * error:.2f} %.",
                f"{words.capitalize()}: expected calibration error {100 * error:.2f} %. Counts are on a "
                "logarithmic axis.",
            )
        )
    return FigureGroup(
        tuple(figures),
        f"The network of seed {own['chosen_seed']}, the best on validation; {results.num_test} test {several} in "
        f"{calibration['num_bins']} bins. The temperature was fitted on validation {several}. "
        f"Spread over seeds: see the table. Machine: {machine.phrase(results.device)}.",
    )


def _table(results: Results, machine: Machine) -> Table:
    rows: list[tuple[str, ...]] = []
    winner_rows: set[int] = set()
    for each in results.robustness["networks"]:
        calibration = each["calibration"]
        name = network_name(results, each)
        if is_winner(results, each):
            winner_rows |= {len(rows), len(rows) + 1}
        for moment in ("before", "after"):
            measured = calibration[moment]
            rows.append(
                (
                    name,
                    moment,
                    "1" if moment == "before" else plain_spread(calibration["temperature"], 2),
                    percent_spread(measured["expected_calibration_error"]),
                    plain_spread(measured["negative_log_likelihood"], 4),
                    plain_spread(measured["brier_score"], 4),
                )
            )
    return Table(
        f"Calibration on test {results.examples.plural} before and after temperature scaling. ECE: expected "
        f"calibration error; NLL: negative log-likelihood in nats; Brier score summed over classes; lower is "
        f"better in all. Mean and standard deviation over {seeds_phrase(results.reference['seeds'])}. "
        f"Machine: {machine.phrase(results.device)}.",
        ("network", "scaling", "temperature", "ECE", "NLL", "Brier"),
        tuple(rows),
        num_text_columns=2,
        emphasized=frozenset(winner_rows),
    )
