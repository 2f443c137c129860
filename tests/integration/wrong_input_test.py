"""What is wrong is refused with its exit status and a message that helps, and leaves no trace."""

import os
import stat
import subprocess
import unittest

from label_tiff import label_tiff
from nucreg_case import (INPUT, LEAST_JOB, OUTPUT, USAGE, NucregCase, command_line, environment,
                         read_group, run)

# Exactly what is wrong with a job: text of LEAST_JOB -> replacement, then what the message names.
WRONG_JOBS = {
    "broken TOML": ('name = "least"', 'name = "least', ["job.toml:3", "TOML"]),
    "unknown section": ("[problem]", "[problems]", ["job.toml:5", "problems", "[problem]"]),
    "unknown key": ("points = 30", "pionts = 30",
                    ["job.toml:6", "problem.pionts", "points", "min_distance_px"]),
    "unknown key of the job": ('name = "least"', 'name = "least"\nspeed = 3',
                               ["job.toml:4", "job.speed", "trials"]),
    "unknown option of a kind": ('kind = "lm"', 'kind = "lm"\npopulation = 7',
                                 ["job.toml:11", "solver.population", '"lm"', "name, kind"]),
    "wrong type": ("points = 30", 'points = "many"',
                   ["job.toml:6", "problem.points", "wrong type (string)", "number"]),
    "0 trials": ('name = "least"', 'name = "least"\ntrials = 0',
                 ["job.toml:4", "job.trials", "0 is out of range", "1 ..."]),
    "negative noise": ("points = 30", "points = 30\nnoise_px = [0, -1]",
                       ["job.toml:7", "problem.noise_px", "-1", ">= 0"]),
    "NaN": ("points = 30", "points = 30\nnoise_px = nan",
            ["job.toml:7", "problem.noise_px", "not a finite number"]),
    "empty axis": ("points = 30", "points = []", ["job.toml:6", "problem.points", "empty"]),
    "value twice": ("points = 30", "points = [30, 30]", ["job.toml:6", "problem.points", "30"]),
    "min above max": ("points = 30", "points = { min = 9, max = 3 }",
                      ["job.toml:6", "problem.points", "min is above max"]),
    "unknown source": ("points = 30", 'source = "stars"',
                       ["job.toml:6", "problem.source", "synthetic, pairs, labels"]),
    "unknown kind": ('kind = "lm"', 'kind = "ml"',
                     ["job.toml:10", "solver.kind", '"ml"', "nlopt, eigen-lm, lm, closed-form"]),
    "unknown algorithm": ('kind = "lm"', 'kind = "nlopt"\nalgorithm = "LD_BFGS"',
                          ["job.toml:11", "solver.algorithm", '"LD_BFGS"', "LD_LBFGS"]),
    "two of one name": ('kind = "lm"', 'kind = "lm"\n\n[[solver]]\nname = "LM"\nkind = "lm"',
                        ["job.toml:13", "solver.name", '"LM"', "a name of its own"]),
    "no solver": ('[[solver]]\nname = "LM"\nkind = "lm"', "", ["job.toml", "solver", "missing"]),
    "impossible density": ("points = 30", "points = 8000",
                           ["job.toml:6", "problem.points", "8000", "1024", "at most 6675"]),
    "files without a source of files": ("points = 30", 'files = ["a.csv"]',
                                        ["job.toml:6", "problem.files", "pairs, labels"]),
}


class WrongJob(NucregCase):
    def test_wrong_jobs(self):
        for what, (right, wrong, needles) in WRONG_JOBS.items():
            self.assertEqual(LEAST_JOB.count(right), 1)
            self.write("job.toml", LEAST_JOB.replace(right, wrong))
            for command in ("run", "plan"):
                with self.subTest(what, command=command):
                    self.refused(USAGE, [command, "job.toml"], *needles)

    def test_a_job_in_utf_16(self):
        self.write("job.toml", LEAST_JOB.encode("utf-16"))
        for command in ("run", "plan"):
            self.refused(USAGE, [command, "job.toml"], "job.toml: is UTF-16", "UTF-8")

    def test_missing_job(self):
        self.refused(USAGE, ["run", "none.toml"], "none.toml", "No such file")
        self.refused(USAGE, ["plan", "none.toml"], "none.toml", "No such file")
        self.refused(USAGE, ["run", "."], "directory")
        self.refused(USAGE, ["run", "none.toml"], "share/nucreg/jobs")

    def test_what_is_for_another_command(self):
        self.write("well.toml", '[map]\nten = "ten.csv"\nforty = "forty.csv"\n')
        self.write("job.toml", LEAST_JOB)
        self.write("ten.csv", "file,x_um\na.tif,1\n")
        for command in ("run", "plan"):
            self.refused(USAGE, [command, "well.toml"], "well.toml: is a map file, not a job; "
                         "use: nucreg map well.toml")
            self.refused(USAGE, [command, "ten.csv"], "ten.csv: is a table or sheet, not a job; "
                         "for tiles: nucreg map TEN FORTY")
        self.refused(USAGE, ["map", "job.toml"], "use: nucreg run job.toml")
        self.refused(USAGE, ["map", "a.tif", "b.tif", "c.tif", "d.tif"],
                     "2 arguments more than TEN and FORTY, such as c.tif; put each glob in quotes")
        self.refused(INPUT, ["segment", ".", "--to", "d"],
                     "is a folder; give its images: nucreg segment ./*.tif --to DIR")

    def test_overrides(self):
        self.write("job.toml", LEAST_JOB)
        for assignment, *needles in (
                ("job.trails=2", "job.trails", "did you mean", "trials"),
                ("job.trials=0", "job.trials", "out of range"),
                ("job.trials=two", "job.trials", "wrong type"),
                ("job.trials=[1", "job.trials"),
                ("job.trials", "dotted.key=value"),
                ("=2", "dotted.key=value"),
                ("problem.points=8000", "problem.points", "at most 6675")):
            with self.subTest(assignment):
                self.refused(USAGE, ["run", "job.toml", "--set", assignment],
                             f"--set {assignment}", *needles)

    def test_command_line(self):
        self.write("job.toml", LEAST_JOB)
        every = ", solvers, models, keys, doctor, --help, --version"
        self.assertIn("mpirun nucreg run", self.nucreg().out)
        self.assertEqual(self.nucreg("help", "run").out, self.nucreg("run", "--help").out)
        self.assertEqual(self.nucreg("version").out, self.nucreg("--version").out)
        self.refused(USAGE, ["run", "-n", "4", "job.toml"], "allowed: mpirun -n N nucreg run")
        self.refused(USAGE, ["inspct", "a.h5"], 'command inspct (did you mean "inspect"?)', every)
        self.refused(USAGE, ["mpa"], 'command mpa (did you mean "map"?)')
        self.refused(USAGE, ["--verison"], '(did you mean "--version"?)')
        self.refused(USAGE, ["fly"], "unknown command fly; allowed: run")
        self.refused(USAGE, ["run", "job.toml", "--fast"], "nucreg: run:", "--fast",
                     "allowed: JOB, --set")
        self.refused(USAGE, ["run", "job.toml", "--force=false"],
                     "run: --force takes no value; allowed: the option alone, or to leave it out")
        self.refused(USAGE, ["run", "job.toml", "--forse"], '--forse (did you mean "--force"?)')
        self.refused(USAGE, ["synth", "--to", "b", "--sed=1"], '--sed (did you mean "--seed"?)')
        self.refused(USAGE, ["export", "out.h5", "--to", "d", "--format", "proflies"],
                     'export: --format: "proflies" (did you mean "profiles"?)', "allowed: csv, ")
        self.refused(USAGE, ["plan", "job.toml", "--ranks", "2x"], 'plan: --ranks: "2x"',
                     "a whole number from 1 up to 1048576")
        self.refused(USAGE, ["run"], "run: JOB is missing; usage: nucreg run JOB ...;", "--help")
        self.refused(USAGE, ["match"], "match: TEN is missing; usage: nucreg match TEN FORTY ...;")
        self.refused(USAGE, ["export", "out.h5"],
                     "export: --to is missing; usage: nucreg export OUT --to DIR ...;")
        self.refused(USAGE, ["run", "job.toml", "-o"], "output", "--help")
        self.refused(USAGE, ["plan", "job.toml", "--ranks", "0"], "--ranks")
        self.refused(USAGE, ["export", "out.h5"], "--to")

    def test_all_ranks_leave_with_the_status(self):
        self.write("job.toml", LEAST_JOB.replace("points = 30", "points = 8000"))
        outcome = self.refused(USAGE, ["run", "job.toml"], "job.toml:6", "at most 6675", ranks=2)
        self.assertEqual(outcome.err.count("at most 6675"), 1, outcome)
        self.refused(USAGE, ["run", "none.toml"], "none.toml", ranks=3)
        self.write("job.toml", pairs_job("none.csv"))
        self.refused(INPUT, ["run", "job.toml"], "none.csv", ranks=2)

    def test_ranks_speak_once(self):
        for arguments in ((), ("--help",), ("run", "--help"), ("--version",), ("models",)):
            with self.subTest(arguments):
                alone = self.nucreg(*arguments)
                together = run(self.dir, *arguments, ranks=3)
                self.assertEqual((together.status, together.out), (0, alone.out))
        for arguments in (["run", "--fast"], ["inspct"], ["inspect", "none.h5"]):
            with self.subTest(arguments):
                alone = run(self.dir, *arguments)
                together = run(self.dir, *arguments, ranks=3)
                self.assertEqual(together.status, alone.status, together)
                self.assertEqual(together.err.count(alone.err.strip()), 1, together)

    def test_a_first_rank_that_comes_late_still_speaks(self):
        late = ["sh", "-c", '[ "$OMPI_COMM_WORLD_RANK" != 0 ] || sleep 1; exec "$0" "$@"']
        launcher, line = command_line(["run", "--fast"], 2), command_line(["run", "--fast"])
        outcome = subprocess.run([*launcher[:-len(line)], *late, *line], cwd=self.dir,
                                 env=environment(), capture_output=True, text=True, check=False)
        self.assertEqual(outcome.returncode, USAGE, outcome)
        self.assertIn("--fast", outcome.stderr)

    def test_status_of_a_wrong_line_for_scripts(self):
        status = os.path.join(self.dir, "status")
        run(self.dir, "run", "--fast", ranks=2, NUCREG_STATUS_FILE=status)
        with open(status, encoding="ascii") as file:
            self.assertEqual(file.read(), f"{USAGE}\n")

    def test_status_is_written_to_no_pipe(self):
        pipe = os.path.join(self.dir, "pipe")
        os.mkfifo(pipe)
        outcome = run(self.dir, "run", "--fast", NUCREG_STATUS_FILE=pipe)
        self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))
        self.assertIn(f"NUCREG_STATUS_FILE: {pipe}: exists but is not a regular file", outcome.err)

    def test_a_rank_that_is_no_number(self):
        outcome = run(self.dir, "models", PMIX_RANK="first")
        self.assertIn("affine", outcome.out)


def pairs_job(file):
    return LEAST_JOB.replace("points = 30", f'source = "pairs"\nfiles = ["{file}"]')


def labels_job(file):
    return LEAST_JOB.replace("points = 30", f'source = "labels"\nfiles = ["{file}"]')


class WrongInput(NucregCase):
    def check(self, job, file, content, *needles):
        with self.subTest(needles):
            if content is not None:
                self.write(file, content)
            self.write("job.toml", job(file))
            for command in ("run", "plan"):
                self.refused(INPUT, [command, "job.toml"], file, *needles)

    def test_pairs(self):
        head = "x10,y10,x40,y40\n1,2,3,4\n"
        self.check(pairs_job, "a.csv", head + "1,2,nan,4\n", "a.csv:3", "column 3", "nan", "finite")
        self.check(pairs_job, "a.csv", head + "1,2,3\n", "a.csv:3", "3 cells", "4 cells")
        self.check(pairs_job, "a.csv", head + "1,2,3,4,5\n", "a.csv:3", "5 cells")
        self.check(pairs_job, "a.csv", head + "1,2,x,4\n", "a.csv:3", '"x"')
        self.check(pairs_job, "a.csv", "a,b,c,d\n1,2,3,4\n", "a.csv:1", "x10,y10,x40,y40")
        self.check(pairs_job, "a.csv", "x10,y10,x40,y40\n", "no pairs")
        self.check(pairs_job, "a.csv", "", "empty")
        self.check(pairs_job, "a.npy", b"\x93NUMPY but not really", "a.npy")
        self.check(pairs_job, "none.csv", None, "No such file")
        self.check(pairs_job, ".", None, "directory")

    def test_labels(self):
        photograph = [[(37 * x + 101 * y + x * y) % 250 for x in range(64)] for y in range(64)]
        checks = [[1 + (x + y) % 2 for x in range(16)] for y in range(16)]
        self.check(labels_job, "a.tif", label_tiff(photograph), "label image", "0 = background")
        self.check(labels_job, "a.tif", label_tiff(checks), "background")
        self.check(labels_job, "a.tif", label_tiff([[0] * 16] * 16), "no nuclei")
        self.check(labels_job, "a.tif", "x10,y10,x40,y40\n1,2,3,4\n", "a.tif", "TIFF")
        self.check(labels_job, "a.tif", label_tiff(checks)[:40], "a.tif")
        self.check(labels_job, "a.tif", b"", "a.tif")
        self.check(labels_job, "none.tif", None, "No such file")

    def test_not_a_result(self):
        self.write("job.toml", LEAST_JOB)
        for arguments in (["inspect"], ["inspect", "--json"], ["verify"], ["export", "--to", "d"]):
            with self.subTest(arguments):
                self.refused(INPUT, [*arguments, "job.toml"], "job.toml", "HDF5 file",
                             "allowed: a result of nucreg run or map")
                self.refused(INPUT, [*arguments, "none.h5"], "none.h5")
                self.refused(INPUT, [*arguments, "."], ".")


class WrongOutput(NucregCase):
    def setUp(self):
        super().setUp()
        self.write("job.toml", LEAST_JOB)

    def test_existing_output_stays(self):
        self.write("out.h5", "precious")
        for ranks in (0, 2):
            self.refused(OUTPUT, ["run", "job.toml", "-o", "out.h5"], "out.h5", "exists", "--force",
                         ranks=ranks)
        self.nucreg("run", "job.toml", "-o", "out.h5", "--force")
        self.assertEqual(len(read_group(self.dir / "out.h5", "trials")["trial"]), 1)

    def test_default_output_is_never_overwritten_either(self):
        self.nucreg("run", "job.toml")
        self.refused(OUTPUT, ["run", "job.toml"], "results/least.h5", "exists")
        self.nucreg("run", "job.toml", "--force")

    def test_wrong_job_does_not_touch_the_output(self):
        self.write("out.h5", "precious")
        self.refused(USAGE, ["run", "job.toml", "-o", "out.h5", "--force", "--set", "job.trials=0"],
                     "job.trials")

    def test_journal_of_an_earlier_run(self):
        self.write("out.h5.journal", "hours of work")
        self.refused(OUTPUT, ["run", "job.toml", "-o", "out.h5"], "out.h5.journal", "did not end",
                     "--force")
        self.nucreg("run", "job.toml", "-o", "out.h5", "--force")
        self.assertNotIn("out.h5.journal", self.content())

    def test_output_that_is_no_file(self):
        (self.dir / "folder").mkdir()
        for output in ("folder", "/dev/null"):
            for more in ([], ["--force"]):
                with self.subTest(output, more=more):
                    self.refused(OUTPUT, ["run", "job.toml", "-o", output, *more], output)

    def test_place_that_cannot_be_written(self):
        for output in ("job.toml/out.h5", "job.toml/sub/out.h5", "/proc/out.h5", "x" * 249):
            for ranks in (0, 2):
                with self.subTest(output, ranks=ranks):
                    self.refused(OUTPUT, ["run", "job.toml", "-o", output], output.split("/")[0],
                                 ranks=ranks)

    def test_folder_without_permission(self):
        folder = self.dir / "locked"
        (folder / "out.h5.logs").mkdir(parents=True)  # so that logs alone could be written
        if os.geteuid() == 0:
            if subprocess.run(["chattr", "+i", folder], capture_output=True).returncode:
                self.skipTest("skipped: root writes everywhere and chattr does not work here")
            self.addCleanup(subprocess.run, ["chattr", "-i", folder], check=True)
        else:
            folder.chmod(0o555)
            self.addCleanup(folder.chmod, 0o755)
        for ranks in (0, 2):
            self.refused(OUTPUT, ["run", "job.toml", "-o", "locked/out.h5"], "locked/out.h5",
                         ranks=ranks)

    def test_log_of_another_rank_that_cannot_be_written(self):
        (self.dir / "out.h5.logs" / "rank-0001.log").mkdir(parents=True)
        outcome = run(self.dir, "run", "job.toml", "-o", "out.h5", ranks=2)
        self.assertEqual(outcome.status, OUTPUT, outcome)
        self.assertIn("rank-0001.log", outcome.err)
        # The others may be done before mpirun ends them, and then without that rank.
        if (self.dir / "out.h5").exists():
            self.nucreg("verify", "out.h5")


if __name__ == "__main__":
    unittest.main()
