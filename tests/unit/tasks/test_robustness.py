"""The stage `robustness`: what it measures, on what, and that it says so."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from nas_core.atomic_files import write_json
from nas_core.learning_tasks.image_classification import Description, ImageClassification
from nas_core.randomness import Streams
from nas_core.robustness import suite
from nas_core.robustness.errors import MeasuredErrors
from nas_core.training.prediction import predict
from tasks import corruption_errors, data, robustness, shift_measures
from tasks.finalists import finalists
from tasks.stage import Stage


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    monkeypatch.setattr(robustness, "submit", lambda stage, started, **fields: records.append(fields))
    return records


def measured(stage: Stage) -> dict[str, Any]:
    robustness.robustness(stage)
    result: dict[str, Any] = json.loads((stage.root / robustness.RESULT).read_bytes())
    return result


def test_every_trained_network_is_measured(
    make_checkout: Callable[..., Stage],
    submitted: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = make_checkout()
    monkeypatch.chdir(stage.root)
    assert robustness.main() == 0
    result = json.loads((stage.root / robustness.RESULT).read_bytes())
    candidate, reference = result["networks"]
    assert [candidate["name"], reference["name"]] == ["rank 0", "reference"]
    assert list(result["corruptions"]) == ["brightness", "gaussian_noise"]
    assert result["severities"] == [1, 5]
    assert reference["averaged"]["mean_corruption_error_percent"]["mean"] == pytest.approx(100)
    assert reference["mean_error_difference"] is None
    difference = candidate["averaged"]["mean_error"]["mean"] - reference["averaged"]["mean_error"]["mean"]
    assert candidate["mean_error_difference"]["estimate"] == pytest.approx(difference)
    assert result["natural_shift"] == {"name": "drawn", "num_images": 18}
    assert sum(each["count"] for each in candidate["calibration"]["reliability_of_chosen"]["before"]) == 20
    metrics = json.loads((stage.root / "metrics/robustness.json").read_bytes())
    assert metrics["rank_0"]["clean_error"] == candidate["clean_error"]["mean"]
    assert submitted[0]["metrics"]["rank_0_clean_error"] == candidate["clean_error"]["mean"]


def test_plots_have_the_mean_accuracies(make_checkout: Callable[..., Stage], submitted: list[dict[str, Any]]) -> None:
    stage = make_checkout()
    result = measured(stage)
    rows = list(csv.DictReader((stage.root / "plots/robustness.csv").read_text().splitlines()))
    assert [(row["corruption"], row["severity"]) for row in rows][:2] == [("brightness", "1"), ("brightness", "5")]
    for place, column in enumerate(("accuracy", "reference_accuracy")):
        errors = result["networks"][place]["corruptions"]["brightness"]["error"]
        assert float(rows[0][column]) == pytest.approx(1 - errors["1"]["mean"])


def test_errors_are_those_of_the_same_corrupted_images(
    make_checkout: Callable[..., Stage], submitted: list[dict[str, Any]]
) -> None:
    stage = make_checkout()
    result = measured(stage)
    task = data.load_task_with_test(stage.root)
    for place, member in enumerate(finalists(stage.root, (0, 1))):
        for index, seed in enumerate(member.seeds):
            generator = Streams(0).child("corruptions").torch("gaussian_noise 5")
            shift = task.shifts(5)["gaussian_noise"]
            logits, labels = predict(member.network(seed, "cpu"), task, "test", shift=shift, generator=generator)
            error = (logits.argmax(dim=1) != labels).double().mean().item()
            found = result["networks"][place]["corruptions"]["gaussian_noise"]["error"]["5"]["values"][index]
            assert found == pytest.approx(error)


def test_processes_side_by_side_find_the_same(
    make_checkout: Callable[..., Stage], submitted: list[dict[str, Any]]
) -> None:
    alone, together = make_checkout("alone"), make_checkout("together", compute={"workers": 2})
    measured(alone)
    measured(together)
    one, other = ((stage.root / robustness.RESULT).read_bytes() for stage in (alone, together))
    assert one == other


def test_images_have_no_edges_to_be_stable_against(
    make_checkout: Callable[..., Stage], submitted: list[dict[str, Any]]
) -> None:
    result = measured(make_checkout())
    assert result["shifted_sets"] == {}
    for network in result["networks"]:
        assert network["stability"] is None
        assert network["shifted_sets"] == {}


def test_results_are_the_same_bytes_again(
    make_checkout: Callable[..., Stage], submitted: list[dict[str, Any]], tmp_path: Path
) -> None:
    stage = make_checkout()
    measured(stage)
    first = (stage.root / robustness.RESULT).read_bytes()
    elsewhere = replace(stage, work=tmp_path / "elsewhere")
    measured(elsewhere)
    assert (stage.root / robustness.RESULT).read_bytes() == first
    assert b"seconds" not in first


def test_a_stage_goes_on_from_the_corruptions_it_has(
    make_checkout: Callable[..., Stage], submitted: list[dict[str, Any]]
) -> None:
    stage = make_checkout()
    measured(stage)
    kept = stage.work / "brightness.json"
    write_json(kept, {key: [20, 20] for key in json.loads(kept.read_bytes())})
    (stage.work / "gaussian_noise.json").unlink()
    networks = measured(stage)["networks"]
    assert networks[0]["corruptions"]["brightness"]["error"]["1"]["mean"] == 1.0
    assert (stage.work / "gaussian_noise.json").exists()


def test_absent_sets_are_null_with_a_note(make_checkout: Callable[..., Stage], submitted: list[dict[str, Any]]) -> None:
    stage = make_checkout()
    for path in (stage.root / data.SHIFT).glob("*.safetensors"):
        path.unlink()
    write_json(stage.root / data.SHIFT / "shift.json", {"format": 1, "names": {}})
    result = measured(stage)
    assert result["natural_shift"] is None
    assert result["networks"][0]["natural_shift"] is None
    assert result["networks"][0]["out_of_distribution"] is None
    assert {"no natural_shift", "no out_of_distribution"} <= {" ".join(note.split()[:2]) for note in result["notes"]}
    summary = json.loads((stage.root / "metrics/robustness.json").read_bytes())["rank_0"]
    assert summary["energy_auroc"] is None
    assert "rank_0_energy_auroc" not in submitted[0]["metrics"]


def test_without_a_candidate_the_reference_stands_alone(
    make_checkout: Callable[..., Stage], submitted: list[dict[str, Any]]
) -> None:
    stage = make_checkout()
    shutil.rmtree(stage.root / "results/retrain/0")
    write_json(stage.root / "results/retrain/0/metrics.json", {"format": 1, "status": "empty", "rank": 0})
    assert [network["name"] for network in measured(stage)["networks"]] == ["reference"]
    rows = list(csv.DictReader((stage.root / "plots/robustness.csv").read_text().splitlines()))
    assert {row["accuracy"] for row in rows} == {""}


def test_what_a_search_has_seen_is_reported_apart(
    make_checkout: Callable[..., Stage], submitted: list[dict[str, Any]]
) -> None:
    search = {
        "evaluators": {"low_fidelity": {}, "bright": {"name": "low_fidelity", "seen_shifts": ["brightness"]}},
        "strategies": {
            "random_search": {"evaluator": "low_fidelity"},
            "evolution": {
                "strategy": "random_search",
                "evaluator": "bright",
                "objectives": ["validation_accuracy", "shifted_validation_accuracy"],
            },
            "by_default": {
                "strategy": "random_search",
                "evaluator": "low_fidelity",
                "objectives": ["shifted_validation_accuracy"],
            },
        },
    }
    base = make_checkout("plain").settings.search.model_dump(mode="json")
    stage = make_checkout(search={**{name: base[name] for name in ("space", "seeds", "objectives")}, **search})
    assert robustness.seen_by_searches(stage.settings) == {
        "brightness": ["evolution"],
        "speckle_noise": ["by_default"],
    }
    result = measured(stage)
    assert result["corruptions"]["brightness"]["is_seen"]
    assert result["averaged"]["unseen_names"] == ["gaussian_noise"]
    candidate = result["networks"][0]
    noise = candidate["corruptions"]["gaussian_noise"]["error"]
    mean = (noise["1"]["mean"] + noise["5"]["mean"]) / 2
    assert candidate["unseen"]["mean_error"]["mean"] == pytest.approx(mean)
    assert any(note.startswith("brightness was seen") for note in result["notes"])


def images(channels: int) -> ImageClassification:
    """Return a task without data."""
    description = Description("none", ("a", "b"), (8, 8, channels), (0.5,) * channels, (0.25,) * channels)
    return ImageClassification(description, {}, torch.device("cpu"), horizontal_flip=False)


def test_gray_images_leave_out_what_changes_colors_alone() -> None:
    everything = suite.names()
    gray = corruption_errors.plan("all", (1, 2, 3, 4, 5), images(1))
    assert set(everything) - set(gray.names) == {"saturate"} == set(gray.omitted)
    assert corruption_errors.plan("all", (1,), images(3)).names == everything
    with pytest.raises(ValueError, match="name others"):
        corruption_errors.plan(["saturate"], (1,), images(1))
    with pytest.raises(ValueError, match="names \\['drop_edges'\\]; 'none' has brightness"):
        corruption_errors.plan(["fog", "drop_edges"], (1,), images(1))


def test_means_are_over_the_published_15_only_where_all_are_measured() -> None:
    whole = corruption_errors.plan("all", (5, 4, 3, 2, 1, 1), images(1))
    assert whole.averaged == suite.benchmark_names()
    assert whole.is_published_mean
    assert not corruption_errors.plan("all", (1,), images(1)).is_published_mean
    part = corruption_errors.plan(["fog", "speckle_noise"], (1, 2, 3, 4, 5), images(1))
    assert part.averaged == ("fog", "speckle_noise")
    assert not part.is_published_mean


def test_corruption_errors_are_against_the_reference_mean() -> None:
    reference_runs = [MeasuredErrors(0.1, {"fog": [0.1, 0.3]}, 10), MeasuredErrors(0.1, {"fog": [0.3, 0.5]}, 10)]
    reference = corruption_errors.averaged_over_seeds(reference_runs)
    assert reference.corrupted == {"fog": pytest.approx([0.2, 0.4])}
    runs = [MeasuredErrors(0.0, {"fog": [0.2, 0.1]}, 10), MeasuredErrors(0.2, {"fog": [0.4, 0.5]}, 10)]
    found = corruption_errors.means(runs, reference, ["fog"])
    assert found is not None
    assert found["mean_error"]["values"] == pytest.approx([0.15, 0.45])
    assert found["mean_corruption_error_percent"]["values"] == pytest.approx([50, 150])
    # rises of 0.3 and 0.5 against 0.4
    assert found["relative_mean_corruption_error_percent"]["values"] == pytest.approx([75, 125])
    own = corruption_errors.means(reference_runs, reference, ["fog"])
    assert own is not None
    assert own["mean_corruption_error_percent"]["mean"] == pytest.approx(100)
    assert corruption_errors.means(runs, reference, []) is None


def some_logits(seed: int) -> shift_measures.Logits:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(30, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(4, (30,), generator=generator)
    return shift_measures.Logits(values, labels, values, labels, {"elsewhere": (values, labels)})


def test_the_test_set_shifted_by_nothing_loses_nothing_and_is_not_foreign() -> None:
    runs = {seed: some_logits(seed) for seed in (0, 1)}
    natural = shift_measures.shifted_accuracy(runs, 1, "elsewhere")
    assert natural is not None
    assert natural["accuracy_loss"]["values"] == [0.0, 0.0]
    assert natural["interval_of_chosen"]["estimate"] == natural["accuracy"]["values"][1]
    found = shift_measures.detection(runs, shift_measures.fitted(runs), "elsewhere")
    assert found is not None
    assert {"maximum_softmax", "maximum_softmax_scaled", "energy", "energy_scaled"} == set(found)
    for metrics in found.values():
        assert metrics["auroc"]["values"] == pytest.approx([0.5, 0.5])


def test_temperatures_come_from_validation_alone() -> None:
    run = some_logits(0)
    other = replace(run, test=run.test * 100, test_labels=run.test_labels.flip(0), others={})
    own, changed = shift_measures.fitted({0: run}), shift_measures.fitted({0: other})
    assert own[0].temperature == changed[0].temperature
    assert shift_measures.detection({0: other}, changed, "elsewhere") is None
    assert shift_measures.shifted_accuracy({0: other}, 0, "elsewhere") is None
    found = shift_measures.calibrated({0: run}, own, 0, num_bins=5)
    likelihood = {when: found[when]["negative_log_likelihood"]["mean"] for when in ("before", "after")}
    assert likelihood["after"] <= likelihood["before"]
    assert len(found["reliability_of_chosen"]["after"]) == 5
