// A file appears under its name when it is whole, or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "nucreg/disk/files.hpp"

namespace nucreg {

/// `<pid>-<8 hexadecimal digits>`: no other process has it, on another host or in another container
/// either, where the same pid may run.
[[nodiscard]] const std::string& process_name();

/// Where a file is written before it is published: `.<name>.partial-<process name>` in the same
/// folder.
[[nodiscard]] std::filesystem::path temporary_beside(const std::filesystem::path& target);

/// Opens that file. Throws OutputError naming `target`.
[[nodiscard]] Descriptor open_temporary(const std::filesystem::path& target);

/// Renames `temporary`, whose content is durable (sync_and_close), to `target` and syncs the
/// folder. With `overwrite` false an existing target stays as it is, also if it appeared a moment
/// ago. Throws OutputError (path, call, reason); `temporary` then still exists unless only the last
/// step failed.
void publish_file(const std::filesystem::path& temporary, const std::filesystem::path& target,
                  bool overwrite);

/// `write` gets the path of a temporary file, which it must make durable and which is published as
/// `target`, or removed if `write` throws. Throws OutputError naming `target`.
void publish_with(const std::filesystem::path& target, bool overwrite,
                  const std::function<void(const std::filesystem::path&)>& write);

/// The whole file, at once, in place and durable. Throws OutputError.
void write_file(const std::filesystem::path& file, std::string_view text);
/// Replaces a file that others read at any time; it is whole but not durable. Throws OutputError.
void replace_file(const std::filesystem::path& file, std::string_view text);

/// A text file in the making. All members throw OutputError (path, call, reason); destroyed without
/// publish() it leaves nothing.
class TextFile {
 public:
  explicit TextFile(std::filesystem::path target);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  void write(std::string_view text);
  void publish(bool overwrite);

 private:
  void flush();
  std::filesystem::path target_, temporary_;
  std::string buffer_;
  Descriptor descriptor_;
};

/// Removes what killed writers of files of these names have left in that folder
/// (temporary_beside); what a process of this program on this host may be writing stays. One pass,
/// however many names there are.
void remove_temporaries(const std::filesystem::path& folder, const std::set<std::string>& targets);
/// The same for files of any name, if nobody has written to them for a day: in a folder that other
/// runs write to, too.
void remove_old_temporaries(const std::filesystem::path& folder);

}  // namespace nucreg
