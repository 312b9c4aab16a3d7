"""What it took: seconds of each stage, the machine, and energy where the machine reports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.reporting.blocks import Block, Figure, Paragraph, Section, Table
from tasks.reporting.figures import stage_seconds
from tasks.reporting.machine import Machine, energy_joules
from tasks.reporting.quantities import ABSENT, count, duration, short_count
from tasks.reporting.results import Results

ORDER = ("prepare", "search", "select", "retrain", "baselines", "transfer", "robustness")


def section(results: Results, machine: Machine) -> Section:
    """Return the section."""
    stages = sorted(results.stage_metrics, key=_place)
    timed = [(stage, float(seconds)) for stage in stages if (seconds := _seconds(results, stage)) is not None]
    blocks: list[Block] = []
    if timed:
        total = sum(seconds for _, seconds in timed)
        text = f"All stages together took {duration(total)}, counted one after another; several may run side by side."
        blocks += [Paragraph(text), _figure(timed, machine, results.device)]
    else:
        blocks.append(Paragraph("No stage has reported how long it took.", is_remark=True))
    blocks.append(_stage_table(results, stages))
    blocks.append(_machine_table(results, machine))
    return Section("costs", "What it took", tuple(blocks))


def _place(stage: str) -> tuple[int, str]:
    kind = next((kind for kind in ORDER if stage == kind or stage.startswith(f"{kind}-")), "")
    return (ORDER.index(kind) if kind else len(ORDER), stage)


def _seconds(results: Results, stage: str) -> float | None:
    seconds = results.stage_metrics[stage].get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else None


def _figure(timed: list[tuple[str, float]], machine: Machine, device: str) -> Figure:
    words = ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in timed)
    return Figure(
        "stage-seconds",
        stage_seconds.draw(timed, "Seconds of each stage"),
        f"Bar chart of the time of each stage: {words}.",
        f"Wall clock of the last run of each stage, all its seeds together. A stage that was taken up after a stop "
        f"counts only from there. Machine: {machine.phrase(device)}.",
    )


def _stage_table(results: Results, stages: list[str]) -> Table:
    rows = []
    for stage in stages:
        metrics: Mapping[str, Any] = results.stage_metrics[stage]
        seconds, energy = _seconds(results, stage), energy_joules(metrics)
        work = metrics.get("training_seconds", metrics.get("evaluation_seconds"))
        rows.append(
            (
                stage,
                ABSENT if seconds is None else f"{seconds:,.1f}",
                f"{work:,.1f}" if isinstance(work, int | float) else ABSENT,
                "not reported" if energy is None else f"{energy:,.0f}",
            )
        )
    return Table(
        "Seconds of each stage, those of them spent in training or scoring (summed over processes), and energy.",
        ("stage", "seconds", "training or scoring", "joules"),
        tuple(rows),
    )


def _machine_table(results: Results, machine: Machine) -> Table:
    winner = results.winner
    counter = (
        "the processor has an energy counter, but it counts everything that runs; no stage recorded it"
        if machine.has_energy_counter
        else "not reported: the machine shows no energy counter (RAPL)"
    )
    stated = [energy for each in results.stage_metrics.values() if (energy := energy_joules(each)) is not None]
    rows = [
        ("processor", machine.processor or "unknown"),
        ("CPU cores that may be used", str(machine.num_cpus)),
        ("memory", f"{machine.memory_gib:.1f} GiB"),
        ("system", machine.system),
        ("device of the networks", results.device),
        ("energy", f"{count(sum(stated))} joules, of the stages that report it" if stated else counter),
    ]
    if winner is not None:
        rows.append(
            (
                f"{results.examples.one_pass} through the winner",
                f"{short_count(winner['flops'] / 2)} multiply-accumulates",
            )
        )
    return Table("The machine that made this page.", ("what", "value"), tuple(rows), num_text_columns=2)
