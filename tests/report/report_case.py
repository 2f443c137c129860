"""What the tests of reports share: making a page and looking at it in a browser."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

import browser  # noqa: E402
from nucreg_case import DONE, LIMIT_S, NUCREG, ROOT  # noqa: E402

sys.path.insert(0, str(ROOT / "tools"))


def report(folder, *arguments, text=True):
    return subprocess.run([ROOT / "tools/report", *map(str, arguments)], cwd=folder, check=False,
                          capture_output=True, text=text, timeout=2 * LIMIT_S,
                          env=os.environ | {"NUCREG": NUCREG})


class PageCase(unittest.TestCase):
    """One page, looked at by all tests of a class."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="nucreg-test-")
        cls.addClassCleanup(scratch.cleanup)
        cls.dir = pathlib.Path(scratch.name)
        cls.driver = None

    @classmethod
    def make_page(cls, file):
        cls.made = report(cls.dir, file, "-o", "page.html", "--plots", "plots")
        assert cls.made.returncode == DONE, cls.made
        cls.html = (cls.dir / "page.html").read_text()

    def open(self, width=1400):
        missing = browser.what_is_missing()
        if missing:
            self.skipTest(f"{missing}: tools/install-packages browser")
        if self.driver is None:
            type(self).driver = browser.start(tempfile.mkdtemp(dir=self.dir))
            self.addClassCleanup(self.driver.quit)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.get((self.dir / "page.html").as_uri())
        return self.driver
