#include "nucreg/mosaic/well.hpp"
