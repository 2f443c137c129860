"""Commands that need neither a result nor MPI, and what goes to which channel."""

import json
import re
import sys
import unittest

import h5py

from nucreg_case import LEAST_JOB, NucregCase, read_group, run, texts

COMMANDS = ("run", "map", "plan", "watch", "merge", "inspect", "report", "export", "verify",
            "compare", "pairs", "recommend", "image", "segment", "match", "synth", "solvers",
            "models", "keys", "doctor")
# mpirun would not start with these; a command that starts MPI fails with them, too.
NONSENSE = {"OMPI_MCA_pml": "nonsense", "OMPI_MCA_btl": "nonsense", "OMPI_MCA_ess": "nonsense",
            "OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_RANK": "0", "PMIX_RANK": "0"}

JOB = LEAST_JOB.replace("[problem]", "trials = 4\n\n[problem]").replace(
    "points = 30", "points = [30, 40, 50]\nnoise_px = [0, 2]") + """
[[solver]]
name = "L-BFGS"
kind = "nlopt"
"""


class Plan(NucregCase):
    def test_numbers_are_those_of_the_run(self):
        file = self.run_job(JOB)
        out = self.nucreg("plan", "job.toml").out
        trials = read_group(file, "trials")
        self.assertRegex(out, r"configurations +6\n")
        self.assertRegex(out, r"trials +24 = 6 x 4\n")
        self.assertRegex(out, r"solves +48 = 24 x 2 solvers\n")
        self.assertEqual(len(trials["solver"]), 48)
        self.assertEqual(len(set(zip(trials["configuration"], trials["trial"]))), 24)
        self.assertEqual(len(read_group(file, "configurations")["points"]), 6)
        for name in texts(read_group(file, "solvers")["name"]):
            self.assertIn(name, out)
        self.assertRegex(out, r"points +30, 40, 50\n")
        self.assertRegex(out, r"noise_px +0, 2 px\n")

    def test_overrides_and_ranks(self):
        self.write("job.toml", JOB)
        out = self.nucreg("plan", "job.toml", "--set", "job.trials=1000000", "--ranks", "4").out
        self.assertRegex(out, r"solves +12,000,000 = 6,000,000 x 2 solvers\n")
        self.assertRegex(out, r"estimated time .* on 4 ranks\n")

    def program(self, seconds):
        """A solver of kind process that takes so long, as the lines of a job."""
        script = self.write("slow.py", f"""
import json, sys, time
for line in sys.stdin:
    q = json.loads(line)
    time.sleep({seconds})
    print(json.dumps({{"solve": q["solve"], "params": q["start"], "status": "stalled",
                      "seconds": {seconds}}}), flush=True)
""")
        return f'"process"\ncommand = ["{sys.executable}", "{script}"]'

    def estimate(self, ranks=1, trials=1):
        out = self.nucreg("plan", "job.toml", "--set", f"job.trials={trials}", "--ranks", ranks).out
        minutes, seconds, of, rest = re.search(
            r"estimated time +(?:(\d+) min )?([\d.]+) s on ([\d,]+ ranks?)(.*)\n", out).groups()
        return 60 * int(minutes or 0) + float(seconds), of, rest

    def test_more_ranks_than_trials_and_a_trial_that_outlasts_the_others(self):
        job = LEAST_JOB.replace("points = 30", "points = [100, 20000]\nmin_distance_px = 0.0")
        self.write("job.toml", job.replace('"lm"', self.program(0.4)))
        alone, of, rest = self.estimate(1)
        self.assertEqual((of, rest), ("1 rank", ""))
        for ranks, words in ((2, ("2 ranks", "")),
                             (1000000, ("1,000,000 ranks", ", 999,998 of which do nothing"))):
            seconds, *rest = self.estimate(ranks)
            self.assertEqual(tuple(rest), words)
            self.assertGreater(seconds, 0.6 * alone)  # no less than the dearest trial

    def test_programs_are_measured(self):
        self.write("job.toml", LEAST_JOB.replace('"lm"', self.program(0.2)))
        seconds, *_ = self.estimate(trials=100)
        self.assertGreater(seconds, 20.0)
        self.write("job.toml", LEAST_JOB.replace('"lm"', '"process"\ncommand = ["false"]'))
        self.assertIn("fails here      LM: the solver's process ended with status 1",
                      self.nucreg("plan", "job.toml").out)

    def test_leaves_nothing_behind(self):
        self.write("job.toml", JOB)
        before = self.content()
        self.nucreg("plan", "job.toml")
        self.assertEqual(before, self.content())


class WithoutMpi(NucregCase):
    def test_commands_do_not_start_mpi(self):
        file = self.run_job(JOB)
        # The variables do what they are said to do.
        self.assertNotEqual(run(self.dir, "run", "job.toml", "-o", "no.h5", **NONSENSE).status, 0)
        for arguments in (["plan", "job.toml"], ["inspect", file], ["verify", file], ["solvers"],
                          ["export", file, "--to", "csv"], ["models"], ["keys"], ["--version"]):
            with self.subTest(arguments):
                outcome = self.nucreg(*arguments, **NONSENSE)
                self.assertEqual(outcome.err, "")
                self.assertNotEqual(outcome.out, "")

    def test_a_run_without_mpirun_starts_no_daemon(self):
        self.run_job(LEAST_JOB, PATH="/nonexistent")


class Lists(NucregCase):
    def test_help(self):
        out = self.nucreg("--help").out
        for name in COMMANDS:
            self.assertIn(name, out)
            helped = self.nucreg(name, "--help")
            self.assertRegex(helped.out, rf"Usage: nucreg {name}\b")
            self.assertEqual(helped.err, "")
            self.assertLessEqual(max(map(len, helped.out.splitlines())), 80, name)
        for status in ("0 done", "2 bad command line or job", "5 output"):
            self.assertIn(status, out)
        groups = [line[:-1] for line in out.splitlines() if re.fullmatch(r"\w+:", line)]
        self.assertEqual([group for group in groups if group != "Options"],
                         ["Run", "Look", "Images", "About"])

    def test_options_as_json(self):
        table = json.loads(self.nucreg("options", "--json").out)
        self.assertEqual([command["command"] for command in table],
                         re.findall(r"^  (\w+) ", self.nucreg("--help").out, re.MULTILINE))
        self.assertEqual({command["command"] for command in table}, set(COMMANDS))
        known = {}
        for command in table:
            helped = " ".join(self.nucreg(command["command"], "--help").out.split())
            for option in command["options"]:
                name = option["names"].split(",")[-1]
                known[command["command"], name] = option
                for text in (*option["names"].split(","), option["doc"], option["allowed"],
                             option["default"] and f"default {option['default']}"):
                    self.assertIn(" ".join(text.split()), helped)
        # The default that is listed is the one that is used.
        seed = known["synth", "--seed"]
        self.assertEqual((seed["default"], seed["allowed"]), ("1", "a whole number from 0"))
        self.nucreg("synth", "--to", "a", "--field", "64", "--nuclei", "5", "--tile", "64")
        self.nucreg("synth", "--to", "b", "--field", "64", "--nuclei", "5", "--tile", "64",
                    "--seed", seed["default"])
        self.assertEqual((self.dir / "a/truth.json").read_text(),
                         (self.dir / "b/truth.json").read_text())
        self.assertTrue(known["run", "JOB"]["positional"] and known["run", "JOB"]["required"])
        self.assertTrue(known["run", "--set"]["several"])
        self.assertEqual(known["run", "--resume"]["not_with"], "--force")

    def test_version(self):
        out = self.nucreg("--version").out
        self.assertRegex(out, r"^nucreg \d+\.\d+\.\d+ \(.+\)\n$")
        for name in COMMANDS:
            self.assertEqual(self.nucreg(name, "--version").out, out)
        with h5py.File(self.run_job(LEAST_JOB)) as h5:
            self.assertIn(f"nucreg {h5.attrs['nucreg_version']} ({h5.attrs['git_revision']}", out)

    def test_every_solver_kind_that_is_listed_can_be_named(self):
        out = self.nucreg("solvers").out
        kinds = re.findall(r"^([a-z][a-z-]+) ", out, re.MULTILINE)
        kinds = [kind for kind in kinds if kind != "algorithms"]
        built_in = [kind for kind in ("ceres", "gsl") if kind in kinds]
        self.assertEqual(kinds, ["nlopt", "eigen-lm", "lm", "closed-form", "irls", "consensus",
                                 "process", *built_in])
        for kind in kinds:
            command = '\ncommand = ["cat"]' if kind == "process" else ""
            self.write("job.toml", LEAST_JOB.replace('"lm"', f'"{kind}"') + command)
            self.nucreg("plan", "job.toml")
        algorithms = re.search(r"algorithms of kind nlopt: (.*)", out)[1].split(", ")
        self.assertIn("LD_LBFGS", algorithms)
        solvers = "".join(f'\n[[solver]]\nname = "{name}"\nkind = "nlopt"\nalgorithm = "{name}"\n'
                          for name in algorithms)
        bounds = "[fit]\nmodel = \"trs\"\nmax_evaluations = 20\nftol_rel = 1e-8\n" \
            "bounds = { scale = [3, 5], angle_deg = [-9, 9], dx_px = [-9, 9], dy_px = [-9, 9] }\n" \
            "[run]\ntiming_repeats = 1\n"
        file = self.run_job(LEAST_JOB.partition("[[solver]]")[0] + bounds + solvers)
        self.assertEqual(texts(read_group(file, "solvers")["algorithm"]), algorithms)
        self.assertEqual(len(read_group(file, "trials")["status"]), len(algorithms))

    def test_every_model_and_loss_that_is_listed_can_be_named(self):
        out = self.nucreg("models").out
        models = re.findall(r"^(\w+) .*X = ", out, re.MULTILINE)
        losses = re.search(r"losses: (.*)", out)[1].split(", ")
        self.assertEqual(models, ["rigid", "similarity", "trs", "affine", "projective"])
        self.assertEqual(losses, ["squared", "huber", "cauchy", "tukey"])
        self.write("job.toml", LEAST_JOB)
        out = self.nucreg("plan", "job.toml", "--set", f"fit.model={models}",
                          "--set", f"fit.loss={losses}").out
        self.assertRegex(out, r"configurations +20\n")

    def test_every_key_that_is_listed_is_written_out(self):
        out = self.nucreg("keys").out
        with h5py.File(self.run_job(LEAST_JOB)) as h5:
            resolved = h5.attrs["job_toml"]
        keys = re.findall(r"^\| `(?:fit|run)\.(\w+)` ", out, re.MULTILINE)
        self.assertGreaterEqual(len(keys), 10)
        for key in keys:
            self.assertRegex(resolved, rf"(?m)^{key} = ")
        self.assertIn("`job.trials`", out)


class Channels(NucregCase):
    def test_results_and_everything_else_are_apart(self):
        self.write("job.toml", JOB)
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                outcome = self.nucreg("run", "job.toml", "-o", f"{ranks}.h5", ranks=ranks)
                for needle in ("medians per configuration", f"result  {ranks}.h5", "next ",
                               "nucreg inspect"):
                    self.assertIn(needle, outcome.out)
                    self.assertNotIn(needle, outcome.err)
                self.assertIn("24 of 24 trials", outcome.err)
                self.assertNotRegex(outcome.out, r"\d\d:\d\d:\d\d info")
                for text in (outcome.out, outcome.err):
                    self.assertNotIn("\x1b", text)
                    self.assertNotIn("\r", text)

    def test_lines_of_progress_where_there_is_no_terminal(self):
        self.write("job.toml", JOB)
        err = self.nucreg("run", "job.toml", "-o", "out.h5", "--set", "job.trials=200",
                          "--set", "run.monitor_seconds=0.05").err
        lines = [line for line in err.splitlines() if "trials" in line and " % " in line]
        self.assertGreater(len(lines), 1, err)
        self.assertIn("100.0 %  1,200 of 1,200 trials", lines[-1])

    def test_every_rank_has_its_log(self):
        self.run_job(JOB, ranks=3)
        for rank in range(3):
            log = (self.dir / "out.h5.logs" / f"rank-{rank:04}.log").read_text()
            self.assertIn(f" rank {rank} ", log)


if __name__ == "__main__":
    unittest.main()
