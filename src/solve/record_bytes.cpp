#include "nucreg/solve/record_bytes.hpp"

#include <cstring>
#include <stdexcept>

#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

void put(std::vector<std::byte>& bytes, const void* from, std::size_t length) {
  if (length == 0) return;
  const std::size_t before = bytes.size();
  bytes.resize(before + length);
  std::memcpy(bytes.data() + before, from, length);
}

std::span<const std::byte> take(std::span<const std::byte>& bytes, std::size_t length) {
  if (length > bytes.size()) throw std::invalid_argument("records are cut off");
  const auto front = bytes.first(length);
  bytes = bytes.subspan(length);
  return front;
}

template <class T>
void take_into(std::span<const std::byte>& bytes, T& value) {
  std::memcpy(&value, take(bytes, sizeof(T)).data(), sizeof(T));
}

}  // namespace

void put_records(std::span<const Record> records, std::vector<std::byte>& bytes) {
  for (const Record& record : records) {
    put(bytes, static_cast<const SolveNumbers*>(&record), sizeof(SolveNumbers));
    const std::string message = one_line(record.message, most_message_bytes);
    const auto length = static_cast<std::uint32_t>(message.size());
    put(bytes, &length, sizeof length);
    put(bytes, message.data(), length);
    const auto points = static_cast<std::uint32_t>(record.trace.size());
    put(bytes, &points, sizeof points);
    put(bytes, record.trace.data(), points * sizeof(TracePoint));
  }
}

void get_records(std::span<const std::byte> bytes, std::span<Record> records) {
  for (Record& record : records) {
    take_into(bytes, static_cast<SolveNumbers&>(record));
    std::uint32_t length = 0;
    take_into(bytes, length);
    const auto text = take(bytes, length);
    record.message.assign(reinterpret_cast<const char*>(text.data()), text.size());
    std::uint32_t points = 0;
    take_into(bytes, points);
    const auto trace = take(bytes, points * sizeof(TracePoint));
    record.trace.resize(points);
    if (points > 0) std::memcpy(record.trace.data(), trace.data(), trace.size());
  }
  if (!bytes.empty()) throw std::invalid_argument("there is more than these records");
}

}  // namespace nucreg
