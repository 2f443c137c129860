# Every library comes from the distribution's packages (tools/packages.txt); nothing is downloaded.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
# The flavour with StoGO where there is one (Debian: libnlopt-cxx-dev), so that every algorithm that
# NLopt names is there.
find_package(NLopt CONFIG QUIET NO_DEFAULT_PATH
  PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/cmake/nlopt_cxx)
if(NOT NLopt_FOUND)
  find_package(NLopt CONFIG REQUIRED)
endif()
find_package(TIFF REQUIRED)
find_package(ZLIB REQUIRED)
find_package(pugixml REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(nanoflann REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(MPI REQUIRED COMPONENTS C)

# Solvers of the field, for jobs that name them; found or not.
find_package(Ceres QUIET)
find_library(GSL_LIBRARY gsl)
find_library(GSL_BLAS_LIBRARY NAMES blas gslcblas)

# The serial flavour and no other: two HDF5 libraries in one process break each other.
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 REQUIRED COMPONENTS C)

find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)

find_path(LIBDEFLATE_INCLUDE_DIR libdeflate.h REQUIRED)
find_library(LIBDEFLATE_LIBRARY deflate REQUIRED)

find_path(HIGHWAY_INCLUDE_DIR hwy/highway.h REQUIRED)
find_library(HIGHWAY_LIBRARY hwy REQUIRED)

# Third-party headers are not ours to warn about.
add_library(nucreg_random123 INTERFACE)
target_include_directories(nucreg_random123 SYSTEM INTERFACE ${RANDOM123_INCLUDE_DIR})
add_library(nucreg_libdeflate INTERFACE)
target_include_directories(nucreg_libdeflate SYSTEM INTERFACE ${LIBDEFLATE_INCLUDE_DIR})
target_link_libraries(nucreg_libdeflate INTERFACE ${LIBDEFLATE_LIBRARY})
add_library(nucreg_highway INTERFACE)
target_include_directories(nucreg_highway SYSTEM INTERFACE ${HIGHWAY_INCLUDE_DIR})
target_link_libraries(nucreg_highway INTERFACE ${HIGHWAY_LIBRARY})
add_library(nucreg_hdf5 INTERFACE)
target_include_directories(nucreg_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(nucreg_hdf5 INTERFACE ${HDF5_C_LIBRARIES})

# Two libraries of OpenCV and no more: others bring half a desktop, and imgcodecs a second HDF5.
find_path(OPENCV_INCLUDE_DIR opencv2/imgproc.hpp PATH_SUFFIXES opencv4 REQUIRED)
find_library(OPENCV_CORE_LIBRARY opencv_core REQUIRED)
find_library(OPENCV_IMGPROC_LIBRARY opencv_imgproc REQUIRED)
add_library(nucreg_opencv INTERFACE)
target_include_directories(nucreg_opencv SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
target_link_libraries(nucreg_opencv INTERFACE ${OPENCV_IMGPROC_LIBRARY} ${OPENCV_CORE_LIBRARY})
