"""Text that comes from outside is shown as text; streams, limits and disks that refuse are an exit
status and a sentence."""

import os
import resource
import signal
import struct
import subprocess
import unittest

import h5py
import numpy as np

from label_tiff import SPOTS, label_tiff
from made_well import MadeWell
from nucreg_case import (DONE, INPUT, LEAST_JOB, NUCREG, OUTPUT, USAGE, NucregCase,
                         environment, read_group, run)

JOB = LEAST_JOB.replace('name = "least"', 'name = "least"\ntrials = 4')
LONG = JOB.replace("trials = 4", "trials = 200")
# Title of the window, colour, bell, C1 (CSI) and a mark that turns the direction of writing.
ESCAPES = "\x1b]0;title\x07\x1b[31mred\x9b2J\u202egpj"
HARMFUL = ("\x1b", "\x07", "\x9b", "\u202e")
STATUS = """nucreg-status 1
job {job}
part 1/1
resume nucreg run {job}
doing running
counting trial
written_s {now}
elapsed_s 1
trials_per_configuration 1
solves_per_trial 1
done 1
total 2
earlier 0
failed 0
rank {host} 1 idle 0 0 0 0 0 0
end
"""


class Names(NucregCase):
    def shows_no_control(self, outcome):
        for mark in HARMFUL:
            self.assertNotIn(mark, outcome.out + outcome.err, outcome)
        return outcome

    def test_attributes_and_solver_names_of_a_result(self):
        out = self.run_job(JOB)
        self.run_job(JOB, output="other.h5")
        with h5py.File(out, "r+") as file:
            for name in ("job_name", "nucreg_version", "git_revision", "cpu_model", "compiler",
                         "warnings", "created_utc", "status"):
                file.attrs[name] = ESCAPES
            del file["solvers/name"]
            file["solvers/name"] = np.array([ESCAPES.encode()], "S64")
        for command in (("inspect", out), ("verify", out), ("merge", out, "-o", "m.h5"),
                        ("compare", out, "other.h5"), ("compare", "other.h5", out),
                        ("watch", out, "--once"), ("inspect", out, "--json"),
                        ("run", "job.toml", "-o", out, "--resume")):
            with self.subTest(command=command):
                self.shows_no_control(run(self.dir, *command))

    def test_a_name_is_one_line(self):
        out = self.run_job(JOB)
        with h5py.File(out, "r+") as file:
            file.attrs["job_name"] = "x\nverdict\nLM is slower"
        self.assertNotIn("\nLM is slower", self.nucreg("inspect", out).out)

    def test_status_of_a_run(self):
        self.write("out.h5.status", STATUS.format(job=ESCAPES, host=ESCAPES.split()[0], now=1e10))
        self.shows_no_control(run(self.dir, "watch", "out.h5", "--once"))

    def test_files_jobs_and_cells(self):
        key = ESCAPES.encode("unicode_escape").decode()
        job = self.write(f"{ESCAPES}.toml", f'[job]\nname = "a"\n"{key}" = 1\n')
        self.shows_no_control(self.refused(USAGE, ("plan", job)))
        self.shows_no_control(self.refused(USAGE, ("plan", job, "--set", f"a={ESCAPES}")))
        table = self.write("t.csv", f"x,y\n{ESCAPES},2\n")
        self.shows_no_control(self.refused(INPUT, ("match", table, table)))
        self.shows_no_control(self.refused(INPUT, ("image", f"{ESCAPES}.tif")))
        array = b"{'descr': '" + ESCAPES.encode("latin-1", "replace") + b"', }\n"
        npy = self.write("t.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(array)) + array)
        self.shows_no_control(self.refused(INPUT, ("match", npy, npy)))

    def test_a_cell_of_megabytes_is_cut(self):
        table = self.write("t.csv", "x,y\n" + "z" * 5_000_000 + ",2\n")
        self.assertLess(len(self.refused(INPUT, ("match", table, table)).err), 10_000)

    def test_a_formula_is_a_text_in_csv(self):
        formula = "=cmd|' /C calc'!A0"
        self.nucreg("run", self.write("job.toml", JOB.replace('"LM"', f'"{formula}"')), "-o",
                    "out.h5")
        self.nucreg("export", "out.h5", "--to", "csv")
        for table in (self.dir / "csv").iterdir():
            for line in table.read_text().splitlines():
                for cell in line.split(","):
                    self.assertFalse(cell.strip('"').startswith(("=", "@")), line)
        self.assertIn("'" + formula, (self.dir / "csv" / "summary.csv").read_text())

    def test_the_line_of_a_report_is_words_for_a_shell(self):
        out = self.run_job(JOB)
        with h5py.File(out, "r+") as file:
            file.attrs["job_name"] = "x; touch owned #"
        self.nucreg("report", out)
        page = (self.dir / "out.html").read_text()
        self.assertNotIn("nucreg run x; touch", page)

    def test_a_job_leaves_its_folder_by_no_name(self):
        for name in ("../x", "/tmp/x", ".", "..", "a/b", "x" * 300, "\u202ex", "a\\nb"):
            job = self.write("job.toml", JOB.replace('"least"', f'"{name}"', 1))
            self.refused(USAGE, ("run", job), "job.name")


class Keys(NucregCase):
    def test_deep_keys(self):
        for depth in (17, 40_000, 400_000):
            deep = ".".join(["a"] * depth)
            for text in (f"[{deep}]\n", f"{deep} = 1\n", f"[job]\nname = {{ {deep} = 1 }}\n",
                         f"[[{deep}]]\n", f"{deep.replace('.', ' . ')} = 1\n",
                         '"#".' + deep.replace("a", "'a'") + " = 1\n"):
                job = self.write("deep.toml", text)
                for command in ("plan", "run"):
                    self.refused(USAGE, (command, job), "a key has too many names", "up to 16")
        job = self.write("job.toml", JOB)
        self.refused(USAGE, ("plan", job, "--set", "a." * 60_000 + "b=1"), "too many names")
        self.refused(USAGE, ("plan", job, "--set", f"job={{ {'a.' * 9000}b = 1 }}"),
                     "too many names")

    def test_dots_that_are_no_keys(self):
        dots = ".".join("a" * 99)
        for comment in (f"# {dots}", f'x = "{dots}"', f"x = '{dots}'",
                        f'x = """\n"{dots}"\\"""""""', "x = [" + "1.5, " * 99 + "]"):
            outcome = run(self.dir, "plan", self.write("job.toml", JOB + f"\n{comment}\n"))
            self.assertNotIn("too many names", outcome.err, comment)


def closed(*descriptors):
    def close():
        for descriptor in descriptors:
            os.close(descriptor)
    return close


class Streams(NucregCase):
    def start(self, *arguments, prepare=None, **options):
        return subprocess.Popen([NUCREG, *map(str, arguments)], cwd=self.dir, env=environment(),
                                preexec_fn=prepare, stdin=subprocess.DEVNULL, **options)

    def test_closed_streams(self):
        out = self.run_job(JOB)
        image = self.write("spots.tif", SPOTS)
        commands = {"csv": ("export", out, "--to", "csv"), "m.h5": ("merge", out, "-o", "m.h5"),
                    "plane.tif": ("image", image, "--to", "plane.tif"),
                    "seg": ("segment", image, "--to", "seg"),
                    "n.h5": ("run", "job.toml", "-o", "n.h5"),
                    None: ("plan", "job.toml"), "": ("inspect", out)}
        for made, command in commands.items():
            for streams in ((1,), (2,), (1, 2), (0, 1, 2)):
                with self.subTest(command=command, closed=streams):
                    status = self.start(*command, prepare=closed(*streams),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait()
                    self.assertIn(status, (DONE, OUTPUT) if 1 in streams else (DONE,))
                    if made and made.endswith(".h5"):  # nothing that was printed is in it
                        self.nucreg("verify", made)
                    if made:
                        self.assertTrue((self.dir / made).exists())
                        subprocess.run(["rm", "-r", self.dir / made], check=True)
                        for left in ("n.h5.journal", "n.h5.replaced"):
                            (self.dir / left).unlink(missing_ok=True)

    def test_a_reader_that_leaves(self):
        out = self.run_job(JOB)
        for command in (("inspect", out), ("keys",), ("plan", "job.toml")):
            process = self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdout.readline()
            process.stdout.close()
            self.assertIn(process.wait(), (DONE, OUTPUT, -signal.SIGPIPE))
            self.assertNotIn(b"bug", process.stderr.read())
            process.stderr.close()

    def test_full_device(self):
        out = self.run_job(JOB)
        for command in (("inspect", out), ("keys",), ("plan", "job.toml"), ("solvers",)):
            with open("/dev/full", "wb") as full:
                process = self.start(*command, stdout=full, stderr=subprocess.PIPE)
                err = process.communicate()[1]
            self.assertEqual(process.returncode, OUTPUT, err)
            self.assertIn(b"standard output: No space left", err)


class Limits(NucregCase):
    def limited(self, kind, amount, *arguments):
        def limit():
            resource.setrlimit(kind, (amount, amount))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        process = subprocess.Popen([NUCREG, *map(str, arguments)], cwd=self.dir, env=environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=limit)
        out, err = process.communicate()
        return process.returncode, out.decode(), err.decode()

    def test_size_of_files(self):
        self.write("job.toml", LONG)
        for size in (512, 8192, 40_000):
            status, _, err = self.limited(resource.RLIMIT_FSIZE, size, "run", "job.toml", "-o",
                                          "out.h5")
            self.assertEqual(status, OUTPUT, err)
            self.assertIn("File too large", err)
            self.nucreg("run", "job.toml", "-o", "out.h5", "--resume")
            self.nucreg("verify", "out.h5")
            (self.dir / "out.h5").unlink()
        self.nucreg("run", "job.toml", "-o", "out.h5")
        for command in (("export", "out.h5", "--to", "csv"), ("merge", "out.h5", "-o", "m.h5")):
            status, _, err = self.limited(resource.RLIMIT_FSIZE, 2000, *command)
            self.assertEqual(status, OUTPUT, err)

    def test_size_of_files_of_segment(self):
        image = self.write("spots.tif", SPOTS)
        status, _, err = self.limited(resource.RLIMIT_FSIZE, 512, "segment", image, "--to", "seg")
        self.assertEqual(status, OUTPUT, err)
        self.assertIn("File too large", err)

    def test_memory(self):
        self.write("job.toml", LONG)
        image = self.write("spots.tif", SPOTS)
        MadeWell().write(self.dir)
        for command in (("run", "job.toml", "-o", "out.h5", "--force"),
                        ("segment", image, "--to", "seg", "--force"),
                        ("map", "ten.csv", "forty.csv", "-o", "map.h5", "--force")):
            # With less than 80 MiB its libraries are not loaded.
            for mebibytes in (*range(84, 128, 4), 200, 400):
                status, _, err = self.limited(resource.RLIMIT_AS, mebibytes << 20, *command)
                self.assertGreaterEqual(status, 0, f"{mebibytes} MiB: {command} {err}")
                self.assertNotIn("bug:", err)
                if status != DONE:
                    self.assertIn("nucreg: ", err)

    def test_open_files(self):
        self.write("job.toml", JOB)
        for count in (4, 5, 6, 8, 10, 64):
            status, _, err = self.limited(resource.RLIMIT_NOFILE, count, "run", "job.toml", "-o",
                                          "out.h5", "--force")
            self.assertGreaterEqual(status, 0, err)
            if status == DONE:
                self.nucreg("verify", "out.h5")
        self.assertEqual(status, DONE, err)

    def test_a_plane_that_cannot_be_shown_is_refused_before_the_work(self):
        side, bytes_ = 32768, 32768 * 32768
        small = label_tiff([[1, 2]], bits=8)
        directory = small[10:]
        for tag, value in ((256, side), (257, side), (278, side), (279, bytes_)):
            at = directory.find(struct.pack("<HHI", tag, 4, 1)) + 8
            directory = directory[:at] + struct.pack("<I", value) + directory[at + 4:]
        image = self.dir / "huge.tif"
        with image.open("wb") as file:  # of holes
            file.write(small[:4] + struct.pack("<I", 8 + bytes_))
            file.seek(8 + bytes_)
            file.write(directory)
        outcome = run(self.dir, "segment", image, "--to", "seg")
        self.assertEqual(outcome.status, INPUT, outcome)
        self.assertIn("has 32768 x 32768 pixels; allowed: planes of up to", outcome.err)


class Surroundings(NucregCase):
    def test_places_and_surroundings_change_nothing(self):
        """Names with blanks, other letters, 200 of them; no HOME, no TMPDIR; another language."""
        whole = self.run_job(JOB, output="whole.h5")
        number = repr(float(read_group(whole, "trials")["arrival_px"][0]))
        for name in ("two words/o u t.h5", "\u00fc\u4e2d\u6587/\u00fc.h5", "x" * 200 + ".h5"):
            with self.subTest(name=name):
                self.run_job(JOB, output=name)
                self.assert_same_results(whole, self.dir / name)
                self.nucreg("export", name, "--to", name + " csv")
                self.assertIn(number, (self.dir / (name + " csv") / "trials.csv").read_text())
        for number, variables in enumerate(({"HOME": "/nowhere", "TMPDIR": "/nowhere"},
                                            {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
                                            {"TZ": "Asia/Kathmandu", "COLUMNS": "1"})):
            with self.subTest(variables=variables):
                self.run_job(JOB, output=f"{number}.h5", **variables)
                self.assert_same_results(whole, self.dir / f"{number}.h5")

    def test_files_for_nobody_else(self):
        """umask 077: what is made is for its user alone, and the same."""
        whole = self.run_job(JOB, output="whole.h5")
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        self.run_job(JOB)
        self.assertEqual((self.dir / "out.h5").stat().st_mode & 0o777, 0o600)
        self.assert_same_results(whole, self.dir / "out.h5")

    def test_two_runs_that_share_a_folder(self):
        """Of one output one run wins and the other says so; two outputs do not touch each other."""
        whole = self.run_job(LONG, output="whole.h5")
        for outputs in (("out.h5", "out.h5"), ("a.h5", "b.h5")):
            with self.subTest(outputs=outputs):
                runs = [subprocess.Popen([NUCREG, "run", "job.toml", "-o", output], cwd=self.dir,
                                         env=environment(), stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                        for output in outputs]
                said = [process.communicate()[1].decode() for process in runs]
                status = sorted(process.returncode for process in runs)
                self.assertEqual(
                    status, [DONE, OUTPUT if outputs[0] == outputs[1] else DONE], said)
                for output in set(outputs):
                    self.assert_same_results(whole, self.dir / output)


class SharedFolders(NucregCase):
    def test_a_link_in_place_of_an_own_file_is_not_followed(self):
        victim = self.write("victim", "precious")
        self.write("job.toml", JOB)
        (self.dir / "out.h5.logs").mkdir()
        for name in ("out.h5.logs/rank-0000.log", "out.h5.status", "out.h5.journal"):
            os.symlink(victim, self.dir / name)
            run(self.dir, "run", "job.toml", "-o", "out.h5", "--force")
            self.assertEqual(victim.read_text(), "precious", name)
            (self.dir / name).unlink(missing_ok=True)

    def test_an_output_that_is_a_link(self):
        """--force replaces the link and leaves what it led to; one that leads nowhere is refused
        before the work."""
        image = self.write("spots.tif", SPOTS)
        self.write("job.toml", JOB)
        self.nucreg("run", "job.toml", "-o", "whole.h5")
        commands = {"out.h5": ("run", "job.toml", "-o", "out.h5"),
                    "merged.h5": ("merge", "whole.h5", "-o", "merged.h5"),
                    "plane.tif": ("image", image, "--to", "plane.tif")}
        for name, command in commands.items():
            with self.subTest(command=command):
                output = self.dir / name
                output.symlink_to("nowhere/target")
                before = sorted(self.dir.iterdir())
                for force in ((), ("--force",)):
                    self.refused(OUTPUT, (*command, *force),
                                 f"{name}: is a link that leads nowhere")
                self.assertEqual(sorted(self.dir.iterdir()), before)
                output.unlink()
                target = self.write("target", "precious")
                output.symlink_to(target)
                self.refused(OUTPUT, command, "already exists")
                self.nucreg(*command, "--force")
                self.assertFalse(output.is_symlink())
                self.assertEqual(target.read_text(), "precious")

    def test_pipes_in_place_of_files_are_not_waited_for(self):
        self.write("job.toml", JOB)
        for name in ("out.h5.journal", "out.h5.status", "pipe.toml", "pipe.csv"):
            os.mkfifo(self.dir / name)
        for command in (("run", "job.toml", "-o", "out.h5", "--resume"), ("plan", "pipe.toml"),
                        ("watch", "out.h5", "--once"), ("match", "pipe.csv", "pipe.csv")):
            outcome = run(self.dir, *command)
            self.assertIn(outcome.status, (USAGE, INPUT, OUTPUT), outcome)
            self.assertIn("is not a regular file", outcome.err)


if __name__ == "__main__":
    unittest.main()
