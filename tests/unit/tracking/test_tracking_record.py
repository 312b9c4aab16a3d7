"""A record comes back from JSON equal, refuses what MLflow would choke on, and knows itself again."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.tracking.record import ArtifactRecord, DatasetRecord, ModelRecord, RunRecord, from_json, to_json

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    metrics=st.dictionaries(st.text(min_size=1), finite),
    curve=st.lists(st.tuples(st.integers(0, 2**31), finite)),
    parameters=st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), finite, st.text())),
)
def test_json_round_trip_is_equal(metrics, curve, parameters):
    record = RunRecord("stage", "name", 0, 1, parameters, metrics, {"curve": tuple(curve)})
    assert from_json(json.loads(json.dumps(to_json(record)))) == record


def test_whole_record_round_trips(make_record):
    record = make_record(
        artifacts=(ArtifactRecord("a.svg", "figures"),), model=ModelRecord("name", "champion", "results", "x.npy")
    )
    assert from_json(json.loads(json.dumps(to_json(record)))) == record


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, "1", None])
def test_only_finite_numbers_are_metrics(make_record, value):
    with pytest.raises(ValueError, match="finite"):
        make_record(metrics={"accuracy": value})
    with pytest.raises(ValueError, match=r"curve\[3\]"):
        make_record(curves={"curve": ((3, value),)})


def test_identity_leaves_out_clocks_and_times_and_nothing_else(make_record):
    record = make_record()
    assert make_record().record_id == record.record_id
    assert replace(record, start_time_ms=5, end_time_ms=9, tags={}).record_id == record.record_id
    assert make_record(metrics={"accuracy": 0.75, "seconds": 9.0}).record_id == record.record_id
    others = [
        make_record(metrics={"accuracy": 0.76, "seconds": 2.0}),
        make_record(inputs={"data/search": "1" * 32}),
        make_record(parameters={"seed": 1}),
        make_record(stage="search@other"),
        make_record(children=()),
        make_record(curves={}),
    ]
    assert len({other.record_id for other in others} | {record.record_id}) == 7


def test_nesting_is_one_level_deep(make_record):
    with pytest.raises(ValueError, match="child"):
        make_record(children=(make_record(),))
    with pytest.raises(ValueError, match="more than 40"):
        make_record(children=(RunRecord("s", "n", 0, 0),) * 41)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: RunRecord("", "name", 0, 1),
        lambda: RunRecord("stage", "name", 2, 1),
        lambda: DatasetRecord("digits", "0" * 37, "data", "training"),
        lambda: ArtifactRecord("a.svg", "../outside"),
        lambda: ArtifactRecord("a.svg", "/outside"),
        lambda: ModelRecord("name", "", "folder", "x.npy"),
        lambda: ModelRecord("name", "champion", "folder"),
        lambda: ModelRecord("name", "champion", "folder", "x.npy", ("weights",)),
    ],
)
def test_wrong_values_cannot_exist(wrong):
    with pytest.raises(ValueError):
        wrong()


@pytest.mark.parametrize("change", [{"format": 2}, {"children": 3}, {"unknown": 1}])
def test_other_formats_are_refused(make_record, change):
    with pytest.raises(ValueError, match="record"):
        from_json({**to_json(make_record()), **change})
