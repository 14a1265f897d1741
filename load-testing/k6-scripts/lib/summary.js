// The figures of a run as JSON in the file SUMMARY, for programs; without it k6 prints its own summary.
const {text} = require('./settings.js');

const FILE = text('SUMMARY', '');

function line([name, {values}]) {
  const shown = Object.entries(values).map(([figure, value]) => `${figure}=${Math.round(value * 1000) / 1000}`);
  return `${name}: ${shown.join(' ')}\n`;
}

function handleSummary({metrics}) {
  return {stdout: Object.entries(metrics).map(line).join(''), [FILE]: JSON.stringify(metrics)};
}

module.exports = FILE ? {handleSummary} : {};
