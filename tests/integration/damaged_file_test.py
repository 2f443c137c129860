"""Result files that are damaged, claim what they do not hold, or lead to other files: each command
refuses them with a sentence, none crashes, waits without end or reads anything else."""

import fcntl
import os
import random
import shutil
import signal
import unittest

import h5py
import numpy as np

from interrupted import children, finish, listening, start, wait_for
from nucreg_case import DONE, INPUT, LEAST_JOB, OUTPUT, STOPPED, NucregCase, run

JOB = LEAST_JOB.replace('name = "least"', 'name = "least"\ntrials = 4')
READERS = (("inspect", "out.h5"), ("inspect", "out.h5", "--json"), ("verify", "out.h5"),
           ("export", "out.h5", "--to", "csv"), ("merge", "out.h5", "-o", "merged.h5"),
           ("compare", "out.h5", "whole.h5"), ("compare", "whole.h5", "out.h5"),
           ("pairs", "out.h5", "--to", "pairs.csv"), ("watch", "out.h5", "--once"))
RESUME = ("run", "job.toml", "-o", "out.h5", "--resume")


def replace(name, make):
    """A change of a file: the column `name` gives way to what make(group, its name, its type)
    makes."""
    def change(file):
        group, _, column = name.rpartition("/")
        kind = file[name].id.get_type()
        del file[name]
        make(file[group], column, kind)
    return change


def chunked(rows):
    def make(group, name, kind):
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((1024,))
        h5py.h5d.create(group.id, name.encode(), kind, h5py.h5s.create_simple((rows,)), plan)
    return make


def contiguous(rows):
    def make(group, name, kind):
        h5py.h5d.create(group.id, name.encode(), kind, h5py.h5s.create_simple((rows,)))
    return make


def external(file):
    def make(group, name, kind):
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_external(str(file).encode(), 0, h5py.h5f.UNLIMITED)
        h5py.h5d.create(group.id, name.encode(), kind, h5py.h5s.create_simple((1,)), plan)
    return make


def virtual(file):
    def make(group, name, kind):
        layout = h5py.VirtualLayout(shape=(1,), dtype=kind.dtype)
        layout[:] = h5py.VirtualSource(str(file), "solvers/name", shape=(1,))
        group.create_virtual_dataset(name, layout)
    return make


def linked(link):
    def make(group, name, _):
        group[name] = link
    return make


def filtered(number):
    """A filter that h5py brings with it and nucreg does not."""
    def make(group, name, _):
        group.create_dataset(name, data=np.zeros(1, "S2"), chunks=(1,), compression=number)
    return make


def circle(file):
    file["solvers/again"] = file["/"]


class DamagedFile(NucregCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.maker = cls.made_once()
        cls.whole = cls.maker.run_job(JOB, output="whole.h5").read_bytes()

    def setUp(self):
        super().setUp()
        self.write("job.toml", JOB)
        self.write("whole.h5", self.whole)

    def changed(self, change):
        self.write("out.h5", self.whole)
        with h5py.File(self.dir / "out.h5", "r+") as file:
            change(file)

    def refused_by_all(self, needle):
        """The needle, but of commands that look at attributes alone."""
        before = self.content()
        for command in (*READERS, RESUME):
            with self.subTest(command=command):
                outcome = run(self.dir, *command)
                self.assertEqual(outcome.status, OUTPUT if command == RESUME else INPUT, outcome)
                self.assertIn(needle, outcome.err, outcome)
                self.assertNotIn("bug", outcome.err, outcome)
        self.assertEqual(before, self.content(), "something was written")

    def test_values_that_are_stored_nowhere(self):
        for table, column in (("solvers", "name"), ("summary", "solves"),
                              ("configurations", "points"), ("ranks", "rank")):
            with self.subTest(table=table), h5py.File(self.dir / "whole.h5") as file:
                column = column if column in file[table] else list(file[table])[0]
            for make in (chunked(2**40), contiguous(2**40), chunked(10**9)):
                self.changed(replace(f"{table}/{column}", make))
                self.refused_by_all(f"/{table}/{column}: storage: claims")

    def test_a_job_that_is_none_is_damage(self):
        def change(file):
            file.attrs["job_toml"] = "[job]\nnonsense = 1\n"
        self.changed(change)
        for command in (("pairs", "out.h5", "--to", "pairs.csv"),
                        ("compare", "out.h5", "out.h5"), ("merge", "out.h5", "-o", "merged.h5"),
                        ("recommend", "out.h5")):
            self.refused(INPUT, command, "out.h5", "job_toml", "job.name")

    def test_bytes_that_are_others(self):
        def change(file):
            file.attrs["cpu_model"] = "another"
        commands = (("inspect", "out.h5"), ("inspect", "out.h5", "--json"), ("recommend", "out.h5"),
                    ("watch", "out.h5"), ("export", "out.h5", "--to", "csv", "--force"),
                    ("pairs", "out.h5", "--to", "pairs.csv", "--force"))
        for sound, change in ((True, lambda file: None), (False, change)):
            self.changed(change)
            if sound:
                self.write("out.h5", self.whole)
            for command in commands:
                outcome = run(self.dir, *command)
                self.assertEqual(outcome.status, DONE, outcome)
                warning = ("" if sound else "nucreg: warning: out.h5: the checksum does not hold: "
                           "nucreg verify out.h5 says what\n")
                self.assertEqual(outcome.err, warning, outcome)

    def test_rows_that_cannot_be_recommend_nothing(self):
        def change(file):
            file["trials/rmsd_px"][0] = -1.0
        self.changed(change)
        self.refused(INPUT, ["recommend", "out.h5"], "out.h5: is not sound", "rmsd_px")

    def test_trials_that_are_stored_nowhere(self):
        def change(file):
            for column in list(file["trials"]):
                replace(f"trials/{column}", chunked(2**40))(file)
        self.changed(change)
        self.refused_by_all("storage: claims")

    def test_nothing_leads_out_of_the_file(self):
        secret = self.write("secret", "s3cret--" * 8)
        other = self.dir / "whole.h5"
        for make, needle in ((external(secret), "has its values in another file"),
                             (virtual(other), "is a virtual dataset"),
                             (linked(h5py.ExternalLink(str(other), "/solvers/name")), "is a link"),
                             (linked(h5py.ExternalLink(str(secret), "/x")), "is a link"),
                             (linked(h5py.SoftLink("/solvers/kind")), "is a link"),
                             (linked(h5py.SoftLink("/nowhere")), "is a link"),
                             (filtered("lzf"), "is packed by filter 32000")):
            self.changed(replace("solvers/name", make))
            self.refused_by_all(needle)
        self.changed(circle)
        self.refused_by_all("too deep in each other")

    def test_a_pipe_behind_a_link_is_not_waited_for(self):
        os.mkfifo(self.dir / "pipe")
        self.changed(replace("solvers/name",
                             linked(h5py.ExternalLink(str(self.dir / "pipe"), "/x"))))
        self.refused_by_all("is a link")
        (self.dir / "out.h5").unlink()
        os.mkfifo(self.dir / "out.h5")
        for command in READERS[:-1]:
            self.refused(INPUT, command, "is not a regular file")

    def test_attributes_of_other_types(self):
        for name in ("warnings", "status", "job_name", "inputs", "job_toml", "mpi_ranks", "part"):
            for value in (7, np.arange(3)):
                self.changed(lambda file, n=name, v=value: file.attrs.__setitem__(n, v))
                for command in (*READERS, RESUME):
                    with self.subTest(name=name, value=value, command=command):
                        outcome = run(self.dir, *command)
                        self.assertNotIn("bug", outcome.err, outcome)
                        self.assertIn(outcome.status, range(7), outcome)
                shutil.rmtree(self.dir / "csv", ignore_errors=True)
                for made in ("merged.h5", "pairs.csv"):
                    (self.dir / made).unlink(missing_ok=True)

    def test_resume_of_a_damaged_result(self):
        at = self.whole.find(b"FHDB")
        self.assertGreater(at, 0)
        for distance in range(16, 120, 20):
            damaged = bytearray(self.whole)
            damaged[at + distance:at + distance + 8] = bytes(8)
            self.write("out.h5", bytes(damaged))
            for ranks in (0, 2):
                outcome = run(self.dir, *RESUME, ranks=ranks)
                self.assertIn(outcome.status, (DONE, INPUT, OUTPUT), outcome)
                self.assertNotIn("bug", outcome.err, outcome)

    def write_endless(self):
        """The first object of a heap gets the length 0: the library looks for the next for ever."""
        damaged = bytearray(self.whole)
        heap = damaged.find(b"GCOL")
        while heap >= 0:
            damaged[heap + 16:heap + 32] = bytes(16)
            heap = damaged.find(b"GCOL", heap + 1)
        self.write("out.h5", bytes(damaged))

    def test_a_run_that_is_stopped_while_it_reads_prints_how_to_continue(self):
        self.write_endless()
        process = start(self.dir, *RESUME)
        self.addCleanup(process.kill)
        wait_for(lambda: listening(process, 0, signal.SIGTERM) and children(process), "the reader")
        process.send_signal(signal.SIGTERM)
        status, _, err = finish(process)
        self.assertEqual(status, STOPPED, err)
        self.assertRegex(err, "to continue: .*run job.toml -o out.h5 --resume\n")

    def test_a_heap_that_is_walked_without_end(self):
        self.write_endless()
        for command in (("inspect", "out.h5"), ("watch", "out.h5", "--once"), RESUME):
            with self.subTest(command=command):
                outcome = run(self.dir, *command, NUCREG_READ_SECONDS="1")
                self.assertEqual(outcome.status, OUTPUT if command == RESUME else INPUT, outcome)
                self.assertIn("reading it did not end in 1 s of processor time", outcome.err)

    def test_verify_finds_any_flipped_bit(self):
        bits = random.Random(15)
        step = len(self.whole) // 150
        for at in range(step // 2, len(self.whole), step):
            damaged = bytearray(self.whole)
            damaged[at] ^= 1 << bits.randrange(8)
            self.write("out.h5", bytes(damaged))
            outcome = run(self.dir, "verify", "out.h5", NUCREG_READ_SECONDS="1")
            self.assertEqual(outcome.status, INPUT, f"byte {at}: {outcome}")

    def test_a_locked_file_is_refused_with_what_to_do(self):
        self.write("out.h5", self.whole)
        with open(self.dir / "out.h5", "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            for command in READERS:
                with self.subTest(command=command):
                    outcome = run(self.dir, *command)
                    self.assertEqual(outcome.status, INPUT, outcome)
                    self.assertIn("is locked by another program; allowed: wait", outcome.err)

    def test_a_file_without_a_checksum_is_as_sound_as_before(self):
        def change(file):
            del file["checksum"]
            del file.attrs["checksum"]
        self.changed(change)
        self.nucreg("verify", "out.h5")


if __name__ == "__main__":
    unittest.main()
