"""A small comparison on scores that are drawn."""

from __future__ import annotations

import json
from typing import Any

from tasks.settings.comparison import ComparisonSettings

FIDELITIES = {"min_epochs": 1, "max_epochs": 9, "reduction_factor": 3}
SMALL: dict[str, Any] = {
    "benchmarks": {
        "drawn": {
            "space": {"name": "nasbench201"},
            "evaluator": {"name": "comparison_toys.table"},
            "epochs": 9,
            "best": {"validation_accuracy": 0.99, "test_accuracy": 0.99},
            "published": [
                {
                    "source": "somebody",
                    "budget": "an hour",
                    "evaluations": 6,
                    "num_runs": 4,
                    "values": {"random_search": {"mean": 0.5, "standard_deviation": 0.1}},
                }
            ],
        }
    },
    "strategies": {
        "random_search": {},
        "evolution": {"strategy": "regularized_evolution", "settings": {"population_size": 4, "tournament_size": 2}},
        "rounds": {"strategy": "random_search", "round_size": 4},
        "hyperband": {"settings": FIDELITIES, "repetitions": 2},
    },
    "budgets": [6, 12],
    "repetitions": 3,
    "seed": 5,
}


def typed(section: dict[str, Any]) -> ComparisonSettings:
    """Return the settings of a section."""
    return ComparisonSettings.model_validate_json(json.dumps(section))
