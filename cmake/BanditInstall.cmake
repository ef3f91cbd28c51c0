# What `cmake --install` puts where: the programs, and for CMake projects
# (`find_package(bandit-router)`) the pure rooms bandit::stats and
# bandit::policies, and as component `client` bandit::client.
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
# Exported apart: who wants the rooms alone needs no gRPC.
if(TARGET bandit_client)
  install(TARGETS bandit_client bandit_decision_codec bandit_feedback_proto
    EXPORT bandit-router-client-targets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(DIRECTORY clients/cpp/bandit
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.h"
    PATTERN "backoff.h" EXCLUDE PATTERN "reward_worker.h" EXCLUDE)
  install(EXPORT bandit-router-client-targets NAMESPACE bandit::
    DESTINATION "${package_dir}")
endif()
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
