"""The candidates: why each was chosen, what it costs and how good it is, next to what they are compared with."""

from __future__ import annotations

from tasks.reporting.blocks import Block, Paragraph, Section, Table
from tasks.reporting.machine import Machine
from tasks.reporting.naming import cell_name, network_name
from tasks.reporting.quantities import (
    ABSENT,
    count,
    listed,
    percent,
    percent_spread,
    readable,
    seeds_phrase,
    short_count,
)
from tasks.reporting.results import Document, Results

BEST_EPOCH = "best"
HEADER = ("network", "validation accuracy", "test accuracy", "parameters", "MACs", "architecture")


def section(results: Results, machine: Machine) -> Section:
    """Return the section."""
    blocks: list[Block] = [_accuracies(results, machine), *_kept_epochs(results), _reasons(results)]
    blocks += [Paragraph(f"Rank {rank} is empty: {reason}.", is_remark=True) for rank, reason in results.empty]
    return Section("candidates", "The candidates", tuple(blocks))


def _accuracies(results: Results, machine: Machine) -> Table:
    rows = [_network(network_name(results, each), each) for each in (*results.candidates, results.reference)]
    rows += [_network(readable(name), metrics) for name, metrics in results.named.items()]
    random, regression = results.random, results.regression
    values = random["test_accuracy"]["values"]
    rows.append(
        (
            f"random, mean of {len(values)}",
            percent_spread(random["validation_accuracy"]),
            percent_spread(random["test_accuracy"]),
            _mean(random, "num_parameters", 1),
            _mean(random, "flops", 2),
            "uniform over the space",
        )
    )
    rows.append(
        (
            "logistic regression",
            percent(regression["validation_accuracy"]),
            percent(regression["test_accuracy"]),
            ABSENT,
            ABSENT,
            f"on {results.examples.plain_features}",
        )
    )
    winner = results.winner
    emphasized = [index for index, each in enumerate(results.candidates) if each is winner]
    return Table(
        f"Mean and standard deviation over {seeds_phrase(results.reference['seeds'])}; random networks are trained "
        f"once each, their spread is over networks. {results.num_test} test {results.examples.plural}, touched once, "
        f"after training. MACs are multiply-accumulates for {results.examples.one_pass}. "
        f"Machine: {machine.phrase(results.device)}.",
        HEADER,
        tuple(rows),
        emphasized=frozenset(emphasized),
        code_column=5,
    )


def _network(name: str, metrics: Document) -> tuple[str, ...]:
    return (
        name,
        percent_spread(metrics["validation_accuracy"]),
        percent_spread(metrics["test_accuracy"]),
        count(metrics["num_parameters"]),
        short_count(metrics["flops"] / 2),
        cell_name(metrics),
    )


def _kept_epochs(results: Results) -> list[Block]:
    """Return which epochs' weights were kept, if trainings kept the best epoch's."""
    if not any(each["schedule"].get("keep") == BEST_EPOCH for each in results.candidates):
        return []
    networks = [(network_name(results, each), each) for each in (*results.candidates, results.reference)]
    networks += [(readable(name), metrics) for name, metrics in results.named.items()]
    epochs = [f"{name} {listed(each['kept_epochs'])}" for name, each in networks if each.get("kept_epochs")]
    which = f" Those epochs, a seed after the other: {'; '.join(epochs)}." if epochs else ""
    return [Paragraph(f"Of each training the weights of the epoch best on validation were kept.{which}")]


def _mean(random: Document, name: str, divisor: float) -> str:
    values = [each[name] for each in random["architectures"] if name in each]
    return short_count(sum(values) / len(values) / divisor) if values else ABSENT


def _reasons(results: Results) -> Table:
    rows = []
    for each in results.selection["candidates"]:
        proposers = [
            f"{one['search'].replace('_', ' ')}, seed {one['seed']} ({one['how']})" for one in each["proposed_by"]
        ]
        rows.append((str(each["rank"]), each["reason"], listed(list(dict.fromkeys(proposers)))))
    return Table(
        "Why each candidate was chosen: by validation accuracy after scoring the finds of all searches alike.",
        ("rank", "reason", "proposed by"),
        tuple(rows),
        num_text_columns=3,
    )
