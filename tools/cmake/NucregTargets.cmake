# The flags of every target, and the one way in which a room is declared.

option(NUCREG_WERROR "warnings are errors" OFF)
set(NUCREG_SANITIZE "" CACHE STRING "sanitizers for -fsanitize=, such as address,undefined")

add_library(nucreg_warnings INTERFACE)
target_compile_options(nucreg_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wdouble-promotion
  # Designated initialisers leave out what has a default; GCC 12 sees ghosts in std::string.
  -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${NUCREG_WERROR}>:-Werror>)

# No contraction of a*b+c: a result must not depend on whether the machine has fused multiply-add.
add_library(nucreg_arithmetic INTERFACE)
target_compile_options(nucreg_arithmetic INTERFACE -ffp-contract=off)

add_library(nucreg_sanitize INTERFACE)
if(NUCREG_SANITIZE)
  target_compile_options(nucreg_sanitize INTERFACE
    -fsanitize=${NUCREG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(nucreg_sanitize INTERFACE -fsanitize=${NUCREG_SANITIZE})
endif()

# nucreg_room(<name> SOURCES ... [USES rooms to the left ...] [PRIVATE third-party targets ...])
# A third-party target is PRIVATE: no other room can include its headers by accident.
function(nucreg_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;PRIVATE" ${ARGN})
  add_library(nucreg_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(nucreg_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include)
  list(TRANSFORM ROOM_USES PREPEND nucreg_)
  target_link_libraries(nucreg_${name}
    PUBLIC ${ROOM_USES}
    PRIVATE nucreg_warnings nucreg_arithmetic nucreg_sanitize ${ROOM_PRIVATE})
endfunction()
