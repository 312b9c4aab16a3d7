"""Whatever is wrong in params.yaml, one line says where, what it was, what is allowed, and the nearest valid name."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest

ErrorAfter = Callable[[Callable[[dict[str, Any]], object]], str]

# what is changed, the new value, the whole line
WRONG = [
    ("prepare.validation_fraction", 2, "prepare.validation_fraction is 2; it must be below 1"),
    ("prepare.validation_fraction", 0, "prepare.validation_fraction is 0; it must be above 0"),
    ("prepare.validation_fraction", "half", "prepare.validation_fraction is 'half'; write a number"),
    ("prepare.download", 1, "prepare.download is 1; write true or false"),
    ("prepare.num_examples", 0, "prepare.num_examples is 0; it must be at least 1"),
    ("prepare.dataset", 3, "prepare.dataset is 3; write a name, or a mapping with a name and settings"),
    ("prepare.dataset", {"size": 8}, "prepare.dataset.name is missing; add it"),
    ("prepare.seed", 2**32, "prepare.seed is 4294967296; it must be at most 4294967295"),
    ("prepare.seed", 10**30, "prepare.seed is beyond 9223372036854775807; write a smaller number"),
    ("search", None, "search is null; write a mapping of settings (key: value)"),
    ("search", [1], "search is [1]; write a mapping of settings (key: value)"),
    ("search.budget.evaluations", "40", "search.budget.evaluations is '40'; write a whole number"),
    ("search.budget.evaluations", True, "search.budget.evaluations is true; write a whole number"),
    ("search.budget.evaluations", 4.5, "search.budget.evaluations is 4.5; write a whole number"),
    ("search.budget.evaluations", 40.0, "search.budget.evaluations is 40.0; write a whole number"),
    ("search.budget.evaluations", float("nan"), "search.budget.evaluations is nan; write a finite number"),
    ("search.seeds", [], "search.seeds is []; it needs at least 1"),
    ("search.seeds", 3, "search.seeds is 3; write a list, such as [a, b]"),
    ("search.seeds", [0, -1], "search.seeds.1 is -1; it must be at least 0"),
    ("search.seeds", [0, 1, 0], "search.seeds is [0, 1, 0]; 0 stands twice; name each once"),
    ("search.strategies", {}, "search.strategies is {}; it needs at least 1"),
    ("search.strategies.darts", None, "search.strategies.darts is null; write a mapping of settings (key: value)"),
    (
        "search.strategies.a/b",
        {"strategy": "random_search", "evaluator": "low_fidelity"},
        "search.strategies.a/b is 'a/b'; a label begins with a letter and goes on with letters, digits, _ or -",
    ),
    (
        "search.strategies.bananas.settings",
        {"num_paths": "all"},
        "search.strategies.bananas.settings.num_paths is 'all'; write a whole number",
    ),
    (
        "search.strategies.regularized_evolution.settings.tournament_size",
        0,
        "search.strategies.regularized_evolution.settings.tournament_size is 0; it must be at least 1",
    ),
    (
        "search.strategies.regularized_evolution.settings.tournament_size",
        11,
        "search.strategies.regularized_evolution: tournament_size is 11, larger than population_size 10; lower it or "
        "raise the population",
    ),
    ("search.evaluators.low_fidelity.width", 0, "search.evaluators.low_fidelity.width is 0; it must be above 0"),
    (
        "search.evaluators.low_fidelity.inherit",
        True,
        "search.strategies.random_search: inherit is true, but space 'nasbench201' has no morphisms by which weights "
        "could be inherited; set inherit to false, or search a space such as morphable",
    ),
    ("search.evaluators.low_fidelity.name", 3, "search.evaluators.low_fidelity.name is 3; write a text"),
    (
        "search.evaluators.shared_weights.learner_split",
        "valid",
        "search.evaluators.shared_weights.learner_split is 'valid' (did you mean 'validation'?); allowed: validation, "
        "train",
    ),
    (
        "search.evaluators.shared_weights.least_learning_rate",
        1.0,
        "search.strategies.darts: least_learning_rate is 1.0, above learning_rate 0.025; lower it",
    ),
    (
        "search.evaluators.shared_weights.epochs_per_round",
        0,
        "search.strategies.darts: epochs_per_round and warmup_epochs are both 0; raise one, or no weight is ever "
        "trained",
    ),
    (
        "search.strategies.darts.evaluator",
        "low_fidelity",
        "search.strategies.darts: evaluator 'low_fidelity' has no shared weights for a strategy that learns; use "
        "evaluator shared_weights",
    ),
    (
        "search.strategies.darts.evaluator",
        "shared_weight",
        "search.strategies.darts.evaluator is 'shared_weight' (did you mean 'shared_weights'?); allowed, as "
        "search.evaluators has them: low_fidelity, shared_weights",
    ),
    (
        "search.strategies.darts.round_size",
        3,
        "search.strategies.darts: round_size is 3, but a strategy that learns makes one proposal a round; set "
        "round_size to 1",
    ),
    (
        "search.strategies.darts.settings",
        {"exclude_option": "zero"},
        "search.strategies.darts: exclude_option is 'zero'; options of nasbench201: avg_pool_3x3, none, nor_conv_1x1, "
        "nor_conv_3x3, skip_connect",
    ),
    ("search.objectives", [3], "search.objectives.0 is 3; write a name, or a mapping with a name and settings"),
    (
        "search.objectives",
        ["flops", "flops"],
        "search.strategies.random_search: objectives are ['flops', 'flops']; name each once",
    ),
    (
        "select.evaluator",
        {"name": "shared_weights"},
        "select.evaluator: 'shared_weights' scores a network by weights that it shares with others; use one that "
        "scores each by itself, such as full_training",
    ),
    (
        "select.evaluator.warmup_epochs",
        12,
        "select.evaluator: warmup_epochs is 12.0, not below epochs 12; lower it or train longer",
    ),
    (
        "retrain.schedule.warmup_epochs",
        40,
        "retrain.schedule: warmup_epochs is 40.0, not below epochs 40; lower it or train longer",
    ),
    ("retrain.schedule.epochs", "40", "retrain.schedule.epochs is '40'; write a whole number"),
    ("retrain.schedule.learning_rate", -1, "retrain.schedule: learning_rate is -1.0; it must be above 0"),
    ("retrain.schedule.clip_norm", float("inf"), "retrain.schedule.clip_norm is inf; write a finite number"),
    ("retrain.ranks", [1, 2], "retrain.ranks is [1, 2]; ranks count up from 0, write [0, 1]"),
    ("retrain.ranks", [0, 0], "retrain.ranks is [0, 0]; ranks count up from 0, write [0, 1]"),
    ("transfer.methods", "linear_probe", "transfer.methods is 'linear_probe'; write a list, such as [a, b]"),
    (
        "transfer.methods",
        ["fine_tunning"],
        "transfer.methods.0 is 'fine_tunning' (did you mean 'fine_tuning'?); allowed: linear_probe, fine_tuning, "
        "retraining",
    ),
    ("transfer.width", float("inf"), "transfer.width is inf; write a finite number"),
    ("robustness.severities", [1, 6], "robustness.severities.1 is 6; it must be at most 5"),
    ("robustness.severities", [1, 1], "robustness.severities is [1, 1]; 1 stands twice; name each once"),
    ("robustness.corruptions", "fog", "robustness.corruptions is 'fog'; write all, or a list of names"),
    (
        "compute.device",
        "cudda",
        "compute.device is 'cudda'; it must be auto, cpu, cuda, or cuda:0 and so on (did you mean 'cuda'?)",
    ),
    ("compute.threads", 10**6, "compute.threads is 1000000; it must be at most 1024"),
    ("tracking.experiment", 3, "tracking.experiment is 3; write a text"),
    ("tracking.experiment", " ", "tracking.experiment is ' '; give it a name, such as nasflow"),
    ("pipeline.timeout_minutes", 0, "pipeline.timeout_minutes is 0; it must be above 0"),
    (
        "schedule.cron",
        "daily",
        "schedule.cron is 'daily'; it has 1 of the five fields minute, hour, day, month, weekday; write such as "
        "'0 3 * * *'",
    ),
    ("schedule.cron", "61 3 * * *", "schedule.cron is '61 3 * * *'; minute has '61'; allowed: 0 to 59"),
    (
        "schedule.timezone",
        "Europe/Berlim",
        "schedule.timezone is 'Europe/Berlim'; it is no time zone (did you mean 'Europe/Berlin'?); write one such as "
        "UTC or Europe/Berlin",
    ),
]

# what stands where, the beginning of the line; then follow the names that are allowed
UNKNOWN = [
    ("searhc", {}, "searhc is unknown (did you mean 'search'?); allowed here: prepare, search, "),
    (
        "prepare.valdation_fraction",
        0.1,
        "prepare.valdation_fraction is unknown (did you mean 'validation_fraction'?); ",
    ),
    ("search.space.chanels", 8, "search.space.chanels is unknown (did you mean 'channels'?); allowed here: channels, "),
    (
        "search.budget.evaluation",
        8,
        "search.budget.evaluation is unknown (did you mean 'evaluations'?); allowed here: ",
    ),
    (
        "search.strategies.darts.evaluatro",
        "x",
        "search.strategies.darts.evaluatro is unknown (did you mean 'evaluator'?); allowed here: strategy, evaluator, ",
    ),
    (
        "search.strategies.darts.settings",
        {"second_ordr": True},
        "search.strategies.darts.settings.second_ordr is unknown (did you mean 'second_order'?); allowed here: ",
    ),
    (
        "search.evaluators.low_fidelity.epoch",
        3,
        "search.evaluators.low_fidelity.epoch is unknown (did you mean 'epochs'?); allowed here: epochs, ",
    ),
    (
        "search.objectives",
        [{"name": "flops", "limt": 3}],
        "search.objectives.0.limt is unknown (did you mean 'limit'?); allowed here: name, limit",
    ),
    ("retrain.schedule.epoch", 3, "retrain.schedule.epoch is unknown (did you mean 'epochs'?); allowed here: epochs, "),
    (
        "prepare.dataset",
        {"name": "printed_digits", "sise": 8},
        "prepare.dataset.sise is unknown (did you mean 'size'?); allowed here: ",
    ),
    ("prepare.dataset", "digit", "prepare.dataset: unknown data set 'digit'; did you mean 'digits'?; allowed: "),
    ("prepare.transfer", "nope", "prepare.transfer: unknown data set 'nope'; allowed: cifar10, "),
    ("search.space.name", "nasbench", "search.space: unknown space 'nasbench'; did you mean 'nasbench201'?; "),
    ("search.space.name", "", "search.space: unknown space ''; allowed: "),
    ("search.space.name", ".", "search.space: space '.' cannot be imported ("),
    ("search.space.name", "os.path", "search.space: space 'os.path' has no function build(); every space exposes one"),
    ("search.space.name", "my.space", "search.space: space 'my.space' cannot be imported (No module named 'my'); "),
    (
        "search.evaluators.lowfidelity",
        {},
        "search.evaluators.lowfidelity: unknown evaluator 'lowfidelity'; did you mean 'low_fidelity'?; allowed: ",
    ),
    (
        "search.strategies.random_serch",
        {"evaluator": "low_fidelity"},
        "search.strategies.random_serch names no strategy (did you mean 'random_search'?); allowed: asha, ",
    ),
    (
        "search.strategies.mine",
        {"strategy": "randomsearch", "evaluator": "low_fidelity"},
        "search.strategies.mine.settings: unknown strategy 'randomsearch'; did you mean 'random_search'?; allowed: ",
    ),
    (
        "search.objectives",
        ["naswott"],
        "search.objectives has 'naswott' (did you mean 'naswot'?); allowed: validation_accuracy, ",
    ),
    (
        "search.strategies.random_search.objectives",
        ["accuracy"],
        "search.strategies.random_search.objectives has 'accuracy' (did you mean 'validation_accuracy'?); allowed: ",
    ),
    ("robustness.corruptions", ["fogg"], "robustness.corruptions has 'fogg' (did you mean 'fog'?); allowed: "),
    (
        "search.evaluators.low_fidelity.seen_shifts",
        ["snoww"],
        "search.evaluators.low_fidelity.seen_shifts has 'snoww' (did you mean 'snow'?); allowed: ",
    ),
    ("select.evaluator.name", "full_trainin", "select.evaluator: unknown evaluator 'full_trainin'; did you mean "),
]

MISSING = [
    "prepare",
    "prepare.dataset",
    "search.budget.evaluations",
    "search.strategies.darts.evaluator",
    "search.space.name",
    "select.evaluator.name",
    "retrain.schedule.epochs",
]


def put(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Return a change that sets a value by its dotted path."""

    def change(document: dict[str, Any]) -> None:
        *parents, name = path.split(".")
        reduce(dict.__getitem__, parents, document)[name] = value

    return change


@pytest.mark.parametrize(("path", "value", "line"), WRONG)
def test_a_wrong_value(path: str, value: object, line: str, error_after: ErrorAfter) -> None:
    assert error_after(put(path, value)) == f"params.yaml: {line}"


@pytest.mark.parametrize(("path", "value", "beginning"), UNKNOWN)
def test_an_unknown_name(path: str, value: object, beginning: str, error_after: ErrorAfter) -> None:
    error = error_after(put(path, value))
    assert error.startswith(f"params.yaml: {beginning}")
    assert "\n" not in error


@pytest.mark.parametrize("path", MISSING)
def test_a_missing_name(path: str, error_after: ErrorAfter) -> None:
    def change(document: dict[str, Any]) -> None:
        *parents, name = path.split(".")
        del reduce(dict.__getitem__, parents, document)[name]

    assert error_after(change) == f"params.yaml: {path} is missing; add it"


def test_a_misspelt_required_name_is_unknown_rather_than_missing(error_after: ErrorAfter) -> None:
    def change(document: dict[str, Any]) -> None:
        document["prepare"]["datasett"] = document["prepare"].pop("dataset")

    assert "prepare.datasett is unknown (did you mean 'dataset'?)" in error_after(change)


def test_a_table_that_is_not_there(error_after: ErrorAfter) -> None:
    def change(document: dict[str, Any]) -> None:
        document["search"]["evaluators"]["tabular"] = {"path": "/nowhere/table.csv.gz"}
        document["search"]["strategies"]["random_search"]["evaluator"] = "tabular"

    assert error_after(change).startswith("params.yaml: search.strategies.random_search: there is no /nowhere/table")


def test_a_learner_and_a_table_do_not_go_together(error_after: ErrorAfter) -> None:
    def change(document: dict[str, Any]) -> None:
        document["search"]["evaluators"]["tabular"] = {"path": "/nowhere/table.csv.gz"}
        document["search"]["strategies"]["darts"]["evaluator"] = "tabular"

    assert error_after(change) == (
        "params.yaml: search.strategies.darts: evaluator 'tabular' has no shared weights to learn with; use evaluator "
        "shared_weights"
    )


SCREENED = {
    "evaluator": "low_fidelity",
    "screen": {"name": "zero_cost", "objectives": ["naswot"], "batch_size": 32},
    "settings": {"pool_size": 100},
}


@pytest.mark.parametrize(
    ("screen", "line"),
    [
        (
            None,
            ": strategy 'assisted_evolution' asks for cheap scores; add a line such as "
            "'screen: {name: zero_cost, objectives: [naswot]}'",
        ),
        ({"name": "zero_cost"}, ".screen.objectives is missing; add it"),
        ({"name": "zero_cost", "objectives": []}, ".screen.objectives is []; it needs at least 1"),
        (
            {"name": "zero_cost", "objectives": ["naswot"], "batch_size": 1},
            ".screen.batch_size is 1; it must be at least 2",
        ),
        (
            {"name": "shared_weights", "objectives": ["validation_accuracy"]},
            ".screen: 'shared_weights' scores a network by weights that change while it is used; use one that scores "
            "each by itself, such as zero_cost",
        ),
        (
            {"name": "zero_cost", "objectives": ["naswot", "naswot"]},
            ".screen: objectives are ['naswot', 'naswot']; name each once",
        ),
    ],
)
def test_a_wrong_screen(screen: dict[str, Any] | None, line: str, error_after: ErrorAfter) -> None:
    def change(document: dict[str, Any]) -> None:
        document["search"]["strategies"]["assisted_evolution"] = {**SCREENED, "screen": screen}

    assert error_after(change) == f"params.yaml: search.strategies.assisted_evolution{line}"


def test_an_unknown_name_in_a_screen(error_after: ErrorAfter) -> None:
    def change(document: dict[str, Any]) -> None:
        document["search"]["strategies"]["assisted_evolution"] = {
            **SCREENED,
            "screen": {"name": "zero_cost", "objectives": ["naswott"]},
        }

    beginning = (
        "params.yaml: search.strategies.assisted_evolution.screen.objectives has 'naswott' (did you mean 'naswot'?)"
    )
    assert error_after(change).startswith(beginning)


def test_a_screen_for_a_strategy_without_a_use_for_it(error_after: ErrorAfter) -> None:
    line = (
        "search.strategies.random_search: strategy 'random_search' asks for no cheap scores; remove the line 'screen'"
    )
    screen = put("search.strategies.random_search.screen", SCREENED["screen"])
    assert error_after(screen) == f"params.yaml: {line}"


def test_an_evaluator_that_trains_nothing_has_no_accuracy(error_after: ErrorAfter) -> None:
    def change(document: dict[str, Any]) -> None:
        document["search"]["evaluators"]["zero_cost"] = {}
        document["search"]["strategies"]["random_search"]["evaluator"] = "zero_cost"

    assert error_after(change).startswith(
        "params.yaml: search.strategies.random_search: evaluator 'zero_cost' trains nothing and has no "
        "'validation_accuracy'; ask for proxies ("
    )


RIGHT = [
    ("search.objectives", ["validation_accuracy", "naswot", {"name": "latency_ms", "limit": 3}]),
    ("search.strategies.random_search.objectives", ["synflow"]),
    ("search.strategies.assisted_evolution", SCREENED),
    ("search.evaluators.cheap", {"name": "low_fidelity", "epochs": 1}),
    ("search.strategies.second", {"strategy": "random_search", "evaluator": "low_fidelity", "seeds": [7]}),
    ("search.strategies.random_search.evaluator", "shared_weights"),
    ("prepare.natural_shift", None),
    ("prepare.out_of_distribution", "printed_letters"),
    ("robustness.corruptions", ["fog", "snow"]),
    ("robustness.corruptions", "all"),
    ("compute.device", "cuda:1"),
    ("schedule.cron", "*/15 8-18 1,15 * mon-fri"),
    ("schedule.timezone", "America/Argentina/Ushuaia"),
    ("search.budget.round_size", 1),
]


@pytest.mark.parametrize(("path", "value"), RIGHT)
def test_what_is_right_passes(path: str, value: object, error_after: ErrorAfter) -> None:
    assert error_after(put(path, value)) == ""


@pytest.mark.parametrize("module", ["raise RuntimeError('a\\nb')", "def build(:", "def build(*, size=nowhere): ..."])
def test_a_plug_in_of_somebody_else_that_fails_to_import_is_one_line(
    module: str, error_after: ErrorAfter, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "strange_package"
    package.mkdir()
    (package / "space.py").write_text(module)
    monkeypatch.syspath_prepend(str(tmp_path))
    error = error_after(put("search.space.name", "strange_package.space"))
    assert error.startswith("params.yaml: search.space: space 'strange_package.space' cannot be imported (")
    assert "\n" not in error
