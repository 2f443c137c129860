"""What the documents say is so: links resolve, commands of nucreg run, nothing is said twice, and
the README stays short.

A command is a line of an indented block or of a fence (```sh or none) that begins, after
`mpirun ...` or an assignment, with nucreg or a path of it. Each runs, in the order of its document,
in a folder that has jobs/, slurm/ and tools/ of the repository and the inputs that READY makes.
Every other command must be in ELSEWHERE with the place that tries it.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["NUCREG_SOURCE"])
PROGRAM = pathlib.Path(os.environ["NUCREG"])
DOCUMENTS = sorted(path for path in SOURCE.rglob("*.md")
                   if not {"build", ".git", "results"} & set(path.relative_to(SOURCE).parts))
README_WORDS = 900

# First words of commands that are tried by other tests, by hand, or that cannot be tried here.
ELSEWHERE = {
    "tools/quickstart": "a fresh clone, by hand",
    "tools/check": "runs this test",
    "tools/install-packages": "tools/check begins with it",
    "tools/faults": "tests/mpi", "tools/fuzz": "tools/check", "tools/bench/run": "tools/bench",
    "tools/findings": "tests/integration",
    "sbatch": "tests/slurm", "cmake": "tests/install", "ctest": "tools/check",
    "cd": "tests/install",
    "git": "a fresh clone, by hand", "sudo": "tests/install", "apt": "tests/install",
    "apptainer": "not tried: no such program in Debian 12", "podman": "not tried: no registry",
    "perf": "by hand, for profiles", "mpirun": "of other programs: by hand",
    "export": "a variable of Open MPI",
    "h5dump": "tests/integration", "/usr/bin/python3": "tests/integration", "import": "Python",
    "f": "Python", "man": "tests/install", "module": "a cluster's own", "spack": "not tried",
    "conda": "not tried", "cat": "the shell's", "COLUMNS=120": "tests/integration",
}


def blocks(text):
    """Lines of code of a document, each with its number; languages other than the shell's are
    not."""
    fence, lines = None, text.split("\n")
    for number, line in enumerate(lines, 1):
        mark = re.match(r"\s*```(\w*)", line)
        if mark:
            fence = None if fence is not None else mark.group(1)
        elif fence in ("sh", "bash", "console"):
            yield number, line.strip()
        elif fence is None and line.startswith("    ") and line.strip():
            before = next((above for above in reversed(lines[: number - 1])
                           if not above.startswith("    ")), "")
            if not before.strip():
                yield number, line.strip()


def commands(text):
    whole, begin = "", 0
    for number, line in blocks(text):
        line = line.removeprefix("$ ")
        begin = begin if whole else number
        whole += line.removesuffix("\\").strip() + " "
        if line.endswith("\\"):
            continue
        command = re.sub(r"\s+#.*", "", whole).strip()
        whole = ""
        if command and not command.startswith("#"):
            yield begin, command


def commands_of_table(text):
    """Commands of nucreg in the tables of a document: what people copy first."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("|"):
            for code in re.findall(r"`([^`]+)`", line):
                words = code.split()
                if "nucreg" in words[:2] and len(words) > words.index("nucreg") + 2:
                    yield number, code


def nucreg_words(command):
    """Words after nucreg, None if the command is another."""
    words = shlex.split(command)
    while words and re.fullmatch(r"[A-Z_0-9]+=.*", words[0]):
        words.pop(0)
    if words and words[0] == "mpirun":
        at = next((i for i, word in enumerate(words) if word.rsplit("/", 1)[-1] == "nucreg"), None)
        return None if at is None else words[at + 1:]
    if words and words[0].rsplit("/", 1)[-1] == "nucreg":
        return words[1:]
    return None


class Documents(unittest.TestCase):
    def test_readme_is_short(self):
        words = len((SOURCE / "README.md").read_text("utf-8").split())
        self.assertLessEqual(words, README_WORDS)

    def test_links_resolve(self):
        for document in DOCUMENTS:
            text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if re.match(r"https?:|mailto:", target):
                    continue
                path, _, anchor = target.partition("#")
                file = (document.parent / path).resolve() if path else document
                with self.subTest(document=document.name, link=target):
                    self.assertTrue(file.exists())
                    if anchor:
                        heads = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
                        anchors = {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-")
                                   for head in heads}
                        self.assertIn(anchor, anchors)

    def test_no_sentence_stands_in_two_documents(self):
        seen = {}
        for document in DOCUMENTS:
            text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
            prose = " ".join(line for line in text.split("\n")
                             if not line.startswith(("|", "    ", "#")))
            for sentence in re.split(r"(?<=[.:;])\s+", prose):
                words = re.findall(r"\w+", sentence.lower())
                if len(words) < 9:
                    continue
                other = seen.setdefault(tuple(words), document)
                self.assertEqual(other, document, sentence)

    def test_each_command_is_known(self):
        for document in DOCUMENTS:
            for number, command in commands(document.read_text("utf-8")):
                if nucreg_words(command) is not None:
                    continue
                first = re.split(r"[\s(]", command)[0]
                with self.subTest(document=str(document.relative_to(SOURCE)), line=number):
                    self.assertTrue(first in ELSEWHERE or first.startswith("tools/") and
                                    (SOURCE / first).exists() or "=" in first or "(" in command,
                                    command)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="nucreg-documents-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (cls.folder / "bin").mkdir()
        (cls.folder / "bin/nucreg").symlink_to(PROGRAM)
        cls.environment = {**os.environ, "PATH": f"{cls.folder / 'bin'}:{os.environ['PATH']}",
                           "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                           "COLUMNS": "80"}

    def in_shell(self, folder, command):
        return subprocess.run(["bash", "-c", command], cwd=folder, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=240, check=False)

    def ready(self, folder):
        """The repository's folders and, for placeholders, small inputs of every kind."""
        for name in ("jobs", "slurm", "tools", "tests"):
            (folder / name).symlink_to(SOURCE / name)
        (folder / "results").mkdir()
        for command in READY:
            done = self.in_shell(folder, command)
            self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}")

    def test_commands_run(self):
        for document in DOCUMENTS:
            text = document.read_text("utf-8")
            found = [(number, command) for number, command in commands(text)
                     if nucreg_words(command) is not None and "apptainer" not in command]
            found += commands_of_table(text)
            if not found:
                continue
            folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
            self.ready(folder)
            for number, command in found:
                command = re.sub(r"\S*build/release/nucreg", "nucreg", command)
                command = re.sub(r"mpirun( -n \d+)?", "mpirun --oversubscribe -n 2", command)
                words = nucreg_words(command)
                if words[:2] == ["synth", "--well"]:  # a small one
                    command += " --field 512 --tile 512 --nuclei 200"
                if words[:1] == ["run"] and words[1:] and "--part" not in words:
                    command += " --force" if "--resume" not in words else ""
                    command += " --set job.trials=1" * ("job.trials" not in command)
                    command += FEW.get(words[1], "")
                with self.subTest(document=str(document.relative_to(SOURCE)), line=number,
                                  command=command):
                    done = self.in_shell(folder, command)
                    self.assertIn(done.returncode, (0, 6), done.stdout)
                    for option, value in zip(words, words[1:]):
                        if option in ("-o", "--to", "--pairs"):
                            self.assertTrue((folder / value).exists(), done.stdout)


# What makes a job of minutes one of seconds.
FEW = {
    "jobs/atlas.toml": " --set problem.points=50 --set problem.layout=uniform",
    "jobs/atlas-large.toml": " --set problem.points=2000",
}

# Inputs that documents name, made in each folder.
READY = [
    "nucreg synth --well --to small --ten 1 --field 512 --tile 512 --nuclei 200",
    "cp small/*.tif small/ten.csv small/forty.csv .",
    "nucreg run jobs/quickstart.toml -o results/quickstart.h5 --set job.trials=1",
]

if __name__ == "__main__":
    sys.exit(unittest.main())
