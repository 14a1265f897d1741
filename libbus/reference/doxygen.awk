# Makes Doxygen's comments of a public header's comments: one before a declaration documents it, one behind a member
# documents that member, the first one the file. Indented lines of a comment stay lines. Headings such as
# "/* ---- rows ---- */" are left alone.
function text(line) {
  gsub(/[@<]/, "\\\\&", line)
  return line
}
function leave_verbatim() {
  if (verbatim)
    print " * @endverbatim"
  verbatim = 0
}
!within && /^[ \t]*\/\* -+ .* -+ \*\/$/ { print; next }
!within && match($0, /^[ \t]*\/\*/) {
  print substr($0, 1, RLENGTH) "*" (NR == 1 ? " @file" : "")
  rest = text(substr($0, RLENGTH + 1))
  within = rest !~ /\*\//
  if (rest !~ /^ *$/)
    print " * " rest
  next
}
!within && match($0, /[ \t]\/\* /) {
  rest = substr($0, RSTART + RLENGTH)
  within = rest !~ /\*\//
  print substr($0, 1, RSTART) "/**< " text(rest)
  next
}
!within { print; next }
{
  ends = /\*\//
  if (!ends && /^ *\*   /) {
    if (!verbatim)
      print " * @verbatim"
    verbatim = 1
    print
  } else if (verbatim && ends && /^ *\*   /) {
    sub(/ *\*\//, "")
    print
    leave_verbatim()
    print " */"
  } else {
    leave_verbatim()
    print text($0)
  }
  within = !ends
}
