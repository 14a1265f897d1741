/* Prints the id that a name has in the name space of DNS: RFC 9562's own example. */
#include <bus/uuid.h>

#include <stdio.h>

int main(void) {
  struct bus_uuid space, id;
  char text[BUS_UUID_TEXT];
  if (!bus_uuid_parse(BUS_STR("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), &space))
    return 1;
  bus_uuid_v5(&space, BUS_STR("www.example.com"), &id);
  bus_uuid_format(&id, text);
  return puts(text) < 0;
}
