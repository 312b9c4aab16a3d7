"""Writes made-up result files of all stages, as the report reads them; equal arguments write equal bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from graph_results import GRAPH_DATASET, GRAPH_NETWORKS, GRAPH_REFERENCE, GRAPH_SPACE, write_pooling_examples

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.data import manifest
from tasks.candidate import official_name
from tasks.measures import spread

NUM_TEST = 360
ARCHITECTURES = ("nasbench201:3-3-1-0-2-2", "nasbench201:4-1-3-2-0-3", "nasbench201:1-0-3-4-4-1")
REFERENCE = "nasbench201:3-0-3-1-0-1"
SPACE = {"name": "nasbench201", "channels": 8, "cells_per_stage": 1}
CORRUPTIONS = {
    "gaussian_noise": "noise", "shot_noise": "noise", "impulse_noise": "noise", "speckle_noise": "noise",
    "defocus_blur": "blur", "glass_blur": "blur", "motion_blur": "blur", "zoom_blur": "blur", "gaussian_blur": "blur",
    "snow": "weather", "frost": "weather", "fog": "weather", "brightness": "weather", "spatter": "weather",
    "contrast": "digital", "elastic_transform": "digital", "pixelate": "digital", "jpeg_compression": "digital",
}  # fmt: skip
DATASET = {
    "format": 1,
    "name": "digits",
    "class_names": [str(digit) for digit in range(10)],
    "image_shape": [8, 8, 1],
    "num_examples": {"train": 1150, "validation": 288, "test": NUM_TEST},
    "channel_mean": [0.3],
    "channel_std": [0.4],
    "license": "CC BY 4.0",
    "source": "nowhere",
    "citation": "A. Author & B. <Author> (1998). Digits.",
}


@dataclass(frozen=True)
class MadeUp:
    """What the made-up results are like.

    Attributes:
        searches: evaluator by key.
        seeds: of searches and trainings.
        ranks: of the candidates that were trained.
        empty_ranks: of those that were not.
        num_evaluations: of a repetition.
        has_shift: whether there are a naturally shifted and a foreign set.
        has_cost: whether searches recorded flops.
        accuracy: of the candidates on test, in 0..1.
        reference_accuracy: likewise.
        is_of_graphs: whether graphs are classified, by networks that keep their best epoch and cannot be exported,
            beside baselines of their own; else images.
        has_pooling: whether networks of graphs pool.
        failing: the searches all of whose evaluations fail.
    """

    searches: tuple[tuple[str, str], ...] = (
        ("random_search", "low_fidelity"),
        ("regularized_evolution", "low_fidelity"),
        ("reinforce", "low_fidelity"),
        ("bananas", "low_fidelity"),
        ("darts", "shared_weights"),
    )
    seeds: tuple[int, ...] = (0, 1, 2)
    ranks: tuple[int, ...] = (0, 1, 2)
    empty_ranks: tuple[int, ...] = ()
    num_evaluations: int = 40
    has_shift: bool = True
    has_cost: bool = True
    accuracy: float = 0.985
    reference_accuracy: float = 0.98
    is_of_graphs: bool = False
    has_pooling: bool = True
    failing: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for key, _ in self.searches)

    @property
    def space(self) -> dict[str, Any]:
        return GRAPH_SPACE if self.is_of_graphs else SPACE

    @property
    def architectures(self) -> tuple[str, ...]:
        return GRAPH_NETWORKS if self.is_of_graphs else ARCHITECTURES

    @property
    def reference(self) -> str:
        return GRAPH_REFERENCE if self.is_of_graphs else REFERENCE


def write_results(root: Path, made_up: MadeUp = MadeUp()) -> None:
    """Write every result file into a checkout."""
    generator = np.random.default_rng(7)
    (root / "params.yaml").write_text("search: {seeds: [0, 1, 2]}   # <made up>\n")
    dataset = GRAPH_DATASET if made_up.is_of_graphs else DATASET
    _json(root / "data/search/dataset.json", dataset)
    letters = {**dataset, "name": "printed_letters", "license": "rendered", "class_names": ["A", "B"]}
    _json(root / "data/transfer/dataset.json", letters)
    sizes = {"natural_shift": 500, "out_of_distribution": 850}
    names = {"natural_shift": "printed_digits", "out_of_distribution": "printed_letters"}
    shift = {"names": names, "num_examples": sizes} if made_up.has_shift else {"names": {}, "num_examples": {}}
    if made_up.is_of_graphs:
        shift["shifted"] = {"larger_graphs": {"num_examples": 120}}
    _json(root / "data/shift/shift.json", {"format": 1, **shift})
    for key, evaluator in made_up.searches:
        _write_search(root, key, evaluator, made_up, generator)
    _write_selection(root, made_up)
    for rank in made_up.ranks:
        _json(root / f"results/retrain/{rank}/metrics.json", _candidate(rank, made_up))
        _json(root / f"metrics/retrain-{rank}.json", {"seconds": 151.5 + rank, "training_seconds": 140.2})
        if made_up.is_of_graphs and made_up.has_pooling:
            write_pooling_examples(root / f"results/retrain/{rank}", poolings=("topk", "hgpsl")[: rank + 1])
    for rank in made_up.empty_ranks:
        empty = {"format": 1, "status": "empty", "rank": rank, "reason": f"the selection has no rank {rank}"}
        _json(root / f"results/retrain/{rank}/metrics.json", empty)
        _json(root / f"metrics/retrain-{rank}.json", {"status": "empty", "reason": empty["reason"]})
    _write_baselines(root, made_up)
    _write_transfer(root, made_up)
    _write_robustness(root, made_up, generator)
    _json(root / "metrics/select.json", {"seconds": 220.0})
    for folder in ("data/search", "data/transfer", "data/shift", "results/select", "results/baselines"):
        manifest.write(root / folder)
    for rank in (*made_up.ranks, *made_up.empty_ranks):
        manifest.write(root / f"results/retrain/{rank}")
    for name in ("transfer", "robustness"):
        manifest.write(root / f"results/{name}")


def _json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def _write_search(root: Path, key: str, evaluator: str, made_up: MadeUp, generator: np.random.Generator) -> None:
    folder = root / f"results/search/{key}"
    folder.mkdir(parents=True)
    ceiling = 0.995 if evaluator == "low_fidelity" else 0.55
    rows = ["seed,evaluation,seconds,score,best"]
    for seed in made_up.seeds:
        lines: list[dict[str, Any]] = [{"format": 1, "search": {"search": key, "seed": seed}, "crc32": 0}]
        best, seconds = 0.0, 0.0
        for number in range(1, made_up.num_evaluations + 1):
            seconds += float(generator.uniform(0.5, 1.5))
            line: dict[str, Any] = {"round": number - 1, "index": 0, "of": 1, "asked": 1, "seconds": seconds}
            if number == 3 or key in made_up.failing:
                lines.append({**line, "architecture": made_up.architectures[0], "failure": "out of memory"})
                rows.append(f"{seed},{number},{seconds},,{best or ''}")
                continue
            score = round(ceiling * float(1 - generator.gamma(1.2, 0.05)) * 288) / 288
            best = max(best, score)
            scores = {"validation_accuracy": score}
            if made_up.has_cost:
                scores["flops"] = float(generator.integers(200, 900) * 1000 * (1 if number % 2 else score))
            lines.append({**line, "architecture": made_up.architectures[0], "scores": scores})
            rows.append(f"{seed},{number},{seconds},{score},{best}")
        (folder / f"archive-{seed}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "curve.csv").write_text("\n".join(rows) + "\n")
    objectives = [{"name": "validation_accuracy", "goal": "maximize", "unit": "", "limit": None}]
    if made_up.has_cost:
        objectives.append({"name": "flops", "goal": "minimize", "unit": "", "limit": None})
    num_evaluations = made_up.num_evaluations * len(made_up.seeds)
    recommended = None if key in made_up.failing else made_up.architectures[0]
    summary = {
        "format": 1,
        "search": key,
        "strategy": key,
        "evaluator": {"name": evaluator, "epochs": 3},
        "objectives": objectives,
        "space": made_up.space,
        "num_evaluations": num_evaluations,
        "num_failures": num_evaluations if key in made_up.failing else len(made_up.seeds),
        "repetitions": [{"seed": seed, "recommended": recommended, "best": []} for seed in made_up.seeds],
    }
    _json(folder / "recommendations.json", summary)
    _json(root / f"metrics/search-{key}.json", {"seconds": 130.5, "evaluation_seconds": 120.0})
    manifest.write(folder)


def _name(architecture: str, made_up: MadeUp) -> str | None:
    settings = {name: value for name, value in made_up.space.items() if name != "name"}
    space = catalog.load("space", made_up.space["name"]).build(**settings)
    return official_name(space, Architecture.from_key(architecture))


def _write_selection(root: Path, made_up: MadeUp) -> None:
    def entry(rank: int, architecture: str) -> dict[str, Any]:
        return {
            "architecture": architecture,
            "canonical": architecture,
            "official_name": _name(architecture, made_up),
            "validation_accuracy": spread([0.993 - 0.002 * max(rank - 1, 0), 0.994 - 0.002 * max(rank - 1, 0)]),
            "scores": {"num_parameters": 20000.0 + rank, "flops": 500000.0 + 90000 * rank},
            "proposed_by": [
                {"search": key, "seed": 0, "how": "recommendation", "own_score": 0.9} for key in made_up.keys[:2]
            ],
        }

    pool = [entry(rank, made_up.architectures[rank % 3]) for rank in range(9)] if made_up.ranks else []
    candidates = [
        {**pool[rank], "rank": rank, "reason": f"number {rank + 1} of {len(pool)} networks by mean validation accuracy"}
        for rank in made_up.ranks
    ]
    evaluator = {"name": "full_training", "epochs": 12}
    content = {"format": 1, "evaluator": evaluator, "seeds": [0, 1], "candidates": candidates, "pool": pool}
    _json(root / "results/select/selection.json", content)


def _metrics(architecture: str, accuracy: float, validation: float, made_up: MadeUp) -> dict[str, Any]:
    steps = [0, 1, -1, 2][: len(made_up.seeds)]
    return {
        "architecture": architecture,
        "canonical": architecture,
        "official_name": _name(architecture, made_up),
        "seeds": list(made_up.seeds),
        "chosen_seed": made_up.seeds[0],
        "validation_accuracy": spread([validation + step / 288 for step in steps]),
        "test_accuracy": spread([round(accuracy * NUM_TEST + step) / NUM_TEST for step in steps]),
        "num_test": NUM_TEST,
        "num_parameters": 21338,
        "flops": 730752,
        "device": "cpu",
        **({"kept_epochs": [31, 40, 12, 9][: len(made_up.seeds)]} if made_up.is_of_graphs else {}),
    }


def _candidate(rank: int, made_up: MadeUp) -> dict[str, Any]:
    # rank 1 is best on validation, so that the winner is not simply the first
    validation = {0: 0.990, 1: 0.993}.get(rank, 0.985)
    return {
        "format": 1,
        "status": "trained",
        "rank": rank,
        "schedule": {"epochs": 40, **({"keep": "best"} if made_up.is_of_graphs else {})},
        "proposed_by": [],
        **({"program": None, "no_program": "inputs are graphs"} if made_up.is_of_graphs else {}),
        **_metrics(made_up.architectures[rank % 3], made_up.accuracy - 0.003 * rank, validation, made_up),
    }


def _write_baselines(root: Path, made_up: MadeUp) -> None:
    accuracies = [round(value * NUM_TEST) / NUM_TEST for value in (0.97, 0.981, 0.975, 0.95, 0.986, 0.92, 0.978, 0.97)]
    random = {
        "architectures": [
            {
                "architecture": made_up.architectures[2],
                "num_parameters": 9000 + 500 * place,
                "flops": 300000 + 20000 * place,
            }
            for place in range(len(accuracies))
        ],
        "validation_accuracy": spread(accuracies),
        "test_accuracy": spread(accuracies),
    }
    content = {
        "format": 1,
        "reference": _metrics(made_up.reference, made_up.reference_accuracy, 0.988, made_up),
        "random": random,
        "logistic_regression": {"validation_accuracy": 0.962, "test_accuracy": 0.958, "inverse_penalty": 0.1},
    }
    if made_up.is_of_graphs:
        content["named"] = {
            name: _metrics(made_up.reference, accuracy, 0.97, made_up)
            for name, accuracy in (("gin", 0.97), ("gcn", 0.9))
        }
    _json(root / "results/baselines/baselines.json", content)
    _json(root / "metrics/baselines.json", {"seconds": 300.0, "training_seconds": 500.0})


def _who(made_up: MadeUp) -> list[dict[str, Any]]:
    seeds = {"seeds": list(made_up.seeds), "chosen_seed": made_up.seeds[0]}
    found = [
        {"name": f"rank {rank}", "rank": rank, "architecture": made_up.architectures[rank % 3], "official_name": None}
        for rank in made_up.ranks
    ]
    found.append({"name": "reference", "rank": None, "architecture": made_up.reference, "official_name": None})
    return [{**each, **seeds} for each in found]


def _around(mean: float, made_up: MadeUp) -> dict[str, Any]:
    return spread([mean * (1 + 0.02 * step) for step in (0, 1, -1, 2)[: len(made_up.seeds)]])


def _write_transfer(root: Path, made_up: MadeUp) -> None:
    def measured(accuracy: float, over: str) -> dict[str, Any]:
        return {
            "validation_accuracy": _around(accuracy, made_up),
            "test_accuracy": _around(accuracy - 0.01, made_up),
            "seeds": list(made_up.seeds),
            "spread_over": over,
            "num_parameters": 22000,
            "num_trained_parameters": 1700,
            "normalization": "source",
        }

    networks = [
        {
            **who,
            "methods": {
                "linear_probe": measured(0.71, "trainings on the first task"),
                "fine_tuning": measured(0.90, "trainings on the second task"),
                "retraining": measured(0.93, "trainings on the second task"),
            },
        }
        for who in _who(made_up)
    ]
    content = {
        "format": 1,
        "source": "digits",
        "task": {"name": "printed_letters", "num_classes": 26, "num_train": 3380, "num_validation": 780,
                 "num_test": 1300},
        "device": "cpu",
        "seeds": [0, 1],
        "schedule": {"epochs": 8},
        "width": 1.0,
        "depth": 2.0,
        "logistic_regression": {"validation_accuracy": 0.83, "test_accuracy": 0.82, "inverse_penalty": 0.1},
        "networks": networks,
    }  # fmt: skip
    _json(root / "results/transfer/transfer.json", content)
    _json(root / "metrics/transfer.json", {"seconds": 95.25})


def _write_robustness(root: Path, made_up: MadeUp, generator: np.random.Generator) -> None:
    severities = [1, 2, 3, 4, 5]
    reach = {name: float(generator.uniform(0.01, 0.16)) for name in CORRUPTIONS}

    def means(error: float) -> dict[str, Any]:
        return {
            "mean_error": _around(error, made_up),
            "mean_corruption_error_percent": _around(430 * error, made_up),
            "relative_mean_corruption_error_percent": _around(410 * error, made_up),
        }

    def network(place: int, who: dict[str, Any]) -> dict[str, Any]:
        corruptions = {
            name: {
                "error": {
                    str(severity): _around(min(0.02 + reach[name] * severity * (1 + 0.1 * place * (-1) ** place), 0.95),
                                           made_up)
                    for severity in severities
                },
                "corruption_error_percent": _around(100, made_up),
                "relative_corruption_error_percent": _around(100, made_up),
                "is_floored": False,
                "is_relative_floored": False,
            }
            for name in CORRUPTIONS
        }  # fmt: skip
        single = len(made_up.seeds) < 2 or who["rank"] is None
        interval = {"estimate": -0.012, "low": -0.03, "high": 0.006, "confidence_level": 0.95}
        detection = {
            name: {
                "auroc": _around(0.91, made_up),
                "aupr_out_positive": _around(0.94, made_up),
                "aupr_in_positive": _around(0.85, made_up),
                "fpr_at_95_tpr": _around(0.31, made_up),
            }
            for name in ("maximum_softmax", "maximum_softmax_scaled", "energy", "energy_scaled")
        }
        natural = {
            "accuracy": _around(0.77, made_up),
            "accuracy_loss": _around(0.2, made_up),
            "interval_of_chosen": {"estimate": 0.77, "low": 0.731, "high": 0.805, "confidence_level": 0.95},
            "num_images": 500,
        }
        calibrations = {
            moment: {
                "expected_calibration_error": _around(error, made_up),
                "negative_log_likelihood": _around(0.07, made_up),
                "brier_score": _around(0.03, made_up),
            }
            for moment, error in (("before", 0.021), ("after", 0.008))
        }
        return {
            **who,
            "clean_error": _around(0.02, made_up),
            "corruptions": corruptions,
            "averaged": means(0.23 + 0.01 * place),
            "unseen": means(0.24 + 0.01 * place),
            "mean_error_difference": None if single else interval,
            "natural_shift": natural if made_up.has_shift else None,
            "out_of_distribution": detection if made_up.has_shift else None,
            "calibration": {
                "num_bins": 15,
                "temperature": _around(1.4, made_up),
                "num_at_bound": 0,
                **calibrations,
                "reliability_of_chosen": {"before": _bins(), "after": _bins()},
            },
        }

    published = [name for name in CORRUPTIONS if name not in ("speckle_noise", "gaussian_blur", "spatter")]
    content = {
        "format": 1,
        "num_test": NUM_TEST,
        "severities": severities,
        "corruptions": {
            name: {"family": family, "is_published": name in published, "is_seen": name == "fog"}
            for name, family in CORRUPTIONS.items()
        },
        "omitted": {"saturate": "changes colors alone, and the images have one channel"},
        "seen": {"fog": ["random_search"]},
        "averaged": {
            "names": published,
            "unseen_names": [name for name in published if name != "fog"],
            "is_published": True,
        },
        "natural_shift": {"name": "printed_digits", "num_images": 500} if made_up.has_shift else None,
        "out_of_distribution": {"name": "printed_letters", "num_images": 850} if made_up.has_shift else None,
        "notes": ["saturate is left out: it changes colors alone, and the images have one channel"],
        "networks": [network(place, who) for place, who in enumerate(_who(made_up))],
    }
    _json(root / "results/robustness/robustness.json", content)
    _json(root / "metrics/robustness.json", {"seconds": 61.0})


def _bins() -> list[dict[str, Any]]:
    bins: list[dict[str, Any]] = []
    for place in range(15):
        low, high = place / 15, (place + 1) / 15
        count = 0 if place < 4 else 2 + 22 * (place - 4) if place < 14 else 340
        filled = {"confidence": (low + high) / 2, "accuracy": min(1.0, low + 0.1 * (place % 2) + 0.01)}
        bins.append(
            {"low": low, "high": high, "count": count, **(filled if count else {"confidence": None, "accuracy": None})}
        )
    return bins


def machine_facts() -> dict[str, Any]:
    """Return the fields of a made-up machine."""
    return {
        "num_cpus": 2,
        "processor": "Made-up processor",
        "memory_gib": 8.0,
        "system": "Linux x86_64",
        "has_energy_counter": False,
    }
