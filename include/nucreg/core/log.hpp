// Logging: every rank to its own file, rank 0 also to standard error.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace nucreg {

enum class LogLevel { debug, info, warning, error };

/// Opens the log of this process. Until then, and after a failure to open it, warnings and errors
/// go to standard error and the rest is dropped. `file` empty: no file. `line_start` (no %) begins
/// each line on standard error. Colours where that is a terminal and NO_COLOR is not set. Throws
/// OutputError if the file cannot be opened. Not thread-safe; call once, before other threads
/// log.
void open_log(const std::filesystem::path& file, int rank, const std::string& host,
              bool to_terminal, std::string_view line_start = "");

/// Writes one line, as shown_line makes it one. Thread-safe. Never call it inside a timed region.
void log_line(LogLevel level, std::string_view text);

/// Forces what was logged into the file.
void flush_log();

/// Formats as fmt does and logs. Debug lines go to the file only.
template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace nucreg
