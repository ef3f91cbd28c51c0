# Groups that `./dev` builds by name; what belongs to one adds itself.
foreach(group threaded_tests fuzzers benchmarks generated_sources docs)
  add_custom_target(${group})
endforeach()

# bandit_library(<room> SOURCES a.cc ... DEPS lib ... [PRIVATE_DEPS lib ...])
#   One library a room, with the alias bandit::<room>. Includes are written
#   from the root.
function(bandit_library room)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(bandit_${room} STATIC ${ARG_SOURCES})
  add_library(bandit::${room} ALIAS bandit_${room})
  set_target_properties(bandit_${room} PROPERTIES EXPORT_NAME ${room})
  target_include_directories(bandit_${room} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/bandit>)
  target_link_libraries(bandit_${room}
    PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
endfunction()

# bandit_test(<name> SOURCES a_test.cc ... DEPS lib ... [LABELS l ...])
#   One GoogleTest binary, registered with ctest as one test. The label
#   `threaded` brings it under the thread sanitizer: `./dev test` builds and
#   runs only tests of that label there.
function(bandit_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock_main)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT}
    LABELS "${ARG_LABELS}")
  if("threaded" IN_LIST ARG_LABELS)
    add_dependencies(threaded_tests ${name})
  endif()
endfunction()

# bandit_benchmark(<name> SOURCES a_benchmark.cc ... DEPS lib ...)
#   Built, never run by ctest: `./dev bench micro` runs them. A sanitized
#   build has none: its figures would mean nothing.
function(bandit_benchmark name)
  if(BANDIT_SANITIZE)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/benchmarks")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} benchmark::benchmark_main)
  add_dependencies(benchmarks ${name})
endfunction()

# bandit_fuzzer(<name> SOURCES a_fuzzer.cc ... DEPS lib ...)
#   LLVMFuzzerTestOneInput under libFuzzer with BANDIT_FUZZ; in every build a
#   ctest that replays tests/fuzz/corpus/<name>.
function(bandit_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  add_dependencies(fuzzers ${name})
  set(corpus "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  if(BANDIT_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME ${name} COMMAND ${name} -runs=0 "${corpus}")
  else()
    target_sources(${name} PRIVATE
      "${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cc")
    add_test(NAME ${name} COMMAND ${name} "${corpus}")
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
endfunction()
