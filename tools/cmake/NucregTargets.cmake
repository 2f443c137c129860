# The flags of every target, and the one way in which a room is declared.

option(NUCREG_WERROR "warnings are errors" OFF)
set(NUCREG_SANITIZE "" CACHE STRING "sanitizers for -fsanitize=, such as address,undefined")

add_library(nucreg_warnings INTERFACE)
target_compile_options(nucreg_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Wold-style-cast
  -Woverloaded-virtual
  # Designated initialisers leave out what has a default; GCC 12 sees ghosts in std::string.
  -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # clang also means long double, which tests use to see what double loses.
  $<$<CXX_COMPILER_ID:GNU>:-Wdouble-promotion>
  $<$<BOOL:${NUCREG_WERROR}>:-Werror>)

# No contraction of a*b+c: a result must not depend on whether the machine has fused multiply-add.
add_library(nucreg_arithmetic INTERFACE)
target_compile_options(nucreg_arithmetic INTERFACE -ffp-contract=off)

add_library(nucreg_sanitize INTERFACE)
if(NUCREG_SANITIZE)
  target_compile_options(nucreg_sanitize INTERFACE
    -fsanitize=${NUCREG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    # What sanitizers add hides from GCC what is set before it is read: it is asked without them.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(nucreg_sanitize INTERFACE -fsanitize=${NUCREG_SANITIZE})
endif()

# Most of the time of compiling goes into headers, so that many sources at once take about half of
# it. OFF for those who edit one source again and again.
option(NUCREG_UNITY "compile the sources of a room together" ON)

# nucreg_room(<name> [UNITY] [COLD] SOURCES ... [APART ...] [USES rooms to the left ...]
#             [PRIVATE third-party targets ...])
# A third-party target is PRIVATE: no other room can include its headers by accident. Sources of a
# room with UNITY are compiled together, 16 at a time: names in its anonymous namespaces differ.
# APART are sources with flags or symbols of their own. A COLD room leaves what takes long to other
# rooms and to libraries: it is optimised less, since that is much of the time of compiling it.
function(nucreg_room name)
  cmake_parse_arguments(ROOM "UNITY;COLD" "" "SOURCES;APART;USES;PRIVATE" ${ARGN})
  add_library(nucreg_${name} STATIC ${ROOM_SOURCES} ${ROOM_APART})
  if(ROOM_UNITY AND NUCREG_UNITY)
    set_target_properties(nucreg_${name} PROPERTIES
      UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
    set_source_files_properties(${ROOM_APART} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
  if(ROOM_COLD)
    target_compile_options(nucreg_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
    if(NUCREG_SANITIZE)  # what it adds takes half of the time of compiling to optimise
      target_compile_options(nucreg_${name} PRIVATE -O0)
    endif()
  endif()
  target_include_directories(nucreg_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  list(TRANSFORM ROOM_USES PREPEND nucreg_)
  # Flags and headers of the build are no business of who links an installed room.
  target_link_libraries(nucreg_${name}
    PUBLIC ${ROOM_USES}
    PRIVATE $<BUILD_INTERFACE:nucreg_warnings> $<BUILD_INTERFACE:nucreg_arithmetic>
      $<BUILD_INTERFACE:nucreg_sanitize> ${ROOM_PRIVATE})
endfunction()
