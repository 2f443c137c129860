#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "dataset.hpp"
#include "hdf5.hpp"
#include "map_schema.hpp"
#include "new_file.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/store/map_file.hpp"
#include "trial_schema.hpp"

namespace nucreg {
namespace {

using hdf5::Dataset;

/// Rows of one table, column by column, through a buffer of one chunk.
template <class Row>
class RowsWriter {
 public:
  RowsWriter(hid_t file, std::string group, std::span<const Row> rows)
      : file_(file), group_(std::move(group)), rows_(rows) {
    hdf5::make_group(file_, group_);
  }

  void write(const MapColumn<Row>& column) {
    if (column.text)
      write_text(column);
    else
      write_with(column, column.type(), column.row_bytes(), column.store);
  }

 private:
  template <class Store>
  void write_with(const MapColumn<Row>& column, hdf5::Handle type, std::size_t row_bytes,
                  const Store& store) {
    const std::string path = group_ + "/" + column.name;
    Dataset dataset =
        Dataset::create(file_, path, column.units, std::move(type), rows_.size(), column.width);
    hdf5::describe(file_, path, column.description);
    for (std::size_t first = 0; first < rows_.size(); first += hdf5::chunk_rows) {
      const std::size_t count = std::min<std::size_t>(hdf5::chunk_rows, rows_.size() - first);
      buffer_.assign(count * row_bytes, std::byte{0});
      for (std::size_t i = 0; i < count; ++i)
        store(rows_[first + i], buffer_.data() + i * row_bytes);
      dataset.write(first, count, buffer_.data());
    }
    dataset.close();
  }

  void write_text(const MapColumn<Row>& column) {
    std::size_t bytes = 1;
    for (const Row& row : rows_) bytes = std::max(bytes, column.text(row).size());
    write_with(column, hdf5::string_type(bytes), bytes, [&](const Row& row, std::byte* to) {
      const std::string text = column.text(row);
      std::memcpy(to, text.data(), text.size());
    });
  }

  hid_t file_;
  std::string group_;
  std::span<const Row> rows_;
  std::vector<std::byte> buffer_;
};

template <class Row>
void write_rows(hid_t file, const std::string& group, const std::vector<Row>& rows,
                const std::vector<MapColumn<Row>>& columns) {
  RowsWriter<Row> writer(file, group, rows);
  for (const MapColumn<Row>& column : columns) writer.write(column);
}

/// Columns of detections. Those that `nuclei` leaves empty come from `more`, all of a tile at a
/// time.
class NucleiWriter {
 public:
  NucleiWriter(hid_t file, std::string group, const MapNuclei& nuclei, const ColumnsOfTile& more)
      : file_(file), group_(std::move(group)), nuclei_(nuclei), more_(more) {}

  void write() {
    hdf5::make_group(file_, group_);
    for (const NucleiColumn& column : nuclei_columns()) {
      if (column.size(nuclei_) == 0 && column.optional) continue;
      const std::string path = group_ + "/" + column.name;
      Dataset dataset =
          Dataset::create(file_, path, column.units, column.type(), nuclei_.size(), 0);
      hdf5::describe(file_, path, column.description);
      if (column.size(nuclei_) < nuclei_.size()) {
        by_tile_.emplace_back(&column, std::move(dataset));
        continue;
      }
      dataset.write(0, nuclei_.size(), column.values(nuclei_));
      dataset.close();
    }
    if (by_tile_.empty()) return;
    const auto end = nuclei_.tile.end();
    for (auto tile = nuclei_.tile.begin(); tile != end;) {
      const auto next = std::upper_bound(tile, end, *tile);
      append(*tile, static_cast<std::size_t>(next - tile));
      tile = next;
    }
    for (auto& [column, dataset] : by_tile_) dataset.close();
  }

 private:
  void append(std::uint32_t tile, std::size_t rows) {
    const MapNuclei part = more_(tile);
    for (auto& [column, dataset] : by_tile_) {
      if (column->size(part) != rows)
        throw Error(ExitStatus::bug, "columns of unequal length",
                    {.key = group_ + "/" + column->name});
      dataset.append(rows, column->values(part));
    }
  }

  hid_t file_;
  std::string group_;
  const MapNuclei& nuclei_;
  const ColumnsOfTile& more_;
  std::vector<std::pair<const NucleiColumn*, Dataset>> by_tile_;
};

/// As /trials of a run's file, but without parameters.
void write_trials(hid_t file, const std::vector<Record>& trials) {
  std::size_t message_bytes = 1;
  for (const Record& record : trials)
    message_bytes = std::max(message_bytes, std::min(record.message.size(), max_message_bytes));
  hdf5::make_group(file, "/trials");
  for (const TrialField& field : trial_fields()) {
    if (field.per_parameter) continue;
    const std::size_t bytes = field.text ? message_bytes : field.value_bytes;
    std::vector<std::byte> values(trials.size() * bytes);
    for (std::size_t i = 0; i < trials.size(); ++i)
      field.store(trials[i], values.data() + i * bytes, bytes);
    const std::string path = "/trials/" + field.name;
    Dataset::create(file, path, field.units, field.text ? hdf5::string_type(bytes) : field.type(),
                    trials.size(), 0)
        .write(0, trials.size(), values.data());
    hdf5::describe(file, path, field.description);
  }
}

void demand_equal_lengths(const std::filesystem::path& file, const std::string& group,
                          const MapNuclei& nuclei, bool may_be_empty) {
  for (const NucleiColumn& column : nuclei_columns())
    if (column.size(nuclei) != nuclei.size() &&
        !((column.optional || may_be_empty) && column.size(nuclei) == 0))
      throw Error(ExitStatus::bug, "columns of unequal length",
                  {.file = file.string(), .key = group + "/" + column.name});
}

void write_content(hid_t file, const WellMap& map, const ColumnsOfTile& more) {
  hdf5::write_attribute(file, "format", std::string(map_format), "/");
  hdf5::write_attribute(file, "format_version", map_format_version, "/");
  for (const auto& [name, value] : map.attributes) hdf5::write_attribute(file, name, value, "/");
  write_rows(file, "/tiles", map.tiles, tile_columns());
  write_rows(file, "/links", map.links, link_columns());
  NucleiWriter(file, "/nuclei_10x", map.ten, more).write();
  NucleiWriter(file, "/nuclei_40x", map.forty, more).write();
  write_rows(file, "/pairs", map.pairs, pair_columns());
  write_rows(file, "/model", map.models, model_columns());
  if (!map.knots.empty()) write_rows(file, "/deformation", map.knots, knot_columns());
  if (!map.decoys.empty()) write_rows(file, "/decoys", map.decoys, decoy_columns());
  if (!map.solvers.columns.empty()) hdf5::write_table(file, map.solvers);
  if (!map.trials.empty()) write_trials(file, map.trials);
  for (const Table& table : map.others) hdf5::write_table(file, table);
}

}  // namespace

void write_map(const std::filesystem::path& file, const WellMap& map, bool overwrite,
               const ColumnsOfTile& more) {
  const bool by_tile = static_cast<bool>(more);
  demand_equal_lengths(file, "/nuclei_10x", map.ten, by_tile);
  demand_equal_lengths(file, "/nuclei_40x", map.forty, by_tile);
  hdf5::NewFile made(file);
  made.attempt([&] { write_content(made.id(), map, more); });
  made.seal();
  made.publish(overwrite);
}

}  // namespace nucreg
