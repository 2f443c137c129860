#!/usr/bin/env -S /usr/bin/python3 -B
"""SciPy's optimizers as solvers of nucreg (kind "process"; see README.md beside this file).

usage: scipy_solver.py METHOD     L-BFGS-B: scipy.optimize.minimize, with the bounds of the job
                                  lm, trf, dogbox: scipy.optimize.least_squares

A short example of a solver in another language, and the independent peer of nucreg's own: model,
losses and derivatives are written anew here, in NumPy.
"""

import json
import sys
import time

import numpy as np
from scipy.optimize import least_squares, minimize

METHODS = ("L-BFGS-B", "lm", "trf", "dogbox")


class OutOfTime(Exception):
    pass


class Problem:
    """Map, residuals and objective of one question."""

    def __init__(self, question):
        self.model = question["model"]
        self.loss = question["loss"]
        self.d = question["loss_scale"]
        self.weight = question["weight"]
        self.magnification = question["magnification"]
        self.plain = question["shift"] == "plain"
        self.x, self.y, self.x40, self.y40 = (
            np.array(question[c], float) for c in ("x10", "y10", "x40", "y40"))
        self.deadline = time.perf_counter() + question["max_seconds"]
        self.functions = self.jacobians = 0

    def entries(self, p):
        """The map a b tx c d ty (g h) and its derivative by the parameters."""
        if self.model in ("affine", "projective"):
            return p, np.eye(len(p))
        c, s = np.cos(p[2]), np.sin(p[2])
        sx = self.magnification if self.model == "rigid" else p[3]
        sy = p[4] if self.model == "trs" else sx
        plain = self.plain and self.model != "rigid"
        tx, ty = (p[0], p[1]) if plain else (sx * p[0], sy * p[1])
        d = np.zeros((6, len(p)))
        d[2, 0], d[5, 1] = (1.0, 1.0) if plain else (sx, sy)
        d[[0, 1, 3, 4], 2] = -sx * s, -sx * c, sy * c, -sy * s
        if self.model != "rigid":
            y = 4 if self.model == "trs" else 3
            d[[0, 1], 3] = c, -s
            d[[3, 4], y] = s, c
            if not plain:
                d[2, 3] = p[0]
                d[5, y] = p[1]
        return np.array([sx * c, -sx * s, tx, sy * s, sy * c, ty]), d

    def residuals(self, p, derivative):
        """r (2 x N) and dr/dp (2 x N x P) or None."""
        m, dm = self.entries(p)
        w = 1.0 / (m[6] * self.x + m[7] * self.y + 1.0) if len(m) == 8 else np.ones_like(self.x)
        mx = (m[0] * self.x + m[1] * self.y + m[2]) * w
        my = (m[3] * self.x + m[4] * self.y + m[5]) * w
        r = np.stack([mx - self.x40, my - self.y40])
        if not derivative:
            return r, None
        q = np.stack([self.x * w, self.y * w, w], axis=1)
        by = np.zeros((2, len(self.x), len(m)))
        by[0, :, :3] = by[1, :, 3:6] = q
        if len(m) == 8:
            by[0, :, 6:], by[1, :, 6:] = -mx[:, None] * q[:, :2], -my[:, None] * q[:, :2]
        return r, by @ dm

    def rho(self, s):
        """rho and rho' of the squared residual length."""
        d2 = self.d * self.d
        if self.loss == "squared":
            return s, np.ones_like(s)
        if self.loss == "cauchy":
            return d2 * np.log1p(s / d2), 1.0 / (1.0 + s / d2)
        inside = s <= d2
        if self.loss == "huber":
            length = np.sqrt(np.where(inside, d2, s))
            return np.where(inside, s, 2 * self.d * length - d2), np.where(inside, 1.0,
                                                                           self.d / length)
        t = np.where(inside, 1.0 - s / d2, 0.0)
        return d2 / 3 * (1 - t**3), t * t

    def look_at_clock(self):
        if time.perf_counter() > self.deadline:
            raise OutOfTime

    def value_and_gradient(self, p):
        self.look_at_clock()
        self.functions += 1
        self.jacobians += 1
        r, j = self.residuals(p, True)
        rho, w = self.rho((r * r).sum(axis=0))
        return self.weight * rho.sum(), 2 * self.weight * np.einsum("kn,knp->p", w * r, j)

    def value_at(self, p):
        """The objective, not counted."""
        r, _ = self.residuals(p, False)
        return self.weight * self.rho((r * r).sum(axis=0))[0].sum()

    def scaled(self, p):
        """Residuals whose squares sum to the objective."""
        self.look_at_clock()
        self.functions += 1
        r, _ = self.residuals(p, False)
        s = (r * r).sum(axis=0)
        scale = np.sqrt(self.weight * self.ratio(s))
        return (scale * r).T.ravel()

    def ratio(self, s):
        rho, first = self.rho(s)
        small = s < 1e-12 * self.d**2
        return np.where(small, first, rho / np.where(small, 1.0, s))

    def scaled_jacobian(self, p):
        self.jacobians += 1
        r, j = self.residuals(p, True)
        s = (r * r).sum(axis=0)
        _, first = self.rho(s)
        root = np.sqrt(self.ratio(s))
        small = s < 1e-12 * self.d**2
        slope = np.where(small, 0.0, (first - self.ratio(s)) / (2 * root * np.where(small, 1.0, s)))
        along = np.einsum("kn,knp->np", r, j)
        out = root[None, :, None] * j + 2 * (slope * r)[:, :, None] * along[None]
        return np.sqrt(self.weight) * out.transpose(1, 0, 2).reshape(-1, len(p))


def numbers(values, nothing):
    return np.array([nothing if v is None else v for v in values], float)


def solve(question, method):
    problem = Problem(question)
    start = np.array(question["start"], float)
    most = question["max_evaluations"]
    ftol, xtol = question["ftol_rel"], question["xtol_rel"]
    # L-BFGS-B's ftol is relative to max(|F|, 1): large values are what makes it that of the job.
    value = problem.value_at(start)
    large = 1e12 / value if 0 < value < np.inf else 1.0
    begin = time.perf_counter()
    try:
        if method == "L-BFGS-B":
            lower, upper = numbers(question["lower"], -np.inf), numbers(question["upper"], np.inf)
            found = minimize(lambda p: tuple(large * v for v in problem.value_and_gradient(p)),
                             start, jac=True, method=method,
                             bounds=list(zip(lower, upper)),
                             options={"maxcor": 50, "ftol": ftol, "gtol": 0.0, "maxfun": most,
                                      "maxiter": most, "maxls": 50})
            # 1: budget; 2: the line search found nothing better, which is the end of the digits.
            status = {0: "converged", 1: "max_evaluations"}.get(found.status, "stalled")
            iterations, message = found.nit, str(found.message)
        else:
            eps = np.finfo(float).eps
            found = least_squares(problem.scaled, start, jac=problem.scaled_jacobian, method=method,
                                  ftol=max(ftol, eps), xtol=max(xtol, eps), gtol=None
                                  if method != "lm" else eps, max_nfev=most)
            status = "converged" if found.status > 0 else "max_evaluations"
            iterations, message = -1, str(found.message)
        params = found.x
    except OutOfTime:
        params, status, iterations, message = start, "max_time", -1, ""
    except (ValueError, FloatingPointError, np.linalg.LinAlgError) as error:
        params, status, iterations, message = start, "failed", -1, str(error)
    seconds = time.perf_counter() - begin
    if not np.all(np.isfinite(params)):
        params, status, message = start, "failed", "the answer is not finite"
    return {"solve": question["solve"], "params": list(map(float, params)), "status": status,
            "iterations": int(iterations), "function_evaluations": problem.functions,
            "jacobian_evaluations": problem.jacobians, "seconds": seconds, "message": message}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in METHODS:
        sys.exit(f"usage: scipy_solver.py {' | '.join(METHODS)}")
    np.seterr(all="ignore")
    for line in sys.stdin:
        print(json.dumps(solve(json.loads(line), sys.argv[1])), flush=True)


if __name__ == "__main__":
    main()
