#include "nucreg/solve/record.hpp"

#include "nucreg/core/text.hpp"

namespace nucreg {

void put_records(std::span<const Record> records, Bytes& bytes) {
  ByteWriter writer(bytes);
  for (const Record& record : records)
    writer(static_cast<const SolveNumbers&>(record), one_line(record.message, max_message_bytes),
           record.trace);
}

void get_records(std::span<const std::byte> bytes, std::span<Record> records) {
  ByteReader reader(bytes);
  for (Record& record : records)
    reader(static_cast<SolveNumbers&>(record), record.message, record.trace);
  reader.end();
}

}  // namespace nucreg
