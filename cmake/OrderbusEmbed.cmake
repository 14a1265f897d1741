# orderbus_embed(target name file…): compiles files into the target, each as the bytes and length of an embedded_file
# that `name`.h declares: docs/page.css becomes page_css.
set(ORDERBUS_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/embed.cmake")

function(orderbus_embed target name)
  set(sources "${CMAKE_CURRENT_BINARY_DIR}/${name}.c")
  set(inputs "")
  foreach(file ${ARGN})
    list(APPEND inputs "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endforeach()
  add_custom_command(OUTPUT "${sources}"
    COMMAND "${CMAKE_COMMAND}" "-DOUTPUT=${sources}" "-DNAME=${name}" "-DINPUTS=${inputs}" -P "${ORDERBUS_EMBED_SCRIPT}"
    DEPENDS ${inputs} "${ORDERBUS_EMBED_SCRIPT}"
    COMMENT "Embedding ${name}"
    VERBATIM)
  target_sources(${target} PRIVATE "${sources}")
endfunction()
