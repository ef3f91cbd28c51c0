# What `cmake --install` puts where: the programs, and the pure rooms as
# libraries for CMake projects (`find_package(bandit-router)`, bandit::stats,
# bandit::policies).
include(CMakePackageConfigHelpers)

foreach(program bandit-router banditctl)
  if(TARGET ${program})
    install(TARGETS ${program}
      RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT router)
  endif()
endforeach()

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/bandit-router")
foreach(room stats policies)
  if(TARGET bandit_${room})
    install(TARGETS bandit_${room} EXPORT bandit-router-targets
      ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    install(DIRECTORY ${room}/
      DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/bandit/${room}"
      FILES_MATCHING PATTERN "*.h")
  endif()
endforeach()
install(EXPORT bandit-router-targets NAMESPACE bandit::
  DESTINATION "${package_dir}")
configure_package_config_file(cmake/bandit-router-config.cmake.in
  "${CMAKE_BINARY_DIR}/bandit-router-config.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(
  "${CMAKE_BINARY_DIR}/bandit-router-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_BINARY_DIR}/bandit-router-config.cmake"
  "${CMAKE_BINARY_DIR}/bandit-router-config-version.cmake"
  DESTINATION "${package_dir}")
