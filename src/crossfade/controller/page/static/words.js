// Values as people read them, in the words of the command line.

export function seconds(value) {
  if (value < 10) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  for (const [size, unit, small, below] of [[3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    if (whole >= size) {
      const rest = Math.floor((whole % size) / small);
      return `${Math.floor(whole / size)} ${unit}` + (rest ? ` ${rest} ${below}` : "");
    }
  }
  return `${whole} s`;
}

export function plural(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

export function release(number, version) {
  if (number === null || number === undefined) return "nothing";
  return version ? `${number} (${version})` : `${number}`;
}

/** The time of day, with the date when it was another day. */
export function clock(at) {
  const moment = new Date(at * 1000);
  const time = moment.toLocaleTimeString("en-GB");
  const pad = (number) => String(number).padStart(2, "0");
  if (moment.toDateString() === new Date().toDateString()) return time;
  return `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())} ${time}`;
}

export function percent(rate) {
  if (rate === null || rate === undefined) return "not known";
  return `${Number((100 * rate).toPrecision(2))} %`;
}

export function milliseconds(value) {
  if (value === null || value === undefined) return "not known";
  return `${value.toFixed(value >= 10 ? 0 : 1)} ms`;
}
