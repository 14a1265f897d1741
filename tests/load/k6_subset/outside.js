// What the scripts may use of k6: anything else is refused by its name.

class Outside extends Error {
  constructor(name) {
    super(`${name} is outside the part of k6's API that tests/load/k6_subset implements`);
    this.outside = true;
  }
}

// An object whose missing properties are errors. The language itself asks for some of them.
function strict(name, object) {
  return new Proxy(object, {
    get(target, key) {
      if (key in target || typeof key === 'symbol' || key === 'toJSON' || key === 'then') {
        return target[key];
      }
      throw new Outside(`${name}.${key}`);
    }
  });
}

function onlyKnown(name, object, known) {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) {
      throw new Outside(`${name}.${key}`);
    }
  }
  return object;
}

module.exports = {
  onlyKnown,
  Outside,
  strict
};
