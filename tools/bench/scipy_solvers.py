#!/usr/bin/env -S /usr/bin/python3 -B
"""Fits of one problem by SciPy, one at a time as asked: the protocol of solvers.cpp.

Affine map, squared loss, written as one would for speed: matrix products without copies of the
points, and Jacobians, which are constant, handed over ready made. L-BFGS-B stops on the objective
alone, as nucreg's solvers do where that comes first; it minimises the sum in pixels, since below
one SciPy would take its tolerance as absolute.
"""

import sys
import time

import numpy as np
from scipy.optimize import least_squares, minimize

START = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
TOLERANCE = 1e-12
EVALUATIONS = 1000


class Problem:
    """Pairs in normalized coordinates; `unit` is one of them in 40x pixels."""

    def __init__(self, pairs, unit):
        count = len(pairs)
        self.points = np.column_stack([pairs[:, :2], np.ones(count)])
        self.target = np.ascontiguousarray(pairs[:, 2:])
        self.scale = unit * unit
        # Residuals are x0, y0, x1, y1 ..., as the difference of two arrays of n x 2 lies in memory.
        self.jacobian = np.zeros((2 * count, 6))
        self.jacobian[0::2, :3] = self.points
        self.jacobian[1::2, 3:] = self.points

    def difference(self, params):
        found = self.points @ params.reshape(2, 3).T
        found -= self.target
        return found

    def value(self, params):
        found = self.difference(params).ravel()
        return self.scale * (found @ found)

    def value_and_gradient(self, params):
        found = self.difference(params)
        gradient = (2.0 * self.scale) * (found.T @ self.points).ravel()
        flat = found.ravel()
        return self.scale * (flat @ flat), gradient

    def residuals(self, params):
        return self.difference(params).ravel()

    def by_lbfgsb(self, function, analytic):
        options = {"maxfun": EVALUATIONS * (1 if analytic else 7), "maxiter": EVALUATIONS,
                   "ftol": TOLERANCE, "gtol": 0.0}
        return minimize(function, START, jac=analytic, method="L-BFGS-B", options=options)

    def by_minpack(self, jacobian):
        evaluations = EVALUATIONS * (1 if callable(jacobian) else 7)
        return least_squares(self.residuals, START, jac=jacobian, method="lm",
                             max_nfev=evaluations, ftol=TOLERANCE, xtol=TOLERANCE, gtol=TOLERANCE)

    def fits(self):
        return {
            "scipy L-BFGS-B numerical": lambda: self.by_lbfgsb(self.value, False),
            "scipy L-BFGS-B": lambda: self.by_lbfgsb(self.value_and_gradient, True),
            "scipy lm numerical": lambda: self.by_minpack("2-point"),
            "scipy lm": lambda: self.by_minpack(lambda _: self.jacobian),
        }


def timed(fit, seconds):
    result = fit()
    fits, begin = 0, time.perf_counter()
    while fits == 0 or time.perf_counter() - begin < seconds:
        result = fit()
        fits += 1
    took = (time.perf_counter() - begin) / fits
    return " ".join(map(repr, [took, int(result.nfev), int(result.success), *map(float, result.x)]))


def main():
    problem, fits = None, {}
    for line in sys.stdin:
        words = line.split(maxsplit=2)
        if words[0] == "load":
            problem = Problem(np.load(words[1]), 4.0 * 256.0)
            fits = problem.fits()
            print("loaded", len(problem.points), flush=True)
        elif words[0] == "fit" and words[2].strip() in fits:
            print(timed(fits[words[2].strip()], float(words[1])), flush=True)
        else:
            sys.exit(f"scipy_solvers: cannot do {line!r}")


if __name__ == "__main__":
    main()
