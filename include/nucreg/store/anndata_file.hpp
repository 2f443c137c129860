// Tables as anndata keeps them on disk (.h5ad), for Scanpy, squidpy and whoever else reads that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace nucreg {

/// A column of words of which there are few.
struct Categories {
  std::vector<std::int32_t> codes;  ///< positions in `names`; -1: missing
  std::vector<std::string> names;   ///< all different
};

struct AnnColumn {
  std::string name;  ///< without a slash
  std::variant<std::vector<double>, std::vector<std::int64_t>, Categories> values;
};

/// Observations without a matrix: columns of `obs`, one value per observation.
struct AnnTable {
  std::vector<std::string> index;  ///< names of the observations, all different
  std::vector<AnnColumn> columns;
  std::vector<double> spatial;  ///< obsm/spatial, observations x 2; empty: none
};

/// Writes the file after anndata's on-disk format (anndata 0.8 and later: AnnData 0.1.0, dataframe
/// 0.2.0, array 0.2.0, string-array 0.2.0, categorical 0.2.0, dict 0.1.0;
/// https://anndata.readthedocs.io/en/stable/fileformat-prose.html) and publishes it whole. There is
/// no X and no variable. Throws OutputError; Error(bug) if columns differ in length.
void write_anndata(const std::filesystem::path& file, const AnnTable& table, bool overwrite);

}  // namespace nucreg
