"""References of others: what is no number, or no file, is told before it is compared."""

import os

import pandas as pd
import pytest

from rsim.errors import ResultError
from rsim.results.comparison import agreement, compare, read_reference

HEAD = "x,metric,mean,ci95,runs\n"


def read(file):
    return read_reference(file, {"x": "network.delay"}, {}, {"speed": "accepts"}, {})


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("1,speed,abc,1,3", "column 'mean': row 1 has 'abc'; must be a number"),
        ("1,speed,1 000,1,3", "column 'mean': row 1 has '1 000'"),
        ("1,speed,inf,1,3", "column 'mean': row 1 has inf"),
        ("1,speed,true,1,3", "column 'mean': row 1 has True"),
        ("1,speed,1,x,3", "column 'ci95': row 1 has 'x'"),
        ("1,speed,1,-1,3", "column 'ci95': row 1 has -1; must be a number of at least 0"),
        ("1,speed,1,1,x", "column 'runs': row 1 has 'x'"),
    ],
)
def test_text_in_columns_of_numbers_is_told_with_its_row(tmp_path, row, told):
    file = tmp_path / "reference.csv"
    file.write_text(f"{HEAD}{row}\n")
    with pytest.raises(ResultError) as error:
        read(file)
    assert str(error.value).startswith(f"{file}: {told}")


def test_what_is_unknown_may_be_left_out(tmp_path):
    file = tmp_path / "reference.csv"
    file.write_text(f"{HEAD}1,speed,2,,\n")
    assert read(file)["mean"].tolist() == [2]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_reference_that_is_no_regular_file_is_not_read(tmp_path, make):
    make(tmp_path / "reference.csv")
    with pytest.raises(ResultError, match="must be a regular file"):
        read(tmp_path / "reference.csv")


def points(values):
    return pd.DataFrame({"x": values, "metric": "accepts", "mean": 1.0, "ci95": 1.0, "runs": 3})


@pytest.mark.parametrize(("one", "other"), [([1.0], ["a"]), (["a"], [1.0]), ([None, "a"], [1])])
def test_text_is_not_held_against_numbers(one, other):
    with pytest.raises(ResultError, match="x: the results hold"):
        compare(points(one), points(other), ["x"])


def test_columns_with_gaps_are_held_against_those_without():
    both = compare(points([True, None, False]), points([True, False]), ["x"])
    assert both["x"].tolist() == [True, False]
    assert compare(points([1, 2]), points([1.5, 2.0]), ["x"])["x"].tolist() == [2]


def moved(differences, ci95=1.0):
    return pd.DataFrame(
        {
            "metric": "speed",
            "difference": differences,
            "joint_ci95": ci95,
            "within": [abs(one) <= ci95 for one in differences],
        }
    )


def test_a_common_shift_is_told_from_a_difference_of_shape():
    [shifted] = agreement(moved([2.0, 2.1, 1.9, 2.0])).to_dict("records")
    assert shifted["within"] == 0 and shifted["shift"] == pytest.approx(2.0)
    assert shifted["shift_p"] < 0.001 and shifted["shape_p"] > 0.9
    [bent] = agreement(moved([-3.0, 3.0, -3.0, 3.0])).to_dict("records")
    assert bent["shift_p"] > 0.9 and bent["shape_p"] < 0.001


def test_points_that_share_their_noise_prove_no_shift_by_their_number():
    [row] = agreement(moved([0.8] * 100)).to_dict("records")
    assert row["shift_p"] > 0.05 and row["shift_ci95"] == pytest.approx(1.0)
