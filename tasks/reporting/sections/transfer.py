"""The networks on the second task."""

from __future__ import annotations

from tasks.reporting.blocks import Paragraph, Section, Table
from tasks.reporting.machine import Machine
from tasks.reporting.naming import is_winner, network_name
from tasks.reporting.quantities import ABSENT, count, percent, percent_spread, readable, seeds_phrase
from tasks.reporting.results import Document, Results

ORDER = ("linear_probe", "fine_tuning", "retraining")


def section(results: Results, machine: Machine) -> Section:
    """Return the section."""
    found = results.transfer
    task = found["task"]
    text = (
        f"From {readable(found['source'])} to {readable(task['name'])}: {task['num_classes']} classes, "
        f"{count(task['num_train'])} training, {count(task['num_validation'])} validation and "
        f"{count(task['num_test'])} test {results.examples.plural}; one test {results.examples.singular} is "
        f"{100 / task['num_test']:.2f} points. A linear probe learns from frozen features, fine-tuning goes "
        f"on from the trained weights, retraining starts anew with a network {found['width']:g} times as wide and "
        f"{found['depth']:g} times as deep."
    )
    return Section("transfer", "A second task", (Paragraph(text), _accuracies(results, machine), _sizes(results)))


def _methods(results: Results) -> list[str]:
    """Return the methods, those that change a network least first."""
    found = dict.fromkeys(method for each in results.transfer["networks"] for method in each["methods"])
    return sorted(found, key=lambda method: (ORDER.index(method) if method in ORDER else len(ORDER), method))


def _accuracies(results: Results, machine: Machine) -> Table:
    found = results.transfer
    methods = _methods(results)
    rows = [
        (
            network_name(results, each),
            *(percent_spread(each["methods"].get(method, {}).get("test_accuracy")) for method in methods),
        )
        for each in found["networks"]
    ]
    regression = found["logistic_regression"]["test_accuracy"]
    comparable = ORDER[0] if ORDER[0] in methods else methods[0]
    cells = (percent(regression) if method == comparable else ABSENT for method in methods)
    rows.append((f"logistic regression on {results.examples.plain_features}", *cells))
    epochs = found["schedule"].get("epochs")
    budget = f" Trained for {epochs} epochs." if epochs else ""
    return Table(
        f"Test accuracy on the second task, mean and standard deviation over {seeds_phrase(found['seeds'])}; for the "
        "linear probe over the trainings on the first task. Logistic regression, linear too, stands in the column of "
        f"what it compares with.{budget} Machine: {machine.phrase(found['device'])}.",
        ("network", *(readable(method) for method in methods)),
        tuple(rows),
        emphasized=_winner_rows(results, found["networks"]),
    )


def _sizes(results: Results) -> Table:
    rows = []
    for each in results.transfer["networks"]:
        for method in _methods(results):
            measured = each["methods"][method]
            rows.append(
                (
                    network_name(results, each),
                    readable(method),
                    percent_spread(measured["validation_accuracy"]),
                    count(measured["num_trained_parameters"]),
                    count(measured["num_parameters"]),
                    measured["spread_over"],
                )
            )
    return Table(
        "Validation accuracy on the second task, what was trained, and what the spread is over.",
        ("network", "method", "validation accuracy", "trained parameters", "parameters", "spread over"),
        tuple(rows),
        num_text_columns=2,
    )


def _winner_rows(results: Results, networks: list[Document]) -> frozenset[int]:
    return frozenset(index for index, each in enumerate(networks) if is_winner(results, each))
