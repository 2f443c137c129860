#include "nucreg/core/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

spdlog::color_mode colour() {
  const char* none = std::getenv("NO_COLOR");  // no-color.org: set and not empty
  return none != nullptr && *none != '\0' ? spdlog::color_mode::never
                                          : spdlog::color_mode::automatic;
}

std::shared_ptr<spdlog::logger> early_logger() {
  auto logger = std::make_shared<spdlog::logger>(
      "early", std::make_shared<spdlog::sinks::stderr_color_sink_mt>(colour()));
  logger->set_pattern("nucreg: %l: %v");
  logger->set_level(spdlog::level::warn);
  return logger;
}

std::shared_ptr<spdlog::logger>& current() {
  static std::shared_ptr<spdlog::logger> logger = early_logger();
  return logger;
}

}  // namespace

void open_log(const std::filesystem::path& file, int rank, const std::string& host,
              bool to_terminal, std::string_view line_start) {
  std::vector<spdlog::sink_ptr> sinks;
  try {
    if (to_terminal) {
      sinks.push_back(std::make_shared<spdlog::sinks::stderr_color_sink_mt>(colour()));
      sinks.back()->set_pattern(std::string(line_start) + "%H:%M:%S %^%l%$ %v");
      sinks.back()->set_level(spdlog::level::info);
    }
    if (!file.empty()) {
      sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string(), true));
      sinks.back()->set_pattern(fmt::format("%Y-%m-%dT%H:%M:%S.%e%z {} rank {} %l %v", host, rank));
    }
  } catch (const spdlog::spdlog_ex& e) {
    throw OutputError(e.what(), {.file = file.string()});
  }
  auto logger = std::make_shared<spdlog::logger>("nucreg", sinks.begin(), sinks.end());
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::warn);
  current() = logger;
}

void log_line(LogLevel level, std::string_view text) {
  static constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                         spdlog::level::warn, spdlog::level::err};
  current()->log(levels[static_cast<int>(level)], spdlog::string_view_t(text.data(), text.size()));
}

void flush_log() {
  current()->flush();
}

}  // namespace nucreg
