"""The search for rates takes the package's steps: the same number of evaluations by the same rate."""

from __future__ import annotations

import pytest
from benchmarks.minimizer_problems import problems
from benchmarks.minimizer_rates import RULES, fastest
from benchmarks.minimizers import OPTIONS, evaluations


@pytest.mark.parametrize("method", sorted({*RULES} - {"asgd", "adadelta"}))  # these two take thousands
def test_the_search_counts_what_minimize_counts(method: str) -> None:
    problem = problems()["quadratic, n = 10"]
    rate, count = fastest(problem, method, 400)
    assert 0 < count < 400
    assert evaluations(problem, method, {**OPTIONS.get(method, {}), "lr": rate}, 400)[0] == count
