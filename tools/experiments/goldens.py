#!/usr/bin/env python3
"""Writes tests/unit/experiments_goldens.h: what scipy, statsmodels and kneed say of the numbers that
the tests of src/experiments feed to our own statistics.

    python3 -m venv venv && venv/bin/pip install numpy scipy statsmodels kneed
    venv/bin/python tools/experiments/goldens.py > tests/unit/experiments_goldens.h
"""

import warnings

import numpy as np
import pandas as pd
from kneed import DataGenerator, KneeLocator
from scipy import special, stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

warnings.simplefilter("ignore")
rng = np.random.default_rng(20260101)


def array(name, values, kind="double"):
    text = ", ".join(repr(float(v)) if kind == "double" else str(int(v)) for v in values)
    print(f"static const {kind} {name}[] = {{{text}}};")


def quantiles():
    degrees = [1, 2, 3, 4, 5, 7, 10, 15, 30, 99, 1000, 99999]
    array("golden_degrees", degrees)
    array("golden_t975", [stats.t.ppf(0.975, d) for d in degrees])
    points = [(0.1, 0.5, 0.5), (0.3, 2, 3), (0.9, 10, 0.5), (0.5, 50, 50), (0.01, 0.5, 500), (0.999, 1, 1)]
    array("golden_beta", [v for p in points for v in (*p, special.betainc(p[1], p[2], p[0]))])


def means():
    values = np.round(rng.normal(3, 2, 9), 4)
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    array("golden_values", values)
    array("golden_mean", [np.mean(values), low, high])


def knee_cases():
    """Curves as measured ones look: saturating, with noise, on uneven steps; and the paper's."""
    x, y = DataGenerator.figure2()
    yield x, y
    yield [4, 8, 12, 20, 32, 50], [0.5, 0.8, 0.9, 0.95, 0.97, 0.98]
    yield [1, 2, 3, 4], [1, 2, 3, 4]
    yield [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]
    yield [1, 2, 3, 4, 5], [1, 5, 5, 5, 5]
    for _ in range(120):
        n = int(rng.integers(3, 25))
        x = np.sort(rng.choice(np.arange(1, 120), n, replace=False)).astype(float)
        y = 1 - np.exp(-x / rng.uniform(2, 40)) + rng.normal(0, rng.choice([0, 0.01, 0.05, 0.3]), n)
        yield x, np.round(y, 6)


def knees():
    lengths, xs, ys, found = [], [], [], []
    for x, y in knee_cases():
        x, y = np.asarray(x, float), np.asarray(y, float)
        knee = KneeLocator(x, y, S=1.0, curve="concave", direction="increasing").knee
        lengths.append(len(x))
        xs.extend(x)
        ys.extend(y)
        found.append(-1 if knee is None else int(np.where(x == knee)[0][0]))
    array("golden_knee_lengths", lengths, "int")
    array("golden_knee_x", xs)
    array("golden_knee_y", ys)
    array("golden_knees", found, "int")


def variance():
    """3 x 4 values and 5 seeds, balanced: shares of the variance, effects against the first value."""
    rows = [(a, b, s) for a in range(3) for b in range(4) for s in range(5)]
    y = [round(0.7 * a - 0.2 * b + 0.3 * a * b + 0.4 * s + rng.normal(0, 0.5), 4) for a, b, s in rows]
    frame = pd.DataFrame(rows, columns=["a", "b", "s"]).assign(y=y)
    model = ols("y ~ C(a) + C(b) + C(s) + C(a):C(b) + C(a):C(s) + C(b):C(s)", frame).fit()
    squares = anova_lm(model, typ=1)["sum_sq"]
    total = squares.sum()
    array("golden_response", y)
    array("golden_shares", [squares[k] / total for k in ("C(a)", "C(b)", "C(s)")])
    array("golden_pairs", [squares[k] / total for k in ("C(a):C(b)", "C(a):C(s)", "C(b):C(s)")])
    print(f"static const double golden_rest = {float(squares['Residual'] / total)!r};")
    of = {k: g["y"].to_numpy() for k, g in frame.groupby("b")}
    effects = []
    for b in (1, 2, 3):
        interval = stats.ttest_rel(of[b], of[0]).confidence_interval(0.95)
        effects += [np.mean(of[b] - of[0]), interval.low, interval.high]
    array("golden_effects", effects)


def main():
    print("/* experiments_goldens.h: written by tools/experiments/goldens.py; do not edit. */")
    print("#ifndef TESTS_EXPERIMENTS_GOLDENS_H\n#define TESTS_EXPERIMENTS_GOLDENS_H\n")
    print("/* clang-format off */")
    quantiles()
    means()
    knees()
    variance()
    print("/* clang-format on */\n\n#endif")


main()
