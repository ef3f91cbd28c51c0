# Compiler settings that hold for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # base_dir: a clone elsewhere finds the objects of this one.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()

add_compile_options(-Wall -Wextra -Wno-unused-parameter
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options(-Wthread-safety -Werror=thread-safety)
endif()

set(BANDIT_SANITIZE "" CACHE STRING "address,undefined or thread")
if(BANDIT_SANITIZE)
  add_compile_options(-fsanitize=${BANDIT_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BANDIT_SANITIZE})
  if(BANDIT_SANITIZE MATCHES "thread")
    # Protobuf's map fields have a member more under this macro, and Debian's
    # library was built without: objects would pass between two layouts.
    add_compile_options(-U__SANITIZE_THREAD__ -DBANDIT_TSAN)
  endif()
  if(BANDIT_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
option(BANDIT_FUZZ "Build the libFuzzer targets (clang)" OFF)
if(BANDIT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
