#!/usr/bin/python3
"""The statistics of nucreg are SciPy's on the same numbers.

usage: inference_test.py INFERENCE_TOOL
"""
import subprocess
import sys
import unittest
import warnings

import numpy as np
from scipy import stats

TOOL = None
RNG = np.random.default_rng(7)


def ask(what, *numbers):
    request = " ".join([what, *(repr(float(n)) for n in np.ravel(numbers))]) if numbers else what
    done = subprocess.run([TOOL], input=request + "\n", capture_output=True, text=True, check=True)
    return np.array(done.stdout.split(), dtype=float)


class Statistics(unittest.TestCase):
    def test_signed_rank_exact(self):
        for n in (1, 2, 3, 5, 6, 17, 49, 50):
            for shift in (0.0, 0.7, 3.0):
                d = RNG.normal(shift, 1.0, n)
                p, positive, negative, exact, effect, _ = ask("wilcoxon", d)
                want = stats.wilcoxon(d, mode="exact")
                self.assertEqual(exact, 1)
                self.assertEqual(min(positive, negative), want.statistic)
                np.testing.assert_allclose(p, want.pvalue, rtol=1e-9, err_msg=str((n, shift)))
                self.assertAlmostEqual(effect, (positive - negative) / (n * (n + 1) / 2), 12)

    def test_signed_rank_normal(self):
        for n in (12, 51, 400, 20000):
            for digits in (1, 3, 12):  # ties and zeros, few, none
                for name, correction in (("wilcoxon", True), ("wilcoxon-plain", False)):
                    d = np.round(RNG.normal(0.1, 1.0, n), digits)
                    p, positive, negative, exact, _, _ = ask(name, d)
                    if exact:
                        continue
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        want = stats.wilcoxon(d, mode="approx", correction=correction)
                    self.assertEqual(min(positive, negative), want.statistic)
                    np.testing.assert_allclose(p, want.pvalue, rtol=1e-9)

    def test_signed_rank_of_nothing_and_of_zeros(self):
        for d in ([], [0.0], [0.0] * 60):
            p, positive, negative, _, effect, _ = ask("wilcoxon", *d)
            self.assertEqual((p, positive, negative), (1, 0, 0))
            self.assertTrue(np.isnan(effect))

    def test_signed_rank_small_with_ties_is_not_called_exact(self):
        self.assertEqual(ask("wilcoxon", 1, 1, -2, 3)[3], 0)
        self.assertEqual(ask("wilcoxon", 0, 1, -2, 3)[3], 1)  # a zero is no tie

    def test_sign(self):
        for wins, losses in ((0, 0), (5, 0), (0, 6), (3, 3), (40, 61), (1000, 1200), (10**6,) * 2):
            want = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
            np.testing.assert_allclose(ask("sign", wins, losses), want, rtol=1e-9)

    def test_wilson(self):
        for wins, trials in ((0, 5), (5, 5), (1, 7), (57, 60), (400, 1000), (1, 10**6)):
            want = stats.binomtest(wins, trials).proportion_ci(method="wilson")
            np.testing.assert_allclose(ask("wilson", wins, trials), [want.low, want.high],
                                       rtol=1e-9, atol=1e-15)
        self.assertTrue(np.isnan(ask("wilson", 0, 0)).all())

    def test_holm(self):
        # By hand: 0.01 x 4, 0.02 x 3, 0.03 x 2 = 0.06, and 0.04 may not fall below it.
        np.testing.assert_allclose(ask("holm", 0.04, 0.01, np.nan, 0.03, 0.02),
                                   [0.06, 0.04, np.nan, 0.06, 0.06], rtol=1e-12)
        np.testing.assert_allclose(ask("holm", 0.9, 0.8), [1, 1])
        self.assertEqual(len(ask("holm")), 0)

    def test_quantiles(self):
        for n in (1, 2, 3, 10, 1001):
            values = np.sort(RNG.lognormal(size=n))
            np.testing.assert_allclose(ask("quantiles", *values),
                                       np.quantile(values, [0.05, 0.25, 0.5, 0.95]), rtol=1e-12)

    def test_bootstrap_spread(self):
        # Resampled means have the mean and spread that resampling must give; 2,000 of them.
        for n in (3, 20, 256, 5000):
            values = RNG.standard_t(4, n)
            means = ask("resamples", *values)
            self.assertEqual(len(means), 2000)
            error = values.std() / np.sqrt(n)
            self.assertLess(abs(means.mean() - values.mean()), 5 * error / np.sqrt(2000))
            # Beyond 256 values blocks stand for them, whose own spread is known to 1/sqrt(512).
            self.assertLess(abs(means.std() / error - 1), 0.07 if n <= 256 else 0.15)

    def test_bootstrap_interval(self):
        for n in (40, 200):
            values = RNG.normal(0.3, 1.0, n)
            low, high, mean, std = ask("interval", *values)
            np.testing.assert_allclose([mean, std], [values.mean(), values.std(ddof=1)], rtol=1e-12)
            tail = stats.norm.sf(np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1))
            want = stats.bootstrap([values], np.mean, confidence_level=1 - 2 * tail,
                                   n_resamples=20000, method="percentile", random_state=RNG)
            # Of 2,000 resamples a 2.5 % quantile is known to about 0.06 standard errors.
            reach = 5 * 0.06 * values.std() / np.sqrt(n)
            np.testing.assert_allclose([low, high], want.confidence_interval, atol=reach)

    def test_bootstrap_of_little(self):
        self.assertTrue(np.isnan(ask("interval")[:2]).all())
        self.assertTrue(np.isnan(ask("interval", 1)[:2]).all())
        np.testing.assert_allclose(ask("interval", 2, 2, 2), [2, 2, 2, 0])


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
