// The functions of the language, of binary numbers with `work.bits` bits; and as doubles.

const fixed = (x, bits) => shifted(x.m, x.e + bits); // x·2^bits as a whole number
const small = (x) => (x.m === 0n ? 0 : Math.max(0, -magnitude(x))); // zeros behind the point
const large = (x) => Math.max(0, magnitude(x));
const half = (x) => ({ m: x.m, e: x.e - 1 });
const oneReal = () => ({ m: 1n, e: 0 });

const FARTHEST = 45; // bits of what an exponential takes

const constants = new Map();
function constant(name, bits, make) {
  const key = `${name} ${bits}`;
  if (!constants.has(key)) constants.set(key, make(bits + 32) >> 32n);
  return constants.get(key);
}
function inverseSeries(n, bits, sign) { // atan(1/n), or atanh(1/n) where the sign is 1
  let term = (1n << BigInt(bits)) / n, total = term, k = 1n;
  while (term) {
    term /= n * n * BigInt(sign);
    k += 2n;
    total += term / k;
  }
  return total;
}
const logTwo = (bits) => constant("ln2", bits, (b) =>
  18n * inverseSeries(26n, b, 1) - 2n * inverseSeries(4801n, b, 1) + 8n * inverseSeries(8749n, b, 1));
const pi = (bits) => constant("pi", bits, (b) => 16n * inverseSeries(5n, b, -1) - 4n * inverseSeries(239n, b, -1));
const piReal = () => binary(pi(work.bits + 8), -work.bits - 8);

function exponential(x) {
  if (x.m === 0n) return oneReal();
  if (large(x) > FARTHEST) {
    if (signOf(x) > 0) throw new NoValue("large");
    return { m: 0n, e: 0 };
  }
  if (small(x) > work.bits + 8) return oneReal();
  const halvings = Math.max(8, Math.round(Math.sqrt(work.bits) * 0.7)), bits = work.bits + 30 + large(x) + 2 * halvings, scale = BigInt(bits);
  const whole = fixed(x, bits), two = logTwo(bits);
  const k = (2n * whole + two) / (2n * two) - (2n * whole + two < 0n ? 1n : 0n);
  const rest = (whole - k * two) >> BigInt(halvings);
  let term = 1n << scale, total = term;
  for (let n = 1n; term; n += 1n) {
    term = ((term * rest) >> scale) / n;
    if (term === -1n) break;
    total += term;
  }
  for (let n = 0; n < halvings; n += 1) total = (total * total) >> scale;
  return binary(total, Number(k) - bits);
}
function logarithm(x) {
  if (signOf(x) < 0) throw new NoValue("log");
  let shift = lengthOf(x.m), f = { m: x.m, e: -shift }; // in [1/2, 1)
  let power = x.e + shift;
  if (Number(f.m >> BigInt(Math.max(0, shift - 50))) / 2 ** Math.min(shift, 50) < 0.75) { f = { m: f.m, e: f.e + 1 }; power -= 1; }
  const away = addBinary(f, { m: -1n, e: 0 });
  if (away.m === 0n) return power === 0 ? { m: 0n, e: 0 } : binary(BigInt(power) * logTwo(work.bits + 8), -work.bits - 8);
  return withBits(small(away) + 20, () => {
    const start = Math.log1p(asDouble(away));
    let y = real(ofDouble(start));
    for (let sure = 40; sure < work.bits; sure *= 3) {
      const e = exponential(y);
      y = addBinary(y, over({ m: minus(f, e).m, e: minus(f, e).e + 1 }, plus(f, e)));
    }
    const whole = binary(BigInt(power) * logTwo(work.bits + 8), -work.bits - 8);
    return addBinary(y, whole);
  });
}
function asDouble(a) {
  if (isFraction(a)) return withBits(0, () => asDouble(real(a)));
  const gone = Math.max(0, lengthOf(a.m) - 60);
  return Number(a.m >> BigInt(gone)) * 2 ** Math.max(-1000, a.e + gone);
}
function squareRoot(x) {
  if (signOf(x) < 0) throw new NoValue("root");
  let shift = Math.max(0, 2 * work.bits + 4 - lengthOf(x.m));
  if ((x.e - shift) % 2) shift += 1;
  const n = x.m << BigInt(shift);
  if (n === 0n) return x;
  let y = 1n << BigInt(Math.ceil(lengthOf(n) / 2));
  for (;;) {
    const next = (y + n / y) >> 1n;
    if (next >= y) break;
    y = next;
  }
  return binary(y, (x.e - shift) / 2);
}
function hyperbolic(x) { // exp(x) and exp(-x), with digits enough to subtract one from the other
  return withBits(2 * small(x) + 10, () => {
    const up = exponential(x), down = over(oneReal(), up);
    return { sinh: half(minus(up, down)), cosh: half(plus(up, down)) };
  });
}
function tanh(x) {
  if (x.m === 0n) return x;
  if (large(x) > Math.log2(work.bits) + 1) return { m: BigInt(signOf(x)), e: 0 };
  const { sinh, cosh } = hyperbolic(x);
  return over(sinh, cosh);
}
function circular(x) { // sine and cosine
  if (large(x) > 330) throw new NoValue("wave");
  const bits = work.bits + 30 + large(x) + small(x), scale = BigInt(bits);
  const whole = fixed(x, bits), quarter = pi(bits) >> 1n;
  let n = (2n * whole + quarter) / (2n * quarter);
  if (2n * whole + quarter < 0n) n -= 1n;
  const rest = whole - n * quarter;
  let sine = 0n, cosine = 0n, term = 1n << scale;
  for (let k = 0; term !== 0n && term !== -1n; k += 1) {
    const signed = k % 4 < 2 ? term : -term;
    if (k % 2) sine += signed; else cosine += signed;
    term = ((term * rest) >> scale) / BigInt(k + 1);
  }
  const turn = Number(((n % 4n) + 4n) % 4n);
  const [s, c] = [[sine, cosine], [cosine, -sine], [-sine, -cosine], [-cosine, sine]][turn];
  const crossed = (y) => (y.m !== 0n && magnitude(y) < magnitude(x) - work.bits + 60 ? { m: 0n, e: 0 } : y);
  return { sin: crossed(binary(s, -bits)), cos: crossed(binary(c, -bits)) };
}
function arcTangent(x) {
  if (x.m === 0n) return x;
  if (magnitude(x) > 1) {
    const rest = arcTangent(over(oneReal(), absolute(x))), whole = minus(half(piReal()), rest);
    return signOf(x) < 0 ? negative(whole) : whole;
  }
  return withBits(20, () => {
    let y = x;
    for (let k = 0; k < 3; k += 1) y = over(y, plus(oneReal(), squareRoot(plus(oneReal(), times(y, y)))));
    const bits = work.bits + 20 + small(x), scale = BigInt(bits), z = fixed(y, bits), square = (z * z) >> scale;
    let term = z, total = z;
    for (let k = 3n; term !== 0n && term !== -1n; k += 2n) {
      term = -((term * square) >> scale);
      total += term / k;
    }
    return binary(total, 3 - bits);
  });
}
function angle(y, x) {
  if (compare(y, ZERO) === 0) return compare(x, ZERO) >= 0 ? ZERO : piReal();
  [y, x] = [real(y), real(x)];
  if (signOf(x) === 0) return half({ m: BigInt(signOf(y)) * piReal().m, e: piReal().e });
  const base = arcTangent(over(y, x));
  if (signOf(x) > 0) return base;
  return signOf(y) > 0 ? plus(base, piReal()) : minus(base, piReal());
}
function arcSine(x) {
  const rest = minus(oneReal(), times(x, x));
  if (signOf(rest) < 0) throw new NoValue("domain");
  return withBits(small(rest), () => real(angle(x, squareRoot(minus(oneReal(), times(x, x))))));
}
function errorFunction(x) {
  if (x.m === 0n) return x;
  const square = times(x, x);
  if (asDouble(square) > work.bits) return { m: BigInt(signOf(x)), e: 0 };
  return withBits(20, () => {
    let term = x, total = x;
    for (let n = 1; magnitude(term) > magnitude(total) - work.bits - 4; n += 1) {
      term = over(times(term, { m: 2n * square.m, e: square.e }), fraction(BigInt(2 * n + 1)));
      total = plus(total, term);
    }
    const front = over({ m: 2n, e: 0 }, squareRoot(piReal()));
    return times(times(front, exponential(negative(square))), total);
  });
}
const numbersOfBernoulli = [ONE];
function bernoulli(n) {
  for (let m = numbersOfBernoulli.length; m <= n; m += 1) {
    let total = ZERO, choose = 1n;
    for (let k = 0; k < m; k += 1) {
      total = fraction(total.p * numbersOfBernoulli[k].q + choose * numbersOfBernoulli[k].p * total.q, total.q * numbersOfBernoulli[k].q);
      choose = (choose * BigInt(m + 1 - k)) / BigInt(k + 1);
    }
    numbersOfBernoulli.push(fraction(-total.p, total.q * BigInt(m + 1)));
  }
  return numbersOfBernoulli[n];
}
// The logarithm of gamma (order -1) or its derivatives: far out by the series of Stirling.
function ofGamma(order, x) {
  if (signOf(x) <= 0) throw new NoValue("domain");
  return withBits(60, () => {
    const far = Math.ceil(work.bits / 8) + 4;
    let y = real(x), before = { m: 0n, e: 0 };
    const sign = order % 2 ? 1n : -1n; // of the terms 1/y^(order+1)
    const factorial = (n) => { let f = 1n; for (let k = 2n; k <= BigInt(n); k += 1n) f *= k; return f; };
    while (asDouble(y) < far) {
      const term = order < 0 ? negative(logarithm(y)) : over(fraction(sign * factorial(order)), power(y, fraction(BigInt(order + 1))));
      before = addBinary(before, real(term));
      y = plus(y, ONE);
    }
    let total;
    if (order < 0) {
      const turn = half(logarithm(times({ m: 2n, e: 0 }, piReal())));
      total = plus(minus(times(minus(y, fraction(1n, 2n)), logarithm(y)), y), turn);
    } else if (order === 0) total = minus(logarithm(y), over(ONE, times({ m: 2n, e: 0 }, y)));
    else {
      const n = BigInt(order);
      total = plus(over(fraction(factorial(order - 1)), power(y, fraction(n))),
        over(fraction(factorial(order), 2n), power(y, fraction(n + 1n))));
      if (order % 2 === 0) total = negative(total);
    }
    for (let k = 1; ; k += 1) {
      const b = bernoulli(2 * k);
      let term;
      if (order < 0) term = over(fraction(b.p, b.q * BigInt(2 * k * (2 * k - 1))), power(y, fraction(BigInt(2 * k - 1))));
      else if (order === 0) term = over(fraction(-b.p, b.q * BigInt(2 * k)), power(y, fraction(BigInt(2 * k))));
      else {
        const n = factorial(2 * k + order - 1) * (order % 2 ? 1n : -1n);
        term = over(fraction(b.p * n, b.q * factorial(2 * k)), power(y, fraction(BigInt(2 * k + order))));
      }
      total = plus(total, term);
      if (magnitude(real(term)) < magnitude(real(total)) - work.bits) break;
    }
    return plus(real(total), before);
  });
}
const logistic = (x) => over(oneReal(), plus(oneReal(), exponential(negative(x))));
const softplus = (x) => withBits(Math.min(8000, Math.max(0, -asDouble(x) * 1.5)) + 10, () => logarithm(plus(oneReal(), exponential(x))));
function floor(a) {
  if (isFraction(a)) return fraction(a.p / a.q - (a.p % a.q < 0n ? 1n : 0n));
  const near = fraction(shifted(2n * a.m + (a.e < 0 ? 1n << BigInt(-a.e) : 0n), a.e - 1));
  return compare(a, near) < 0 ? minus(near, ONE) : near;
}

const flag = (yes) => (yes ? ONE : ZERO);
const PIECES = { // rational wherever their arguments are
  max: (a, b) => (compare(b, a) > 0 ? b : a),
  min: (a, b) => (compare(b, a) < 0 ? b : a),
  abs: absolute,
  stop_gradient: (x) => x,
  floor,
  atan2: angle,
  sign: (x) => fraction(BigInt(compare(x, ZERO))),
  greater: (a, b) => flag(compare(a, b) > 0),
  at_least: (a, b) => flag(compare(a, b) >= 0),
};
const MANY = { // of binary numbers
  exp: exponential, log: logarithm, tanh, sin: (x) => circular(x).sin, cos: (x) => circular(x).cos,
  sinh: (x) => hyperbolic(x).sinh, cosh: (x) => hyperbolic(x).cosh, atan: arcTangent,
  asin: arcSine, acos: (x) => minus(half(piReal()), arcSine(x)), erf: errorFunction, logistic, softplus,
  lgamma: (x) => ofGamma(-1, x), digamma: (x) => ofGamma(0, x),
  polygamma: (n, x) => ofGamma(Math.round(asDouble(n)), x),
};
const wave = (x) => (asDouble(absolute(x)) < 1000 ? absolute(x) : times(absolute(x), fraction(ten(SPARE))));
const LOSING = { log: () => ONE, sin: wave, cos: wave }; // what the result was rounded for, near 0

function applied(name, values) {
  if (PIECES[name]) return PIECES[name](...values);
  if (name === "log" && signOf(values[0]) === 0) throw new LogOfZero("log");
  const found = MANY[name](...values.map(real));
  if (values.every((a) => isFraction(a) && a.q === 1n && (a.p === 0n || a.p === 1n))) return recognised(found);
  return LOSING[name] ? left(found, LOSING[name](real(values[0]))) : found;
}
function recognised(x) { // a result at 0 and 1, where it may be rational
  if (magnitude(x) < -work.bits / 2) return ZERO;
  let { m, e } = binary(x.m, x.e, work.bits - GUARD / 2);
  while (m !== 0n && m % 2n === 0n) [m, e] = [m / 2n, e + 1];
  if (lengthOf(m) > 64 || Math.abs(e) > 64) return x;
  return e < 0 ? fraction(m, 1n << BigInt(-e)) : fraction(m << BigInt(e));
}

const DOUBLES = {
  exp: Math.exp, log: Math.log, tanh: Math.tanh, sin: Math.sin, cos: Math.cos, sinh: Math.sinh,
  cosh: Math.cosh, atan: Math.atan, asin: Math.asin, acos: Math.acos, abs: Math.abs,
  sign: Math.sign, floor: Math.floor, max: (a, b) => (b > a ? b : a), min: (a, b) => (b < a ? b : a),
  atan2: (y, x) => (x === 0 && y === 0 ? 0 : Math.atan2(y, x)), stop_gradient: (x) => x,
  greater: (a, b) => (a > b ? 1 : 0), at_least: (a, b) => (a >= b ? 1 : 0),
  logistic: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};
for (const name of ["erf", "lgamma", "digamma", "polygamma"])
  DOUBLES[name] = (...xs) => withDigits(20, () => asDouble(MANY[name](...xs.map((x) => real(ofDouble(x))))));
