# Where things go on a platform, the packages that cpack makes, and find_package(nucreg).

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The rooms that are of use without the program: fit, solve, match and map as a library.
set(NUCREG_LIBRARY_ROOMS core disk job plan fit solve match mosaic)

# Libraries in prefixes of their own (modules of a cluster, a home folder) are found there later.
set_target_properties(nucreg PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS nucreg RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)

# The report is found by the program relative to itself: bin/../share/nucreg/tools/report.
set(share ${CMAKE_INSTALL_DATADIR}/nucreg)
install(PROGRAMS tools/report DESTINATION ${share}/tools COMPONENT program)
install(DIRECTORY tools/report_page DESTINATION ${share}/tools COMPONENT program
  FILES_MATCHING PATTERN "*.py" PATTERN "*.css" PATTERN "*.js" PATTERN "*.png")
install(DIRECTORY jobs DESTINATION ${share} COMPONENT program
  FILES_MATCHING PATTERN "*.toml" PATTERN "*.md" PATTERN "*.svg")
install(DIRECTORY slurm DESTINATION ${share} COMPONENT program USE_SOURCE_PERMISSIONS)
if(EXISTS ${PROJECT_SOURCE_DIR}/tools/solvers)
  install(DIRECTORY tools/solvers DESTINATION ${share}/tools COMPONENT program
    USE_SOURCE_PERMISSIONS PATTERN "__pycache__" EXCLUDE)
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright COMPONENT program)
# Beside jobs/, slurm/ and tools/, where their links lead.
install(FILES README.md CHANGELOG.md CITATION.cff LICENSE DESTINATION ${share} COMPONENT program)
install(FILES tools/packages.txt DESTINATION ${share}/tools COMPONENT program)
install(CODE "set(share \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${share}\")" COMPONENT program)
install(SCRIPT tools/cmake/link_documents.cmake COMPONENT program)

# Man page and completion are made by the program itself from its table of options.
set(made ${PROJECT_BINARY_DIR}/share)
set(man ${made}/nucreg.1 ${made}/nucreg.bash ${made}/_nucreg ${made}/nucreg.fish)
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
  add_custom_command(OUTPUT ${man}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${made}
    COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/tools/man/make_pages
      $<TARGET_FILE:nucreg> ${made}
    DEPENDS nucreg ${PROJECT_SOURCE_DIR}/tools/man/make_pages
      ${PROJECT_SOURCE_DIR}/tools/man/nucreg.1.in
    COMMENT "Man page and completion" VERBATIM)
  add_custom_target(nucreg_pages ALL DEPENDS ${man})
  install(FILES ${made}/nucreg.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
  install(FILES ${made}/nucreg.bash RENAME nucreg COMPONENT program
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${made}/_nucreg COMPONENT program
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${made}/nucreg.fish COMPONENT program
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

# find_package(nucreg) gives nucreg::fit, nucreg::solve, nucreg::match, nucreg::mosaic.
set(exported)
foreach(room ${NUCREG_LIBRARY_ROOMS})
  if(TARGET nucreg_${room})
    list(APPEND exported nucreg_${room})
    set_target_properties(nucreg_${room} PROPERTIES EXPORT_NAME ${room})
    install(DIRECTORY include/nucreg/${room} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/nucreg
      COMPONENT library)
  endif()
endforeach()
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/nucreg)
install(TARGETS ${exported} EXPORT nucreg_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT nucreg_targets NAMESPACE nucreg:: DESTINATION ${package} COMPONENT library)
configure_package_config_file(tools/cmake/nucreg-config.cmake.in
  ${PROJECT_BINARY_DIR}/nucreg-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/nucreg-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/nucreg-config.cmake
  ${PROJECT_BINARY_DIR}/nucreg-config-version.cmake DESTINATION ${package} COMPONENT library)

# Packages: nucreg_<version>_<arch>.deb with the program, nucreg-dev with the library.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME nucreg)
set(CPACK_PACKAGE_CONTACT "The nucreg developers <nucreg@users.noreply.github.com>")
set(CPACK_PACKAGE_VENDOR "The nucreg developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "which nucleus is which at two magnifications")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program library)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME nucreg)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS openmpi-bin)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS
  "python3 (>= 3.11), python3-h5py, python3-numpy, python3-matplotlib")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME nucreg-dev)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS
  "libeigen3-dev, libfmt-dev, libspdlog-dev, libnlopt-cxx-dev, libssl-dev, libboost-dev, \
libtomlplusplus-dev, libnanoflann-dev, libhwy-dev, nlohmann-json3-dev")
include(CPack)
