# Writes OUTPUT, a C file with the bytes of each of INPUTS; see OrderbusEmbed.cmake.
set(text "/* Made by cmake/embed.cmake. */\n#include \"${NAME}.h\"\n")
foreach(input ${INPUTS})
  get_filename_component(base "${input}" NAME)
  string(MAKE_C_IDENTIFIER "${base}" symbol)
  file(READ "${input}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND text "static const unsigned char ${symbol}_bytes[] = {${bytes}};\n"
                     "const struct embedded_file ${symbol} = {${symbol}_bytes, sizeof ${symbol}_bytes};\n")
endforeach()
file(WRITE "${OUTPUT}" "${text}")
