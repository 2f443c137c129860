# Untried: no Spack was at hand. Checked for syntax by the tests.
from spack.package import *


class Nucreg(CMakePackage):
    """Which nucleus is which at two magnifications, and which optimizer finds out."""

    homepage = "https://github.com/nucreg/nucreg"
    git = "https://github.com/nucreg/nucreg.git"

    license("MIT")

    version("main", branch="main")
    version("0.2.0", tag="v0.2.0")

    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("openmpi@4.1:")
    depends_on("eigen@3.4:")
    depends_on("nlopt@2.7: +cxx")
    depends_on("hdf5@1.10: ~mpi")
    depends_on("spdlog@1.10:")
    depends_on("fmt@9:")
    depends_on("tomlplusplus@3.3:")
    depends_on("cli11@2.1:")
    depends_on("openssl")
    depends_on("random123")
    depends_on("libtiff@4.5:")
    depends_on("zlib-api")
    depends_on("libdeflate")
    depends_on("opencv@4.6: +imgproc")
    depends_on("pugixml")
    depends_on("nanoflann")
    depends_on("nlohmann-json")
    depends_on("boost@1.74: +math")
    depends_on("highway@1.0:")
    depends_on("doctest", type="test")
    depends_on("python@3.11:", type="run")
    depends_on("py-h5py", type="run")
    depends_on("py-numpy", type="run")
    depends_on("py-matplotlib", type="run")

    def cmake_args(self):
        return [self.define("NUCREG_TESTS", self.run_tests)]
