// The program: what is given, then one expression after the other, as the derivation has them.
// A tree is the number of a key, a literal such as "1/2", or [head, ...trees].

const literals = new Map();
function number(text) {
  if (!literals.has(text)) literals.set(text, read(text));
  return literals.get(text);
}
const EXACTLY = {
  number,
  pi: piReal,
  e: () => exponential(oneReal()),
  sum: summed,
  product: (factors) => multiplied(factors, [LogOfZero]),
  power: (a, b) => {
    if (!(isFraction(b) && isWhole(b)) && compare(a, ZERO) < 0) throw new NoValue("root");
    return power(a, b);
  },
  apply: applied,
  arriving: (factors) => multiplied(factors, [LogOfZero, DivisionByZero]),
  holds: (a) => isFraction(a) && a.q === 1n && a.p === 1n,
  whole: (n) => fraction(BigInt(n)),
  above: (a, b) => compare(a, b) > 0,
  position: (a) => Math.trunc(asDouble(a)),
};
const doubles = new Map();
const AS_DOUBLES = {
  number: (text) => {
    if (!doubles.has(text)) doubles.set(text, withDigits(20, () => asDouble(number(text))));
    return doubles.get(text);
  },
  pi: () => Math.PI,
  e: () => Math.E,
  sum: (terms) => { let s = 0; for (const t of terms) s += t; return s; },
  product: (factors) => {
    let result = 1;
    for (const factor of factors) { // what is multiplied by 0 is 0, also log(0)
      const next = factor();
      result = (result === 0 && !isFinite(next)) || (next === 0 && !isFinite(result)) ? 0 : result * next;
    }
    return result;
  },
  power: (a, b) => (b === 2 ? a * a : b === 0.5 ? Math.sqrt(a) : a ** b),
  apply: (name, values) => DOUBLES[name](...values),
  holds: (a) => a === 1,
  whole: (n) => n,
  above: (a, b) => a > b,
  position: Math.trunc,
};
AS_DOUBLES.arriving = AS_DOUBLES.product;
function multiplied(factors, excused) { // asked one by one: 0·log 0 is 0
  let result = ONE, missing = null;
  for (const factor of factors) {
    try { result = times(result, factor()); } catch (error) {
      if (!excused.some((kind) => error instanceof kind)) throw error;
      missing = error;
    }
  }
  if (missing !== null && signOf(result) !== 0) throw missing;
  return result;
}
// `from` has the numbers: `key` those of a network, `read` entries at places, `at` the letters.
function evaluate(tree, from, math) {
  if (typeof tree === "number") return from.key(tree);
  if (typeof tree === "string") return math.number(tree);
  const [head, ...rest] = tree;
  const inner = (t) => evaluate(t, from, math);
  switch (head) {
    case "@": return from.read(rest[0], rest.slice(1).map((t) => place(t, from, math)), math);
    case "i": return math.whole(from.at[rest[0]]);
    case "sum": return math.sum(alongLetter(rest[0], from, () => inner(rest[1])));
    case "log_sum": return math.apply("log", [math.sum(alongLetter(rest[0], from, () => math.apply("exp", [inner(rest[1])])))]);
    case "largest": return largest(rest, from, math).value;
    case "chosen": {
      const asked = rest.slice(1).map((t) => place(t, from, math));
      return math.whole(largest(rest[0].slice(1), from, math).at.every((k, n) => k === asked[n]) ? 1 : 0);
    }
    case "same": return math.whole(place(rest[0], from, math) === place(rest[1], from, math) ? 1 : 0);
    case "inside": {
      const k = place(rest[0], from, math);
      return math.whole(0 <= k && k < place(rest[1], from, math) ? 1 : 0);
    }
    case "quotient": case "remainder": return math.whole(place(tree, from, math));
    case "arriving": return math.arriving(rest.map((t) => () => inner(t)));
    case "+": return math.sum(rest.map(inner));
    case "*": return math.product(rest.map((t) => () => inner(t)));
    case "^": return math.power(inner(rest[0]), inner(rest[1]));
    case "pi": return math.pi();
    case "e": return math.e();
    case "where": return inner(math.holds(inner(rest[0])) ? rest[1] : rest[2]);
    default: return math.apply(head, rest.map(inner));
  }
}

const computes = (key) => key.f !== undefined;

function alongLetter([letter, size], from, body) { // one value for each place of a letter
  const found = [], before = from.at[letter];
  for (let k = 0; k < size; k += 1) { from.at[letter] = k; found.push(body()); }
  from.at[letter] = before;
  return found;
}
function largest([letters, body], from, math) { // the first of the largest values, and where it is
  let best = null;
  const visit = (depth, at) => {
    if (depth < letters.length) {
      let k = 0;
      alongLetter(letters[depth], from, () => visit(depth + 1, [...at, k++]));
      return;
    }
    const value = evaluate(body, from, math);
    if (best === null || math.above(value, best.value)) best = { value, at };
  };
  visit(0, []);
  return best;
}
function place(tree, from, math) { // a position, which comes out as a whole number
  if (typeof tree === "string") return Number(tree);
  const [head, ...rest] = tree, parts = () => rest.map((t) => place(t, from, math));
  if (head === "i") return from.at[rest[0]];
  if (head === "+") return parts().reduce((a, b) => a + b, 0);
  if (head === "*") return parts().reduce((a, b) => a * b, 1);
  if (head === "quotient" || head === "remainder") {
    const [above, below] = parts(), often = Math.floor(above / below);
    return head === "quotient" ? often : above - often * below;
  }
  return math.position(evaluate(tree, from, math));
}

// All numbers of the page: without rounding, as the page goes on with them, and as printed.
function computed(keys, given, format) {
  return carefully(format, (own) => run(keys, given, own));
}
function givenUp(format, astray) { // unrounded, and with significant digits: decimals show nothing of what is small
  return { ...format, chained: false, decimals: null, astray };
}
function carefully(format, compute) { // with digits enough, and rounded where that has a value
  let astray = "no_value";
  for (const chained of format.chained ? [true, false] : [false]) {
    for (const digits of DIGITS) {
      try {
        return withDigits(digits, () => compute(chained || !format.chained ? format : givenUp(format, astray)));
      } catch (error) {
        if (error instanceof MoreDigits) continue;
        if (error instanceof Unrounded) { astray = error.message; break; }
        throw error;
      }
    }
  }
  throw new NoValue("digits");
}
class Unrounded extends Error {} // rounded numbers lead astray: to what has no value, or to what is no step
function run(keys, given, format) {
  const exact = [], page = [], text = [];
  keys.forEach((key, k) => {
    if (!computes(key)) {
      exact[k] = page[k] = given[k];
      text[k] = literal(given[k]);
      return;
    }
    try {
      exact[k] = evaluate(key.f, { key: (n) => exact[n] }, EXACTLY);
      let value = exact[k];
      if (format.chained) {
        try { value = evaluate(key.f, { key: (n) => page[n] }, EXACTLY); } catch (error) {
          throw error instanceof NoValue ? new Unrounded("no_value") : error;
        }
      }
      const done = printed(value, format);
      page[k] = done.value;
      text[k] = done.text;
    } catch (error) {
      if (error instanceof NoValue) error.key = k;
      throw error;
    }
  });
  return { exact, page, text, chained: format.chained, astray: format.astray };
}

// The training in doubles: the given numbers after one more update.
function needed(keys, wanted) {
  const found = new Set(), waiting = [...wanted];
  const visit = (tree) => {
    if (typeof tree === "number") waiting.push(tree);
    else if (Array.isArray(tree)) tree.slice(1).forEach(visit);
  };
  while (waiting.length) {
    const k = waiting.pop();
    if (!found.has(k)) { found.add(k); if (computes(keys[k])) visit(keys[k].f); }
  }
  return [...found].filter((k) => computes(keys[k])).sort((a, b) => a - b);
}
function training(keys, updates, loss) { // updates: [key, key of its new value]
  const order = needed(keys, [loss, ...updates.map(([, after]) => after)]);
  return (values) => {
    const now = values.slice();
    for (const k of order) now[k] = evaluate(keys[k].f, { key: (n) => now[n] }, AS_DOUBLES);
    const next = values.slice();
    for (const [before, after] of updates) next[before] = now[after];
    return { loss: now[loss], next };
  };
}
