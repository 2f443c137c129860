"""What `cmake --install` and cpack give: it runs from a prefix that was moved, its pages and its
completion are there, a project outside of the tree links it, and the packages install and go."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["NUCREG_SOURCE"])
BUILD = pathlib.Path(os.environ["NUCREG_BUILD"])
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
JOB = """[job]
name = "installed"
trials = 2
[problem]
points = 50
[[solver]]
name = "LM"
kind = "lm"
"""


def call(*command, cwd=None, environment=ENVIRONMENT):
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: status {done.returncode}\n"
                             f"{done.stdout}")
    return done.stdout


# What a zsh at a terminal shows when tab is pressed twice behind the line.
ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=(${(q)2} \$fpath); autoload -U compinit; compinit -u -D; LISTMAX=1000"
zpty -w shell 'PS1=rea""dy'
zpty -r shell shown '*ready*2004h*'  # from here on the line is edited: bracketed paste is on
zpty -n -w shell $1$'\t\t\C-uprint do""ne\n'
zpty -r shell shown $'*done\r\n*'
print -r -- ${shown//$'\n'/ }
"""


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="nucreg-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        call("cmake", "--install", BUILD, "--prefix", cls.folder / "first")
        cls.prefix = cls.folder / "moved here"
        (cls.folder / "first").rename(cls.prefix)
        cls.work = cls.folder / "work"
        cls.work.mkdir()
        (cls.work / "job.toml").write_text(JOB, encoding="utf-8")
        cls.environment = {**ENVIRONMENT, "PATH": f"{cls.prefix / 'bin'}:{os.environ['PATH']}"}
        cls.environment.pop("NUCREG", None)

    def call(self, *command):
        return call(*command, cwd=self.work, environment=self.environment)

    def test_program_runs_from_a_prefix_that_was_moved(self):
        self.call("nucreg", "run", "job.toml", "-o", "out.h5", "--force")
        self.assertIn("LM", self.call("nucreg", "inspect", "out.h5"))

    def test_a_well_is_mapped(self):
        self.call("nucreg", "synth", "--well", "--ten", "1", "--field", "512", "--tile", "512",
                  "--nuclei", "200", "--to", "well")
        self.assertIn("pairs ", self.call("nucreg", "map", "well/ten.csv", "well/forty.csv",
                                          "-o", "well.h5"))
        self.call("nucreg", "export", "well.h5", "--to", "tables")
        self.assertIn("tile_10x,label_10x", (self.work / "tables/pairs.csv").read_text("utf-8"))

    def test_nothing_points_to_the_repository(self):
        for place in (str(SOURCE), str(BUILD)):
            self.assertEqual([path.name for path in self.prefix.rglob("*")
                              if path.is_file() and place.encode() in path.read_bytes()], [])

    def test_report_is_found_beside_the_program(self):
        for module in ("h5py", "numpy", "matplotlib"):
            if subprocess.run(["/usr/bin/python3", "-c", f"import {module}"], check=False,
                              stderr=subprocess.DEVNULL).returncode != 0:
                self.skipTest(f"no {module} for Python")
        self.call("nucreg", "run", "job.toml", "-o", "seen.h5", "--force")
        self.call("nucreg", "report", "seen.h5", "-o", "seen.html")
        self.assertIn("<html", (self.work / "seen.html").read_text(encoding="utf-8").lower())

    def test_jobs_scripts_and_licence_are_there(self):
        share = self.prefix / "share"
        for path in ("nucreg/jobs/synthetic.toml", "nucreg/slurm/launch",
                     "nucreg/slurm/run-one-node.sbatch", "doc/nucreg/copyright",
                     "man/man1/nucreg.1", "bash-completion/completions/nucreg",
                     "zsh/site-functions/_nucreg", "fish/vendor_completions.d/nucreg.fish"):
            self.assertTrue((share / path).is_file(), path)
        self.assertTrue(os.access(share / "nucreg/slurm/launch", os.X_OK))

    def test_links_of_documents_lead_somewhere(self):
        documents = list((self.prefix / "share").rglob("*.md"))
        self.assertIn("README.md", [path.name for path in documents])
        for document in documents:
            text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
            for target in re.findall(r"\]\(([^)\s#]+)", text):
                with self.subTest(document=document.name, link=target):
                    if target.startswith("https://github.com/nucreg/nucreg/blob/main/"):
                        self.assertTrue((SOURCE / target.split("/main/")[1]).exists())
                    elif not target.startswith("https://"):
                        self.assertTrue((document.parent / target).exists())

    def test_first_steps_name_a_job_that_is_there(self):
        job = re.search(r"nucreg run '?(/[^']*?\.toml)", self.call("nucreg")).group(1)
        self.assertTrue(pathlib.Path(job).is_file(), job)
        self.assertIn("configuration", self.call("nucreg", "plan", job))

    def test_man_page_has_every_command_and_no_warning(self):
        page = self.prefix / "share/man/man1/nucreg.1"
        if not shutil.which("groff") or not shutil.which("man"):
            self.skipTest("no groff or no man")
        shown = call("man", "-l", page, environment={**ENVIRONMENT, "MANWIDTH": "80"})
        self.assertLessEqual(max(map(len, shown.splitlines())), 80)
        self.assertEqual(call("groff", "-man", "-ww", "-z", page), "")
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"^  ([a-z]+) ", self.call("nucreg", "--help"), re.MULTILINE):
            self.assertIn(name, text)

    def complete(self, *words):
        script = self.prefix / "share/bash-completion/completions/nucreg"
        line = " ".join(words)
        return call("bash", "-c", f"source '{script}'; COMP_WORDS=({line}); [[ '{words[-1]}' ]] || "
                    f"COMP_WORDS+=(''); COMP_CWORD={len(words) - 1}; "
                    "$(complete -p nucreg | sed 's/.*-F \\([^ ]*\\).*/\\1/'); "
                    "printf '%s\\n' \"${COMPREPLY[@]}\"", cwd=self.work).split()

    def test_bash_completes_commands_and_options(self):
        self.assertIn("inspect", self.complete("nucreg", "ins"))
        self.assertIn("--resume", self.complete("nucreg", "run", "--re"))
        self.assertNotIn("--resume", self.complete("nucreg", "inspect", "--"))
        self.assertEqual(self.complete("nucreg", "match", "--as", "''"),
                         ["table", "labels", "mask", "image"])

    def shell(self, name, script, *arguments):
        """A real shell with the program on its PATH and the completion where it was installed."""
        if not shutil.which(name):
            self.skipTest(f"no {name}")
        return call("timeout", 60, name, *script, *arguments, cwd=self.work, environment={
            **ENVIRONMENT, "HOME": str(self.folder),
            "PATH": f"{self.prefix}/bin:{os.environ['PATH']}",
            "TERM": "xterm", "LANG": "C.UTF-8", "XDG_DATA_DIRS": f"{self.prefix}/share:/usr/share"})

    def test_fish_completes_commands_options_and_values(self):
        complete = lambda line: self.shell("fish", ("-c", 'complete -C "$argv"'), line)
        self.assertIn("inspect\t", complete("nucreg ins"))
        self.assertIn("--resume\t", complete("nucreg run --re"))
        self.assertNotIn("--resume", complete("nucreg inspect --"))
        values = [line.split("\t")[0] for line in complete("nucreg match --as ").splitlines()]
        self.assertEqual(sorted(values), ["image", "labels", "mask", "table"])

    def test_zsh_completes_commands_options_and_values(self):
        script = self.folder / "complete.zsh"
        script.write_text(ZSH)
        folder = self.prefix / "share/zsh/site-functions"
        complete = lambda line: self.shell("zsh", ("-f", script), line, folder)
        self.assertIn("what was run or mapped", complete("nucreg i"))
        self.assertIn("--resume", complete("nucreg run --re"))
        self.assertNotIn("--resume", complete("nucreg inspect --"))
        self.assertRegex(complete("nucreg match --as "), "image.*labels.*mask.*table")

    def test_project_outside_of_the_tree_links_the_library(self):
        build = self.folder / "example"
        call("cmake", "-S", SOURCE / "tests/install/example", "-B", build,
             f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_BUILD_TYPE=Release")
        call("cmake", "--build", build)
        self.assertIn("300 pairs, a 4.000000", call(build / "example"))

    def test_library_in_a_prefix_of_its_own_is_found(self):
        own = self.folder / "eigen"
        shutil.copytree("/usr/include/eigen3", own / "include/eigen3")
        shutil.copytree("/usr/share/eigen3/cmake", own / "share/eigen3/cmake")
        build = self.folder / "cluster"
        call("cmake", "-S", SOURCE, "-B", build, f"-DCMAKE_PREFIX_PATH={own}",
             "-DNUCREG_TESTS=OFF")
        cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
        self.assertIn(f"Eigen3_DIR:PATH={own}", cache)


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("dpkg-shlibdeps"):
            raise unittest.SkipTest("no dpkg-shlibdeps (package dpkg-dev)")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="nucreg-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        call("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.folder)
        cls.program = next(cls.folder.glob("nucreg_*.deb"))
        cls.library = next(cls.folder.glob("nucreg-dev_*.deb"))

    def test_dependencies_hold_every_library_of_the_program(self):
        depends = call("dpkg-deb", "-f", self.program, "Depends")
        self.assertIn("openmpi-bin", depends)
        named = {re.split(r"[ (]", part.strip())[0]
                 for group in depends.split(",") for part in group.split("|")}
        needed = re.findall(r"NEEDED\s+(\S+)", call("objdump", "-p", BUILD / "nucreg"))
        for library in needed:
            found = re.search(rf"{re.escape(library)} .*=> (\S+)", call("ldconfig", "-p"))
            # The database may know it in /lib, which is a link to /usr/lib.
            file = os.path.realpath(found.group(1)).removeprefix("/usr")
            owner = call("dpkg-query", "-S", f"*{file}").split(":")[0]
            provides = call("dpkg-query", "-W", "-f", "${Provides}", owner)
            names = {owner, *re.findall(r"[a-z][\w.+-]+", provides)}
            self.assertTrue(names & named, f"{library} belongs to {owner}")

    def test_package_installs_into_a_clean_root_and_leaves_nothing(self):
        root = self.folder / "root"
        for path in ("var/lib/dpkg/updates", "var/lib/dpkg/info"):
            (root / path).mkdir(parents=True)
        for path in ("status", "available"):
            (root / "var/lib/dpkg" / path).touch()
        dpkg = ("dpkg", f"--root={root}", "--force-not-root", "--force-depends",
                "--force-script-chrootless", f"--log={self.folder / 'log'}")
        call(*dpkg, "-i", self.program)
        self.assertTrue((root / "usr/bin/nucreg").is_file())
        self.assertIn("nucreg", call(root / "usr/bin/nucreg", "--version"))
        call(*dpkg, "-r", "nucreg")
        left = [path for path in (root / "usr").rglob("*")] if (root / "usr").exists() else []
        self.assertEqual(left, [])


class Recipes(unittest.TestCase):
    def test_recipes_are_sound(self):
        compile((SOURCE / "tools/packaging/spack/packages/nucreg/package.py").read_text("utf-8"),
                "package.py", "exec")
        conda = (SOURCE / "tools/packaging/conda/meta.yaml").read_text("utf-8")
        version = re.search(r"project\(nucreg VERSION (\S+)",
                            (SOURCE / "CMakeLists.txt").read_text("utf-8")).group(1)
        citation = (SOURCE / "CITATION.cff").read_text("utf-8")
        self.assertIn(f"version: {version}", conda)
        self.assertIn(f"version: {version}", citation)
        try:
            import yaml
        except ImportError:
            self.skipTest("no yaml for Python")
        self.assertEqual(yaml.safe_load(conda)["package"]["name"], "nucreg")
        self.assertEqual(yaml.safe_load(citation)["cff-version"], "1.2.0")


if __name__ == "__main__":
    sys.exit(unittest.main())
