// Numbers as the derivation has them: fractions while they are, then binary numbers of many
// digits; and how a number is printed. A fraction is {p, q}, a binary number m·2^e is {m, e}.

class NoValue extends Error {}
class DivisionByZero extends NoValue {}
class LogOfZero extends NoValue {}
class MoreDigits extends Error {}

const DIGITS = [50, 800, 1600]; // tried in turn where a sum cancels
const SURE = 40; // digits of a binary number that are no noise
const SPARE = 20; // digits that may cancel in a sum
const GUARD = 40; // bits beyond those that are asked for
const NOTHING = 4000; // zeros behind the point, from where on a number is printed as 0
const LONGEST_PRINT = 400; // digits
const MOST_BITS = 4000, LONGEST_BITS = 40000; // of a fraction
const ten = (n) => 10n ** BigInt(n);
const big = (n) => (n < 0n ? -n : n);

const work = { digits: DIGITS[0], bits: 0 };
function withDigits(digits, run) {
  const before = { ...work };
  work.digits = digits;
  work.bits = Math.ceil((digits + 1) * Math.log2(10)) + GUARD;
  try { return run(); } finally { Object.assign(work, before); }
}
function withBits(more, run) {
  const before = work.bits;
  work.bits += Math.max(0, Math.ceil(more));
  try { return run(); } finally { work.bits = before; }
}

function lengthOf(n) {
  if (n === 0n) return 0;
  const hex = big(n).toString(16);
  return 4 * hex.length - Math.clz32(parseInt(hex[0], 16)) + 28;
}
function divisor(a, b) {
  while (b) [a, b] = [b, a % b];
  return a;
}
function fraction(p, q = 1n) {
  if (q === 0n) throw new DivisionByZero("zero");
  if (q < 0n) [p, q] = [-p, -q];
  if (q === 1n) return { p, q };
  const g = divisor(big(p), q);
  return { p: p / g, q: q / g };
}
const ZERO = fraction(0n), ONE = fraction(1n);
const isFraction = (a) => a.q !== undefined;
const isWhole = (a) => a.q === 1n;

function binary(m, e, bits = work.bits) {
  const gone = lengthOf(m) - bits;
  if (gone <= 0) return { m, e };
  const half = 1n << BigInt(gone - 1), shift = BigInt(gone);
  return { m: m < 0n ? -((-m + half) >> shift) : (m + half) >> shift, e: e + gone };
}
const shifted = (n, k) => (k >= 0 ? n << BigInt(k) : n >> BigInt(-k));
function real(a) {
  if (!isFraction(a)) return a;
  const shift = work.bits + 2 - lengthOf(a.p) + lengthOf(a.q);
  return shift > 0 ? binary((a.p << BigInt(shift)) / a.q, -shift) : binary(a.p / (a.q << BigInt(-shift)), -shift);
}
const signOf = (a) => { const n = isFraction(a) ? a.p : a.m; return n > 0n ? 1 : n < 0n ? -1 : 0; };
const negative = (a) => (isFraction(a) ? { p: -a.p, q: a.q } : { ...a, m: -a.m });
const absolute = (a) => (signOf(a) < 0 ? negative(a) : a);
const magnitude = (x) => (x.m === 0n ? -Infinity : lengthOf(x.m) + x.e); // |x| < 2^magnitude

function kept(a) { // a fraction that has grown beyond all use goes on as a binary number
  const above = lengthOf(a.p), below = lengthOf(a.q);
  return Math.min(above, below) < MOST_BITS && below < LONGEST_BITS ? a : real(a);
}
function addBinary(a, b) {
  if (a.m === 0n) return b;
  if (b.m === 0n) return a;
  if (a.e < b.e) [a, b] = [b, a];
  if (a.e - magnitude(b) > work.bits + 4) return a;
  return binary((a.m << BigInt(a.e - b.e)) + b.m, b.e);
}
function plus(a, b) {
  if (isFraction(a) && isFraction(b)) return kept(fraction(a.p * b.q + b.p * a.q, a.q * b.q));
  return addBinary(real(a), real(b));
}
function times(a, b) {
  if (isFraction(a) && isFraction(b)) return kept(fraction(a.p * b.p, a.q * b.q));
  [a, b] = [real(a), real(b)];
  return asSure(binary(a.m * b.m, a.e + b.e), a, b);
}
function over(a, b) {
  if (signOf(b) === 0) throw new DivisionByZero("zero");
  if (isFraction(a) && isFraction(b)) return kept(fraction(a.p * b.q, a.q * b.p));
  [a, b] = [real(a), real(b)];
  const shift = Math.max(0, work.bits + 2 - lengthOf(a.m) + lengthOf(b.m));
  return asSure(binary((a.m << BigInt(shift)) / b.m, a.e - b.e - shift), a, b);
}
function asSure(found, ...operands) { // of a product as many binary digits are sure as of its least sure factor
  const sure = Math.min(...operands.map((each) => each.sure ?? Infinity));
  return sure === Infinity ? found : { ...found, sure };
}
const minus = (a, b) => plus(a, negative(b));

// Of a sum of which much cancels little is left beside what it was rounded for; and nothing of a sum
// in which that cancels, too: no digit of it is sure below the power of two `unsure`.
function left(found, most, unsure = -Infinity) {
  const size = magnitude(real(found)), whole = magnitude(real(most));
  if (size >= whole - SPARE * Math.log2(10) && unsure === -Infinity) return found;
  if (work.digits < DIGITS[2]) throw new MoreDigits();
  const sure = size - Math.max(whole - work.bits, unsure);
  return sure > SPARE * Math.log2(10) ? { ...real(found), sure } : ZERO;
}
function summed(terms) {
  let total = ZERO, most = null, unsure = -Infinity;
  for (const term of terms) {
    if (isFraction(total) && isFraction(term)) { total = plus(total, term); continue; }
    if (term.sure !== undefined) unsure = Math.max(unsure, magnitude(term) - term.sure);
    for (const each of [total, term]) {
      const size = absolute(real(each));
      if (most === null || signOf(minus(size, most)) > 0) most = size;
    }
    total = addBinary(real(total), real(term));
  }
  return most === null ? total : left(total, most, unsure);
}
const compare = (a, b) => signOf(summed([a, negative(b)]));

function root(n, degree) { // the whole root of a whole number, or null
  if (n < 2n) return n;
  let x = 1n << BigInt(Math.ceil(lengthOf(n) / degree)), k = BigInt(degree);
  for (;;) {
    const y = ((k - 1n) * x + n / x ** (k - 1n)) / k;
    if (y >= x) break;
    x = y;
  }
  return x ** k === n ? x : null;
}
function power(base, exponent) {
  if (isFraction(base) && isFraction(exponent) && big(exponent.p) <= 64n * exponent.q) {
    let [p, q] = [base.p, base.q];
    if (exponent.q !== 1n) {
      const degree = Number(exponent.q);
      [p, q] = p >= 0n && degree <= 64 ? [root(p, degree), root(q, degree)] : [null, null];
    }
    if (p !== null && q !== null) {
      const n = big(exponent.p);
      return exponent.p < 0n ? kept(fraction(q ** n, p ** n)) : kept(fraction(p ** n, q ** n));
    }
  }
  if (isWhole(exponent) && big(exponent.p) <= 10000n) {
    let result = real(ONE), square = real(base);
    for (let n = big(exponent.p); n; n >>= 1n) {
      if (n & 1n) result = times(result, square);
      square = times(square, square);
    }
    return exponent.p < 0n ? over(ONE, result) : result;
  }
  if (signOf(base) < 0) throw new NoValue("root");
  if (signOf(base) === 0) {
    if (signOf(exponent) <= 0) throw new DivisionByZero("zero");
    return ZERO;
  }
  if (isFraction(exponent) && exponent.p === 1n && exponent.q === 2n) return squareRoot(real(base));
  return exponential(times(real(exponent), logarithm(real(base))));
}

// --- printing -------------------------------------------------------------------------------

function asFraction(a) { // exact for a fraction; of a binary number the digits that are sure
  if (isFraction(a)) return a;
  if (a.m === 0n || magnitude(a) < -4 * NOTHING) return ZERO;
  if (magnitude(a) > 100 * NOTHING) throw new NoValue("large");
  const exact = a.e >= 0 ? { p: a.m << BigInt(a.e), q: 1n } : { p: a.m, q: 1n << BigInt(-a.e) };
  const exponent = adjusted(exact) - SURE + 1;
  const n = nearest(exact, exponent, false);
  return exponent < 0 ? fraction(n, ten(-exponent)) : fraction(n * ten(exponent));
}
function adjusted(a) { // the exponent of ten of the first digit
  const p = big(a.p);
  let guess = Math.floor((lengthOf(p) - lengthOf(a.q)) * Math.log10(2)) - 1;
  const reaches = (k) => (k < 0 ? p * ten(-k) >= a.q : p >= a.q * ten(k));
  while (reaches(guess + 1)) guess += 1;
  while (!reaches(guess)) guess -= 1;
  return guess;
}
function nearest(a, exponent, up) { // a in units of 10^exponent, as a whole number
  const p = exponent < 0 ? big(a.p) * ten(-exponent) : big(a.p);
  const q = exponent > 0 ? a.q * ten(exponent) : a.q;
  let n = p / q;
  const rest = 2n * (p - n * q);
  if (rest > q || (rest === q && (up || n & 1n))) n += 1n;
  return a.p < 0n ? -n : n;
}
function lastPlace(a, format) { // the exponent of ten of the last digit with which a is printed
  return format.decimals !== null ? -format.decimals : a.p === 0n ? 0 : adjusted(a) - format.digits + 1;
}
function quantised(value, format) { // what is printed, as n·10^exponent
  let a = asFraction(value);
  if (a.p !== 0n && adjusted(a) < -NOTHING) a = ZERO;
  const first = a.p === 0n ? 0 : adjusted(a);
  if (first > NOTHING) throw new NoValue("large");
  const up = format.half_up;
  let exponent = lastPlace(a, format);
  if (first - exponent >= LONGEST_PRINT) throw new NoValue("long");
  let n = nearest(a, exponent, up);
  if (format.decimals === null && n !== 0n && big(n) >= ten(format.digits)) [n, exponent] = [n / 10n, exponent + 1];
  return { n, exponent };
}
function written(n, exponent) {
  const digits = big(n).toString(), sign = n < 0n ? "-" : "";
  if (exponent >= 0) return sign + (n === 0n ? "0" : digits + "0".repeat(exponent));
  const padded = digits.padStart(1 - exponent, "0");
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}
const stripped = (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);
function printed(value, format) { // the number that a reader sees, and its text
  const { n, exponent } = quantised(value, format);
  const text = written(n, exponent);
  return {
    value: exponent < 0 ? fraction(n, ten(-exponent)) : fraction(n * ten(exponent)),
    text: format.strip ? stripped(text) : text,
  };
}
function literal(a) { // a given value as it was written: 0.05, 3, 1/3
  let rest = a.q, places = 0;
  for (const prime of [2n, 5n]) {
    let k = 0;
    while (rest % prime === 0n) { rest /= prime; k += 1; }
    places = Math.max(places, k);
  }
  return rest === 1n ? stripped(written((a.p * ten(places)) / a.q, -places)) : `${a.p}/${a.q}`;
}
const LITERAL = /^\s*([-+\u2212]?)(?:(\d{1,40})\s*\/\s*(\d{1,40})|(\d{0,40})(?:[.,](\d{0,40}))?(?:[eE]([-+]?\d{1,3}))?)\s*$/;
function read(text) { // a number that somebody typed, or null
  const found = LITERAL.exec(text);
  if (!found || (found[2] === undefined && !found[4] && !found[5])) return null;
  const sign = found[1] === "-" || found[1] === "\u2212" ? -1n : 1n;
  if (found[2] !== undefined) return BigInt(found[3]) === 0n ? null : fraction(sign * BigInt(found[2]), BigInt(found[3]));
  const exponent = Number(found[6] || 0) - (found[5] || "").length;
  const n = sign * BigInt((found[4] || "") + (found[5] || ""));
  return exponent < 0 ? fraction(n, ten(-exponent)) : fraction(n * ten(exponent));
}
const ofDouble = (x) => read(x.toString().replace("e+", "e"));
// A double whose last digits are noise: beside a tie it is one.
const settled = (x) => ofDouble(Number(x.toPrecision(14)));
