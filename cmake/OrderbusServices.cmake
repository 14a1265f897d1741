# Finds the services: every folder with a service.json is one, and no other file lists them.
#
# ORDERBUS_SERVICES      the folders, from the root
# ORDERBUS_BUS_SERVICES  those of them that have a user at the broker
# orderbus_service_field(FOLDER FIELD RESULT)  a field of that service.json, empty if it is absent
# orderbus_service_definitions(TARGET)  SERVICE_PORT, SERVICE_ADMIN_PORT and SERVICE_DATABASE in the target's sources, as
#                        the service.json of this folder says
# orderbus_service_install(TARGET)  the program of the service in this folder goes into the service's package
# orderbus_messages(SOURCES…)  <short>_messages, the messages of the service in this folder: its header is
#                        <short>_messages.h; both are in the package of messages (infrastructure/messages)
# orderbus_service_program(SOURCES … LIBRARIES …)  the program of the service in this folder, by the name in its
#                        service.json, with these definitions
file(GLOB manifests RELATIVE "${PROJECT_SOURCE_DIR}" CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/*/service.json" "${PROJECT_SOURCE_DIR}/infrastructure/*/service.json")
set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${manifests})

function(orderbus_service_field folder field result)
  file(READ "${PROJECT_SOURCE_DIR}/${folder}/service.json" text)
  string(JSON value ERROR_VARIABLE absent GET "${text}" "${field}")
  if(absent)
    set(value "")
  endif()
  set(${result} "${value}" PARENT_SCOPE)
endfunction()

function(orderbus_service_definitions target)
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE folder)
  foreach(field port admin_port database)
    orderbus_service_field("${folder}" ${field} value)
    string(TOUPPER ${field} name)
    target_compile_definitions(${target} PRIVATE SERVICE_${name}="${value}")
  endforeach()
endfunction()

function(orderbus_service_install target)
  install(TARGETS ${target} RUNTIME DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/orderbus" COMPONENT orderbus-${target})
endfunction()

function(orderbus_messages)
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE folder)
  orderbus_service_field("${folder}" short name)
  set(target ${name}_messages)
  add_library(${target} STATIC ${ARGN})
  target_link_libraries(${target} PUBLIC bus_core PRIVATE $<BUILD_INTERFACE:orderbus_options>)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/src>)
  install(TARGETS ${target} EXPORT orderbusMessagesTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT orderbus-messages
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/orderbus")
  install(FILES src/${target}.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/orderbus" COMPONENT orderbus-messages)
  set_property(GLOBAL APPEND PROPERTY ORDERBUS_MESSAGES ${target})
endfunction()

function(orderbus_service_program)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE folder)
  orderbus_service_field("${folder}" name name)
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} orderbus_topology bus orderbus_options)
  orderbus_service_definitions(${name})
  orderbus_service_install(${name})
endfunction()

set(ORDERBUS_SERVICES "")
set(ORDERBUS_BUS_SERVICES "")
foreach(manifest ${manifests})
  cmake_path(GET manifest PARENT_PATH folder)
  list(APPEND ORDERBUS_SERVICES "${folder}")
  orderbus_service_field("${folder}" broker_user user)
  if(user)
    list(APPEND ORDERBUS_BUS_SERVICES "${folder}")
  endif()
endforeach()
