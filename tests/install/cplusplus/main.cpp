/* libbus from C++: all public headers, and all their functions, which link as C. */
#include "headers.inc"

#include <cstdio>
#include <initializer_list>

namespace {
class Arena {
public:
  Arena() : arena(bus_arena_new(1 << 16)) {}
  ~Arena() { bus_arena_free(arena); }
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;
  bus_arena *get() const { return arena; }

private:
  bus_arena *arena;
};

/* Their addresses: a function that is not extern "C", or in no archive, does not link. */
const void *const functions[] = {
#define FUNCTION(name) reinterpret_cast<const void *>(&name),
#include "functions.inc"
#undef FUNCTION
};
} // namespace

int main() {
  const Arena arena;
  size_t count = 0;
  for (const void *function : functions)
    count += function != nullptr;
  const struct bus_str said = bus_arena_printf(arena.get(), "%zu functions link", count);
  return std::puts(said.data) < 0;
}
