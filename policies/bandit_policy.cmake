# bandit_policy(<name>)
#   The one line that a new policy needs: compiles policies/<name>.cc, builds
#   tests/unit/policies/<name>_test.cc as the ctest <name>_test, and enters
#   bandit::policies::<name>::kInfo into the registry.
function(bandit_policy name)
  target_sources(bandit_policies PRIVATE ${name}.cc)
  set_property(GLOBAL APPEND PROPERTY BANDIT_POLICIES ${name})
  if(BANDIT_BUILD_TESTS)
    bandit_test(${name}_test
      SOURCES "${PROJECT_SOURCE_DIR}/tests/unit/policies/${name}_test.cc"
      DEPS bandit::policies LABELS policies)
  endif()
endfunction()

# bandit_policy_registry()
#   Writes the registry of all policies named so far, in their order.
function(bandit_policy_registry)
  get_property(names GLOBAL PROPERTY BANDIT_POLICIES)
  set(DECLARATIONS "")
  set(ENTRIES "")
  foreach(name IN LISTS names)
    string(APPEND DECLARATIONS
      "namespace ${name} {\nextern const PolicyInfo kInfo;\n}\n")
    string(APPEND ENTRIES "    &${name}::kInfo,\n")
  endforeach()
  configure_file(registry.cc.in registry.cc @ONLY)
  target_sources(bandit_policies PRIVATE
    "${CMAKE_CURRENT_BINARY_DIR}/registry.cc")
endfunction()
