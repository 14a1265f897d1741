# What `cmake --install … --component libbus` puts where: headers, archives, package files for CMake and pkg-config, SQL.
include(CMakePackageConfigHelpers)

set(BUS_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/bus")
set(BUS_PC_DIR "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
set(BUS_SQL_FILE "${CMAKE_INSTALL_DATADIR}/libbus/bus.sql")
file(RELATIVE_PATH BUS_PREFIX_FROM_PC "/${BUS_PC_DIR}" /)

# Sanitized archives would ask every user for the same sanitizer, in words of the linker.
if(ORDERBUS_ASAN OR ORDERBUS_TSAN)
  install(CODE "message(FATAL_ERROR \"this build is sanitized: install one without ORDERBUS_ASAN and ORDERBUS_TSAN\")"
    COMPONENT libbus)
endif()

# bus_export(SET targets…): each becomes bus::<name without bus_>.
function(bus_export set)
  foreach(target ${ARGN})
    string(REGEX REPLACE "^bus_" "" name "${target}")
    set_target_properties(${target} PROPERTIES EXPORT_NAME "${name}")
    add_library(bus::${name} ALIAS ${target})
  endforeach()
  install(TARGETS ${ARGN} EXPORT ${set}
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT libbus
    FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT libbus)
  install(EXPORT ${set} NAMESPACE bus:: DESTINATION "${BUS_CMAKE_DIR}" COMPONENT libbus)
endfunction()

# Seven sets, so that who wants the pure part need not have the libraries of the others.
bus_export(busCoreTargets bus_core bus_runtime)
bus_export(busTargets bus_curl_late bus_otlp bus_pg bus_amqp bus_tls bus_http bus_pipeline bus_worker bus_program bus_tool bus)
bus_export(busCurlTargets bus_curl)
if(TARGET bus_grpc)
  bus_export(busGrpcTargets bus_grpc)
endif()
bus_export(busTokenTargets bus_token)
bus_export(busSecretTargets bus_secret)
bus_export(busTestingTargets bus_memory bus_testing bus_refusals)

install(TARGETS bus_names_ssl bus_names_crypto LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/orderbus" COMPONENT libbus)

configure_package_config_file(cmake/busConfig.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/busConfig.cmake"
  INSTALL_DESTINATION "${BUS_CMAKE_DIR}" PATH_VARS BUS_SQL_FILE)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/busConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/busConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/busConfigVersion.cmake"
  "${CMAKE_CURRENT_SOURCE_DIR}/cmake/BusTools.cmake" "${PROJECT_SOURCE_DIR}/cmake/Findcivetweb.cmake" DESTINATION "${BUS_CMAKE_DIR}" COMPONENT libbus)

foreach(name libbus-core libbus libbus-curl libbus-grpc libbus-token libbus-secret libbus-testing)
  configure_file(cmake/${name}.pc.in "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc" DESTINATION "${BUS_PC_DIR}" COMPONENT libbus)
endforeach()

install(DIRECTORY sql/ DESTINATION "${CMAKE_INSTALL_DATADIR}/libbus" COMPONENT libbus)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/libbus" COMPONENT libbus)
# HTML and man pages: installed if the target bus_reference has made them before.
find_program(DOXYGEN_EXECUTABLE doxygen)
if(DOXYGEN_EXECUTABLE)
  add_custom_target(bus_reference VERBATIM
    COMMAND "${CMAKE_COMMAND}" "-DDOXYGEN=${DOXYGEN_EXECUTABLE}" "-DHEADERS=${CMAKE_CURRENT_SOURCE_DIR}/include/bus"
      "-DFILTER=${CMAKE_CURRENT_SOURCE_DIR}/reference/doxygen.awk" "-DVERSION=${PROJECT_VERSION}"
      "-DOUTPUT=${PROJECT_BINARY_DIR}/reference" -P "${CMAKE_CURRENT_SOURCE_DIR}/reference/reference.cmake")
endif()
install(DIRECTORY "${PROJECT_BINARY_DIR}/reference/html" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/libbus"
  COMPONENT libbus OPTIONAL)
install(DIRECTORY "${PROJECT_BINARY_DIR}/reference/man/man3" DESTINATION "${CMAKE_INSTALL_MANDIR}"
  COMPONENT libbus OPTIONAL)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples/shipping/" DESTINATION "${CMAKE_INSTALL_DATADIR}/libbus/example"
  COMPONENT libbus)
install(PROGRAMS cmake/bus-new DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT libbus)
