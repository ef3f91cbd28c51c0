# The Debian package, by CPack: `cmake --preset package`, target `package`.
# The programs alone, stripped; the libraries for CMake projects are not in it.
set(CMAKE_INSTALL_PREFIX /usr CACHE PATH "" FORCE)
set(packaging "${CMAKE_CURRENT_SOURCE_DIR}/packaging")
install(FILES "${packaging}/router.yaml"
  DESTINATION /etc/bandit-router COMPONENT router
  PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
install(FILES "${packaging}/bandit-router.default"
  DESTINATION /etc/default RENAME bandit-router COMPONENT router)
install(FILES "${packaging}/bandit-router.service"
  DESTINATION /lib/systemd/system COMPONENT router)
install(FILES "${packaging}/debian/copyright"
  DESTINATION /usr/share/doc/bandit-router COMPONENT router)

# Debian wants them compressed; -n: the same bytes each time.
set(pages)
foreach(page bandit-router.8 banditctl.1)
  string(REGEX MATCH "[0-9]$" section "${page}")
  set(packed "${CMAKE_BINARY_DIR}/man/${page}.gz")
  add_custom_command(OUTPUT "${packed}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_BINARY_DIR}/man"
    COMMAND sh -c "gzip -9nc '${packaging}/${page}' > '${packed}'"
    DEPENDS "${packaging}/${page}" VERBATIM)
  list(APPEND pages "${packed}")
  install(FILES "${packed}"
    DESTINATION /usr/share/man/man${section} COMPONENT router)
endforeach()
add_custom_target(man_pages ALL DEPENDS ${pages})

# Where each shell looks for the completion of a command by itself.
set(scripts)
foreach(shell bash zsh fish)
  set(script "${CMAKE_BINARY_DIR}/completion/banditctl.${shell}")
  add_custom_command(OUTPUT "${script}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_BINARY_DIR}/completion"
    COMMAND sh -c "'$<TARGET_FILE:banditctl>' completion ${shell} > '${script}'"
    DEPENDS banditctl VERBATIM)
  list(APPEND scripts "${script}")
endforeach()
add_custom_target(completions ALL DEPENDS ${scripts})
set(completion "${CMAKE_BINARY_DIR}/completion/banditctl")
install(FILES "${completion}.bash" RENAME banditctl
  DESTINATION /usr/share/bash-completion/completions COMPONENT router)
install(FILES "${completion}.zsh" RENAME _banditctl
  DESTINATION /usr/share/zsh/vendor-completions COMPONENT router)
install(FILES "${completion}.fish"
  DESTINATION /usr/share/fish/vendor_completions.d COMPONENT router)

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL router)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "Bandit Router maintainers <maintainers@bandit-router.invalid>")
set(CPACK_DEBIAN_ROUTER_PACKAGE_NAME bandit-router)
set(CPACK_DEBIAN_ROUTER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_ROUTER_PACKAGE_DEPENDS adduser)
# The system's authorities, for `tls: {}` of a backend.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
# Below the project's description.
set(CPACK_COMPONENT_ROUTER_DESCRIPTION
"It stands between a service and its model servers, picks a variant of the
model for each request, and learns from the rewards that come back.")
set(CPACK_DEBIAN_ROUTER_PACKAGE_CONTROL_EXTRA
  "${packaging}/debian/postinst;${packaging}/debian/prerm"
  "${packaging}/debian/postrm;${packaging}/debian/conffiles")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
