// inspect, export and verify if their file is the map of a well.
#pragma once

#include <array>
#include <filesystem>
#include <string_view>

#include "nucreg/app/commands.hpp"

namespace nucreg {

/// Formats of `export` that only maps have.
inline constexpr std::array<std::string_view, 3> map_export_formats{"brieflow", "h5ad", "napari"};

/// How the identity of a map's journal begins, which tells it from that of a run.
inline constexpr std::string_view map_identity_start = "map of wells\n";

/// False also if the file cannot be read: whoever reads it as a run's result then says why.
[[nodiscard]] bool is_map(const std::filesystem::path& file);

[[nodiscard]] ExitStatus inspect_map(const InspectCommand& command);
[[nodiscard]] ExitStatus export_map(const ExportCommand& command);
[[nodiscard]] ExitStatus verify_map_command(const VerifyCommand& command);

}  // namespace nucreg
