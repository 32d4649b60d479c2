#!/usr/bin/env python3
"""Reference numbers for tests/unit/experiments_judge.c, without any of our code or formulas' code:
the penalised log-likelihood is climbed by coordinate-wise golden-section search, its second
derivatives are central differences, the inverse is Gauss-Jordan. Standard library only.

    python3 tools/experiments/judge.py
"""

import itertools
import math

PRIOR = 2.0  # standard deviation of a strength
GOLDEN = (math.sqrt(5) - 1) / 2

# (sampler, steps) of the left one, of the right one, what the left one won.
VOTES = [
    (("euler", 10), ("ddim", 10), 1), (("euler", 10), ("ddim", 10), 1), (("euler", 20), ("ddim", 20), 0),
    (("euler", 10), ("heun", 10), 0), (("euler", 20), ("heun", 20), 0.5), (("ddim", 20), ("heun", 20), 0),
    (("ddim", 10), ("heun", 20), 0), (("euler", 20), ("euler", 10), 1), (("heun", 20), ("heun", 10), 1),
    (("ddim", 10), ("ddim", 20), 0.5), (("heun", 10), ("euler", 20), 1), (("euler", 40), ("euler", 10), 1),
    (("ddim", 40), ("heun", 10), 1),
]


def log_likelihood(names, strengths):
    at = dict(zip(names, strengths))
    total = -sum(s * s for s in strengths) / (2 * PRIOR ** 2)
    for left, right, won in VOTES:
        odds = sum(at[a, x] - at[a, y] for a, (x, y) in enumerate(zip(left, right)) if x != y)
        total += won * math.log(1 / (1 + math.exp(-odds))) + (1 - won) * math.log(1 / (1 + math.exp(odds)))
    return total


def best_along(f, low=-12.0, high=12.0):
    while high - low > 1e-13 * 8:
        a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if f(a) < f(b):
            low = a
        else:
            high = b
    return (low + high) / 2


def inverse(matrix):
    n = len(matrix)
    rows = [list(row) + [float(i == k) for k in range(n)] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [x - rows[k][i] * y for x, y in zip(rows[k], rows[i])]
    return [row[n:] for row in rows]


def main():
    names = sorted({(a, v) for left, right, _ in VOTES for a in (0, 1)
                    for v in (left[a], right[a]) if left[a] != right[a]}, key=str)
    s = [0.0] * len(names)
    for _ in range(400):
        for i in range(len(s)):
            s[i] = best_along(lambda x, i=i: log_likelihood(names, s[:i] + [x] + s[i + 1:]))
    h, n = 1e-4, len(s)

    def moved(*steps):
        t = list(s)
        for i, d in steps:
            t[i] += d
        return log_likelihood(names, t)

    information = [[0.0] * n for _ in range(n)]
    for i, k in itertools.product(range(n), repeat=2):
        information[i][k] = -(moved((i, h), (k, h)) - moved((i, h), (k, -h))
                              - moved((i, -h), (k, h)) + moved((i, -h), (k, -h))) / (4 * h * h)
    covariance = inverse(information)
    for axis in (0, 1):
        of = [i for i, (a, _) in enumerate(names) if a == axis]
        mean = sum(s[i] for i in of) / len(of)
        for i in of:
            weights = [(k == i) - 1 / len(of) for k in of]
            variance = sum(weights[x] * weights[y] * covariance[of[x]][of[y]]
                           for x in range(len(of)) for y in range(len(of)))
            print(names[i], f"{s[i] - mean:.6f} +- {1.959963984540054 * math.sqrt(variance):.5f}")


if __name__ == "__main__":
    main()
