# cmake -P: HTML and man pages of the public headers by Doxygen. Fails at an undocumented function and at each other
# warning; members, macros and enumerations may speak for themselves.
# DOXYGEN, HEADERS (folder), FILTER (doxygen.awk), VERSION, OUTPUT
file(REMOVE_RECURSE "${OUTPUT}")
file(MAKE_DIRECTORY "${OUTPUT}")
file(WRITE "${OUTPUT}/Doxyfile" "
PROJECT_NAME = libbus
PROJECT_NUMBER = ${VERSION}
PROJECT_BRIEF = \"Message-driven services on RabbitMQ and Postgres\"
INPUT = \"${HEADERS}\"
FILE_PATTERNS = *.h
INPUT_FILTER = \"awk -f ${FILTER}\"
FILTER_SOURCE_FILES = NO
OUTPUT_DIRECTORY = \"${OUTPUT}\"
STRIP_FROM_PATH = \"${HEADERS}/..\"
STRIP_FROM_INC_PATH = \"${HEADERS}/..\"
OPTIMIZE_OUTPUT_FOR_C = YES
JAVADOC_AUTOBRIEF = YES
EXTRACT_ALL = NO
EXTRACT_STATIC = YES
TYPEDEF_HIDES_STRUCT = NO
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
PREDEFINED = BUS_C_BEGIN= BUS_C_END= BUS_MUST_CHECK= \"BUS_PRINTF(a,b)=\" \"__attribute__(x)=\"
HAVE_DOT = NO
VERBATIM_HEADERS = NO
HTML_TIMESTAMP = NO
GENERATE_LATEX = NO
GENERATE_MAN = YES
MAN_LINKS = YES
QUIET = YES
WARN_IF_UNDOCUMENTED = YES
WARN_LOGFILE = \"${OUTPUT}/warnings.log\"
")
execute_process(COMMAND "${DOXYGEN}" "${OUTPUT}/Doxyfile" RESULT_VARIABLE status)
file(STRINGS "${OUTPUT}/warnings.log" warnings)
list(FILTER warnings EXCLUDE REGEX "Member .* \\((variable|enumvalue|macro definition|enumeration|typedef)\\) of .* is not documented\\.")
list(FILTER warnings EXCLUDE REGEX "Compound .* is not documented\\.")
if(warnings OR status)
  list(JOIN warnings "\n" text)
  message(FATAL_ERROR "the reference of libbus has faults:\n${text}")
endif()

# A page a header, bus_sql.h.3, since sql.h.3 would be anybody's; its functions and structs refer to it.
file(GLOB pages RELATIVE "${OUTPUT}/man/man3" "${OUTPUT}/man/man3/*.3")
foreach(page ${pages})
  set(path "${OUTPUT}/man/man3/${page}")
  if(page MATCHES "^[a-z0-9_]+\\.h\\.3$")
    file(RENAME "${path}" "${OUTPUT}/man/man3/bus_${page}")
  elseif(page MATCHES "^bus_[a-z0-9_]+\\.3$")
    file(READ "${path}" text)
    if(text MATCHES "^\\.so man3/([a-z0-9_]+\\.h\\.3)")
      file(WRITE "${path}" ".so man3/bus_${CMAKE_MATCH_1}\n")
    endif()
  else()
    file(REMOVE "${path}")
  endif()
endforeach()
