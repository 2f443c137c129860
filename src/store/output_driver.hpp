// How the HDF5 library writes a new file. The library cannot close what it failed to write: it
// keeps it open and crashes over it at exit. This driver never lets it see a failure.
#pragma once

#include "hdf5.hpp"

namespace nucreg::hdf5 {

/// The first system call that failed on a file; nothing is written after it.
struct WriteError {
  const char* call = "";
  int code = 0;  ///< errno; 0 = none
};

/// Access properties for H5Fcreate. `error` must outlive the file, and is to be looked at after
/// each call of the library and after closing, by which time the file has been synced.
[[nodiscard]] Handle output_access(WriteError& error);

}  // namespace nucreg::hdf5
