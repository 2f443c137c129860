// Traces in the data format of COCO, for cocopp.
#pragma once

#include <filesystem>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Writes a folder per solver as COCO's logger does: nucreg_f<k>.info, and below data_f<k> the .dat
/// (a line each time a target 10^(i/5) is reached) and .tdat (a line at evaluations 10^(i/20) and
/// n {1, 2, 5} 10^i, and the last one). Returns the paths of the .info files.
///   function k   configuration k - 1        dimension n   parameters of the model
///   instance     trial + 1                  value         objective, 40x px^2
///   Fopt         of each trial the lowest objective known: of all solvers and of what `gap` is
///                measured against
/// Evaluations are those that the trace kept: all up to 16, later ones up to 10 % too high. The
/// trace keeps the lowest objective alone, so both measured columns hold it, and no coordinates
/// follow. A solve that threw is an instance with one evaluation that reached nothing (1e300), the
/// closed form one with one that reached its answer; a solve that does not apply is none. cocopp
/// reads no suite that it does not know: the files name bbob, whose names for functions mean
/// nothing here. Streams; throws OutputError, and InputError also where the file has no /trace.
std::vector<std::filesystem::path> export_coco(const ResultReader& reader,
                                               const std::filesystem::path& directory,
                                               bool overwrite);

}  // namespace nucreg
