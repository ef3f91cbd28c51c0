# What the thread sanitizer needs beyond its flag: every program gets
# tsan/absl_mutex.cc (the reason stands there).
if(NOT BANDIT_SANITIZE MATCHES "thread")
  return()
endif()

add_library(bandit_tsan_absl OBJECT cmake/tsan/absl_mutex.cc)
target_link_libraries(bandit_tsan_absl PUBLIC absl::synchronization)

function(bandit_watch_programs directory)
  get_property(targets DIRECTORY "${directory}" PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type STREQUAL EXECUTABLE)
      target_link_libraries(${target} PRIVATE bandit_tsan_absl)
      # So that the libraries call through this program, not past it.
      set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
    endif()
  endforeach()
  get_property(children DIRECTORY "${directory}" PROPERTY SUBDIRECTORIES)
  foreach(child ${children})
    bandit_watch_programs("${child}")
  endforeach()
endfunction()
cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}"
  CALL bandit_watch_programs "${CMAKE_SOURCE_DIR}")
