# What every target of this project shares: warnings, hardening, sanitizers, and the rule of one CTest entry per case.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# -pie is said, not left to how the distribution configured its compiler.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

# Asserts stay in a release: a bug must end the process before it commits anything.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

option(ORDERBUS_ASAN "Address and undefined behaviour sanitizers" OFF)
option(ORDERBUS_TSAN "Thread sanitizer" OFF)
option(ORDERBUS_FAILPOINTS "Points at which tests make a crash or an error fall; never in what is shipped" OFF)
option(ORDERBUS_FUZZ "Fuzz targets driven by libFuzzer, with ORDERBUS_ASAN's sanitizers (clang)" OFF)

option(ORDERBUS_COVERAGE "Count lines and branches (clang), without assertions" OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

add_library(orderbus_options INTERFACE)
target_compile_options(orderbus_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Werror -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -fstack-protector-strong -fstack-clash-protection -fcf-protection -fno-omit-frame-pointer
  -fno-semantic-interposition)
target_compile_definitions(orderbus_options INTERFACE _GNU_SOURCE ORDERBUS_VERSION="${PROJECT_VERSION}")
target_link_options(orderbus_options INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
if(ORDERBUS_FAILPOINTS)
  target_compile_definitions(orderbus_options INTERFACE ORDERBUS_FAILPOINTS)
endif()
if(ORDERBUS_FUZZ)
  target_compile_options(orderbus_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(ORDERBUS_COVERAGE) # variables that only an assertion reads are unused without it
  target_compile_options(orderbus_options INTERFACE -fprofile-instr-generate -fcoverage-mapping -O1 -DNDEBUG
    -Wno-unused-variable -Wno-unused-parameter -Wno-unused-but-set-variable -Wno-unused-function)
  target_link_options(orderbus_options INTERFACE -fprofile-instr-generate)
endif()
if(ORDERBUS_ASAN OR ORDERBUS_FUZZ)
  target_compile_options(orderbus_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(orderbus_options INTERFACE -fsanitize=address,undefined)
elseif(ORDERBUS_TSAN)
  target_compile_options(orderbus_options INTERFACE -fsanitize=thread)
  target_link_options(orderbus_options INTERFACE -fsanitize=thread)
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(orderbus_options INTERFACE -D_FORTIFY_SOURCE=2)
endif()

# For what runs on hundreds of threads: each page of a frame stays touched on every stack.
add_library(orderbus_small_frames INTERFACE)
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT ORDERBUS_ASAN AND NOT ORDERBUS_TSAN AND NOT ORDERBUS_FUZZ)
  target_compile_options(orderbus_small_frames INTERFACE -Wframe-larger-than=2560)
endif()

# Tests with the label `threads`, besides their own: those that the thread sanitizer has something to see in.
add_custom_target(threaded_tests)

# orderbus_unit_test(NAME SOURCES … LIBRARIES … [LABELS …] [LOCK …]): one program, and one CTest entry for each TEST(case)
# that its sources begin a line with. A program runs the single case that its first argument names.
function(orderbus_unit_test name)
  cmake_parse_arguments(arg "" "LOCK" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE orderbus_options PkgConfig::cmocka orderbus_test_main ${arg_LIBRARIES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  if("threads" IN_LIST arg_LABELS)
    add_dependencies(threaded_tests ${name})
  endif()
  foreach(source ${arg_SOURCES})
    cmake_path(ABSOLUTE_PATH source NORMALIZE OUTPUT_VARIABLE path)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
    file(STRINGS "${source}" lines REGEX "^TEST\\(")
    foreach(line ${lines})
      string(REGEX REPLACE "^TEST\\(([A-Za-z0-9_]+)\\).*" "\\1" case "${line}")
      add_test(NAME "${name}.${case}" COMMAND ${name} ${case})
      set_tests_properties("${name}.${case}" PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 180 SKIP_RETURN_CODE 77)
      if(arg_LOCK) # cases that share something by that name run one after the other
        set_tests_properties("${name}.${case}" PROPERTIES RESOURCE_LOCK "${arg_LOCK}")
      endif()
      if(case MATCHES "blocked|alarm|sleeps|figure") # they block the shared broker, or measure CPU time
        set_tests_properties("${name}.${case}" PROPERTIES RUN_SERIAL TRUE)
      endif()
    endforeach()
  endforeach()
endfunction()

# orderbus_fuzz_target(NAME SOURCES … LIBRARIES …): a program fuzz_NAME over bytes. Its corpus lies in corpus/NAME beside
# the sources, its words in corpus/NAME.dict. With ORDERBUS_FUZZ libFuzzer drives it; else it is a unit test that runs
# the corpus, former crashers included.
add_custom_target(fuzz_targets)
function(orderbus_fuzz_target name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(fuzz_${name} ${arg_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE orderbus_options orderbus_fuzz_support ${arg_LIBRARIES})
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
  add_dependencies(fuzz_targets fuzz_${name})
  if(ORDERBUS_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_link_libraries(fuzz_${name} PRIVATE orderbus_fuzz_replay)
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")
    set_tests_properties(fuzz.${name} PROPERTIES LABELS unit TIMEOUT 60)
  endif()
endfunction()
