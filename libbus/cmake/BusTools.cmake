# bus_tools(TOPOLOGY LIBRARIES … [PREFIX name]): the operator's programs of the struct bus_topology of that name, which the
# libraries define: <prefix>topology, <prefix>send, <prefix>ask and <prefix>dead. The prefix is "bus-" if it is not given.
function(bus_tools topology)
  cmake_parse_arguments(arg "" "PREFIX" "LIBRARIES" ${ARGN})
  if(NOT DEFINED arg_PREFIX)
    set(arg_PREFIX "bus-")
  endif()
  foreach(tool topology send ask dead)
    set(source "${CMAKE_CURRENT_BINARY_DIR}/${arg_PREFIX}${tool}.c")
    file(CONFIGURE OUTPUT "${source}" CONTENT [[/* Made by bus_tools(@topology@). */
#include <bus/tool.h>

extern const struct bus_topology @topology@;

int main(int argc, char **argv) {
  return bus_@tool@_main(argc, argv, &@topology@);
}
]] @ONLY)
    add_executable(${arg_PREFIX}${tool} "${source}")
    target_link_libraries(${arg_PREFIX}${tool} PRIVATE ${arg_LIBRARIES} bus::tool)
  endforeach()
endfunction()
