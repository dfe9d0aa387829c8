"use strict";
// Latents of seeds, the numbers of gansmith: SplitMix64's finalizer, Mersenne Twister, and torch's normal numbers.

function mix(...parts) {
  const mask = (1n << 64n) - 1n;
  let state = 0x9E3779B97F4A7C15n;
  for (const part of parts) {
    state = (state + part * 0x9E3779B97F4A7C15n + 0x9E3779B97F4A7C15n) & mask;
    state = ((state ^ (state >> 30n)) * 0xBF58476D1CE4E5B9n) & mask;
    state = ((state ^ (state >> 27n)) * 0x94D049BB133111EBn) & mask;
    state ^= state >> 31n;
  }
  return state >> 1n;
}

// Matsumoto, Nishimura 1998, "Mersenne Twister": MT19937, begun by the low 32 bits of a seed.
function mersenne(seed) {
  const state = new Uint32Array(624);
  state[0] = Number(seed & 0xFFFFFFFFn);
  for (let i = 1; i < 624; i += 1) {
    state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  }
  let place = 624;
  return () => {
    if (place === 624) {
      for (let i = 0; i < 624; i += 1) {
        const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7FFFFFFF);
        state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908B0DF : 0);
      }
      place = 0;
    }
    let y = state[place];
    place += 1;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9D2C5680;
    y ^= (y << 15) & 0xEFC60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

const single = (random) => (random() & 0xFFFFFF) / 0x1000000; // [0, 1) with 24 bits
const double = (random) => {
  const high = random();
  return ((high & 0x1FFFFF) * 4294967296 + random()) / 9007199254740992; // with 53
};

// 16 numbers from 16 uniform ones, by pairs: Box, Muller 1958.
function normalFill(numbers, begin) {
  for (let i = begin; i < begin + 8; i += 1) {
    const radius = Math.sqrt(-2 * Math.log(1 - numbers[i]));
    const angle = 2 * Math.PI * numbers[i + 8];
    numbers[i] = radius * Math.cos(angle);
    numbers[i + 8] = radius * Math.sin(angle);
  }
}

function normal(size, random) {
  const numbers = new Float32Array(size);
  if (size < 16) {
    for (let i = 0; i < size; i += 2) {
      const first = double(random);
      const radius = Math.sqrt(-2 * Math.log1p(-double(random)));
      numbers[i] = radius * Math.cos(2 * Math.PI * first);
      if (i + 1 < size) numbers[i + 1] = radius * Math.sin(2 * Math.PI * first);
    }
    return numbers;
  }
  for (let i = 0; i < size; i += 1) numbers[i] = single(random);
  for (let i = 0; i + 16 <= size; i += 16) normalFill(numbers, i);
  if (size % 16) {
    for (let i = size - 16; i < size; i += 1) numbers[i] = single(random);
    normalFill(numbers, size - 16);
  }
  return numbers;
}

function onSphere(z) {
  const length = Math.hypot(...z);
  return z.map((value) => value * Math.sqrt(z.length) / Math.max(length, 1e-12));
}

function latentOf(seed, prior, word) {
  const random = mersenne(mix(BigInt(word), BigInt(seed)));
  if (prior.kind === "uniform") return Float32Array.from({ length: prior.size }, () => single(random) * 2 - 1);
  const z = normal(prior.size, random);
  return prior.kind === "normal" ? z : onSphere(z);
}
