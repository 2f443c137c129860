#include "new_file.hpp"

#include <cerrno>
#include <system_error>

#include "attribute.hpp"
#include "checksum.hpp"
#include "nucreg/disk/publish.hpp"

namespace nucreg::hdf5 {

NewFile::NewFile(std::filesystem::path target)
    : target_(std::move(target)), temporary_(temporary_beside(target_)) {
  silence();
  attempt([&] {
    const Handle access = output_access(error_);
    file_ = Handle(H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()),
                   "H5Fcreate");
  });
}

NewFile::~NewFile() {
  if (published_) return;
  if (error_.code == 0) error_ = {"close", ECANCELED};  // nothing more needs to reach the disk
  file_ = Handle();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void NewFile::throw_if_unwritten() const {
  if (error_.code != 0)
    throw OutputError(error_.call + (": " + std::generic_category().message(error_.code)),
                      {.file = target_.string()});
}

void NewFile::seal() {
  attempt([&] { checksum_at_ = add_checksum(file_.get()); });
}

void NewFile::publish(bool overwrite) {
  attempt([&] { file_.close("H5Fclose"); });
  if (checksum_at_) fill_checksum(temporary_, *checksum_at_, target_);
  publish_file(temporary_, target_, overwrite);
  published_ = true;
}

void describe(hid_t file, const std::string& path, const std::string& description) {
  const Handle object(H5Oopen(file, path.c_str(), H5P_DEFAULT), "H5Oopen", path);
  write_attribute(object.get(), "description", description, path);
}

}  // namespace nucreg::hdf5
