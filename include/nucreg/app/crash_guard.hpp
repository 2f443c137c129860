// A crash in a library that reads a damaged file becomes an error.
#pragma once

#include <filesystem>
#include <vector>

namespace nucreg {

/// Returns in a child process, which is to read `files`; the parent leaves with the child's exit
/// status. Where the child crashed the parent throws InputError instead: HDF5 1.10 does on some
/// damaged files. Call it before anything is printed and before there are threads.
void read_in_child(const std::vector<std::filesystem::path>& files);

}  // namespace nucreg
