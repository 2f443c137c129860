#!/usr/bin/env python3
"""Proves on made-up trees that each rule of layering.py can fail, and that it can pass."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import layering

GOOD = {
    "include/nucreg/core/text.hpp": "#pragma once\n#include <fmt/format.h>\n#include <string>\n",
    "include/nucreg/fit/points.hpp": "#pragma once\n#include <Eigen/Core>\n"
    '#include "nucreg/core/text.hpp"\n',
    "src/core/text.cpp": '#include "nucreg/core/text.hpp"\n#include <sys/types.h>\n'
    '#include "nucreg_build_facts.hpp"\n',
    "src/core/CMakeLists.txt": "nucreg_room(core SOURCES text.cpp PRIVATE fmt::fmt)\n",
    "src/fit/points.cpp": '#include "nucreg/fit/points.hpp"\n#include "inner/kernel.hpp"\n',
    "src/fit/inner/kernel.hpp": "#pragma once\n// #include <mpi.h>\n/* \n#include <hdf5.h>\n*/\n",
    "src/fit/CMakeLists.txt": "nucreg_room(fit SOURCES points.cpp USES core\n"
    "  PRIVATE Eigen3::Eigen)\n",
    "src/run/work.cpp": "#include <mpi.h>\n// " + 97 * "x" + "\n",
    "tests/README.md": "| run: work | mpi/work_test.cpp |\n",
    "tests/mpi/work_test.cpp": "",
    "tests/unit/core/text_test.cpp": "",
    "tests/integration/points_test.py": "",
    "tests/made/table": 101 * "1" + "\n",
    "src/run/CMakeLists.txt": "nucreg_room(run SOURCES work.cpp USES core PRIVATE MPI::MPI_C)\n"
    "target_link_libraries(program PRIVATE nucreg_run)\n",
}

# What is changed in the good tree, and a part of the one violation that must follow.
BAD = {
    "room to the right": (
        {"src/core/text.cpp": '#include "nucreg/fit/points.hpp"\n'},
        "core includes nucreg/fit/points.hpp, which is to its right",
    ),
    "header to the right, from a public header": (
        {"include/nucreg/core/text.hpp": '#pragma once\n\n  #  include "nucreg/fit/points.hpp"\n'},
        "include/nucreg/core/text.hpp:3: core includes nucreg/fit/points.hpp, which is to its",
    ),
    "angle brackets do not hide it": (
        {"src/core/text.cpp": "#include <nucreg/fit/points.hpp>\n"},
        "which is to its right",
    ),
    "angle brackets for our own": (
        {"src/fit/points.cpp": "#include <nucreg/core/text.hpp>\n"},
        'write "nucreg/core/text.hpp"',
    ),
    "no such header": (
        {"src/fit/points.cpp": '#include "nucreg/core/gone.hpp"\n'},
        "which does not exist",
    ),
    "no such room in an include": (
        {"src/fit/points.cpp": '#include "nucreg/attic/old.hpp"\n'},
        "attic is not a room",
    ),
    "no such room on disk": (
        {"src/attic/old.cpp": "#include <vector>\n", "tests/unit/attic/old_test.cpp": ""},
        "attic is not a room",
    ),
    "private header of another room": (
        {"src/run/work.cpp": '#include "../fit/inner/kernel.hpp"\n'},
        "which is not in src/run",
    ),
    "private header from a public one": (
        {"include/nucreg/fit/points.hpp": '#pragma once\n#include "inner/kernel.hpp"\n'},
        "which is not public",
    ),
    "MPI outside run": (
        {"src/fit/points.cpp": "#include <mpi.h>\n"},
        "fit includes <mpi.h>; only for run",
    ),
    "HDF5 outside store": ({"src/run/work.cpp": "#include <hdf5.h>\n"}, "only for store"),
    "NLopt outside solve": ({"src/fit/points.cpp": "#include <nlopt.hpp>\n"}, "only for solve"),
    "toml++ outside job": ({"src/fit/points.cpp": "#include <toml++/toml.h>\n"}, "only for job"),
    "TIFF outside image": ({"src/fit/points.cpp": "#include <tiffio.h>\n"}, "only for image"),
    "CLI11 outside app": ({"src/fit/points.cpp": "#include <CLI/CLI.hpp>\n"}, "only for app"),
    "spdlog outside core": (
        {"src/fit/points.cpp": "#include <spdlog/spdlog.h>\n"},
        "only for core",
    ),
    "Random123 outside core": (
        {"src/fit/points.cpp": "#include <Random123/philox.h>\n"},
        "only for core",
    ),
    "Boost outside core and stats": (
        {"src/fit/points.cpp": "#include <boost/math/distributions/normal.hpp>\n"},
        "only for core stats",
    ),
    "JSON outside solve and report": (
        {"src/fit/points.cpp": "#include <nlohmann/json.hpp>\n"},
        "only for solve report",
    ),
    "OpenCV outside nuclei": (
        {"src/fit/points.cpp": "#include <opencv2/core.hpp>\n"},
        "only for nuclei",
    ),
    "Eigen left of fit": ({"src/core/text.cpp": "#include <Eigen/Dense>\n"}, "only for fit"),
    "third party in a public header": (
        {"include/nucreg/run/work.hpp": "#pragma once\n#include <mpi.h>\n"},
        "public header shows <mpi.h>",
    ),
    "third party without an owner": (
        {"src/fit/points.cpp": "#include <armadillo.h>\n"},
        "belongs to no room",
    ),
    "include by macro": (
        {"src/fit/points.cpp": "#include FIT_HEADER\n"},
        "belongs to no room",
    ),
    "USES to the right": (
        {"src/core/CMakeLists.txt": "nucreg_room(core SOURCES text.cpp USES fit)\n"},
        "core USES fit, which is not to its left",
    ),
    "USES itself": (
        {"src/fit/CMakeLists.txt": "nucreg_room(fit SOURCES points.cpp USES core fit)\n"},
        "fit USES fit",
    ),
    "USES what is no room": (
        {"src/fit/CMakeLists.txt": "nucreg_room(fit SOURCES points.cpp USES core attic)\n"},
        "USES attic, which is not a room",
    ),
    "link to the right past USES": (
        {
            "src/core/CMakeLists.txt": "nucreg_room(core SOURCES text.cpp)\n"
            "target_link_libraries(nucreg_core PUBLIC nucreg_run)\n"
        },
        "core USES run",
    ),
    "include without USES": (
        {"src/fit/CMakeLists.txt": "nucreg_room(fit SOURCES points.cpp)  # USES core\n"},
        "fit includes headers of core but does not USE it",
    ),
    "third-party target in the wrong room": (
        {"src/fit/CMakeLists.txt": GOOD["src/fit/CMakeLists.txt"].replace("Eigen3::Eigen",
                                                                          "MPI::MPI_C")},
        "fit links MPI::MPI_C",
    ),
    "long line of C++": (
        {"src/core/text.cpp": "// " + 98 * "x" + "\n"},
        "src/core/text.cpp:1: has more than 100 columns",
    ),
    "long line of a script": (
        {"tools/check": "#!/bin/sh\n" + 101 * "x" + "\n"},
        "tools/check:2: has more than 100 columns",
    ),
    "long line of a CMake list": (
        {"tests/CMakeLists.txt": "#" + 100 * "x" + "\n"},
        "tests/CMakeLists.txt:1: has more than 100 columns",
    ),
    "long file": (
        {"tests/long_test.py": 601 * "pass\n"},
        "tests/long_test.py:601: has more than 600 lines",
    ),
    "source without a test": (
        {"src/core/bytes.cpp": "#include <vector>\n"},
        "src/core/bytes.cpp:1: has no test of its name",
    ),
    "test that is not there": (
        {"tests/README.md": "| run: work | mpi/none_test.cpp |\n"},
        "tests/README.md:1: there is no tests/mpi/none_test.cpp",
    ),
    "test of a source that is not there": (
        {"tests/README.md": GOOD["tests/README.md"] + "| run: gone | mpi/work_test.cpp |\n"},
        "tests/README.md:2: there is no gone.cpp in src/run",
    ),
    "room under another name": (
        {"src/fit/CMakeLists.txt": "nucreg_room(fits SOURCES points.cpp USES core)\n"},
        "must declare nucreg_room(fit",
    ),
}


class Trees(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write(GOOD)

    def write(self, files):
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def command(self, *arguments):
        script = Path(layering.__file__)
        return subprocess.run(
            [sys.executable, script, *arguments], capture_output=True, text=True, check=False
        )

    def test_a_good_tree_passes(self):
        self.assertEqual(layering.Rules(self.root).check(), [])
        self.assertEqual(self.command("rules", self.root).returncode, 0)

    def test_each_rule_can_fail(self):
        for name, (files, expected) in BAD.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                self.root = Path(folder)
                self.write(GOOD | files)
                violations = layering.Rules(self.root).check()
                self.assertEqual(len(violations), 1, violations)
                self.assertIn(expected, violations[0])

    def test_exit_status(self):
        self.write({"src/core/text.cpp": "\n\n#include <mpi.h>\n"})
        done = self.command("rules", self.root)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "src/core/text.cpp:3: core includes <mpi.h>; only for run\n")
        self.assertEqual(self.command("rules", self.root / "nowhere").returncode, 1)
        for wrong in ([], ["rule"], ["headers"], ["headers", "--"], ["rules", "a", "b"]):
            self.assertEqual(self.command(*wrong).returncode, 2, wrong)

    def test_headers_must_compile_alone(self):
        self.write({"include/nucreg/core/words.hpp": "#pragma once\n#include <string>\n"})
        self.write({"include/nucreg/fit/points.hpp":
                    '#pragma once\n#include "nucreg/core/words.hpp"\n'})
        compiler = ["--", "c++", "-std=c++20"]
        self.assertEqual(self.command("headers", self.root, *compiler).returncode, 0)
        leaning = "#pragma once\nstd::string name();\n"
        for broken, said in (
            (leaning, "nucreg/core/words.hpp does not compile alone"),
            ("inline int one() { return 1; }\n", "nucreg/core/words.hpp: no #pragma once"),
        ):
            self.write({"include/nucreg/core/words.hpp": broken})
            done = self.command("headers", self.root, *compiler)
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stdout)
        # The build proves the header that a source of its list includes before all else, only.
        self.write({"include/nucreg/core/words.hpp": leaning})
        lists = "nucreg_room(core SOURCES words.cpp)\n"
        for source, cmake, status in (
            ('// why\n#include "nucreg/core/words.hpp"\n', lists, 0),
            ('#include <string>\n#include "nucreg/core/words.hpp"\n', lists, 1),
            ('#define SOME\n#include "nucreg/core/words.hpp"\n', lists, 1),
            ('#include "nucreg/core/words.hpp"\n', "nucreg_room(core SOURCES)  # words.cpp\n", 1),
        ):
            self.write({"src/core/words.cpp": source, "src/core/CMakeLists.txt": cmake})
            self.assertEqual(self.command("headers", self.root, *compiler).returncode, status,
                             source)


if __name__ == "__main__":
    unittest.main()
