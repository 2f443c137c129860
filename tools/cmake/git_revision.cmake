# Run at each build: writes nucreg_build_facts.hpp, only where its text changes.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12 --exclude=*
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(revision "unknown")
endif()
# What git says is the same for all edits of a tree, and nothing outside git.
file(GLOB_RECURSE sources RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/src/* ${SOURCE_DIR}/include/*
  ${SOURCE_DIR}/tools/cmake/*)
list(SORT sources)
set(sums "")
foreach(source ${sources} CMakeLists.txt)
  file(SHA256 ${SOURCE_DIR}/${source} sum)
  string(APPEND sums "${source} ${sum}\n")
endforeach()
string(SHA256 sources_sum "${sums}")
string(SUBSTRING ${sources_sum} 0 16 sources_sum)
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT "#pragma once
#define NUCREG_VERSION \"@VERSION@\"
#define NUCREG_GIT_REVISION \"@revision@\"
#define NUCREG_COMPILER \"@COMPILER@\"
#define NUCREG_SOURCES \"@sources_sum@\"
")
