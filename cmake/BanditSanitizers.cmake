# What the thread sanitizer needs beyond its flag: every program gets the files
# of tsan/ (the reasons stand there), and ctest a file of suppressions.
if(NOT BANDIT_SANITIZE MATCHES "thread")
  return()
endif()

# What Debian's libraries touch through intercepted libc calls (memcpy, memcmp,
# operator new) is seen, the atomics and locks that order it are not. So calls
# that come from them directly are left out, library by library: a pattern may
# fit one only. Not Protobuf's: its mutexes, left out with the rest, would be
# missed where its headers unlock them in our code. Of cpp-httplib: its static
# sets, which any thread that reads a request first fills, and the others read.
get_target_property(absl_base absl::base IMPORTED_LOCATION_NONE)
if(NOT absl_base)
  get_target_property(absl_base absl::base LOCATION)
endif()
get_filename_component(library_folder "${absl_base}" DIRECTORY)
set(suppressions "")
foreach(family absl_ grpc gpr upb address_sorting cpp-httplib)
  file(GLOB libraries RELATIVE "${library_folder}"
    "${library_folder}/lib${family}*.so.*")
  foreach(library ${libraries})
    string(REGEX REPLACE "\\.so\\..*" ".so" library "${library}")
    list(APPEND suppressions "called_from_lib:/${library}")
  endforeach()
endforeach()
list(REMOVE_DUPLICATES suppressions)
list(JOIN suppressions "\n" suppressions)
configure_file(cmake/tsan_suppressions.txt.in tsan_suppressions.txt @ONLY)

add_library(bandit_tsan_absl OBJECT
  cmake/tsan/absl_mutex.cc cmake/tsan/absl_status.cc)
target_include_directories(bandit_tsan_absl PRIVATE "${CMAKE_SOURCE_DIR}")
target_link_libraries(bandit_tsan_absl PUBLIC
  absl::status absl::synchronization)

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
