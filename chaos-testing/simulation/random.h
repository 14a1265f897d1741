/* The one source of chance of a seed: integers alone, so that every compiler and machine draws the same. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <bus/base.h>

/* splitmix64 of Steele, Lea and Flood. */
struct random {
  uint64_t state;
};

static inline uint64_t random_next(struct random *random) {
  uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  return z ^ z >> 31;
}

/* 0 to n - 1; n > 0. */
static inline uint64_t random_below(struct random *random, uint64_t n) {
  return random_next(random) % n;
}

/* low to high, both included. */
static inline int64_t random_between(struct random *random, int64_t low, int64_t high) {
  return low + (int64_t)random_below(random, (uint64_t)(high - low + 1));
}

enum { PPM = 1000000 };

/* True that many times in a million. Draws nothing where the answer is plain: a fault that is off costs no chance. */
static inline bool random_chance(struct random *random, int64_t ppm) {
  return ppm > 0 && (int64_t)random_below(random, PPM) < ppm;
}

/* About exponential: sixteen quantiles, each with some spread. */
static inline int64_t random_wait(struct random *random, int64_t mean) {
  static const int32_t permille[16] = {32,  98,  170,  247,  330,  421,  521,  632,
                                       757, 899, 1067, 1269, 1526, 1876, 2428, 3900};
  uint64_t draw = random_next(random);
  int64_t wait = mean * permille[draw & 15] / 1000;
  return wait / 2 + (int64_t)((draw >> 4) % (uint64_t)(wait + 1));
}

#endif
