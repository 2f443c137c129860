// Records as bytes: how they travel between ranks and lie in a journal.
#pragma once

#include <span>

#include "nucreg/core/bytes.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

/// Appends records to `bytes`: the numbers as they lie in memory, then messages and traces.
/// Messages are made one line of at most most_message_bytes.
void put_records(std::span<const Record> records, Bytes& bytes);

/// Takes back what put_records appended, into `records`, whose size tells how many there are.
/// Throws BadBytes if that is not what the bytes hold.
void get_records(std::span<const std::byte> bytes, std::span<Record> records);

}  // namespace nucreg
