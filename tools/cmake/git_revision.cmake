# Run at each build: writes nucreg_build_facts.hpp, only where its text changes.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12 --exclude=*
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(revision "unknown")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT "#pragma once
#define NUCREG_VERSION \"@VERSION@\"
#define NUCREG_GIT_REVISION \"@revision@\"
#define NUCREG_COMPILER \"@COMPILER@\"
")
