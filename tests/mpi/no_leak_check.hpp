// Included once by each MPI test program. Open MPI keeps memory and unloads the plugins that
// allocated it, so that no list of suppressions can name them. Leaks of the same code are found by
// the unit tests, which run it without MPI.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}
#endif
