# Finds civetweb by its library and header: Debian's package file for CMake insists on the server program, which is in
# another package. Defines civetweb::civetweb; installed with libbus, whose package file uses it too.
find_library(CIVETWEB_LIBRARY civetweb)
find_path(CIVETWEB_INCLUDE_DIR civetweb.h)
mark_as_advanced(CIVETWEB_LIBRARY CIVETWEB_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(civetweb REQUIRED_VARS CIVETWEB_LIBRARY CIVETWEB_INCLUDE_DIR)

if(civetweb_FOUND AND NOT TARGET civetweb::civetweb)
  add_library(civetweb::civetweb UNKNOWN IMPORTED)
  set_target_properties(civetweb::civetweb PROPERTIES
    IMPORTED_LOCATION "${CIVETWEB_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${CIVETWEB_INCLUDE_DIR}")
endif()
