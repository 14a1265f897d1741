// Loads a script as k6 does: CommonJS, in a context that has the language, __ENV and k6's modules, and nothing of Node.
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const {Outside} = require('./outside.js');

class Loader {
  constructor(modules, environment) {
    this.modules = modules;
    this.loaded = new Map();
    this.context = vm.createContext({__ENV: environment, console});
  }

  require(name, from) {
    if (name.startsWith('.')) {
      return this.load(path.resolve(path.dirname(from), name));
    }
    if (!(name in this.modules)) {
      throw new Outside(`require('${name}')`);
    }
    return this.modules[name];
  }

  load(file) {
    if (!this.loaded.has(file)) {
      const module = {exports: {}};
      this.loaded.set(file, module);
      const names = ['require', 'module', 'exports'];
      const run =
          vm.compileFunction(fs.readFileSync(file, 'utf8'), names, {filename: file, parsingContext: this.context});
      run((name) => this.require(name, file), module, module.exports);
    }
    return this.loaded.get(file).exports;
  }
}

// → what the script exports
function load(file, modules, environment) {
  return new Loader(modules, environment).load(path.resolve(file));
}

module.exports = {load};
