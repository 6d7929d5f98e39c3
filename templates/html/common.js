// What every page has: words, how numbers and formulas are written, views, languages, colours.

// a page that still glides would carry the button away between a reader's press and release
const AT_ONCE = { block: "nearest", behavior: "instant" };
const data = JSON.parse(document.getElementById("data").textContent);
const { say } = data;
const $ = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const LINE = 42; // signs of a row that has room for its result
const page = { language: document.documentElement.lang };
const word = (path) => path.split(".").reduce((found, part) => found[part], say[page.language]);
const filled = (path, ...values) => word(path).replace(/\{(\d)\}/g, (_, k) => values[k]);

// --- numbers and formulas as they are written ---------------------------------------------------

function shape(text) { // a printed number in its parts
  const sign = text.startsWith("-"), bare = sign ? text.slice(1) : text;
  if (bare.includes("/")) return { sign, parts: bare.split("/") };
  const digits = bare.replace(".", "").replace(/^0+/, "");
  if (data.format.decimals !== null || digits === "") return { sign, bare };
  const whole = bare.split(".")[0];
  const first = whole === "0" ? -(bare.split(".")[1].length - digits.length) - 1 : whole.length - 1;
  const short = digits.replace(/0+$/, "");
  if ((first > -6 && first < 9) || (first > 0 && short.length > 5)) return { sign, bare };
  return { sign, bare: short.length > 1 ? `${short[0]}.${short.slice(1)}` : short, power: first };
}
const comma = (t, sign) => (word("decimal") === "," ? t.replace(/(\d)\.(\d)/, `$1${sign}$2`) : t);
const FORMS = {
  mathml: {
    plain: (t) => `<mn>${comma(t, ",")}</mn>`, minus: "<mo form=\"prefix\">\u2212</mo>",
    power: (t, k) => `<mn>${comma(t, ",")}</mn><mo>\u00b7</mo><msup><mn>10</mn>${k < 0 ? `<mrow><mo form="prefix">\u2212</mo><mn>${-k}</mn></mrow>` : `<mn>${k}</mn>`}</msup>`,
    over: (p, q) => `<mfrac><mn>${p}</mn><mn>${q}</mn></mfrac>`,
    bracket: (t) => { // one that can stretch has room around it, which a number does not need
      const still = t.includes("mfrac") ? "" : ' stretchy="false"';
      return `<mo form="prefix"${still}>(</mo>${t}<mo form="postfix"${still}>)</mo>`;
    },
    row: (t) => `<mrow>${t}</mrow>`,
  },
  tex: {
    plain: (t) => comma(t, "{,}"), minus: "-", power: (t, k) => `${comma(t, "{,}")} \\cdot 10^{${k}}`, over: (p, q) => `\\frac{${p}}{${q}}`,
    bracket: (t) => `(${t})`, row: (t) => t,
  },
  text: {
    plain: (t) => comma(t, ","), minus: "\u2212", over: (p, q) => `${p}/${q}`, bracket: (t) => t, row: (t) => t,
    power: (t, k) => `${comma(t, ",")}\u00b710${[...String(k)].map((c) => (c === "-" ? "\u207b" : "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[c])).join("")}`,
  },
};
function numeral(text, form, guard = 0) {
  const s = shape(text);
  let inner = s.parts ? form.over(...s.parts) : s.power === undefined ? form.plain(s.bare) : form.power(s.bare, s.power);
  if (s.sign) inner = form.minus + inner;
  const bracketed = (guard > 0 && s.sign) || (guard > 1 && s.power !== undefined);
  return form.row(bracketed ? form.bracket(inner) : inner);
}
const HOLE = /<mi>(?:&#x0?([EF][0-9A-F]{3});|([\ue000-\uf8ff]))<\/mi>|([\ue000-\uf8ff])/g;
const inHoles = (template, put) => template.replace(/<mn>[\d.]+<\/mn>/g, (n) => comma(n, ",")).replace(HOLE, (_, code, sign, bare) =>
  put((code ? parseInt(code, 16) : (sign || bare).charCodeAt(0)) - 0xe000));
const EQUALS = "<mo form=\"infix\">=</mo>";
const long = (tex) => tex.replace(/\\[a-z]+|[{}\\ ^_]/g, "").length > LINE;
function escaped(text) {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));
}
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
const math = (m, x, block = false) => `<math${block ? ' displaystyle="true"' : ""}><semantics><mrow>${m}</mrow><annotation encoding="application/x-tex">${escaped(x)}</annotation></semantics></math>`;

async function copied(button, text) {
  try { await navigator.clipboard.writeText(text); } catch {
    const area = element("textarea", { "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  $("status").textContent = word("copied");
}
function rounding({ chained, astray }) { // how results are rounded, in words
  const f = data.format, up = word(`rounding.${f.half_up ? "half_up" : "half_even"}`);
  const told = f.chained && !chained ? givenUp(f, astray) : f;
  const start = told.decimals !== null ? filled("rounding.decimals", told.decimals, up) : filled("rounding.digits", told.digits, up);
  $("rounding").textContent = start + word(`rounding.${chained ? "chained" : f.chained ? astray : "unchained"}`);
}
function table(caption, heads, rows) {
  const made = element("table", {}, element("caption", {}, caption));
  const head = element("tr");
  for (const each of heads) head.append(element("th", { scope: "col" }, each));
  made.append(element("thead", {}, head), element("tbody", {}, ...rows));
  return element("div", { class: "scroll" }, made);
}
function colour() {
  const chosen = $("theme").value, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = chosen === "auto" ? (dark ? "dark" : "light") : chosen;
}
function spellWords() { // all words that stand in the file, in the language of the moment
  document.documentElement.lang = page.language;
  document.title = $("title").textContent = data.title[page.language] || word("untitled");
  for (const part of all("[data-word]")) part.textContent = word(part.dataset.word);
  for (const part of all("[data-label]")) part.setAttribute("aria-label", word(part.dataset.label));
}
function stageButtons(stages) { // each shows the lines of a stage
  $("stages").replaceChildren(...stages.map((stage) => {
    const button = element("button", { type: "button", "data-stage": stage }, word(`stages.${stage}`));
    button.addEventListener("click", () => { state.stage = stage; state.chosen = null; state.step = -1; showLines(); light(); announce(); });
    return button;
  }));
}
function choose(what, pinned = false) { // light up what is pointed at, and tell of it; null: of all
  state.chosen = what;
  state.pinned = pinned && what !== null;
  if (what !== null) state.step = -1;
  showLines();
  light();
  announce();
}
function reset() { // the given numbers as they were
  state.given = state.start.slice();
  $("wrong").textContent = "";
  for (const input of all("input[data-edit]")) input.removeAttribute("aria-invalid");
  state.update = 0;
  $("update").value = 0;
  renewed();
  begin();
}
function listenEverywhere(spell) {
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") choose(null); });
  $("back").addEventListener("click", () => go(state.step - 1));
  $("next").addEventListener("click", () => go(state.step + 1));
  $("whole").addEventListener("click", () => choose(null));
  $("reset").addEventListener("click", reset);
  $("update").addEventListener("input", (event) => moved(Number(event.target.value)));
  $("language").addEventListener("change", (event) => { page.language = event.target.value; spell(); });
  $("theme").addEventListener("change", colour);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colour);
  for (const input of all("#view input")) input.addEventListener("change", () => { document.documentElement.dataset.view = input.value; });
  document.documentElement.dataset.view = "all";
  colour();
}

const PRINTED = 400; // lines at most that go on paper
function printWhole(before, after) { // on paper all stages stand one below the other
  addEventListener("beforeprint", before);
  addEventListener("afterprint", after);
}

// --- training: what is given after so many updates, in doubles ----------------------------------

const PATIENCE = 3000; // milliseconds for the curve of the training
const EVERY = 100; // updates from one kept point to the next
let course = null;
function reached(number) { // the update that the training comes to; says so where it leaves its range
  $("wrong").textContent = "";
  if (number === 0 || course.reach(number - 1)) return number;
  $("wrong").textContent = filled("left", course.losses.length);
  $("update").value = course.losses.length;
  return course.losses.length;
}
class Course {
  constructor(step, first, steps) {
    Object.assign(this, { step, steps, points: [first], losses: [], spent: 0, timer: 0, end: null, last: null });
  }
  stop() { clearTimeout(this.timer); }
  reach(number, until = Infinity) { // go on to an update; false where time or range ends
    while (this.losses.length <= number) {
      if (this.end !== null || performance.now() > until) return false;
      const k = this.losses.length;
      const { loss, next } = this.step(this.last && this.last.k === k ? this.last.values : this.at(k), k);
      if (!isFinite(loss) || !next.every((each) => (Array.isArray(each) ? each.every(isFinite) : isFinite(each)))) {
        this.end = k;
        return false;
      }
      this.losses.push(loss);
      this.last = { k: k + 1, values: next };
      if ((k + 1) % EVERY === 0) this.points[(k + 1) / EVERY] = next;
    }
    return true;
  }
  at(number) { // the numbers after an update, from the last point that was kept
    if (this.last && this.last.k === number) return this.last.values;
    const point = Math.min(Math.floor(number / EVERY), this.points.length - 1);
    let values = this.points[point];
    for (let k = point * EVERY; k < number; k += 1) values = this.step(values, k).next;
    return values;
  }
  run(draw) { // as far as patience goes, without keeping the reader from the page
    this.timer = setTimeout(() => {
      const start = performance.now();
      const done = this.reach(this.steps, start + 25) || this.end !== null;
      this.spent += performance.now() - start;
      draw();
      if (!done && this.spent < PATIENCE) this.run(draw);
    }, 5);
  }
  draw(update) {
    const { losses } = this, n = Math.max(1, this.steps);
    if (!losses.length) return;
    const top = losses.reduce((a, b) => Math.max(a, b)), bottom = Math.min(0, losses.reduce((a, b) => Math.min(a, b)));
    const every = Math.max(1, Math.floor(losses.length / 200));
    const points = losses.map((e, k) => [k, e]).filter(([k]) => k % every === 0 || k === losses.length - 1)
      .map(([k, e]) => `${(300 * k) / n},${(85 - 80 * ((e - bottom) / (top - bottom || 1))).toFixed(2)}`);
    const x = (300 * update) / n;
    $("curve").innerHTML = `<path d="M0 0V85H300"/><polyline points="${points.join(" ")}"/><line x1="${x}" x2="${x}" y1="0" y2="85"/>`;
  }
}
