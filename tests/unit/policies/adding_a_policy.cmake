# Follows docs/adding_a_policy.md in a copy of the pure rooms: writes the files
# that the document shows, adds its line, builds, and runs the new policy's test
# and the contract tests over the registry.
#
#   cmake -D SOURCE=... -D WORK=... -D GENERATOR=... -D COMPILER=...
#     -P adding_a_policy.cmake
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK}")
file(COPY "${SOURCE}/CMakeLists.txt" "${SOURCE}/cmake" "${SOURCE}/policies"
  "${SOURCE}/stats" DESTINATION "${WORK}")
file(COPY "${SOURCE}/tests/unit/policies" DESTINATION "${WORK}/tests/unit")
# Only what concerns policies.
file(WRITE "${WORK}/tests/CMakeLists.txt" "add_subdirectory(unit/policies)\n")

# The code blocks whose first line says `file: <path>`.
file(READ "${SOURCE}/docs/adding_a_policy.md" document)
# CMake's lists would take these apart.
string(REPLACE ";" "<semicolon>" document "${document}")
string(REPLACE "[" "<open>" document "${document}")
string(REPLACE "]" "<close>" document "${document}")
string(REPLACE "```" ";" blocks "${document}")
set(written 0)
foreach(block IN LISTS blocks)
  if(NOT block MATCHES "^(cpp|cmake)\n(//|#) file: ([a-zA-Z0-9_./]+)")
    continue()
  endif()
  set(language "${CMAKE_MATCH_1}")
  set(path "${CMAKE_MATCH_3}")
  string(REGEX REPLACE "^[a-z]+\n[^\n]*\n" "" block "${block}")
  string(REPLACE "<semicolon>" ";" block "${block}")
  string(REPLACE "<open>" "[" block "${block}")
  string(REPLACE "<close>" "]" block "${block}")
  if(language STREQUAL "cmake")
    file(READ "${WORK}/policies/CMakeLists.txt" lists)
    string(REPLACE "bandit_policy_registry()"
      "${block}bandit_policy_registry()" lists "${lists}")
    file(WRITE "${WORK}/policies/CMakeLists.txt" "${lists}")
  else()
    file(WRITE "${WORK}/${path}" "${block}")
  endif()
  math(EXPR written "${written} + 1")
endforeach()
if(NOT written EQUAL 3)
  message(FATAL_ERROR "the document shows ${written} of two files and one line")
endif()

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
run("${CMAKE_COMMAND}" -S "${WORK}" -B "${WORK}/build" -G "${GENERATOR}"
  -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_BUILD_TYPE=Debug
  -D BANDIT_BUILD_ROUTER=OFF)
run("${CMAKE_COMMAND}" --build "${WORK}/build" --parallel 2
  --target softmax_test policies_test)
run("${WORK}/build/tests/softmax_test")
run("${WORK}/build/tests/policies_test" --gtest_brief=1
  "--gtest_filter=*/softmax:Registry*")
