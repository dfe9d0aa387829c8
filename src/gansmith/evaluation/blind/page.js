(() => {
"use strict";
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PAUSE = 180; // ms after an answer in which no other is taken: a key that bounces, a double tap
const LARGEST = 512; // CSS pixels of an image at most
const element = (id) => document.getElementById(id);
const data = JSON.parse(element("data").textContent);
const alone = data.kind === 0;
const count = data.looks.length;
const person = crypto.getRandomValues(new Uint16Array(1))[0];
const chosen = [];
let ready = 0;

function numberOf(letters) {
  return [...letters].reduce((sum, letter) => sum * 32 + LETTERS.indexOf(letter), 0);
}

function truths() {
  const hidden = Uint8Array.from(atob(data.key), (letter) => letter.charCodeAt(0));
  let state = numberOf(data.test) % 2 ** 32 | 0 || 1;
  return Array.from(hidden, (byte) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (byte ^ state) & 255;
  });
}

function packed(bits) {
  const bytes = new Array(Math.ceil(bits.length / 8)).fill(0);
  bits.forEach((bit, at) => { bytes[at >> 3] |= bit << (7 - (at & 7)); });
  return bytes;
}

function check(bytes) { // CRC-32
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

function big(number, bytes) {
  return Array.from({ length: bytes }, (_, at) => Math.floor(number / 256 ** (bytes - 1 - at)) % 256);
}

function code(truth) {
  const bytes = [16 | data.kind, ...big(numberOf(data.test), 5), ...big(person, 2), count, ...packed(truth), ...packed(chosen)];
  bytes.push(...big(check(bytes), 4));
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = bits.match(/.{1,5}/g).map((five) => LETTERS[parseInt(five.padEnd(5, "0"), 2)]).join("");
  return ["GS", ...letters.match(/.{1,5}/g)].join("-");
}

function uri(image) {
  return `data:image/png;base64,${image}`;
}

function fit() { // whole pixels of the screen for each pixel of an image
  const [width, height] = data.size;
  const page = element("test-part").clientWidth;
  const wide = Math.min(LARGEST, alone ? page - 16 : (page - 12) / 2 - 20);
  const high = Math.max(160, window.innerHeight - (alone ? 260 : 230));
  const zoom = Math.max(1, Math.floor(Math.min(wide / width, high / height, LARGEST / height)));
  for (const image of element("test-part").querySelectorAll("img")) {
    image.style.width = `${width * zoom}px`;
    image.style.height = width * zoom > wide ? "auto" : `${height * zoom}px`;
  }
}

function show() {
  const look = chosen.length;
  element("progress").textContent = `${alone ? "Image" : "Pair"} ${look + 1} of ${count}`;
  element("bar").value = look;
  data.looks[look].forEach((image, at) => { element(`image-${at}`).src = uri(image); });
}

function begin() {
  element("start").hidden = true;
  element("test-part").hidden = false;
  fit();
  show();
  element("question").focus();
}

function choose(answer) {
  if (element("test-part").hidden || performance.now() < ready) return;
  ready = performance.now() + PAUSE;
  chosen.push(answer);
  if (chosen.length < count) show();
  else finish();
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

function meaning(low, high) {
  if (alone) {
    if (high < 0.5) return "You can tell them apart: guessing is hardly ever right so often.";
    if (low > 0.5) return "You were wrong more often than by guessing: to you the made ones look more real than the real ones.";
    return `${count} looks do not show that you can tell them apart.`;
  }
  if (low > 0.5) return `To you, those of ${data.names[0]} look more real.`;
  if (high < 0.5) return `To you, those of ${data.names[1]} look more real.`;
  return `${count} looks do not show that one of them looks more real to you.`;
}

function finish() {
  const truth = truths();
  const agreeing = chosen.filter((answer, look) => answer === truth[look]).length;
  const counted = alone ? count - agreeing : agreeing;
  const [low, high] = data.intervals[counted];
  const interval = `${percent(counted / count)} (${Math.round(100 * low)} to ${Math.round(100 * high)})`;
  element("result").textContent = alone
    ? `You were wrong in ${counted} of ${count} looks: ${interval}`
    : `You chose ${data.names[0]} in ${counted} of ${count} looks, ${data.names[1]} in ${count - counted}: ${interval}`;
  element("meaning").textContent = meaning(low, high);
  element("span").style.left = `${100 * low}%`;
  element("span").style.width = `${100 * (high - low)}%`;
  element("point").style.left = `${100 * counted / count}%`;
  const of = (is, said) => truth.filter((one, look) => one === is && (said === undefined || chosen[look] === said)).length;
  const between = "In brackets, the interval that holds your true share with 95 % confidence.";
  element("ways").textContent = alone
    ? `Of ${of(1)} made images you took ${of(1, 0)} for real; of ${of(0)} real images you took ${of(0, 1)} for made. ${between}`
    : between;
  element("code").value = code(truth);
  review(truth);
  element("test-part").hidden = true;
  element("end").hidden = false;
  element("result").focus();
}

function review(truth) {
  const words = alone ? ["real", "made"] : [...data.names].reverse();
  data.looks.forEach((look, at) => {
    const item = document.createElement("li");
    const images = document.createElement("div");
    for (const image of look) {
      const shown = document.createElement("img");
      shown.src = uri(image);
      shown.alt = "";
      images.append(shown);
    }
    const said = alone ? `${words[truth[at]]}; you said ${words[chosen[at]]}`
      : `left: ${words[truth[at]]}; you chose ${chosen[at] === 1 ? "left" : "right"}`;
    if (alone && truth[at] !== chosen[at]) item.className = "wrong";
    item.append(images, `${at + 1}: ${said}`);
    element("looks").append(item);
  });
}

async function copy() {
  const field = element("code");
  field.focus();
  field.select();
  let done = false;
  try {
    await navigator.clipboard.writeText(field.value);
    done = true;
  } catch {
    done = document.execCommand("copy");
  }
  element("copied").textContent = done ? "Copied." : "It is selected: copy it by hand.";
}

const KEYS = alone ? { ArrowLeft: 0, r: 0, ArrowRight: 1, m: 1 } : { ArrowLeft: 1, l: 1, ArrowRight: 0, r: 0 };
document.addEventListener("keydown", (event) => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!(key in KEYS) || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (element("test-part").hidden) return;
  event.preventDefault();
  choose(KEYS[key]);
});
element("begin").addEventListener("click", begin);
element("choice-0").addEventListener("click", () => choose(0));
element("choice-1").addEventListener("click", () => choose(1));
element("copy").addEventListener("click", copy);
window.addEventListener("resize", fit);
element("begin").disabled = false;
})();
