#include "nucreg/core/table.hpp"

#include <stdexcept>

namespace nucreg {

const Column& Table::at(const std::string& column) const {
  for (const Column& c : columns)
    if (c.name == column) return c;
  throw std::out_of_range("/" + name + " has no column " + column);
}

void Table::wrong_type(const std::string& column) const {
  throw std::out_of_range("/" + name + "/" + column + " is of another type");
}

}  // namespace nucreg
