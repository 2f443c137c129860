#include "nucreg/core/log.hpp"

#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

spdlog::color_mode colour() {
  const char* none = std::getenv("NO_COLOR");  // no-color.org: set and not empty
  return none != nullptr && *none != '\0' ? spdlog::color_mode::never
                                          : spdlog::color_mode::automatic;
}

int open_new(const std::filesystem::path& file) {
  std::error_code ignored;  // what it means shows when the file is opened
  std::filesystem::create_directories(file.parent_path(), ignored);
  return ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                0666);
}

/// A new file. A link in its place is not followed: others may write in the folder, too.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(const std::filesystem::path& file) : descriptor_(open_new(file)) {
    if (descriptor_ < 0)
      throw OutputError(errno == ELOOP ? "is a symbolic link" : std::strerror(errno),
                        {.file = file.string()});
  }
  ~FileSink() override {
    FileSink::flush_();
    ::close(descriptor_);
  }
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    buffer_.append(line.data(), line.size());
    if (buffer_.size() >= 4096) flush_();
  }
  // What a full disk does not take is lost: the result does not depend on it.
  void flush_() override {
    static_cast<void>(!::write(descriptor_, buffer_.data(), buffer_.size()));
    buffer_.clear();
  }

  int descriptor_;
  std::string buffer_;
};

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
  if (to_terminal) {
    sinks.push_back(std::make_shared<spdlog::sinks::stderr_color_sink_mt>(colour()));
    sinks.back()->set_pattern(std::string(line_start) + "%H:%M:%S %^%l%$ %v");
    sinks.back()->set_level(spdlog::level::info);
  }
  if (!file.empty()) {
    sinks.push_back(std::make_shared<FileSink>(file));
    sinks.back()->set_pattern(fmt::format("%Y-%m-%dT%H:%M:%S.%e%z {} rank {} %l %v", host, rank));
  }
  auto logger = std::make_shared<spdlog::logger>("nucreg", sinks.begin(), sinks.end());
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::warn);
  current() = logger;
}

void log_line(LogLevel level, std::string_view text) {
  static constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                         spdlog::level::warn, spdlog::level::err};
  const std::string line = shown_line(text);
  current()->log(levels[static_cast<int>(level)], spdlog::string_view_t(line.data(), line.size()));
}

void flush_log() {
  current()->flush();
}

}  // namespace nucreg
