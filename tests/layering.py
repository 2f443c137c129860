#!/usr/bin/env python3
"""Proves that the rooms of include/nucreg and src are layered as src/README.md says.

usage: layering.py rules [ROOT]              rules on #include lines, on the CMake lists, on the
                                             length of lines and files, and that each source has a
                                             test where tests/README.md says
       layering.py headers [ROOT] -- CXX...  every public header compiles alone: it says
                                             #pragma once, and a source that is built includes it
                                             first, or this command compiles it

Prints one line per violation; exit status 0 without any, 1 with, 2 on a wrong command line.
tests/layering_test.py proves that each rule can fail.
"""

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Left to right: a room knows only itself and rooms to its left.
ROOMS = (
    "core disk job plan image nuclei fit solve match mosaic run store tiles trials stats report app"
).split()

# Third-party headers and their CMake targets, each with the rooms that may name them.
FIT_AND_RIGHT = ROOMS[ROOMS.index("fit"):]
OWNERS = [
    # (pattern of the include, pattern of the CMake target, rooms)
    (r"fmt/", r"fmt::", ROOMS),
    (r"spdlog/", r"spdlog::", ["core"]),
    (r"openssl/", r"OpenSSL::", ["core"]),
    (r"Random123/", r"nucreg_random123", ["core"]),
    (r"toml\+\+/", r"tomlplusplus::", ["job"]),
    (r"tiff", r"TIFF::", ["image"]),
    (r"zlib", r"ZLIB::", ["image"]),
    (r"pugixml", r"pugixml::", ["image"]),
    (r"opencv2/", r"nucreg_opencv|opencv_|OpenCV", ["nuclei"]),
    (r"(unsupported/)?Eigen/", r"Eigen3::", FIT_AND_RIGHT),
    (r"nlopt", r"NLopt::", ["solve"]),
    (r"ceres/", r"Ceres::", ["solve"]),
    (r"gsl/", r"nucreg_gsl", ["solve"]),
    (r"hwy/", r"nucreg_highway", ["fit"]),
    (r"nanoflann", r"nanoflann::", ["match", "mosaic"]),
    (r"mpi\.h|mpi/", r"MPI::", ["run"]),
    (r"libdeflate", r"nucreg_libdeflate", ["run", "store"]),
    (r"hdf5|H5", r"nucreg_hdf5|HDF5::|hdf5::", ["store"]),
    (r"boost/(math|random)/", r"Boost::", ["core", "stats"]),
    (r"nlohmann/", r"nlohmann_json::", ["solve", "report"]),
    (r"CLI/", r"CLI11::", ["app"]),
]
# What a public header may show of third parties.
PUBLIC_THIRD_PARTY = re.compile(r"fmt/|(unsupported/)?Eigen/")
STANDARD = re.compile(r"[a-z_0-9]+")  # <vector>, <cmath>
SYSTEM = re.compile(
    r"(sys|netinet|arpa|linux|sanitizer)/[\w/]+\.h|"
    r"(dirent|dlfcn|errno|fcntl|glob|libgen|limits|link|malloc|poll|pthread|pwd|sched|semaphore|"
    r"signal|stdlib|string|termios|time|ucontext|unistd)\.h"
)
# Written by the build, so not in the tree.
GENERATED = {("core", "nucreg_build_facts.hpp")}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>|(\S.*))', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SUFFIXES = {".hpp", ".h", ".cpp", ".c", ".cc", ".hh", ".ipp", ".inl"}
MAX_COLUMNS, MAX_LINES = 100, 600


def code_files(folder):
    """All C++ files below a folder, sorted."""
    return sorted(f for f in folder.rglob("*") if f.suffix in SUFFIXES)


def written_files(root):
    """What people write: C++, Python, lists of CMake and scripts, which begin with #!."""
    for top in ("include", "src", "tests", "tools", "slurm"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in SUFFIXES | {".py", ".cmake"} or path.name == "CMakeLists.txt":
                yield path
            elif path.suffix in ("", ".sbatch") and path.is_file():
                with path.open("rb") as file:
                    if file.read(2) == b"#!":
                        yield path


def includes_of(path):
    """(line, name, quoted) per #include; block comments do not count."""
    text = COMMENT.sub(lambda m: "\n" * m.group().count("\n"), path.read_text(encoding="utf-8"))
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        quoted, angled, other = match.groups()
        yield line, quoted or angled or other.strip(), quoted is not None


class Rules:
    """Collects violations of one tree."""

    def __init__(self, root):
        self.root = Path(root)
        self.violations = []
        self.known = {}  # room -> rooms that its files include

    def report(self, path, line, what):
        self.violations.append(f"{path.relative_to(self.root)}:{line}: {what}")

    def check(self):
        for side in ("include/nucreg", "src"):
            for folder in sorted(p for p in (self.root / side).glob("*") if p.is_dir()):
                if folder.name not in ROOMS:
                    self.report(folder, 1, f"{folder.name} is not a room; rooms: {' '.join(ROOMS)}")
                    continue
                for path in code_files(folder):
                    for line, name, quoted in includes_of(path):
                        self.check_include(path, folder.name, side, line, name, quoted)
        uses = {}
        for room in ROOMS:
            lists = self.root / "src" / room / "CMakeLists.txt"
            if lists.exists():
                used = self.check_cmake(lists, room)
                if used is not None:
                    uses[room] = used
        self.check_closure(uses)
        self.check_lengths()
        self.check_tests()
        return self.violations

    def check_lengths(self):
        for path in written_files(self.root):
            lines = path.read_text(encoding="utf-8").splitlines()
            if len(lines) > MAX_LINES:
                self.report(path, len(lines), f"has more than {MAX_LINES} lines")
            for number, line in enumerate(lines, 1):
                if len(line) > MAX_COLUMNS:
                    self.report(path, number, f"has more than {MAX_COLUMNS} columns")

    def check_tests(self):
        readme = self.root / "tests/README.md"
        if not readme.exists():
            return
        named = {}  # (room, source) -> test
        for line, text in enumerate(readme.read_text(encoding="utf-8").splitlines(), 1):
            row = re.fullmatch(r"\| (\w+): ([\w, ]+) \| (\S+) \|", text)
            if not row:
                continue
            room, sources, test = row.groups()
            if not (self.root / "tests" / test).is_file():
                self.report(readme, line, f"there is no tests/{test}")
            for source in sources.split(", "):
                named[room, source] = line
        for path in sorted((self.root / "src").rglob("*.cpp")):
            room = path.relative_to(self.root / "src").parts[0]
            own = [f"unit/{room}/{path.stem}_test.cpp", f"unit/{room}/{path.stem}_test.py",
                   f"integration/{re.sub('_commands?$', '', path.stem)}_test.py"]
            line = named.pop((room, path.stem), None)
            if not line and not any((self.root / "tests" / test).is_file() for test in own):
                self.report(path, 1, "has no test of its name, and tests/README.md names none")
        for (room, source), line in named.items():
            self.report(readme, line, f"there is no {source}.cpp in src/{room}")

    def check_include(self, path, room, side, line, name, quoted):
        own = re.fullmatch(r"nucreg/([^/]+)/(.+)", name)
        if own:
            other = own.group(1)
            if other not in ROOMS:
                self.report(path, line, f"includes {name}: {other} is not a room")
            elif ROOMS.index(other) > ROOMS.index(room):
                self.report(path, line, f"{room} includes {name}, which is to its right")
            elif not (self.root / "include" / name).exists():
                self.report(path, line, f"includes {name}, which does not exist")
            else:
                self.known.setdefault(room, set()).add(other)
                if not quoted:
                    self.report(path, line, f'includes <{name}>: write "{name}"')
        elif quoted:
            if side != "src":
                self.report(path, line, f'public header includes "{name}", which is not public')
            elif (room, name) not in GENERATED and not self.is_private(path, room, name):
                self.report(path, line, f'includes "{name}", which is not in src/{room}')
        elif STANDARD.fullmatch(name) or SYSTEM.fullmatch(name):
            pass
        else:
            self.check_third_party(path, room, side, line, name)

    def is_private(self, path, room, name):
        target = (path.parent / name).resolve()
        return target.is_file() and (self.root / "src" / room).resolve() in target.parents

    def check_third_party(self, path, room, side, line, name):
        for pattern, _, rooms in OWNERS:
            if re.match(pattern, name):
                if room not in rooms:
                    self.report(path, line, f"{room} includes <{name}>; only for {' '.join(rooms)}")
                elif side != "src" and not PUBLIC_THIRD_PARTY.match(name):
                    self.report(path, line, f"public header shows <{name}>; keep it in src/{room}")
                return
        self.report(path, line, f"<{name}> belongs to no room: give it an owner in layering.py")

    def check_cmake(self, path, room):
        """Direction of USES, owners of targets; the rooms that this one links, None if unclear."""
        text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
        declared = re.findall(r"nucreg_room\(\s*(\w+)([^)]*)\)", text)
        if [name for name, _ in declared] != [room]:
            self.report(path, 1, f"must declare nucreg_room({room} ...), once")
            return None
        words = declared[0][1].split()
        used, section = set(), None
        for word in words:
            if word in ("SOURCES", "USES", "PRIVATE"):
                section = word
            elif section == "USES":
                used.add(word)
        # Links written past nucreg_room() count as well.
        for call in re.findall(rf"target_link_libraries\(\s*nucreg_{room}\s([^)]*)\)", text):
            used |= {w[7:] for w in call.split() if w[:7] == "nucreg_" and w[7:] in ROOMS}
        for other in sorted(used):
            if other not in ROOMS:
                self.report(path, 1, f"USES {other}, which is not a room")
            elif ROOMS.index(other) >= ROOMS.index(room):
                self.report(path, 1, f"{room} USES {other}, which is not to its left")
        for word in re.findall(r"[\w:+]+", text):
            for _, target, rooms in OWNERS:
                if re.match(target, word) and room not in rooms:
                    self.report(path, 1, f"{room} links {word}; only for {' '.join(rooms)}")
        return used

    def check_closure(self, uses):
        """What a room includes it must also link, if only through a room that it links."""
        for room, included in self.known.items():
            if room not in uses:
                continue  # no list to compare with
            reached, waiting = {room}, [room]
            while waiting:
                for other in uses.get(waiting.pop(), ()):
                    if other not in reached:
                        reached.add(other)
                        waiting.append(other)
            for other in sorted(included - reached, key=ROOMS.index):
                path = self.root / "src" / room / "CMakeLists.txt"
                self.report(path, 1, f"{room} includes headers of {other} but does not USE it")


def included_first(root):
    """What the sources of the CMake lists include first: the build has compiled it alone."""
    for lists in (*root.glob("src/*/CMakeLists.txt"), *root.glob("tests/unit/*/CMakeLists.txt")):
        for name in re.findall(r"[\w/]+\.cpp",
                               re.sub(r"#.*", "", lists.read_text(encoding="utf-8"))):
            source = lists.parent / name
            if not source.is_file():
                continue
            # Nothing but comments may stand before it.
            text = re.sub(r"//.*", "", source.read_text(encoding="utf-8"))
            if first := re.match(r'\s*#include "(nucreg/[^"]+)"', text):
                yield first.group(1)


def headers_alone(root, compiler):
    """What each public header lacks to compile alone, and twice."""
    root = Path(root)
    headers = code_files(root / "include" / "nucreg")
    twice = [f"{h.relative_to(root)}: no #pragma once" for h in headers
             if not re.search("^#pragma once$", h.read_text(encoding="utf-8"), re.MULTILINE)]
    proven = set(included_first(root))
    headers = [h for h in headers if str(h.relative_to(root / "include")) not in proven]
    with tempfile.TemporaryDirectory() as folder:

        def compile_one(numbered):
            number, header = numbered
            source = Path(folder) / f"{number}.cpp"
            name = header.relative_to(root / "include")
            source.write_text(f'#include "{name}"\n', encoding="utf-8")
            command = [*compiler, "-fsyntax-only", "-I", str(root / "include"), str(source)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return f"{name} does not compile alone:\n{done.stderr}"
            return None

        with ThreadPoolExecutor() as pool:
            return twice + [found for found in pool.map(compile_one, enumerate(headers)) if found]


def main(arguments):
    own_root = Path(__file__).resolve().parent.parent
    if arguments[:1] == ["rules"] and len(arguments) <= 2:
        root = Path(arguments[1] if len(arguments) == 2 else own_root)
        violations = Rules(root).check()
    elif arguments[:1] == ["headers"] and "--" in arguments[1:3] and arguments[-1] != "--":
        split = arguments.index("--")
        root = Path(arguments[1] if split == 2 else own_root)
        violations = headers_alone(root, arguments[split + 1:])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    if not code_files(root / "include" / "nucreg"):
        violations = [*violations, f"{root}: no headers found"]
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
