"use strict";
const byId = (id) => document.getElementById(id);
const facts = JSON.parse(byId("facts").textContent);
const SAMPLES = 24, MIXED = 9, STEPS = 3;
const begun = performance.now();
let session, Tensor, chosen = 0;

const plain = (id) => Uint8Array.from(atob(byId(id).textContent.trim()), (letter) => letter.charCodeAt(0));
async function unpacked(id) {
  const stream = new Blob([plain(id)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function begin() {
  const [script, wasm, model] = await Promise.all(["runtime-script", "runtime-wasm", "model"].map(unpacked));
  // a blob's address: a module in the page itself is refused where its origin is null
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const runtime = await import(address);
  URL.revokeObjectURL(address);
  runtime.env.wasm.wasmBinary = wasm;
  runtime.env.wasm.numThreads = 1;
  runtime.env.wasm.proxy = false;
  Tensor = runtime.Tensor;
  session = await runtime.InferenceSession.create(model, { executionProviders: ["wasm"] });
}

// One run at a time, in the order in which they were asked for.
let last = Promise.resolve();
function levelsOf(latent, label, psi) {
  last = last.catch(() => {}).then(async () => {
    const inputs = { latent: new Tensor("float32", latent, [1, facts.prior.size]) };
    if (facts.inputs.includes("label")) inputs.label = new Tensor("int64", BigInt64Array.of(BigInt(label)), [1]);
    if (facts.inputs.includes("psi")) inputs.psi = new Tensor("float32", Float32Array.of(psi), [1]);
    const image = (await session.run(inputs)).image;
    return Uint8ClampedArray.from(image.data, (value) => Math.round((value + 1) * 127.5)); // [C, H, W]
  });
  return last;
}

function draw(canvas, levels) {
  const { channels, height, width } = facts;
  canvas.width = width;
  canvas.height = height;
  const pixels = new ImageData(width, height), area = height * width;
  for (let i = 0; i < area; i += 1) {
    for (let c = 0; c < 3; c += 1) pixels.data[4 * i + c] = levels[(channels > 2 ? c : 0) * area + i];
    pixels.data[4 * i + 3] = channels % 2 ? 255 : levels[(channels - 1) * area + i];
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

// The stored images made again: nothing is shown where this page does not make what PyTorch made.
async function check() {
  const known = plain("stored"), size = facts.channels * facts.height * facts.width;
  let level = 0, latent = 0;
  for (const [place, one] of facts.stored.entries()) {
    const z = latentOf(one.seed, facts.prior, facts.word);
    one.latent.forEach((value, i) => { latent = Math.max(latent, Math.abs(value - z[i])); });
    const levels = await levelsOf(z, one.label, 1);
    levels.forEach((value, i) => { level = Math.max(level, Math.abs(value - known[place * size + i])); });
  }
  document.documentElement.dataset.level = level;
  document.documentElement.dataset.latent = latent;
  if (!(level <= 1 && latent < 1e-5)) {
    throw new Error(`this browser makes other images than PyTorch: ${level} levels apart, latents ${latent}`);
  }
}

const number = (id) => Math.min(Math.max(Math.trunc(Number(byId(id).value)) || 0, 0), Number.MAX_SAFE_INTEGER);
const labelOf = (seed) => {
  const value = byId("label") ? Number(byId("label").value) : 0;
  return value < 0 ? seed % facts.classes.length : value;
};
const psi = () => (byId("psi") ? Number(byId("psi").value) : 1);
const near = (z) => {
  if (facts.prior.kind === "sphere") return onSphere(z);
  return facts.prior.kind === "uniform" ? z.map((value) => Math.min(Math.max(value, -1), 1)) : z;
};

async function showSamples() {
  const first = number("seed");
  for (const [place, button] of [...byId("samples").children].entries()) {
    const seed = first + place;
    draw(button.firstChild, await levelsOf(latentOf(seed, facts.prior, facts.word), labelOf(seed), psi()));
    button.title = `seed ${seed}`;
    button.setAttribute("aria-label", `image of seed ${seed}`);
    button.setAttribute("aria-pressed", seed === chosen);
  }
}

async function showOne() {
  const z = latentOf(chosen, facts.prior, facts.word).slice();
  [...byId("sliders").querySelectorAll("input")].forEach((slider, k) => {
    facts.directions[k].forEach((value, i) => { z[i] += Number(slider.value) * facts.deviation * value; });
    slider.nextElementSibling.value = Number(slider.value).toFixed(1);
  });
  draw(byId("one"), await levelsOf(near(z), labelOf(chosen), psi()));
  byId("one-name").textContent = `seed ${chosen}`;
}

// Along the great arc (Shoemake 1985) for normal latents and the sphere's; along a line for uniform ones.
function between(a, b, share) {
  if (facts.prior.kind === "uniform") return a.map((value, i) => value + share * (b[i] - value));
  const dot = a.reduce((sum, value, i) => sum + value * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b));
  const angle = Math.acos(Math.min(Math.max(dot, -1), 1));
  if (Math.sin(angle) < 1e-4) return a.map((value, i) => value + share * (b[i] - value));
  const [wa, wb] = [Math.sin((1 - share) * angle), Math.sin(share * angle)];
  return a.map((value, i) => (wa * value + wb * b[i]) / Math.sin(angle));
}

async function showMixed() {
  const [a, b] = ["left", "right"].map((id) => latentOf(number(id), facts.prior, facts.word));
  const middle = Number(byId("mix").value);
  for (const [place, canvas] of [...byId("mixed").children].entries()) {
    const half = (MIXED - 1) / 2; // the middle image is where the slider stands
    const share = place <= half ? (place / half) * middle : middle + ((place - half) / half) * (1 - middle);
    draw(canvas, await levelsOf(between(a, b, share), labelOf(number("left")), psi()));
  }
}

// The newest state of a slider, whatever was passed over while an image was made.
function newest(show) {
  let busy = false, again = false;
  return async () => {
    again = true;
    if (busy) return;
    busy = true;
    while (again) {
      again = false;
      await show();
    }
    busy = false;
  };
}

const [samples, one, mixed] = [showSamples, showOne, showMixed].map(newest);
const all = () => Promise.all([samples(), one(), mixed()]);

function build() {
  for (let place = 0; place < SAMPLES; place += 1) {
    const button = byId("samples").appendChild(document.createElement("button"));
    button.type = "button";
    button.append(document.createElement("canvas"));
    button.addEventListener("click", () => {
      chosen = number("seed") + place;
      samples();
      one();
    });
  }
  for (let place = 0; place < MIXED; place += 1) byId("mixed").append(document.createElement("canvas"));
  facts.directions.forEach((_, k) => {
    const label = byId("sliders").appendChild(document.createElement("label"));
    const slider = document.createElement("input"), value = document.createElement("output");
    Object.assign(slider, { type: "range", min: -STEPS, max: STEPS, step: 0.1, value: 0 });
    label.append(`${k + 1}`, slider, value);
    slider.addEventListener("input", one);
  });
  const sliders = [...byId("sliders").querySelectorAll("input")];
  byId("reset").addEventListener("click", () => { sliders.forEach((slider) => { slider.value = 0; }); one(); });
  byId("chance").addEventListener("click", () => {
    sliders.forEach((slider) => { slider.value = (2 * Math.random() - 1) * STEPS; });
    one();
  });
  byId("seed").addEventListener("change", samples);
  const move = (by) => () => { byId("seed").value = Math.max(0, number("seed") + by); samples(); };
  byId("before").addEventListener("click", move(-SAMPLES));
  byId("next").addEventListener("click", move(SAMPLES));
  for (const id of ["left", "right"]) byId(id).addEventListener("change", mixed);
  byId("mix").addEventListener("input", mixed);
  for (const id of ["label", "psi"]) if (byId(id)) byId(id).addEventListener("input", all);
}

async function start() {
  try {
    await begin();
    await check();
    build();
    byId("parts").hidden = false;
    await all();
    byId("status").textContent = `Ready after ${((performance.now() - begun) / 1000).toFixed(1)} seconds.`;
    document.documentElement.dataset.state = "ready";
  } catch (error) {
    byId("status").textContent = `Nothing can be shown: ${error.message || error}`;
    document.documentElement.dataset.state = "failed";
  }
}
start();
