// The program of a model: equations over letters, block by block, and the update behind them.

const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);
function flat(shape, at) { // where an entry lies in the list of all; -1 outside
  let n = 0;
  for (let k = 0; k < shape.length; k += 1) {
    if (at[k] < 0 || at[k] >= shape[k]) return -1;
    n = n * shape[k] + at[k];
  }
  return n;
}
function reader(quantities, table) { // entries of a table; zero is read outside of a quantity
  return {
    at: {},
    read: (q, at, math) => {
      const n = flat(quantities[q].s, at);
      return n < 0 ? math.whole(0) : table[q][n];
    },
  };
}
function walk(quantities, block, visit) { // all entries of a block in the order of computation
  const entries = (equation, allowed) => {
    const letters = equation.at, at = {}, shape = letters.map((each) => each[1]);
    const deeper = (depth, n) => {
      if (depth === letters.length) { visit(equation, n, at); return; }
      for (let k = 0; k < shape[depth]; k += 1) {
        if (!allowed(depth, k)) continue;
        at[letters[depth][0]] = k;
        deeper(depth + 1, n * shape[depth] + k);
      }
    };
    deeper(0, 0);
  };
  const step = (outer, here) => { // where each walk is, the outermost first
    if (here.length === outer.length) {
      block.e.forEach((equation, n) => entries(equation, (depth, k) => outer.every((turn, m) => depth !== turn.along[n] || k === here[m])));
      return;
    }
    const turn = outer[here.length];
    const length = Math.max(...block.e.map((equation, n) => quantities[equation.q].s[turn.along[n]]));
    for (let k = 0; k < length; k += 1) step(outer, [...here, turn.step > 0 ? k : length - 1 - k]);
  };
  step(block.walks, []);
}
function follow(model, enter, also) { // forward, backward, then the stages of the update
  const { quantities, program } = model;
  const all = (blocks) => blocks.forEach((block) => walk(quantities, block, enter));
  all(program.forward);
  all(program.backward);
  for (const stage of program.stages) {
    all(stage.blocks);
    for (const move of stage.moves) walk(quantities, { e: [move], walks: [] }, enter);
    also(stage);
  }
}
const copies = (tables) => tables.map((table) => (table ? table.slice() : table));

// What has the value 0/0 in rounded numbers only has none; with the factor 0 it is nothing in both.
const PLAINLY = { ...EXACTLY, arriving: EXACTLY.product };
function goneOn(tree, rounded, exact) {
  try { return evaluate(tree, rounded, PLAINLY); } catch (error) {
    if (!(error instanceof DivisionByZero)) throw error;
  }
  try { evaluate(tree, exact, PLAINLY); } catch (error) {
    if (!(error instanceof DivisionByZero)) throw error;
    return evaluate(tree, rounded, EXACTLY);
  }
  throw new Unrounded("no_value");
}
function modelComputed(model, given, format) { // all numbers, exact and as the page goes on
  return carefully(format, (own) => modelRun(model, given, own));
}
function modelRun(model, given, format) {
  const { quantities } = model;
  const exact = quantities.map((q, k) => (given[k] ? given[k].slice() : []));
  const said = (a) => (isFraction(a) ? literal(a) : printed(a, format).text); // it may have been updated
  const page = copies(exact), text = given.map((table) => (table ? table.map(said) : []));
  // Where parameters move in their turn, what is computed anew has tables of its own; the page keeps the first.
  let now = { exact, page }, from = reader(quantities, exact), rounded = reader(quantities, page);
  const enter = (equation, n, at) => {
    from.at = rounded.at = { ...at };
    try {
      const value = evaluate(equation.f, from, EXACTLY);
      let chained = value;
      if (format.chained) {
        try { chained = goneOn(equation.f, rounded, from); } catch (error) {
          throw error instanceof NoValue ? new Unrounded("no_value") : error;
        }
      }
      const done = printed(chained, format), q = equation.q;
      now.exact[q][n] = value;
      now.page[q][n] = format.chained ? done.value : value;
      if (text[q][n] !== undefined) return;
      [exact[q][n], page[q][n], text[q][n]] = [now.exact[q][n], now.page[q][n], done.text];
    } catch (error) {
      if (error instanceof NoValue && error.key === undefined) error.key = equation.q;
      throw error;
    }
  };
  follow(model, enter, (stage) => {
    if (now.exact === exact) now = { exact: copies(exact), page: copies(page) };
    [from, rounded] = [reader(quantities, now.exact), reader(quantities, now.page)];
    for (const move of stage.moves) {
      if (move.old === null) continue;
      now.exact[move.old] = now.exact[move.q].slice();
      now.page[move.old] = now.page[move.q].slice();
    }
  });
  if (format.chained) mustMoveRightly(model, exact, page, format);
  return { exact, page, text, chained: format.chained, astray: format.astray };
}
function mustMoveRightly(model, exact, page, format) { // no parameter goes where only the rounding sends it
  const rational = (a, b) => minus(asFraction(a), asFraction(b)), larger = (a, b) => (signOf(minus(a, b)) > 0 ? a : b);
  const found = [];
  for (const stage of model.program.stages) for (const { q, old } of stage.moves) {
    if (old === null || model.quantities[old].r === undefined) continue;
    exact[q].forEach((value, n) => {
      const step = rational(value, exact[old][n]), off = absolute(minus(rational(page[q][n], page[old][n]), step));
      const last = Math.max(...[value, page[q][n]].map((each) => lastPlace(asFraction(each), format)));
      const seen = last < 0 ? fraction(FEW_UNITS, ten(-last)) : fraction(FEW_UNITS * ten(last));
      found.push({ off, step: absolute(step), seen });
    });
  }
  const half = times(fraction(1n, 2n), found.map(({ step }) => step).reduce(larger, ZERO));
  for (const { off, step, seen } of found)
    if (signOf(minus(off, [half, step, seen].reduce(larger))) > 0) throw new Unrounded("no_step");
}
const FEW_UNITS = 10n; // of a last printed digit, by which rounding may move anything
function modelAfter(model, now, given, format) { // the loss once more, with the new parameters
  const moved = given.slice();
  for (const stage of model.program.stages)
    for (const move of stage.moves) if (move.old !== null) moved[move.old] = now.page[move.q];
  const forward = { ...model, program: { ...model.program, backward: [], stages: [] } };
  return modelComputed(forward, moved, format);
}

// The training in doubles: the loss, and what is given after one more update.
function modelTraining(model, loss) {
  return (values) => {
    const now = values.map((table) => (table ? table.slice() : []));
    const next = values.slice(), from = reader(model.quantities, now);
    const enter = (equation, n, at) => {
      from.at = { ...at };
      now[equation.q][n] = evaluate(equation.f, from, AS_DOUBLES);
    };
    let found = NaN;
    follow(model, enter, (stage) => {
      found = now[loss][0];
      for (const move of stage.moves) if (move.old !== null) next[move.old] = now[move.old] = now[move.q].slice();
    });
    return { loss: found, next };
  };
}
