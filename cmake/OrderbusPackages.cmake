# Debian packages by CPack: libbus, libbus-dev, orderctl, orderbus-admin, and orderbus-NAME for each service. A service's
# unit follows from its service.json and from the .env.example that its program prints; no file lists services.
set(templates "${PROJECT_SOURCE_DIR}/infrastructure/systemd")
set(parts "${PROJECT_SOURCE_DIR}/infrastructure/packages")
set(made "${PROJECT_BINARY_DIR}/packaging")
set(unit_folder lib/systemd/system)
file(READ "${templates}/hardening.in" hardening)

# package_scripts(PACKAGE SERVICES … MADE … PURGED …): maintainer scripts; MADE: files of sysusers.d and tmpfiles.d.
function(package_scripts package)
  cmake_parse_arguments(arg "" "" "SERVICES;MADE;PURGED;CONFFILES" ${ARGN})
  string(REPLACE ";" " " services "${arg_SERVICES}")
  string(REPLACE ";" " " made_files "${arg_MADE}")
  string(REPLACE ";" " " purged "${arg_PURGED}")
  set(files "")
  foreach(name postinst prerm postrm)
    file(READ "${parts}/${name}.in" text)
    string(REPLACE "@services@" "${services}" text "${text}")
    string(REPLACE "@made@" "${made_files}" text "${text}")
    string(REPLACE "@purged@" "${purged}" text "${text}")
    file(WRITE "${made}/${package}/${name}" "${text}")
    file(CHMOD "${made}/${package}/${name}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
      WORLD_READ WORLD_EXECUTE)
    list(APPEND files "${made}/${package}/${name}")
  endforeach()
  if(arg_CONFFILES)
    string(REPLACE ";" "\n" text "${arg_CONFFILES}")
    file(WRITE "${made}/${package}/conffiles" "${text}\n")
    list(APPEND files "${made}/${package}/conffiles")
  endif()
  string(TOUPPER "${package}" upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA "${files}" PARENT_SCOPE)
endfunction()

# package_define(COMPONENT SUMMARY [NAME …] [DEPENDS …] [RECOMMENDS …]): the package of a component, by default of its name.
macro(package_define package summary)
  cmake_parse_arguments(arg "" "NAME;DEPENDS;RECOMMENDS" "" ${ARGN})
  string(TOUPPER "${package}" upper)
  list(APPEND packages ${package})
  if(NOT arg_NAME)
    set(arg_NAME ${package})
  endif()
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${arg_NAME})
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}")
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${arg_DEPENDS}")
  set(CPACK_DEBIAN_${upper}_PACKAGE_RECOMMENDS "${arg_RECOMMENDS}")
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION share/doc/${arg_NAME} RENAME copyright COMPONENT ${package})
endmacro()

# The lines of a unit that give a program a secret: its file is a credential, of which `variable` is the path. An
# optional one is empty, which counts as not set, if its file is absent.
function(credential_lines folder id variable optional result)
  set(text "LoadCredential=${id}:/etc/orderbus/${folder}/${id}\n")
  if(optional)
    string(APPEND text "SetCredential=${id}:\\n\n") # a line end alone; systemd refuses an empty one
  endif()
  set(${result} "${text}Environment=${variable}=%d/${id}\n" PARENT_SCOPE)
endfunction()

function(id_of variable result)
  string(TOLOWER "${variable}" id)
  string(REPLACE "_" "-" id "${id}")
  set(${result} "${id}" PARENT_SCOPE)
endfunction()

# A new service has no .env.example until its program has printed one, and perhaps no README.
function(read_if_there file result)
  set(text "")
  if(EXISTS "${PROJECT_SOURCE_DIR}/${file}")
    file(READ "${PROJECT_SOURCE_DIR}/${file}" text)
    set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  endif()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# All that a service reads in secret: the secrets among its settings, and the key files of its service.json.
function(service_credentials folder name result)
  set(text "")
  read_if_there("${folder}/.env.example" example)
  string(REPLACE ";" "," example "${example}")
  string(REGEX MATCHALL "[A-Z0-9_]+_FILE names(, must be set)?" secrets "${example}")
  foreach(secret ${secrets})
    string(REGEX REPLACE "_FILE names.*" "" variable "${secret}")
    id_of(${variable} id)
    string(FIND "${secret}" "must be set" needed)
    string(COMPARE EQUAL "${needed}" "-1" optional)
    credential_lines(${name} ${id} ${variable}_FILE ${optional} lines)
    string(APPEND text "${lines}")
  endforeach()
  orderbus_service_field("${folder}" key_files variables)
  string(REGEX MATCHALL "[A-Z0-9_]+" variables "${variables}")
  foreach(variable ${variables})
    string(REGEX REPLACE "_FILE$" "" id "${variable}")
    id_of(${id} id)
    credential_lines(${name} ${id} ${variable} FALSE lines)
    string(APPEND text "${lines}")
  endforeach()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# Variables that name a place of the service's own below its state folder: a folder where the place ends with "/".
function(service_state folder ret_folders ret_lines)
  set(folders "%N")
  set(lines "")
  orderbus_service_field("${folder}" state text)
  string(REGEX MATCHALL "\"[^\"]+\"[ ]*:[ ]*\"[^\"]+\"" rows "${text}")
  foreach(row ${rows})
    string(REGEX REPLACE "\"([^\"]+)\"[ ]*:[ ]*\"([^\"/]+)/?\"" "\\1=%S/%N/\\2" line "${row}")
    string(APPEND lines "Environment=${line}\n")
    if(row MATCHES ": *\"([^\"/]+)/\"")
      string(APPEND folders " %N/${CMAKE_MATCH_1}")
    endif()
  endforeach()
  set(${ret_folders} "${folders}" PARENT_SCOPE)
  set(${ret_lines} "${lines}" PARENT_SCOPE)
endfunction()

function(first_sentence file result)
  read_if_there("${file}" text)
  string(REGEX REPLACE "^# [^\n]*\n\n([^.:\n]*).*" "\\1" text "${text}")
  string(REPLACE "`" "" text "${text}")
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

set(packages "")

# The archives are static: a package for the run time would be empty.
package_define(libbus "Message-driven services in C on RabbitMQ and Postgres" NAME libbus-dev
  DEPENDS "libpq-dev, librabbitmq-dev, libcivetweb-dev, libcjson-dev, nettle-dev, pkg-config"
  RECOMMENDS "cmake, libcurl4-openssl-dev, libnghttp2-dev, libssl-dev, libsodium-dev")

package_define(orderbus-messages "Messages of orderbus for services of other systems: types, schemas, AsyncAPI"
  NAME liborderbus-messages-dev DEPENDS "libbus-dev (>= ${PROJECT_VERSION})")

package_define(orderctl "Where an order of orderbus stands, what it waits for, and what to do" RECOMMENDS libcurl4)
set(etc /etc/orderbus)
install(FILES "${parts}/orderctl.env" DESTINATION "${etc}" COMPONENT orderctl)
install(FILES "${parts}/orderctl.sysusers" DESTINATION lib/sysusers.d RENAME orderctl.conf COMPONENT orderctl)
install(FILES "${parts}/orderctl.tmpfiles" DESTINATION lib/tmpfiles.d RENAME orderctl.conf COMPONENT orderctl)
install(FILES "${PROJECT_SOURCE_DIR}/orderctl/README.md" DESTINATION share/doc/orderctl COMPONENT orderctl)
package_scripts(orderctl MADE /usr/lib/sysusers.d/orderctl.conf /usr/lib/tmpfiles.d/orderctl.conf
  PURGED /etc/orderbus/orderctl CONFFILES /etc/orderbus/orderctl.env)

package_define(orderbus-common "What the services of orderbus share: their target of systemd, OpenSSL's names for TLS")
install(FILES "${templates}/orderbus.target" DESTINATION ${unit_folder} COMPONENT orderbus-common)
# Beside the programs: libbus-dev has lib/orderbus.
install(TARGETS bus_names_ssl bus_names_crypto LIBRARY DESTINATION libexec/orderbus/lib COMPONENT orderbus-common)
package_scripts(orderbus-common SERVICES orderbus.target)

# ---- what an administrator runs: migrations, topology ----
package_define(orderbus-admin "Migrations, topology and administrators' programs of orderbus"
  DEPENDS "orderbus-common (= ${PROJECT_VERSION}-1), sqitch, libdbd-pg-perl, postgresql-client, curl, python3")
function(install_oneshot name description command folder variable id)
  credential_lines(${folder} ${id} ${variable} FALSE credentials)
  set(text "${description}.")
  configure_file("${templates}/oneshot.in" "${made}/${name}.service" @ONLY)
  install(FILES "${made}/${name}.service" DESTINATION ${unit_folder} COMPONENT orderbus-admin)
endfunction()
install_oneshot(orderbus-migrate@ "Deploys the missing migrations of the database %i" "/usr/bin/orderbus-migrate %i"
  admin MIGRATOR_URL_FILE "%i-migrator-url")
install_oneshot(orderbus-topology "Declares exchanges, queues and bindings at the broker" "/usr/bin/bus-topology apply"
  admin RABBITMQ_URL_FILE rabbitmq-url)
# Instances are servers of Postgres: each has an archive, and its URL in /etc/orderbus/admin.
function(install_backup unit variable id)
  credential_lines(admin ${id} ${variable} FALSE credentials)
  string(REGEX REPLACE "^orderbus-|@" "" name "${unit}")
  configure_file("${templates}/archive.in" "${made}/archive-${name}" @ONLY)
  file(READ "${made}/archive-${name}" archive)
  configure_file("${templates}/${name}.in" "${made}/${unit}.service" @ONLY)
  install(FILES "${made}/${unit}.service" DESTINATION ${unit_folder} COMPONENT orderbus-admin)
  if(EXISTS "${templates}/${name}.timer")
    install(FILES "${templates}/${name}.timer" DESTINATION ${unit_folder} RENAME ${unit}.timer COMPONENT orderbus-admin)
  endif()
endfunction()
install_backup(orderbus-backup-wal@ BACKUP_DATABASE_URL_FILE "%i-backup-url")
install_backup(orderbus-backup-base@ BACKUP_DATABASE_URL_FILE "%i-backup-url")
install_backup(orderbus-backup-broker RABBITMQ_MANAGEMENT_URL_FILE management-url)
install(FILES docs/recovery.md DESTINATION share/doc/orderbus-admin COMPONENT orderbus-admin)
install(PROGRAMS infrastructure/backup/orderbus-backup "${parts}/orderbus-broker" "${parts}/orderbus-migrate" "${parts}/orderbus-roles" DESTINATION bin
  COMPONENT orderbus-admin)
install(FILES "${parts}/url.sh" DESTINATION share/orderbus COMPONENT orderbus-admin)
install(FILES "${parts}/admin.tmpfiles" DESTINATION lib/tmpfiles.d RENAME orderbus-admin.conf COMPONENT orderbus-admin)
install(FILES "${templates}/README.md" DESTINATION share/doc/orderbus-common COMPONENT orderbus-common)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/migrations" DESTINATION share/orderbus COMPONENT orderbus-admin)
install(FILES infrastructure/local/roles.sql infrastructure/local/server.sql DESTINATION share/orderbus/sql
  COMPONENT orderbus-admin)
# Migrations include libbus's SQL by its place in the checkout.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/libbus/sql" DESTINATION share/orderbus/libbus COMPONENT orderbus-admin)
package_scripts(orderbus-admin
  SERVICES orderbus-backup-wal@.service orderbus-backup-base@.timer orderbus-backup-broker.timer MADE /usr/lib/tmpfiles.d/orderbus-admin.conf PURGED /etc/orderbus/admin)

# ---- services ----
foreach(folder ${ORDERBUS_SERVICES})
  orderbus_service_field("${folder}" name name)
  set(package orderbus-${name})
  first_sentence("${folder}/README.md" summary)
  package_define(${package} "${summary}" DEPENDS "orderbus-common (= ${PROJECT_VERSION}-1)" RECOMMENDS libcurl4)
  service_credentials("${folder}" ${name} credentials)
  service_state("${folder}" state_folders state)
  configure_file("${templates}/service.in" "${made}/${package}.service" @ONLY)
  read_if_there("${folder}/.env.example" text)
  string(REGEX REPLACE "\n([A-Z])" "\n#\\1" text "${text}") # the first line is a comment
  file(WRITE "${made}/${name}.env" "# Settings of ${name}, with their defaults. Secrets stand in files of /etc/orderbus/${name}.\n\n${text}")
  file(WRITE "${made}/${package}.conf" "d /etc/orderbus/${name} 0700 root root -\n")
  install(FILES "${made}/${package}.service" DESTINATION ${unit_folder} COMPONENT ${package})
  install(FILES "${made}/${name}.env" DESTINATION "${etc}" COMPONENT ${package})
  install(FILES "${made}/${package}.conf" DESTINATION lib/tmpfiles.d COMPONENT ${package})
  install(FILES "${folder}/README.md" DESTINATION share/doc/${package} COMPONENT ${package} OPTIONAL)
  package_scripts(${package} SERVICES ${package}.service MADE /usr/lib/tmpfiles.d/${package}.conf
    PURGED /etc/orderbus/${name} /var/lib/private/${package} /var/lib/${package} CONFFILES /etc/orderbus/${name}.env)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME orderbus)
set(CPACK_PACKAGE_VENDOR orderbus)
set(CPACK_PACKAGE_CONTACT "orderbus <orderbus@localhost>")
set(CPACK_COMPONENTS_ALL ${packages})
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_SET_DESTDIR ON)  # conffiles lie in /etc
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
