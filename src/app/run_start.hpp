// All that comes before the first task of a run, on the root alone: what can be wrong is told here.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/resume.hpp"
#include "nucreg/app/run_files.hpp"
#include "nucreg/app/run_setup.hpp"
#include "nucreg/app/run_status.hpp"
#include "nucreg/app/trial_runner.hpp"
#include "nucreg/run/communicator.hpp"

namespace nucreg {

/// A job in hand, on whichever rank.
struct Loaded {
  Job job;
  Plan plan;
  std::optional<TrialRunner> runner;
};

/// A run that may begin.
struct RunStart {
  std::shared_ptr<Loaded> loaded;
  Part part;
  RunFiles files;
  RunSetup setup;
  OpenJournal journal;
  std::vector<Table> images;
  std::vector<std::string> warnings;   ///< of looking into these
  std::unique_ptr<StatusFile> status;  ///< of a job of images; else only dispatch makes one
};

/// Reads the job and its inputs, finds nuclei and matches where it is one of images, and opens the
/// journal. Where this throws no trial was begun; of images the folder of the output is there and
/// what was found in them is in its cache.
[[nodiscard]] RunStart start_run(Communicator& communicator, const RunCommand& command);

}  // namespace nucreg
