#!/usr/bin/python3
"""What nucreg writes, read by h5py and h5dump; what h5py damages, refused by nucreg.

usage: second_reader.py RESULT_TOOL
"""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

TOOL = None
ROWS = 1000
STATUS = {"converged": 0, "max_evaluations": 1, "max_time": 2, "stalled": 3, "failed": 4,
          "not_applicable": 5}
COLUMNS = {  # name: (type in the file, units)
    "configuration": ("<u4", "1"), "trial": ("<u4", "1"), "solver": ("<u4", "1"),
    "rank": ("<i4", "1"), "status": ("int8", "1"), "rmsd_px": ("<f8", "px"),
    "param_error": ("<f8", "mixed"), "tre_px": ("<f8", "px"), "objective": ("<f8", "px^2"),
    "gap": ("<f8", "1"), "wall_s": ("<f8", "s"), "cpu_s": ("<f8", "s"), "repeats": ("<i8", "1"),
    "peak_bytes": ("<i8", "B"), "iterations": ("<i8", "1"), "function_evaluations": ("<i8", "1"),
    "jacobian_evaluations": ("<i8", "1"), "timing_valid": ("bool", "1"), "pairs": ("<i8", "1"),
    "bounds": ("int8", "1"), "heldout_rmsd_px": ("<f8", "px"), "stationarity": ("<f8", "1"),
    "loss_scale_px": ("<f8", "px"), "native_code": ("<i4", "1"),
    "arrived": ("<i4", "1"), "arrival_px": ("<f8", "px"), "message": ("S200", "1"),
    "params": ("<f8", "mixed"), "true_params": ("<f8", "mixed"),
}


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="nucreg-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = self.folder / "r.h5"
        self.write(ROWS)

    def write(self, rows):
        subprocess.run([TOOL, "write", str(self.file), str(rows)], check=True)

    def read(self):
        done = subprocess.run([TOOL, "read", str(self.file)], capture_output=True, text=True)
        self.assertEqual(done.stderr, "", "the HDF5 library must not print")
        return done.returncode, done.stdout


class Reading(Case):
    def test_trials(self):
        i = np.arange(ROWS)
        x = i.astype(float)
        params = x[:, None] + 0.125 * np.arange(6)
        want = {
            "configuration": i // 6, "trial": i // 2 % 3, "solver": i % 2, "rank": i % 5,
            "status": i % 6, "rmsd_px": 0.1 * x, "param_error": 0.3 * x,
            "tre_px": np.where(i % 3 == 0, np.nan, 0.2 * x), "objective": x * x,
            "gap": np.where(i % 5 == 0, np.inf, 1e-300 * x), "wall_s": 1e-6 * x,
            "cpu_s": 2e-6 * x, "repeats": 1 + i % 7, "peak_bytes": 2**40 + i,
            "iterations": np.where(i % 4 == 0, -1, i), "function_evaluations": 2 * i,
            "jacobian_evaluations": 3 * i, "timing_valid": i % 2 == 0, "pairs": 100 + i,
            "bounds": i % 3, "heldout_rmsd_px": np.where(i % 4 == 1, np.nan, 0.4 * x),
            "native_code": -(i % 3),
            "arrived": i % 2, "arrival_px": np.where(i % 7 == 0, np.nan, 0.5 * x),
            "stationarity": 1e-9 * x, "loss_scale_px": 3.0 + 0 * x,
            "message": [f"Müller {k}".encode() if k % 250 == 7 else b"" for k in i],
            "params": params, "true_params": -params,
        }
        with h5py.File(self.file) as f:
            self.assertEqual(list(f["trials"]), list(COLUMNS))
            for name, (kind, units) in COLUMNS.items():
                column = f["trials"][name]
                self.assertEqual(column.dtype, np.dtype(kind), name)
                self.assertEqual(column.attrs["units"], units, name)
                self.assertEqual(column.compression, "gzip", name)
                self.assertTrue(column.shuffle, name)
                self.assertLessEqual(column.chunks[0], ROWS, name)
                np.testing.assert_array_equal(column[()], want[name], name)
            self.assertEqual(h5py.check_enum_dtype(f["trials/status"].dtype), STATUS)
            self.assertEqual(h5py.check_enum_dtype(f["trials/bounds"].dtype),
                             {"none": 0, "honoured": 1, "ignored": 2})

    def test_tables(self):
        with h5py.File(self.file) as f:
            table = f["configurations"]
            np.testing.assert_array_equal(table["zeta"][()], [1.5, np.nan, 0.0])
            self.assertEqual(table["zeta"].attrs["units"], "px")
            self.assertEqual(table["count"][()].tolist(), [1, -2, 2**60])
            self.assertEqual(table["count"].dtype, np.int64)
            self.assertEqual(h5py.check_string_dtype(table["name"].dtype).encoding, "utf-8")
            self.assertEqual(table["name"].asstr()[()].tolist(), ["L-BFGS", "", "Müller µ"])
            self.assertEqual(table["flag"].dtype, np.bool_)
            self.assertEqual(table["flag"][()].tolist(), [True, False, True])
            for name, column in f["rank_samples"].items():
                self.assertEqual(column.shape, (0,), name)
                self.assertEqual(len(column[()]), 0, name)

    def test_attributes(self):
        with h5py.File(self.file) as f:
            self.assertEqual(f.attrs["format"], "nucreg")
            self.assertEqual(f.attrs["format_version"], 1)
            self.assertEqual(f.attrs["job_name"], "müller")
            self.assertEqual(f.attrs["job_toml"], "x" * 200 * 1024 + "end")
            self.assertEqual(f.attrs["empty"], "")
            self.assertEqual(f.attrs["seed"], 42)
            self.assertEqual(f.attrs["ratio"], 0.1)

    def test_messages(self):
        with h5py.File(self.file) as f:
            column = f["trials/message"]
            self.assertEqual(h5py.check_string_dtype(column.dtype).encoding, "utf-8")
            self.assertEqual(column.asstr()[7], "Müller 7")
            self.assertEqual(column.asstr()[8], "")

    def test_empty_messages_take_no_place(self):
        self.write(7)  # the first rows have none
        with h5py.File(self.file) as f:
            column = f["trials/message"]
            self.assertEqual(column.id.get_storage_size(), 0)
            self.assertEqual(column[()].tolist(), [b""] * 7)

    def test_chunks_are_bounded(self):
        self.write(100000)
        with h5py.File(self.file) as f:
            self.assertEqual(f["trials/params"].shape, (100000, 6))
            self.assertEqual(f["trials/params"].chunks, (16384, 6))
            np.testing.assert_array_equal(f["trials/pairs"][()], 100 + np.arange(100000))

    def test_no_rows(self):
        self.write(0)
        with h5py.File(self.file) as f:
            for name in COLUMNS:
                self.assertEqual(f["trials"][name].shape[0], 0, name)
            self.assertEqual(f["trials/params"].shape, (0, 6))
        self.assertEqual(self.read()[0], 0)

    def test_h5dump_opens_it(self):
        for rows in (0, 1, ROWS):
            self.write(rows)
            done = subprocess.run(["h5dump", str(self.file)], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('"max_evaluations"', done.stdout)


class Refusing(Case):
    """Each damage, and words that the message must hold."""

    def refused(self, *words):
        status, text = self.read()
        self.assertEqual(status, 3, text)
        for word in (str(self.file), *words):
            self.assertIn(word, text)

    def test_sound(self):
        status, text = self.read()
        self.assertEqual(status, 0, text)
        self.assertIn(f"{ROWS} rows\npairs 1099 bounds none code 0\n", text)
        self.assertIn("zeta px 0\ncount 1 1\nname 1 2\nflag 1 3\n", text)

    def test_other_hdf5(self):
        with h5py.File(self.file, "w") as f:
            f["x"] = 1
        self.refused("no result of nucreg")

    def test_other_format(self):
        with h5py.File(self.file, "a") as f:
            f.attrs["format"] = "hdfview"
        self.refused("no result of nucreg")

    def test_newer_version(self):
        with h5py.File(self.file, "a") as f:
            f.attrs["format_version"] = 2
        self.refused("format version 2", "1 to 1")

    def test_version_is_text(self):
        with h5py.File(self.file, "a") as f:
            f.attrs["format_version"] = "1"
        self.refused("no result of nucreg")

    def test_fixed_length_strings(self):
        with h5py.File(self.file, "a") as f:
            f.attrs["format"] = np.array("nucreg", dtype=h5py.string_dtype("utf-8", 10))
            del f["configurations/name"]
            f["configurations/name"] = ["a", "bc", ""]
            f.attrs["history"] = [1, 2, 3]
        status, text = self.read()
        self.assertEqual(status, 0, text)
        self.assertIn("name  2", text)

    def test_missing_columns(self):
        with h5py.File(self.file, "a") as f:
            del f["trials/gap"], f["trials/wall_s"]
        self.refused("/trials", "missing: gap, wall_s")

    def test_columns_beyond_the_contract_have_defaults(self):
        with h5py.File(self.file, "a") as f:
            del f["trials/pairs"], f["trials/bounds"], f["trials/native_code"], f["trials/message"]
        status, text = self.read()
        self.assertEqual(status, 0, text)
        self.assertIn("pairs 0 bounds none code 0", text)

    def test_no_trials(self):
        with h5py.File(self.file, "a") as f:
            del f["trials"]
        self.refused("/trials", "missing")

    def test_unequal_columns(self):
        self.replace("trials/gap", lambda values: values[:-1])
        self.refused("/trials/gap", "999", "1000")

    def test_unequal_table(self):
        with h5py.File(self.file, "a") as f:
            f["configurations/more"] = [1.0, 2.0]
        self.refused("/configurations/more", "has 2 rows")

    def test_wrong_type(self):
        self.replace("trials/gap", lambda values: values.astype("f4"))
        self.refused("/trials/gap", "type")

    def test_message_of_variable_length(self):
        self.replace("trials/message", lambda values: values.astype(object).astype(
            h5py.string_dtype()))
        self.refused("/trials/message", "type")

    def test_wrong_enum(self):
        members = dict(STATUS, failed=3, stalled=4)
        kind = h5py.enum_dtype(members, basetype="i1")
        self.replace("trials/status", lambda values: values.astype(kind))
        self.refused("/trials/status", "type")

    def test_too_many_parameters(self):
        for name in ("trials/params", "trials/true_params"):
            self.replace(name, lambda values: np.zeros((ROWS, 9)))
        self.refused("/trials/params", "9 parameters", "1 to 8")

    def test_unequal_parameters(self):
        self.replace("trials/true_params", lambda values: values[:, :5])
        self.refused("/trials/true_params", "5 parameters")

    def test_column_is_a_group(self):
        with h5py.File(self.file, "a") as f:
            del f["trials/gap"]
            f.create_group("trials/gap")
        self.refused("/trials/gap")

    def test_wrong_shape(self):
        self.replace("trials/gap", lambda values: values[:, None])
        self.refused("/trials/gap", "two dimensions")

    def test_illegal_status(self):
        with h5py.File(self.file, "a") as f:
            f["trials/status"][17] = 6
        self.refused("/trials/status", "row 17 holds 6", "0 to 5")

    def test_illegal_truth(self):
        with h5py.File(self.file, "a") as f:
            column = f["trials/timing_valid"]
            column.id.write(h5py.h5s.ALL, h5py.h5s.ALL, np.full(ROWS, -1, "i1"),
                            mtype=column.id.get_type())
        self.refused("/trials/timing_valid", "row 0 holds -1")

    def test_foreign_enum_in_table(self):
        with h5py.File(self.file, "a") as f:
            kind = h5py.enum_dtype({"a": 0, "b": 1}, basetype="i1")
            f["configurations"].create_dataset("odd", data=[0, 1, 0], dtype=kind)
        self.refused("/configurations/odd", "FALSE and TRUE")

    def test_damaged_chunk(self):
        with h5py.File(self.file) as f:
            where = f["trials/rmsd_px"].id.get_chunk_info(0)
        data = bytearray(self.file.read_bytes())
        for offset in range(where.byte_offset + 10, where.byte_offset + where.size, 7):
            data[offset] ^= 0x55
        self.file.write_bytes(data)
        self.refused("/trials/rmsd_px", "H5Dread")

    def replace(self, name, change):
        with h5py.File(self.file, "a") as f:
            values = change(f[name][()])
            units = f[name].attrs["units"]
            del f[name]
            f.create_dataset(name, data=values, dtype=values.dtype)
            f[name].attrs["units"] = units


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
